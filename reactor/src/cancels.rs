//! The operations that are to be cancelled, from when that was decided until the kernel is told, and in which order it is told.
//!
//! The order decides what a cancel costs. The kernel finds an operation that waits for its descriptor in a table of 128 chains (`io_poll_find` in
//! io_uring/poll.c; with our size of completion queue), each with the youngest at its head: so it passes by all that are younger and in the same chain,
//! and to cancel the oldest first takes time in proportion to the square of how many are in flight. What waits for a worker thread is in a list with
//! the oldest at its head (`io_wq_cancel_pending_work` in io_uring/io-wq.c), which every cancel goes through before it looks into the table. So first
//! go the operations of that list, the oldest first, then the others, the youngest first. [`Key`]s are made such that this is their order.
//!
//! Three more rules follow from the table. What was cancelled is in its chain until the kernel has done its deferred work: so the next batch goes out
//! when that is done. To cancel what has ended takes a look at a whole chain: so it is left out. And where many are dropped one after another,
//! the oldest first, each would be told at the end of its chain: so while a lot of old ones come in turn after turn, they are held back, for a moment,
//! to be told of together.
//!
//! Called by `reactor` alone. It knows keys and times, and nothing of the ring.

use crate::slots::{Key, Slots};
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

/// Operations behind so many younger ones are worth holding back: there are some sixty of these in a chain, which take microseconds to pass.
const DEEP: u32 = 8_192;
/// And only if so many come in a turn. Of its 128 polls at most, then, a quarter cancels: somebody gets rid of a crowd.
const CROWD: usize = 32;
/// How long. A hundred thousand tasks are aborted in less. It is also how long an operation may wait whose predecessor in its lane is held back.
const HOLD: Duration = Duration::from_millis(200);

/// What the kernel is to be told.
#[derive(Default)]
pub(crate) struct Cancels {
    waiting: BinaryHeap<Key>,
    /// How many came since the last turn.
    came: usize,
    held_since: Option<Instant>,
}

impl Cancels {
    /// The operation is to be cancelled. If it has ended by the time that it is its turn, the kernel is not told.
    #[inline]
    pub(crate) fn add(&mut self, key: Key) {
        self.waiting.push(key);
        self.came += 1;
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// All of these and no others, without holding any back.
    pub(crate) fn replace(&mut self, keys: impl IntoIterator<Item = Key>) {
        self.waiting = keys.into_iter().collect();
        self.came = 0;
    }

    /// A turn begins, and there are some: whether those that are deep in their chains are held back in it.
    pub(crate) fn hold(&mut self) -> bool {
        let is_crowd = std::mem::take(&mut self.came) >= CROWD;
        if !is_crowd {
            self.held_since = None;
            return false;
        }
        // The clock is read in such turns alone.
        self.held_since.get_or_insert_with(Instant::now).elapsed() < HOLD
    }

    /// The next that the kernel is to be told of, if any; it leaves out the deep ones if they are held back.
    pub(crate) fn next(&mut self, slots: &Slots, is_holding: bool) -> Option<Key> {
        while let Some(key) = self.waiting.peek() {
            if is_holding && slots.younger_than(*key).is_some_and(|count| count > DEEP) {
                return None;
            }
            let key = self.waiting.pop().expect("just seen");
            if slots.is_in_flight(key) {
                return Some(key);
            }
        }
        self.held_since = None;
        None
    }

    /// The ring had no room for it.
    pub(crate) fn put_back(&mut self, key: Key) {
        self.waiting.push(key);
    }
}

#[cfg(test)]
mod tests {
    use super::{CROWD, Cancels, DEEP};
    use crate::slots::{Key, Slots};
    use std::task::Waker;

    fn started(slots: &mut Slots, count: u32) -> Vec<Key> {
        let start = |_| slots.occupy(Waker::noop().clone());
        (0..count).map(start).collect()
    }

    fn told(cancels: &mut Cancels, slots: &Slots) -> Vec<Key> {
        let is_holding = cancels.hold();
        std::iter::from_fn(|| cancels.next(slots, is_holding)).collect()
    }

    /// Operations of both sorts are dropped in no order: those in the workers' list go first, from the oldest on, and then the others,
    /// from the youngest on. Those that have ended by then are left out.
    #[test]
    fn each_is_told_where_the_kernel_finds_it_first() {
        let mut slots = Slots::new();
        let mut polled = started(&mut slots, 3);
        let queued = [(); 3].map(|()| slots.occupy_queued(Waker::noop().clone()));
        polled.extend(started(&mut slots, 2));
        let mut cancels = Cancels::default();
        for number in [1, 4, 0, 2, 3] {
            cancels.add(polled[number]);
        }
        for number in [2, 0, 1] {
            cancels.add(queued[number]);
        }
        slots.end(polled[2]);
        let expected = [
            queued[0], queued[1], queued[2], polled[4], polled[3], polled[1], polled[0],
        ];
        assert_eq!(told(&mut cancels, &slots), expected);
        assert!(cancels.is_empty());
    }

    /// A crowd goes, the oldest first, some in each turn: those behind many younger ones wait for the rest, until a turn in which no more come.
    /// Then the youngest of all is told first. A few old ones are told at once.
    #[test]
    fn a_crowd_is_told_together() {
        let mut slots = Slots::new();
        let keys = started(&mut slots, 2 * DEEP);
        let mut cancels = Cancels::default();
        cancels.add(keys[0]);
        assert_eq!(told(&mut cancels, &slots), [keys[0]]);
        for some in keys[1..].chunks(CROWD).take(10) {
            some.iter().for_each(|key| cancels.add(*key));
            assert_eq!(told(&mut cancels, &slots), []);
        }
        let youngest = *keys.last().expect("there are some");
        cancels.add(youngest);
        let all = told(&mut cancels, &slots);
        assert_eq!((all.len(), all[0]), (10 * CROWD + 1, youngest));
        assert_eq!(all[10 * CROWD], keys[1]);
    }

    /// The same, of the youngest: nothing is gained by waiting.
    #[test]
    fn the_young_do_not_wait() {
        let mut slots = Slots::new();
        let keys = started(&mut slots, 2 * DEEP);
        let mut cancels = Cancels::default();
        let young = &keys[keys.len() - CROWD..];
        young.iter().for_each(|key| cancels.add(*key));
        assert_eq!(told(&mut cancels, &slots).len(), CROWD);
    }
}
