//! A ring from one core to one other: single producer, single consumer, of pointers.
//!
//! An entry is its own publication: the sender stores a pointer where there was none, the receiver takes it. So there are no counters to
//! share. Places are emptied by the cache line, when all in it were taken, and the sender looks for room by the line as well: else each entry
//! would cost the receiver the right to write a line that the sender writes next, and the receiver's next atomic instruction would wait for that. What
//! does not fit stays with the sender (see [`super::outbox`]): nobody waits.

use super::prefetch::prefetch_for_write;
use crate::primitives::{AtomicPtr, Ordering};
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// Pointers in a cache line of 64 bytes. Fewer in a model, where each is one more thing that may happen.
const LINE_ENTRIES: usize = if cfg!(modelled) { 2 } else { 8 };

/// One place, null while it is empty.
type Place<T> = AtomicPtr<T>;

/// Filled in order, and emptied in order, the last place last.
#[repr(align(64))]
struct Line<T>([Place<T>; LINE_ENTRIES]);

/// The producing end.
pub(crate) struct Sender<T> {
    lines: Arc<[Line<T>]>,
    written: usize,
    /// Places from `written` on that are known to be empty: what is left of a line.
    room: usize,
}

/// The consuming end.
pub(crate) struct Receiver<T> {
    lines: Arc<[Line<T>]>,
    taken: usize,
}

/// A ring of `lines` cache lines, a power of two.
pub(crate) fn pair_ring<T>(lines: usize) -> (Sender<T>, Receiver<T>) {
    assert!(lines.is_power_of_two(), "places are found by a mask");
    let empty_place = |_| AtomicPtr::new(ptr::null_mut());
    let lines: Arc<[Line<T>]> = (0..lines)
        .map(|_| Line(std::array::from_fn(empty_place)))
        .collect();
    let sender = Sender {
        lines: Arc::clone(&lines),
        written: 0,
        room: 0,
    };
    (sender, Receiver { lines, taken: 0 })
}

/// The line with the entry of this number; numbers wrap.
fn line<T>(lines: &[Line<T>], number: usize) -> &Line<T> {
    &lines[(number / LINE_ENTRIES) & (lines.len() - 1)]
}

/// The place of the entry with this number.
fn place<T>(lines: &[Line<T>], number: usize) -> &Place<T> {
    &line(lines, number).0[number % LINE_ENTRIES]
}

impl<T> Sender<T> {
    /// Sends an entry; gives it back if there is no room.
    #[inline]
    pub(crate) fn send(&mut self, entry: NonNull<T>) -> Result<(), NonNull<T>> {
        if self.room == 0 {
            let last = self.written.wrapping_add(LINE_ENTRIES - 1);
            // Acquire: pairs with the Release in `take`. The receiver is done with the whole line.
            if !place(&self.lines, last).load(Ordering::Acquire).is_null() {
                return Err(entry);
            }
            self.room = LINE_ENTRIES;
        }
        // Release: pairs with the Acquire in `take` and `is_empty`. What the entry points to is visible with it.
        place(&self.lines, self.written).store(entry.as_ptr(), Ordering::Release);
        self.written = self.written.wrapping_add(1);
        self.room -= 1;
        Ok(())
    }
}

