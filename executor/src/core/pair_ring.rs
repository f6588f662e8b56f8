//! A ring from one core to one other: single producer, single consumer, of pointers.
//!
//! An entry is its own publication: the sender stores a pointer where there was none, the receiver takes it and leaves none. So there are no
//! counters to share, and what is sent costs the receiver one cache line for eight entries. What does not fit stays with the sender (see
//! [`super::outbox`]): nobody waits.

use super::prefetch::prefetch_for_write;
use crate::sync::{AtomicPtr, Ordering};
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// One place, null while it is empty.
type Place<T> = AtomicPtr<T>;

/// The producing end.
pub(crate) struct Sender<T> {
    places: Arc<[Place<T>]>,
    written: usize,
}

/// The consuming end.
pub(crate) struct Receiver<T> {
    places: Arc<[Place<T>]>,
    taken: usize,
}

/// A ring of `capacity` entries, a power of two.
pub(crate) fn pair_ring<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity.is_power_of_two(), "places are found by a mask");
    let places: Arc<[Place<T>]> = (0..capacity)
        .map(|_| AtomicPtr::new(ptr::null_mut()))
        .collect::<Vec<_>>()
        .into();
    let sender = Sender {
        places: Arc::clone(&places),
        written: 0,
    };
    (sender, Receiver { places, taken: 0 })
}

/// The place of the entry with this number; numbers wrap.
fn place<T>(places: &[Place<T>], number: usize) -> &Place<T> {
    &places[number & (places.len() - 1)]
}

impl<T> Sender<T> {
    /// Sends an entry; gives it back if there is no room.
    #[inline]
    pub(crate) fn send(&mut self, entry: NonNull<T>) -> Result<(), NonNull<T>> {
        let place = place(&self.places, self.written);
        // Acquire: pairs with the Release in `take`. The receiver is done with what was here.
        if !place.load(Ordering::Acquire).is_null() {
            return Err(entry);
        }
        // Release: pairs with the Acquire in `take` and `is_empty`. What the entry points to is visible with it.
        place.store(entry.as_ptr(), Ordering::Release);
        self.written = self.written.wrapping_add(1);
        Ok(())
    }
}

impl<T> Receiver<T> {
    /// Whether nothing is there. That it cannot miss what was sent before the sender's fence, once the owner has said that it sleeps, is
    /// the work of the fences in `reactor::park`.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        // Acquire: as in `take`.
        place(&self.places, self.taken)
            .load(Ordering::Acquire)
            .is_null()
    }

    /// Takes at most `limit` entries, the oldest first. The memory they point to is fetched ahead, for whoever sent it has it in his cache.
    #[inline]
    pub(crate) fn take(&mut self, limit: usize, mut each: impl FnMut(NonNull<T>)) -> usize {
        let first = self.taken;
        let mut fetched = 0;
        for count in 0..limit {
            fetched = fetched.max(count);
            while fetched < count.saturating_add(FETCHED_AHEAD) {
                let place = place(&self.places, first.wrapping_add(fetched));
                // Relaxed: only a hint is made of it.
                let Some(ahead) = NonNull::new(place.load(Ordering::Relaxed)) else {
                    break;
                };
                prefetch_for_write(ahead);
                fetched += 1;
            }
            let place = place(&self.places, self.taken);
            // Acquire: pairs with the Release in `send`.
            let Some(entry) = NonNull::new(place.load(Ordering::Acquire)) else {
                return count;
            };
            // Release: pairs with the Acquire in `send`; we have read what was here.
            place.store(ptr::null_mut(), Ordering::Release);
            self.taken = self.taken.wrapping_add(1);
            each(entry);
        }
        limit
    }
}

/// As many cache misses as a processor is good for at once, and fewer than the entries of two lines.
const FETCHED_AHEAD: usize = 8;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn pointer(value: usize) -> NonNull<u8> {
        NonNull::new(ptr::without_provenance_mut(value)).expect("not zero")
    }

    /// A full ring gives the entry back, and takes it again when there is room.
    #[test]
    fn full_ring_returns_the_entry() {
        let (mut sender, mut receiver) = pair_ring::<u8>(2);
        assert!(receiver.is_empty());
        assert!(sender.send(pointer(1)).is_ok());
        assert!(!receiver.is_empty());
        assert!(sender.send(pointer(2)).is_ok());
        assert_eq!(sender.send(pointer(3)), Err(pointer(3)));
        let mut seen = Vec::new();
        assert_eq!(receiver.take(1, |entry| seen.push(entry)), 1);
        assert!(sender.send(pointer(3)).is_ok());
        assert_eq!(receiver.take(usize::MAX, |entry| seen.push(entry)), 2);
        assert_eq!(seen, [pointer(1), pointer(2), pointer(3)]);
        assert!(receiver.is_empty());
    }

    /// The numbers of the entries may pass `usize::MAX`.
    #[test]
    fn numbers_wrap() {
        let (mut sender, mut receiver) = pair_ring::<u8>(4);
        (sender.written, receiver.taken) = (usize::MAX - 1, usize::MAX - 1);
        for round in 1..10 {
            for value in 1..=4 {
                assert!(sender.send(pointer(round * value)).is_ok());
            }
            assert!(sender.send(pointer(99)).is_err());
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
