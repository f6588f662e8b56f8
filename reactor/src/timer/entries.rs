//! The storage of one timer wheel: a slab that hands out keys which go stale.
//!
//! Called only by the wheel and by its levels, on the one core that owns them.
//!
//! What must hold: an entry that holds a value carries the generation of the one key that
//! names it; an entry without a value carries a generation no key was ever given.
//! It never gives memory back, and never lets a stale key find a later timer.

use std::ops::{Index, IndexMut};

/// "No entry", at the ends of a list.
pub(super) const NONE: u32 = u32::MAX;

/// The generation of an entry that is used up. No key carries it.
const RETIRED: u32 = u32::MAX;

/// Names one timer in the [`TimerWheel`](super::TimerWheel) that returned it.
///
/// A key is worth nothing once its timer has fired or been cancelled: it then finds
/// nobody, however often the storage behind it is used again. It must not be offered to
/// another wheel, where it may name a stranger's timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerKey {
    index: u32,
    generation: u32,
}

impl TimerKey {
    /// Where the timer is stored, if [`Entries::find`] still vouches for the key.
    pub(super) fn index(self) -> u32 {
        self.index
    }
}

/// One timer, or, without a value, one free place for a timer.
pub(super) struct Entry<T> {
    pub(super) deadline_ns: u64,
    pub(super) value: Option<T>,
    generation: u32,
    /// The following entry of the same slot; of the free list, if there is no value.
    pub(super) next: u32,
    /// The preceding entry of the same slot.
    pub(super) previous: u32,
    /// The slot whose list holds the entry, so that `cancel` need not work it out: the
    /// time it was placed against may have moved on.
    pub(super) slot: u16,
}

// A list is walked one entry at a time, so each should cost no more than one cache line.
const _: () = assert!(size_of::<Entry<std::task::Waker>>() <= 64);

/// All timers of one wheel, and the free places left by earlier ones.
pub(super) struct Entries<T> {
    storage: Vec<Entry<T>>,
    first_free: u32,
    len: usize,
}

impl<T> Entries<T> {
    pub(super) fn new() -> Self {
        Self {
            storage: Vec::new(),
            first_free: NONE,
            len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Stores a timer that is in no slot yet. Allocates only when no place is free.
    ///
    /// The place freed last is used first: it is the one most likely still in the cache.
    pub(super) fn store(&mut self, deadline_ns: u64, value: T) -> TimerKey {
        if self.first_free == NONE {
            self.grow();
        }
        let index = self.first_free;
        let entry = &mut self.storage[index as usize];
        debug_assert!(entry.value.is_none() && entry.generation != RETIRED);
        self.first_free = entry.next;
        self.len += 1;
        entry.deadline_ns = deadline_ns;
        entry.value = Some(value);
        entry.next = NONE;
        TimerKey {
            index,
            generation: entry.generation,
        }
    }

    /// Appends one free place. Apart from `store`, as it is the rare case there.
    #[cold]
    fn grow(&mut self) {
        let index = u32::try_from(self.storage.len()).unwrap_or(NONE);
        assert!(index != NONE, "a timer wheel holds at most 2^32 - 1 timers");
        self.storage.push(Entry {
            deadline_ns: 0,
            value: None,
            generation: 0,
            next: NONE,
            previous: NONE,
            slot: 0,
        });
        self.first_free = index;
    }

    /// The timer `key` names, unless it has fired or been cancelled.
    pub(super) fn find(&mut self, key: TimerKey) -> Option<&mut Entry<T>> {
        self.storage
            .get_mut(key.index as usize)
            .filter(|entry| entry.generation == key.generation)
    }

    /// Takes the value out of an entry that is in no slot any more, and frees its place.
    ///
    /// A place whose generations are used up is left out of the free list for good. Were
    /// the count to start again at zero, a key kept for 2^32 timers could cancel another's
    /// timer; this way it costs one entry of memory in every 2^32 timers.
    pub(super) fn release(&mut self, index: u32) -> T {
        let entry = &mut self.storage[index as usize];
        let value = entry.value.take().expect("a free entry is in no slot");
        entry.generation += 1;
        if entry.generation != RETIRED {
            entry.next = self.first_free;
            self.first_free = index;
        }
        self.len -= 1;
        value
    }
}

impl<T> Index<u32> for Entries<T> {
    type Output = Entry<T>;

    fn index(&self, index: u32) -> &Entry<T> {
        &self.storage[index as usize]
    }
}

impl<T> IndexMut<u32> for Entries<T> {
    fn index_mut(&mut self, index: u32) -> &mut Entry<T> {
        &mut self.storage[index as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // One place is given out for the last time: its next generation would be the first
    // again. It is not given out any more, and neither its last nor its first key finds
    // the timer stored after it. Here and not in tests/, where it takes 2^32 timers.
    #[test]
    fn a_place_out_of_generations_is_retired() {
        let mut entries = Entries::new();
        let first = entries.store(1, "first");
        entries.release(first.index);
        entries[first.index].generation = RETIRED - 1;

        let last = entries.store(2, "last");
        assert_eq!(last.index, first.index);
        assert_eq!(entries.release(last.index), "last");

        let other = entries.store(3, "other");
        assert_ne!(other.index, first.index);
        assert!(entries.find(first).is_none());
        assert!(entries.find(last).is_none());
        assert_eq!(entries.len(), 1);
    }
}
