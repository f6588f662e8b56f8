//! The timers of one shard: a hierarchical timer wheel.
//!
//! The shard's reactor owns one wheel and is its only caller: a sleeping task inserts its
//! waker and cancels it when dropped; the park loop asks for the next deadline, parks no
//! longer than that, and then advances the wheel and wakes what is due.
//!
//! What must hold, between any two calls:
//! - `origin_ns <= now_ns`, and each timer lies in the overdue slot, if its deadline is not
//!   after `now_ns`, or else in the slot that `slot_of` gives for `origin_ns`. Only then
//!   are slots in the order of time and equal deadlines in one slot.
//! - `earliest_ns` is what the slots say it is: never later than a timer.
//!
//! It never reads a clock, never wakes anybody, never fires a timer early, and never
//! forgets one: what was inserted comes out of `cancel` or of `advance`, once.

#![forbid(unsafe_code)]

mod entries;
mod levels;

use entries::{Entries, NONE};
use levels::{Levels, OVERDUE, slot_of};

pub use entries::TimerKey;

/// Timers of payload `T` (in production a [`Waker`](std::task::Waker)), ordered by deadline.
///
/// All times are nanoseconds since an epoch that the caller chooses and keeps to; every
/// `u64` is a valid time. Timers have the full resolution of one nanosecond.
///
/// Memory is 12 KiB and one entry (40 bytes for a waker) for each of the most timers that
/// were ever pending at once; it is not given back before the wheel is dropped. Dropping
/// the wheel drops the payloads of pending timers without firing them.
///
/// # Examples
/// ```
/// use reactor::timer::TimerWheel;
///
/// let mut wheel = TimerWheel::new(1_000);
/// let tea = wheel.insert(5_000, "tea");
/// wheel.insert(3_000, "eggs");
///
/// let mut due = Vec::new();
/// assert_eq!(wheel.next_deadline_ns(), Some(3_000));
/// wheel.advance(4_000, &mut due);
/// assert_eq!(due, ["eggs"]);
///
/// assert_eq!(wheel.cancel(tea), Some("tea"));
/// assert_eq!(wheel.next_deadline_ns(), None);
/// ```
pub struct TimerWheel<T> {
    /// The latest time the caller told.
    now_ns: u64,
    /// The time that slots refer to. It lags behind `now_ns` while nothing is due, since
    /// only moving it costs anything.
    origin_ns: u64,
    /// A copy of `levels.earliest_ns()`, so that an advance without effect is one compare.
    earliest_ns: u64,
    entries: Entries<T>,
    levels: Levels,
    /// Empty between calls; kept for its memory.
    expired: Vec<Expired>,
}

impl<T> std::fmt::Debug for TimerWheel<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TimerWheel").finish_non_exhaustive()
    }
}

/// A timer on its way out. The derived order is the one in which timers fire.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Expired {
    deadline_ns: u64,
    /// How many left the wheel before it in the same advance. Among equal deadlines this
    /// is the order of insertion, for they left the same list.
    position: u32,
    index: u32,
}

impl<T> TimerWheel<T> {
    /// An empty wheel at the time `now_ns`. Allocates 12 KiB.
    pub fn new(now_ns: u64) -> Self {
        Self {
            now_ns,
            origin_ns: now_ns,
            earliest_ns: u64::MAX,
            entries: Entries::new(),
            levels: Levels::new(),
            expired: Vec::new(),
        }
    }

    /// Adds a timer. One whose deadline has passed fires at the next [`advance`](Self::advance).
    ///
    /// O(1), and without allocation as long as there were once more timers pending than now.
    ///
    /// # Panics
    /// If 2^32 - 1 timers are pending already.
    pub fn insert(&mut self, deadline_ns: u64, value: T) -> TimerKey {
        if self.is_empty() {
            // Nothing refers to the origin, so that catching up is free.
            self.origin_ns = self.now_ns;
        }
        let key = self.entries.store(deadline_ns, value);
        let slot = if deadline_ns <= self.now_ns {
            OVERDUE
        } else {
            slot_of(self.origin_ns, deadline_ns)
        };
        self.levels.append(&mut self.entries, slot, key.index());
        self.earliest_ns = self.earliest_ns.min(deadline_ns);
        key
    }

