//! A ring from one core to one other: single producer, single consumer, of pointers, published in batches.
//!
//! The sender writes any number of entries and then publishes them with one store; the receiver sees them from then on. What does
//! not fit stays with the sender (see [`super::outbox`]): nobody waits. Head and tail count up and wrap; the difference is what
//! matters. Each side keeps what it last saw of the other's counter, so that the two cache lines are touched once a batch.

use crate::sync::{Arc, AtomicPtr, AtomicUsize, Ordering};
use crossbeam_utils::CachePadded;
use std::ptr::NonNull;

struct Shared<T> {
    /// Written by the receiver: how many entries it has taken.
    head: CachePadded<AtomicUsize>,
    /// Written by the sender: how many entries it has published.
    tail: CachePadded<AtomicUsize>,
    entries: Box<[AtomicPtr<T>]>,
}

/// The producing end.
pub(crate) struct Sender<T> {
    shared: Arc<Shared<T>>,
    head_seen: usize,
    written: usize,
}

/// The consuming end.
pub(crate) struct Receiver<T> {
    shared: Arc<Shared<T>>,
    taken: usize,
}

/// A ring of `capacity` entries, a power of two.
pub(crate) fn pair_ring<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity.is_power_of_two(), "positions are found by a mask");
    let shared = Arc::new(Shared {
        head: CachePadded::new(AtomicUsize::new(0)),
        tail: CachePadded::new(AtomicUsize::new(0)),
        entries: (0..capacity)
            .map(|_| AtomicPtr::new(std::ptr::null_mut()))
            .collect(),
    });
    let sender = Sender {
        shared: Arc::clone(&shared),
        head_seen: 0,
        written: 0,
    };
    (sender, Receiver { shared, taken: 0 })
}

impl<T> Shared<T> {
    fn entry(&self, position: usize) -> &AtomicPtr<T> {
        &self.entries[position & (self.entries.len() - 1)]
    }
}

impl<T> Sender<T> {
    /// Writes an entry, not yet visible to the receiver; gives it back if there is no room.
    pub(crate) fn write(&mut self, entry: NonNull<T>) -> Result<(), NonNull<T>> {
        let capacity = self.shared.entries.len();
        if self.written.wrapping_sub(self.head_seen) == capacity {
            // Acquire: pairs with the Release in `Receiver::take`; the receiver has read what we are about to overwrite.
            self.head_seen = self.shared.head.load(Ordering::Acquire);
            if self.written.wrapping_sub(self.head_seen) == capacity {
                return Err(entry);
            }
        }
        // Relaxed: published by the tail.
        self.shared
            .entry(self.written)
            .store(entry.as_ptr(), Ordering::Relaxed);
        self.written = self.written.wrapping_add(1);
        Ok(())
    }

    /// Makes everything written visible to the receiver.
    pub(crate) fn publish(&mut self) {
        // Release: pairs with the Acquire loads of the tail in `Receiver`.
        self.shared.tail.store(self.written, Ordering::Release);
    }
}

impl<T> Receiver<T> {
    /// Whether nothing is there. After `ParkState::begin_block`, what a sender published before its fence is seen here.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        // Acquire: as in `take`. That it cannot be stale once the owner is `Blocked` is the work of the two fences in
        // `reactor::park`.
        self.shared.tail.load(Ordering::Acquire) == self.taken
    }

    /// Takes at most `limit` entries, the oldest first.
    #[inline]
    pub(crate) fn take(&mut self, limit: usize, mut each: impl FnMut(NonNull<T>)) -> usize {
        // Acquire: pairs with the Release in `Sender::publish`; the entries, and what they point to, are visible.
        let tail = self.shared.tail.load(Ordering::Acquire);
        let count = tail.wrapping_sub(self.taken).min(limit);
        for _ in 0..count {
            // Relaxed: made visible by the tail.
            let entry = self.shared.entry(self.taken).load(Ordering::Relaxed);
            self.taken = self.taken.wrapping_add(1);
            each(NonNull::new(entry).expect("the sender writes non-null pointers"));
        }
        if count > 0 {
            // Release: pairs with the Acquire in `Sender::write`; the sender may overwrite these.
            self.shared.head.store(self.taken, Ordering::Release);
        }
        count
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn pointer(value: usize) -> NonNull<u8> {
        NonNull::new(std::ptr::without_provenance_mut(value)).expect("not zero")
    }

    /// A full ring gives the entry back, and takes it again when there is room; nothing is visible before it is published.
    #[test]
    fn full_ring_returns_the_entry() {
        let (mut sender, mut receiver) = pair_ring::<u8>(2);
        assert!(sender.write(pointer(1)).is_ok());
        assert!(receiver.is_empty());
        assert!(sender.write(pointer(2)).is_ok());
        sender.publish();
        assert_eq!(sender.write(pointer(3)), Err(pointer(3)));
        let mut seen = Vec::new();
        assert_eq!(receiver.take(1, |entry| seen.push(entry)), 1);
        assert!(sender.write(pointer(3)).is_ok());
        sender.publish();
        receiver.take(usize::MAX, |entry| seen.push(entry));
        assert_eq!(seen, [pointer(1), pointer(2), pointer(3)]);
        assert!(receiver.is_empty());
    }

    /// The counters may pass `usize::MAX`.
    #[test]
    fn counters_wrap() {
        let (mut sender, mut receiver) = pair_ring::<u8>(4);
        let start = usize::MAX - 1;
        sender.shared.head.store(start, Ordering::Relaxed);
        sender.shared.tail.store(start, Ordering::Relaxed);
        (sender.head_seen, sender.written, receiver.taken) = (start, start, start);
        for round in 1..10 {
            for value in 1..=4 {
                assert!(sender.write(pointer(round * value)).is_ok());
            }
            assert!(sender.write(pointer(99)).is_err());
            sender.publish();
            let mut seen = Vec::new();
            receiver.take(usize::MAX, |entry| seen.push(entry));
            assert_eq!(
                seen,
                (1..=4)
                    .map(|value| pointer(round * value))
                    .collect::<Vec<_>>()
            );
        }
    }
}
