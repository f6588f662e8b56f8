//! A ring from one core to one other: single producer, single consumer, of pointers.
//!
//! An entry is its own publication: the sender stores a pointer where there was none, the receiver
//! takes it. So there are no counters to share. Places are emptied by the cache line, when all in
//! it were taken, and the sender looks for room by the line as well: else each entry would cost the
//! receiver the right to write a line that the sender writes next, and the receiver's next atomic
//! instruction would wait for that.
//!
//! Nobody waits for room. What does not fit stays with the sender (see [`super::outbox`]), or goes
//! into the overflow, a queue behind a lock, if the sender cannot stay to send it later. One place
//! is always kept for a mark that says where the overflow belongs. The receiver does not go past
//! the mark before the overflow is empty, and the sender puts nothing behind the mark while it is
//! there. So all entries are taken in the order in which they were sent.

use super::prefetch::prefetch_for_write;
use crate::primitives::{AtomicPtr, Mutex, MutexGuard, Ordering};
use std::collections::VecDeque;
use std::ptr::{self, NonNull};
use std::sync::{Arc, PoisonError};

/// Pointers in a cache line of 64 bytes. Fewer in a model, where each is one more thing that may happen.
const LINE_ENTRIES: usize = if cfg!(modelled) { 2 } else { 8 };

/// One place, null while it is empty.
type Place<T> = AtomicPtr<T>;

/// Filled in order, and emptied in order, the last place last.
#[repr(align(64))]
struct Line<T>([Place<T>; LINE_ENTRIES]);

/// What both ends share.
struct Ring<T> {
    lines: Box<[Line<T>]>,
    overflow: Mutex<Overflow<T>>,
}

/// What did not fit. All of it was sent after what is before the mark.
struct Overflow<T> {
    entries: VecDeque<NonNull<T>>,
    /// Whether the mark is in the ring, or about to be. It is taken with the last entry.
    is_marked: bool,
}

/// In a place of the ring: here the overflow belongs. No object has this address.
fn mark<T>() -> NonNull<T> {
    NonNull::new(ptr::without_provenance_mut(usize::MAX)).expect("not zero")
}

/// The producing end.
pub(crate) struct Sender<T> {
    ring: Arc<Ring<T>>,
    written: usize,
    /// Places from `written` on that are known to be empty, up to the end of a line. The last one
    /// is for a mark. None while a mark is there.
    room: usize,
    /// While a mark is there: the room behind it.
    room_behind_mark: Option<usize>,
}

/// The consuming end.
pub(crate) struct Receiver<T> {
    ring: Arc<Ring<T>>,
    taken: usize,
}

// SAFETY: an entry is a pointer that one end gives to the other, as through the ring's atomic
// places. Neither end looks at what it points to; whether that may travel is for those who send
// and take.
unsafe impl<T> Send for Overflow<T> {}

/// A ring of `lines` cache lines, a power of two, and at least two: the sender, at the last place
/// of one, looks at the next.
pub(crate) fn pair_ring<T>(lines: usize) -> (Sender<T>, Receiver<T>) {
    assert!(lines.is_power_of_two(), "places are found by a mask");
    assert!(lines >= 2, "one place is kept for a mark");
    let empty_place = |_| AtomicPtr::new(ptr::null_mut());
    let ring = Arc::new(Ring {
        lines: (0..lines)
            .map(|_| Line(std::array::from_fn(empty_place)))
            .collect(),
        overflow: Mutex::new(Overflow {
            entries: VecDeque::new(),
            is_marked: false,
        }),
    });
    let sender = Sender {
        ring: Arc::clone(&ring),
        written: 0,
        room: LINE_ENTRIES,
        room_behind_mark: None,
    };
    (sender, Receiver { ring, taken: 0 })
}

impl<T> Ring<T> {
    /// The line with the entry of this number; numbers wrap.
    fn line(&self, number: usize) -> &Line<T> {
        &self.lines[(number / LINE_ENTRIES) & (self.lines.len() - 1)]
    }

