//! Models of the pair ring with the park: what one core sends, another finds, also on its way to sleep.
//!
//! `RUSTFLAGS="--cfg modelled" cargo test --release -p executor --lib loom`

use super::pair_ring::pair_ring;
use loom::sync::{Arc, Notify};
use loom::thread;
use reactor::park::{ParkState, Wake, publish_fence};
use std::ptr::NonNull;

fn entry(value: usize) -> NonNull<()> {
    NonNull::new(std::ptr::without_provenance_mut(value)).expect("not zero")
}

/// The sender publishes two batches while the receiver goes to sleep when it finds nothing: it gets everything, in order, and a kernel
/// wake is made whenever it sleeps with something to take. A lost one would be a deadlock, which loom reports.
#[test]
fn published_entries_reach_a_core_that_goes_to_sleep() {
    loom::model(|| {
        let (mut sender, mut receiver) = pair_ring::<()>(2);
        let state = Arc::new(ParkState::new());
        let kernel = Arc::new(Notify::new());
        let remote = thread::spawn({
            let state = Arc::clone(&state);
            let kernel = Arc::clone(&kernel);
            move || {
                for value in 1..=2 {
                    sender.send(entry(value)).expect("there is room");
                    publish_fence();
                    if state.ring() == Wake::Kernel {
                        kernel.notify();
                    }
                }
            }
        });
        let mut seen = Vec::new();
        while seen.len() < 2 {
            if receiver.take(8, |entry| seen.push(entry)) > 0 {
                continue;
            }
            state.block(|| !receiver.is_empty(), || kernel.wait());
        }
        assert_eq!(seen, [entry(1), entry(2)]);
        remote.join().unwrap();
    });
}

/// A ring of one line is filled, emptied and filled again: the sender overwrites only what the receiver has read.
#[test]
fn entries_are_not_overwritten_before_they_are_read() {
    loom::model(|| {
        let (mut sender, mut receiver) = pair_ring::<()>(1);
        // More than the line has places for, twice.
        let remote = thread::spawn(move || {
            for value in 1..=4 {
                while sender.send(entry(value)).is_err() {
                    thread::yield_now();
                }
            }
        });
        let mut seen = Vec::new();
        while seen.len() < 4 {
            if receiver.take(8, |entry| seen.push(entry)) == 0 {
                thread::yield_now();
            }
        }
        assert_eq!(seen, [entry(1), entry(2), entry(3), entry(4)]);
        remote.join().unwrap();
    });
}
