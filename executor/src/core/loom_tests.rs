//! Models of what the cores build on the park: what one core sends, another finds, also on its way to sleep; a core that sleeps is stopped; and what
//! is sent to a core that closes is settled.
//!
//! `RUSTFLAGS="--cfg modelled" cargo test --release -p corering --lib loom`; with steps left out by `.ci/run bites`.

use super::ending::{Closed, Stopping};
use super::pair_ring::{Receiver, pair_ring};
use crate::primitives::UnsafeCell;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Notify};
use loom::thread;
use reactor::modelled::Line;
use reactor::park::{Look, ParkState, Wake, publish_fence};
use std::cell::Cell;
use std::ptr::NonNull;
use std::time::Duration;

/// What others need to wake a core.
struct Parked {
    state: ParkState,
    line: Line,
    kernel: Notify,
}

impl Parked {
    fn new() -> Self {
        Self {
            state: ParkState::new(),
            line: Line::new(),
            kernel: Notify::new(),
        }
    }

    fn ring(&self) {
        match self.state.ring() {
            Wake::Nothing => {}
            Wake::Store => self.line.store(),
            Wake::Kernel => self.kernel.notify(),
        }
    }

    /// Owner: watches, for `waits` waits at most, and blocks after that. Until it is rung, or for no reason.
    fn park(&self, waits: usize, has_work: impl Fn() -> bool) {
        let (armed, left) = (Cell::new(0), Cell::new(waits));
        let look = || match left.get() {
            _ if has_work() => Look::Work,
            0 => Look::GiveUp,
            waits => {
                left.set(waits - 1);
                Look::Nothing(Duration::MAX)
            }
        };
        let wait = |_| self.line.wait(armed.get());
        if waits > 0
            && self
                .state
                .monitor(|| armed.set(self.line.arm()), look, wait)
        {
            return;
        }
        self.state.block(has_work, || self.kernel.wait());
    }
}

fn entry(value: usize) -> NonNull<()> {
    NonNull::new(std::ptr::without_provenance_mut(value)).expect("not zero")
}

/// The sender publishes two batches while the receiver goes to sleep when it finds nothing: it gets everything, in order, and is rung
/// whenever it sleeps with something to take. A lost ring would be a deadlock, which loom reports.
fn published_entries_reach_a_core_that_parks(waits: usize) {
    loom::model(move || {
        let (mut sender, mut receiver) = pair_ring::<()>(2);
        let core = Arc::new(Parked::new());
        let remote = thread::spawn({
            let core = Arc::clone(&core);
            move || {
                for value in 1..=2 {
                    sender.send(entry(value)).expect("there is room");
                    publish_fence();
                    core.ring();
                }
            }
        });
        let mut seen = Vec::new();
        while seen.len() < 2 {
            if receiver.take(8, |entry| seen.push(entry)) == 0 {
                core.park(waits, || !receiver.is_empty());
            }
        }
        assert_eq!(seen, [entry(1), entry(2)]);
        remote.join().unwrap();
    });
}

/// The receiver blocks.
#[test]
fn published_entries_reach_a_core_that_blocks() {
    published_entries_reach_a_core_that_parks(0);
}

/// The receiver watches, and would do so for ever.
#[test]
fn published_entries_reach_a_core_that_watches() {
    published_entries_reach_a_core_that_parks(usize::MAX);
}

/// The receiver watches until one wait is over, and blocks then.
#[test]
fn published_entries_reach_a_core_that_watches_and_blocks() {
    published_entries_reach_a_core_that_parks(1);
}

/// The runtime is stopped while a core watches or blocks, or is about to: it does not sleep through that.
#[test]
fn a_core_that_parks_is_stopped() {
    for waits in [0, 1, usize::MAX] {
        loom::model(move || {
            let runtime = Arc::new((Stopping::new(), Parked::new()));
            let stopper = thread::spawn({
                let runtime = Arc::clone(&runtime);
                move || {
                    let (stopping, core) = &*runtime;
                    stopping.begin();
                    core.ring();
                }
            });
            let (stopping, core) = &*runtime;
            while !stopping.has_begun() {
                core.park(waits, || stopping.has_begun());
            }
            stopper.join().unwrap();
        });
    }
}

/// A message is pushed while its core closes: one of the two settles it. The queue is as weak as can be; and whoever settles sees what the
/// core did before it closed.
#[test]
fn what_is_sent_to_a_core_that_closes_is_settled() {
    struct Core {
        closed: Closed,
        queue: AtomicUsize,
        linked: UnsafeCell<usize>,
        settled: AtomicUsize,
    }
    impl Core {
        fn settle(&self) {
            if self.queue.load(Ordering::Acquire) > 0 {
                let count = self.queue.swap(0, Ordering::AcqRel);
                // SAFETY: the core has written it before it closed, and whoever settles knows that it has.
                assert_eq!(self.linked.with(|linked| unsafe { *linked }), 1);
                self.settled.fetch_add(count, Ordering::Relaxed);
            }
        }
    }
    loom::model(|| {
        let core = Arc::new(Core {
            closed: Closed::new(),
            queue: AtomicUsize::new(0),
            linked: UnsafeCell::new(0),
            settled: AtomicUsize::new(0),
        });
        let sender = thread::spawn({
            let core = Arc::clone(&core);
            move || {
                core.queue.fetch_add(1, Ordering::Release);
                publish_fence();
                if core.closed.is_set() {
                    core.settle();
                }
            }
        });
        // SAFETY: nobody else looks before it has closed.
        core.linked.with_mut(|linked| unsafe { *linked = 1 });
        core.closed.set();
        core.settle();
        sender.join().unwrap();
        assert_eq!(core.settled.load(Ordering::Relaxed), 1);
    });
}

/// A ring of two lines is filled, emptied and filled again: the sender overwrites only what the
/// receiver has read.
#[test]
fn entries_are_not_overwritten_before_they_are_read() {
    loom::model(|| {
        let (mut sender, mut receiver) = pair_ring::<()>(2);
        // More than the ring has places for.
        let remote = thread::spawn(move || {
            for value in 1..=5 {
                while sender.send(entry(value)).is_err() {
                    thread::yield_now();
                }
            }
        });
        assert_eq!(take_in_order(&mut receiver, 5), 5);
        remote.join().unwrap();
    });
}

/// More is sent than the ring has places for, and nothing is held back: it is taken in order,
/// though some of it goes through the overflow.
#[test]
fn what_overflows_is_taken_in_order() {
    loom::model(|| {
        let (mut sender, mut receiver) = pair_ring::<()>(2);
        let remote = thread::spawn(move || {
            for value in 1..=7 {
                sender.send_anyway(entry(value));
            }
        });
        assert_eq!(take_in_order(&mut receiver, 7), 7);
        remote.join().unwrap();
    });
}

/// Takes until it has `count`, which are to be 1, 2 and so on.
fn take_in_order(receiver: &mut Receiver<()>, count: usize) -> usize {
    let mut seen = 0;
    while seen < count {
        let taken = receiver.take(8, |taken| {
            seen += 1;
            assert_eq!(taken, entry(seen));
        });
        if taken == 0 {
            thread::yield_now();
        }
    }
    seen
}
