//! The face of one timer wheel: which slot a deadline belongs to, and the list of timers
//! in each slot.
//!
//! Called only by the wheel, which decides what enters and leaves; this file knows how.
//!
//! # Geometry
//! Time is a number of eleven base-64 digits, so that one tick of the lowest digit is one
//! nanosecond and the highest digit (of which four bits exist) reaches `u64::MAX`. A level
//! of 64 slots stands for each digit. A deadline is compared with the time its placement
//! refers to, the origin: the highest digit in which they differ is its level, and its own
//! digit there is its slot.
//!
//! | level | one slot spans | a deadline here is at most ... after the origin |
//! |---|---|---|
//! | 0 | - | overdue: not after the origin at all; one slot only |
//! | 1 | 1 ns | 63 ns |
//! | 2 | 64 ns | 4.1 us |
//! | 3 | 4.1 us | 262 us |
//! | 4 | 262 us | 16.8 ms |
//! | 5 | 16.8 ms | 1.07 s |
//! | 6 | 1.07 s | 68.7 s |
//! | 7 | 68.7 s | 73 min |
//! | 8 ... 11 | 73 min ... 36.6 years | 3.3 days ... 584 years |
//!
//! What must hold: slots are numbered in the order of time, so that each timer in a slot
//! is earlier than each timer in a slot of a higher number. Timers of equal deadline are
//! therefore in one slot; its list keeps them in the order in which they were appended.

use super::entries::{Entries, NONE};

/// Bits of one base-64 digit; 64 slots make one level's occupancy fit one word.
const DIGIT_BITS: u32 = 6;
const SLOTS_PER_LEVEL: u32 = 1 << DIGIT_BITS;
/// The level of the overdue, and one for each of the digits of a `u64`.
const LEVELS: usize = 1 + u64::BITS.div_ceil(DIGIT_BITS) as usize;
const SLOT_COUNT: usize = LEVELS * SLOTS_PER_LEVEL as usize;

/// The slot of timers that were due when they were inserted: before all other slots.
pub(super) const OVERDUE: u16 = 0;

/// The slot of `deadline_ns` (not before `origin_ns`), or the one that contains that time.
pub(super) fn slot_of(origin_ns: u64, deadline_ns: u64) -> u16 {
    debug_assert!(origin_ns <= deadline_ns);
    // The lowest bit is set so that equal times differ "in the lowest digit", not nowhere.
    let differing = (origin_ns ^ deadline_ns) | 1;
    let digit_index = differing.ilog2() / DIGIT_BITS;
    let digit = (deadline_ns >> (digit_index * DIGIT_BITS)) as u32 % SLOTS_PER_LEVEL;
    ((1 + digit_index) * SLOTS_PER_LEVEL + digit) as u16
}

/// One list of timers, by index, and a bound of their deadlines.
#[derive(Clone, Copy)]
struct Slot {
    first: u32,
    last: u32,
    /// The earliest deadline that entered since the slot was last empty. It may have been
    /// cancelled: finding the next one would mean a walk along the list.
    earliest_ns: u64,
}

const EMPTY: Slot = Slot {
    first: NONE,
    last: NONE,
    earliest_ns: u64::MAX,
};

/// All slots of one wheel, and which of them are occupied.
pub(super) struct Levels {
    slots: Box<[Slot]>,
    /// Bit `s` of word `l`: slot `s` of level `l` is occupied.
    occupied: [u64; LEVELS],
    /// Bit `l`: `occupied[l]` is not zero.
    occupied_levels: u16,
}

impl Levels {
    pub(super) fn new() -> Self {
        Self {
            slots: vec![EMPTY; SLOT_COUNT].into_boxed_slice(),
            occupied: [0; LEVELS],
            occupied_levels: 0,
        }
    }

    /// The occupied slot of the lowest number, which holds the earliest timer. O(1).
    pub(super) fn first_occupied(&self) -> Option<u16> {
        if self.occupied_levels == 0 {
            return None;
        }
        let level = self.occupied_levels.trailing_zeros();
        let digit = self.occupied[level as usize].trailing_zeros();
        Some((level * SLOTS_PER_LEVEL + digit) as u16)
    }

    /// No timer is earlier than this; `u64::MAX` if there is none. O(1).
    pub(super) fn earliest_ns(&self) -> u64 {
        self.first_occupied()
            .map_or(u64::MAX, |slot| self.slots[usize::from(slot)].earliest_ns)
    }

    /// Puts an entry that is in no slot at the end of a slot's list. O(1).
    pub(super) fn append<T>(&mut self, entries: &mut Entries<T>, slot: u16, index: u32) {
        let list = &mut self.slots[usize::from(slot)];
        let entry = &mut entries[index];
        entry.slot = slot;
        entry.next = NONE;
        entry.previous = list.last;
        list.earliest_ns = list.earliest_ns.min(entry.deadline_ns);
        let last = std::mem::replace(&mut list.last, index);
        if last == NONE {
            list.first = index;
            self.mark_occupied(slot);
        } else {
            entries[last].next = index;
        }
    }

    /// Takes one entry out of its slot; true if that left the slot empty. O(1).
    pub(super) fn remove<T>(&mut self, entries: &mut Entries<T>, index: u32) -> bool {
        let entry = &entries[index];
        let (slot, previous, next) = (entry.slot, entry.previous, entry.next);
        let list = &mut self.slots[usize::from(slot)];
        if previous == NONE {
            debug_assert_eq!(list.first, index);
            list.first = next;
        } else {
            entries[previous].next = next;
        }
        if next == NONE {
            debug_assert_eq!(list.last, index);
            list.last = previous;
        } else {
            entries[next].previous = previous;
        }
        let emptied = list.first == NONE;
        if emptied {
            *list = EMPTY;
            self.mark_empty(slot);
        }
        emptied
    }

    /// Empties a slot; its entries stay linked to each other, from the one returned on.
    pub(super) fn take(&mut self, slot: u16) -> u32 {
        let list = std::mem::replace(&mut self.slots[usize::from(slot)], EMPTY);
        if list.first != NONE {
            self.mark_empty(slot);
        }
        list.first
    }

    fn mark_occupied(&mut self, slot: u16) {
        let (level, bit) = level_and_bit(slot);
        self.occupied[level] |= bit;
        self.occupied_levels |= 1 << level;
    }

    fn mark_empty(&mut self, slot: u16) {
        let (level, bit) = level_and_bit(slot);
        debug_assert!(self.occupied[level] & bit != 0);
        self.occupied[level] &= !bit;
        if self.occupied[level] == 0 {
            self.occupied_levels &= !(1 << level);
        }
    }
}

/// Where the occupancy of a slot is kept.
fn level_and_bit(slot: u16) -> (usize, u64) {
    let slot = u32::from(slot);
    let level = slot / SLOTS_PER_LEVEL;
    (level as usize, 1 << (slot % SLOTS_PER_LEVEL))
}