    /// Removes a timer and returns its payload; `None` if it has fired or been cancelled.
    ///
    /// O(1). A stale key never finds another timer, whatever has been inserted since.
    pub fn cancel(&mut self, key: TimerKey) -> Option<T> {
        self.entries.find(key)?;
        let emptied_slot = self.levels.remove(&mut self.entries, key.index());
        if emptied_slot {
            self.earliest_ns = self.levels.earliest_ns();
        }
        Some(self.entries.release(key.index()))
    }

    /// The payload of a pending timer, to be replaced; `None` if it has fired or been
    /// cancelled. O(1).
    pub fn get_mut(&mut self, key: TimerKey) -> Option<&mut T> {
        self.entries.find(key)?.value.as_mut()
    }

    /// Tells the wheel the time, and appends to `due` the payload of every timer whose
    /// deadline is at or before it: earlier deadlines first, equal deadlines in the order
    /// of their insertion. These timers are no longer pending.
    ///
    /// A `now_ns` before that of an earlier call counts as the latest one given.
    ///
    /// One compare if nothing is due. Otherwise O(d log d) for d due timers, and O(r) for r
    /// timers that are close to `now_ns` but not due, which are sorted into finer slots.
    /// That befalls one timer at most ten times in its life, whatever the steps in which
    /// time advances. Allocates only if `due`, or the most timers that ever fired at once,
    /// grows.
    pub fn advance(&mut self, now_ns: u64, due: &mut impl Extend<T>) {
        self.now_ns = self.now_ns.max(now_ns);
        if self.now_ns < self.earliest_ns {
            return;
        }
        self.collect_expired();
        // Not a stable sort: that would allocate, and `position` makes all keys distinct.
        self.expired.sort_unstable();
        let expired = self.expired.drain(..);
        due.extend(expired.map(|expired| self.entries.release(expired.index)));
    }

    /// A time no later than the earliest deadline; `None` if no timer is pending. O(1).
    ///
    /// It is after the time of the last [`advance`](Self::advance), unless a timer is due.
    ///
    /// It *is* the earliest deadline, however far away, unless timers were cancelled: where
    /// timers share a slot and the earliest of them is cancelled, its deadline remains the
    /// answer for the others. A caller that parks until then finds nothing due, and that
    /// `advance` makes the answer exact for all timers of that slot. The number of such
    /// extra rounds is thus at most the number of cancelled timers, and zero without any;
    /// it is far smaller in practice, as a slot that empties forgets its deadline.
    pub fn next_deadline_ns(&self) -> Option<u64> {
        (!self.is_empty()).then_some(self.earliest_ns)
    }

    /// How many timers are pending: inserted, and neither fired nor cancelled. O(1).
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True if no timer is pending. O(1).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Moves the origin to `now_ns`, and all that is due from its slots to `expired`.
    ///
    /// Let level be that of the highest digit in which old and new origin differ. Levels
    /// before the one that contains `now_ns` have passed as a whole. That one may hold both
    /// sides of `now_ns`; its timers agree with `now_ns` in this digit, and so belong to
    /// lower levels from now on. For later slots, the highest digit in which they differ
    /// from the origin is still the same, and they stay.
    fn collect_expired(&mut self) {
        let boundary = slot_of(self.origin_ns, self.now_ns);
        self.origin_ns = self.now_ns;
        while let Some(slot) = self.levels.first_occupied()
            && slot < boundary
        {
            self.empty_slot(slot);
        }
        self.empty_slot(boundary);
        self.earliest_ns = self.levels.earliest_ns();
        debug_assert!(self.is_settled(), "a timer was left behind");
    }

    /// Moves the timers of one slot to `expired` or, if not due, to a slot of a lower level.
    ///
    /// They move in list order, and the lower levels are empty when the first arrives: equal
    /// deadlines keep the order of their insertion.
    fn empty_slot(&mut self, slot: u16) {
        let mut index = self.levels.take(slot);
        while index != NONE {
            let entry = &self.entries[index];
            let (deadline_ns, next) = (entry.deadline_ns, entry.next);
            if deadline_ns <= self.now_ns {
                self.expired.push(Expired {
                    deadline_ns,
                    position: self.expired.len() as u32,
                    index,
                });
            } else {
                let finer = slot_of(self.origin_ns, deadline_ns);
                debug_assert!(finer < slot);
                self.levels.append(&mut self.entries, finer, index);
            }
            index = next;
        }
    }

    /// Whether nothing due is left, as far as `earliest_ns` can tell.
    fn is_settled(&self) -> bool {
        self.len() == self.expired.len() || self.now_ns < self.earliest_ns
    }
}