    /// The place of the entry with this number.
    fn place(&self, number: usize) -> &Place<T> {
        &self.line(number).0[number % LINE_ENTRIES]
    }

    fn overflow(&self) -> MutexGuard<'_, Overflow<T>> {
        self.overflow.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Sender<T> {
    /// Sends an entry; gives it back if there is no room.
    #[inline]
    pub(crate) fn send(&mut self, entry: NonNull<T>) -> Result<(), NonNull<T>> {
        if self.room <= 1 && !self.find_room() {
            return Err(entry);
        }
        self.write(entry);
        Ok(())
    }

    /// Sends an entry, into the overflow if there is no room.
    pub(crate) fn send_anyway(&mut self, entry: NonNull<T>) {
        if let Err(entry) = self.send(entry) {
            self.send_to_overflow(entry);
        }
    }

    fn write(&mut self, entry: NonNull<T>) {
        let place = self.ring.place(self.written);
        // Release: pairs with the Acquire in `take` and `is_empty`. What the entry points to is
        // visible with it.
        place.store(entry.as_ptr(), Ordering::Release);
        self.written = self.written.wrapping_add(1);
        self.room -= 1;
    }

    /// Whether there is room for an entry and a mark.
    fn find_room(&mut self) -> bool {
        if let Some(room) = self.room_behind_mark {
            if self.ring.overflow().is_marked {
                return false;
            }
            (self.room, self.room_behind_mark) = (room, None);
        }
        self.room > 1 || self.find_line()
    }

    /// Whether the next line is empty as well.
    fn find_line(&mut self) -> bool {
        let last = self.written.wrapping_add(self.room + LINE_ENTRIES - 1);
        // Acquire: pairs with the Release in `go_on`. The receiver is done with the whole line.
        let is_empty = self.ring.place(last).load(Ordering::Acquire).is_null();
        if is_empty {
            self.room += LINE_ENTRIES;
        }
        is_empty
    }

    fn send_to_overflow(&mut self, entry: NonNull<T>) {
        let was_marked = {
            let mut overflow = self.ring.overflow();
            overflow.entries.push_back(entry);
            std::mem::replace(&mut overflow.is_marked, true)
        };
        if was_marked {
            return;
        }
        // The receiver may have taken the last mark only now. All before it was taken, then.
        if let Some(room) = self.room_behind_mark.take() {
            self.room = room;
        }
        assert!(
            self.room > 0 || self.find_line(),
            "a place is kept for a mark"
        );
        self.write(mark());
        self.room_behind_mark = Some(std::mem::take(&mut self.room));
    }
}

impl<T> Receiver<T> {
    /// Whether nothing is there. That it cannot miss what was sent before the sender's fence, once the owner has said that it sleeps, is
    /// the work of the fences in `reactor::park`.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        // Acquire: as in `take`.
        self.ring
            .place(self.taken)
            .load(Ordering::Acquire)
            .is_null()
    }

    /// Takes at most `limit` entries, the oldest first. The memory they point to is fetched ahead,
    /// for whoever sent it has it in his cache. `each` must not unwind.
    #[inline]
    pub(crate) fn take(&mut self, limit: usize, mut each: impl FnMut(NonNull<T>)) -> usize {
        let first = self.taken;
        let mut fetched = 0;
        for count in 0..limit {
            fetched = fetched.max(count);
            while fetched < count.saturating_add(FETCHED_AHEAD) {
                let place = self.ring.place(first.wrapping_add(fetched));
                // Relaxed: only a hint is made of it.
                let Some(ahead) = NonNull::new(place.load(Ordering::Relaxed)) else {
                    break;
                };
                prefetch_for_write(ahead);
                fetched += 1;
            }
            let place = self.ring.place(self.taken);
            // Acquire: pairs with the Release in `write`.
            let Some(entry) = NonNull::new(place.load(Ordering::Acquire)) else {
                return count;
            };
            if entry == mark() {
                each(self.take_from_overflow());
            } else {
                self.go_on();
                each(entry);
            }
        }
        limit
    }