impl<T> Receiver<T> {
    /// Whether nothing is there. That it cannot miss what was sent before the sender's fence, once the owner has said that it sleeps, is
    /// the work of the fences in `reactor::park`.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        // Acquire: as in `take`.
        place(&self.lines, self.taken)
            .load(Ordering::Acquire)
            .is_null()
    }

    /// Takes at most `limit` entries, the oldest first. The memory they point to is fetched ahead, for whoever sent it has it in his cache.
    /// `each` must not unwind.
    #[inline]
    pub(crate) fn take(&mut self, limit: usize, mut each: impl FnMut(NonNull<T>)) -> usize {
        let first = self.taken;
        let mut fetched = 0;
        for count in 0..limit {
            fetched = fetched.max(count);
            while fetched < count.saturating_add(FETCHED_AHEAD) {
                let place = place(&self.lines, first.wrapping_add(fetched));
                // Relaxed: only a hint is made of it.
                let Some(ahead) = NonNull::new(place.load(Ordering::Relaxed)) else {
                    break;
                };
                prefetch_for_write(ahead);
                fetched += 1;
            }
            let line = line(&self.lines, self.taken);
            // Acquire: pairs with the Release in `send`.
            let entry = line.0[self.taken % LINE_ENTRIES].load(Ordering::Acquire);
            let Some(entry) = NonNull::new(entry) else {
                return count;
            };
            self.taken = self.taken.wrapping_add(1);
            each(entry);
            if self.taken.is_multiple_of(LINE_ENTRIES) {
                for place in &line.0 {
                    // Release: pairs with the Acquire in `send`; we have read what was here.
                    place.store(ptr::null_mut(), Ordering::Release);
                }
            }
        }
        limit
    }
}

/// As many cache misses as a processor is good for at once.
const FETCHED_AHEAD: usize = 8;

#[cfg(all(test, not(modelled)))]
mod tests {
    use super::*;

    fn pointer(value: usize) -> NonNull<u8> {
        NonNull::new(ptr::without_provenance_mut(value)).expect("not zero")
    }

    fn take_all(receiver: &mut Receiver<u8>) -> Vec<NonNull<u8>> {
        let mut seen = Vec::new();
        receiver.take(usize::MAX, |entry| seen.push(entry));
        seen
    }

    fn pointers(values: std::ops::Range<usize>) -> Vec<NonNull<u8>> {
        values.map(pointer).collect()
    }

    /// A full ring gives the entry back, and takes it again when a line of it was emptied.
    #[test]
    fn full_ring_returns_the_entry() {
        let (mut sender, mut receiver) = pair_ring::<u8>(2);
        assert!(receiver.is_empty());
        for entry in pointers(1..17) {
            assert!(sender.send(entry).is_ok());
            assert!(!receiver.is_empty());
        }
        assert_eq!(sender.send(pointer(17)), Err(pointer(17)));
        let mut seen = Vec::new();
        assert_eq!(receiver.take(7, |entry| seen.push(entry)), 7);
        assert_eq!(sender.send(pointer(17)), Err(pointer(17)));
        assert_eq!(receiver.take(1, |entry| seen.push(entry)), 1);
        assert_eq!(seen, pointers(1..9));
        for entry in pointers(17..25) {
            assert!(sender.send(entry).is_ok());
        }
        assert_eq!(sender.send(pointer(25)), Err(pointer(25)));
        assert_eq!(take_all(&mut receiver), pointers(9..25));
        assert!(receiver.is_empty());
    }

    /// Batches of every length up to the capacity, so that they begin and end anywhere in a line, many times around.
    #[test]
    fn batches_of_every_length_arrive_in_order() {
        let (mut sender, mut receiver) = pair_ring::<u8>(4);
        let mut next = 1;
        for length in (0..=24).cycle().take(250) {
            for entry in pointers(next..next + length) {
                assert!(sender.send(entry).is_ok());
            }
            assert_eq!(take_all(&mut receiver), pointers(next..next + length));
            assert!(receiver.is_empty());
            next += length;
        }
    }

    /// The numbers of the entries may pass `usize::MAX`.
    #[test]
    fn numbers_wrap() {
        let (mut sender, mut receiver) = pair_ring::<u8>(1);
        let near_the_end = usize::MAX - LINE_ENTRIES + 1;
        (sender.written, receiver.taken) = (near_the_end, near_the_end);
        for _ in 0..3 {
            for entry in pointers(1..9) {
                assert!(sender.send(entry).is_ok());
            }
            assert!(sender.send(pointer(99)).is_err());
            assert_eq!(take_all(&mut receiver), pointers(1..9));
        }
    }
}