    /// At a mark.
    #[cold]
    fn take_from_overflow(&mut self) -> NonNull<T> {
        let (entry, was_last) = {
            let mut overflow = self.ring.overflow();
            let entry = overflow.entries.pop_front();
            let was_last = overflow.entries.is_empty();
            overflow.is_marked = !was_last;
            (entry.expect("a mark stands for an entry"), was_last)
        };
        if was_last {
            self.go_on();
        }
        entry
    }

    /// The entry at this place was read.
    #[inline]
    fn go_on(&mut self) {
        let line = self.ring.line(self.taken);
        self.taken = self.taken.wrapping_add(1);
        if self.taken.is_multiple_of(LINE_ENTRIES) {
            for place in &line.0 {
                // Release: pairs with the Acquire in `find_line`; we have read what was here.
                place.store(ptr::null_mut(), Ordering::Release);
            }
        }
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

    /// A full ring gives the entry back, and takes it again when a line of it was emptied. One
    /// place is kept.
    #[test]
    fn full_ring_returns_the_entry() {
        let (mut sender, mut receiver) = pair_ring::<u8>(2);
        assert!(receiver.is_empty());
        for entry in pointers(1..16) {
            assert!(sender.send(entry).is_ok());
            assert!(!receiver.is_empty());
        }
        assert_eq!(sender.send(pointer(16)), Err(pointer(16)));
        let mut seen = Vec::new();
        assert_eq!(receiver.take(7, |entry| seen.push(entry)), 7);
        assert_eq!(sender.send(pointer(16)), Err(pointer(16)));
        assert_eq!(receiver.take(1, |entry| seen.push(entry)), 1);
        assert_eq!(seen, pointers(1..9));
        for entry in pointers(16..24) {
            assert!(sender.send(entry).is_ok());
        }
        assert_eq!(sender.send(pointer(24)), Err(pointer(24)));
        assert_eq!(take_all(&mut receiver), pointers(9..24));
        assert!(receiver.is_empty());
    }

    /// What is sent anyway is taken in its turn, however the ring stood when it overflowed, and
    /// however much of it was taken when more came. Behind a mark nothing is sent.
    #[test]
    fn what_overflows_is_taken_in_its_turn() {
        for before in 0..40 {
            for taken in 0..60 {
                let (mut sender, mut receiver) = pair_ring::<u8>(2);
                let mut seen = Vec::new();
                for entry in pointers(1..1 + before) {
                    assert!(sender.send(entry).is_ok());
                    receiver.take(1, |entry| seen.push(entry));
                }
                for entry in pointers(1 + before..31 + before) {
                    sender.send_anyway(entry);
                }
                assert!(sender.send(pointer(31 + before)).is_err());
                receiver.take(taken, |entry| seen.push(entry));
                let mut next = 31 + before;
                while next < 51 + before && sender.send(pointer(next)).is_ok() {
                    next += 1;
                }
                assert_eq!(next > 31 + before, taken >= 30);
                for entry in pointers(next..71 + before) {
                    sender.send_anyway(entry);
                }
                receiver.take(usize::MAX, |entry| seen.push(entry));
                assert_eq!(seen, pointers(1..71 + before));
                assert!(receiver.is_empty());
                assert!(sender.send(pointer(99)).is_ok());
            }
        }
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
        let (mut sender, mut receiver) = pair_ring::<u8>(2);
        let near_the_end = usize::MAX - LINE_ENTRIES + 1;
        (sender.written, receiver.taken) = (near_the_end, near_the_end);
        for round in 0..3 {
            for entry in pointers(1..17) {
                sender.send_anyway(entry);
            }
            assert!(sender.send(pointer(99)).is_err(), "round {round}");
            assert_eq!(take_all(&mut receiver), pointers(1..17));
        }
    }
}
