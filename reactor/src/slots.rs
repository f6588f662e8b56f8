//! Generational slots: which operation a completion belongs to, and who is waiting for it.
//!
//! | state       | the future is   | what it points to is held by | next                                                        |
//! |-------------|-----------------|------------------------------|-------------------------------------------------------------|
//! | `Free`      | –               | –                            | `Waiting`, `Streaming` by [`Slots::occupy`]                 |
//! | `Waiting`   | alive, pending  | the future                   | `Done` or `Settling` by the completion, `Orphaned` by drop  |
//! | `Settling`  | alive, pending  | the future                   | `Done` by the final completion, `Orphaned` by drop          |
//! | `Done`      | alive, woken    | the future                   | `Free` when it is polled or dropped                         |
//! | `Streaming` | alive           | the future                   | itself, by completions and polls; `Orphaned`, `Free`        |
//! | `Orphaned`  | dropped         | the slot                     | `Free` by the final completion, which also frees the orphan |
//!
//! A one-shot operation is `Settling` when its outcome has come but the kernel still uses its memory, and will say when it is done:
//! zero-copy sends alone. A multishot operation whose owner does not fetch is paused: cancelled, so that what it has brought is bounded.
//!
//! A slot is freed only when the kernel has sent the final completion of its operation, so no completion can come for a slot's
//! earlier tenant while that is alive; the generation, which no two tenants share, makes sure of it. Nothing here calls foreign code: wakers and orphans are
//! handed to the caller, who has let go of the slots by then.

use crate::operation::{Completion, Orphan};
use std::collections::{BTreeMap, VecDeque};
use std::task::Waker;

/// Names one operation in flight. As user data: the generation above, the index below.
///
/// Generations count the operations of the reactor, up for those that wait for their descriptors; for those that wait for a worker thread they count
/// down from the greatest number. So in the order of keys, the greatest first, come the oldest of the latter, to the youngest, and then the youngest of the
/// others, to the oldest: that in which they are to be cancelled (see `cancels`). After 2^31 operations the count begins again, which breaks that order
/// for a while, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    generation: u32,
    index: u32,
}

/// The generations of operations that wait for a worker thread.
const QUEUED: u32 = 1 << 31;

/// What an operation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaits {
    /// That its descriptor is ready.
    Descriptor,
    /// A worker thread of the kernel, which ends it without anybody else having to act.
    Worker,
    /// A worker thread of the kernel, and then somebody else: the other end of a named pipe.
    WorkerAndOthers,
}

impl Key {
    pub(crate) fn to_user_data(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    pub(crate) fn from_user_data(user_data: u64) -> Self {
        Self {
            index: user_data as u32,
            generation: (user_data >> 32) as u32,
        }
    }
}

enum State {
    Free {
        next: Option<u32>,
    },
    Waiting(Waker),
    /// On the heap, this and the next but one: there are few, and a slot is for every operation.
    Settling(Box<Settling>),
    Done(Completion),
    Streaming(Box<Streaming>),
    Orphaned(Orphan),
}

impl State {
    /// Whom the completion of a one-shot operation will wake.
    fn waker(&mut self) -> Option<&mut Waker> {
        match self {
            Self::Waiting(waker) => Some(waker),
            Self::Settling(settling) => Some(&mut settling.waker),
            _ => None,
        }
    }
}

struct Settling {
    waker: Waker,
    outcome: Completion,
}

/// A multishot operation: what has arrived and was not fetched, and whether more will come.
struct Streaming {
    waker: Option<Waker>,
    arrived: VecDeque<Completion>,
    finished: bool,
    /// When so many were not fetched, it is paused.
    unfetched_max: usize,
    /// It was cancelled for that, which its owner is not told: to him it ends as the kernel may end it at any time.
    paused: bool,
}

struct Slot {
    generation: u32,
    /// Whether somebody asked the kernel to cancel the operation.
    was_cancelled: bool,
    /// Whether it has a worker thread, and waits for somebody else there.
    is_open_ended: bool,
    state: State,
}

impl Slot {
    fn is_in_flight(&self) -> bool {
        match &self.state {
            State::Waiting(_) | State::Settling(_) | State::Orphaned(_) => true,
            State::Streaming(stream) => !stream.finished,
            State::Free { .. } | State::Done(_) => false,
        }
    }
}

/// What the caller has to do about a completion.
#[must_use]
pub(crate) enum Delivery {
    /// Nothing: it is stored, and its owner knows already.
    Nothing,
    /// Log it: nobody was found that it could be for, which only a bug of the kernel's or ours can bring about.
    Stray,
    /// Wake the future that waits for it.
    Wake(Waker),
    /// Cancel the operation, for its owner does not fetch what it brings, and wake him.
    Pause(Option<Waker>),
    /// Hand it to the orphan, which stays: more will come.
    ToOrphan(Orphan),
    /// Hand it to the orphan, which dies of it.
    ToOrphanAtLast(Orphan),
}

/// What an operation has for its owner.
pub(crate) enum Next {
    /// A completion.
    Arrived(Completion),
    /// Nothing yet, and the waker is known.
    Pending,
    /// Nothing yet, and the waker must be set with [`Slots::set_waker`].
    NeedsWaker,
    /// Nothing ever again: a multishot operation is over.
    Finished,
}

/// What has to be done about a future that goes away.
#[must_use]
pub(crate) enum Abandoned {
    /// The kernel is done with the operation: its owner may free what it points to. These completions were never fetched.
    Ended(VecDeque<Completion>),
    /// The kernel is not: these were never fetched, and the rest belongs to an orphan.
    InFlight(VecDeque<Completion>),
}

/// All operations of one ring that the kernel, or a future, still has an interest in.
pub(crate) struct Slots {
    slots: Vec<Slot>,
    free: Option<u32>,
    in_flight: usize,
    /// How many operations were begun.
    begun: u32,
}

impl Slots {
    pub(crate) fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: None,
            in_flight: 0,
            begun: 0,
        }
    }

    /// How many operations the kernel has not finished.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// A slot for a one-shot operation whose completion will wake `waker`.
    pub(crate) fn occupy(&mut self, waker: Waker) -> Key {
        let generation = self.next_number();
        self.insert(generation, State::Waiting(waker))
    }

    /// The same for one that waits for a worker thread of the kernel, rather than for its descriptor to be ready.
    pub(crate) fn occupy_queued(&mut self, waker: Waker) -> Key {
        let generation = !self.next_number();
        self.insert(generation, State::Waiting(waker))
    }

    /// The same for one that then waits for somebody else.
    pub(crate) fn occupy_queued_open_ended(&mut self, waker: Waker) -> Key {
        let key = self.occupy_queued(waker);
        self.slots[key.index as usize].is_open_ended = true;
        key
    }

    /// A slot for a multishot operation, to be paused when `unfetched_max` completions were not fetched.
    pub(crate) fn occupy_streaming(&mut self, unfetched_max: usize, waker: Waker) -> Key {
        let generation = self.next_number();
        let state = State::Streaming(Box::new(Streaming {
            waker: Some(waker),
            arrived: VecDeque::new(),
            finished: false,
            unfetched_max,
            paused: false,
        }));
        self.insert(generation, state)
    }

    fn next_number(&mut self) -> u32 {
        self.begun = self.begun.wrapping_add(1);
        self.begun & !QUEUED
    }

    fn insert(&mut self, generation: u32, state: State) -> Key {
        self.in_flight += 1;
        let Some(index) = self.free else {
            let index = u32::try_from(self.slots.len())
                .ok()
                .filter(|index| *index != u32::MAX)
                .expect("fewer than 2^32 - 1 operations in flight on one core");
            self.slots.push(Slot {
                generation,
                was_cancelled: false,
                is_open_ended: false,
                state,
            });
            return Key { generation, index };
        };
        let slot = &mut self.slots[index as usize];
        let State::Free { next } = slot.state else {
            unreachable!("the free list holds free slots")
        };
        self.free = next;
        *slot = Slot {
            generation,
            was_cancelled: false,
            is_open_ended: false,
            state,
        };
        Key { generation, index }
    }

    fn slot(&mut self, key: Key) -> Option<&mut Slot> {
        self.slots
            .get_mut(key.index as usize)
            .filter(|slot| slot.generation == key.generation)
    }

    fn get(&mut self, key: Key) -> Option<&mut State> {
        self.slot(key).map(|slot| &mut slot.state)
    }

    /// The operation of this slot is about to be cancelled.
    pub(crate) fn note_cancel(&mut self, key: Key) {
        if let Some(slot) = self.slot(key) {
            slot.was_cancelled = true;
        }
    }

    /// Whether somebody asked for the operation of this slot to be cancelled.
    pub(crate) fn was_cancelled(&mut self, key: Key) -> bool {
        self.slot(key).is_some_and(|slot| slot.was_cancelled)
    }

    fn release(&mut self, key: Key) -> State {
        let slot = &mut self.slots[key.index as usize];
        debug_assert_eq!(slot.generation, key.generation);
        let next = self.free.replace(key.index);
        std::mem::replace(&mut slot.state, State::Free { next })
    }

    /// A completion has come. `more` says that it is not the final one.
    pub(crate) fn complete(&mut self, key: Key, completion: Completion) -> Delivery {
        let more = completion.has_more();
        let Some(state) = self.get(key) else {
            return Delivery::Stray;
        };
        match state {
            State::Waiting(_) | State::Settling(_) if more => {
                let State::Waiting(waker) = std::mem::replace(state, State::Done(completion))
                else {
                    unreachable!("only the first of two completions has another behind it")
                };
                let outcome = completion;
                *state = State::Settling(Box::new(Settling { waker, outcome }));
                Delivery::Nothing
            }
            State::Waiting(_) | State::Settling(_) => {
                let (waker, outcome) = match std::mem::replace(state, State::Done(completion)) {
                    State::Waiting(waker) => (waker, completion),
                    State::Settling(settling) => (settling.waker, settling.outcome),
                    _ => unreachable!("just matched"),
                };
                *state = State::Done(outcome);
                self.in_flight -= 1;
                Delivery::Wake(waker)
            }
            State::Streaming(stream) => {
                stream.finished = !more;
                if more || !stream.paused || !completion.is_cancelled() {
                    stream.arrived.push_back(completion);
                }
                let waker = stream.waker.take();
                if more && !stream.paused && stream.arrived.len() >= stream.unfetched_max {
                    stream.paused = true;
                    return Delivery::Pause(waker);
                }
                self.in_flight -= usize::from(!more);
                waker.map_or(Delivery::Nothing, Delivery::Wake)
            }
            State::Orphaned(orphan) if more => Delivery::ToOrphan(orphan.lend()),
            State::Orphaned(_) => {
                self.in_flight -= 1;
                let State::Orphaned(orphan) = self.release(key) else {
                    unreachable!("just matched")
                };
                Delivery::ToOrphanAtLast(orphan)
            }
            State::Free { .. } | State::Done(_) => Delivery::Stray,
        }
    }

    /// The completion of a one-shot operation, if it has come; else whether `waker` is the one it will wake.
    pub(crate) fn poll(&mut self, key: Key, waker: &Waker) -> Next {
        match self.get(key) {
            Some(State::Done(_)) => {
                let was_cancelled = self.was_cancelled(key);
                let State::Done(completion) = self.release(key) else {
                    unreachable!("just matched")
                };
                Next::Arrived(if was_cancelled {
                    completion.of_cancelled()
                } else {
                    completion
                })
            }
            state => {
                let current = state.and_then(State::waker);
                let current = current.expect("a live one-shot future has a waiting or done slot");
                if current.will_wake(waker) {
                    Next::Pending
                } else {
                    Next::NeedsWaker
                }
            }
        }
    }

    /// The next completion of a multishot operation; frees the slot when it says `Finished`.
    pub(crate) fn poll_next(&mut self, key: Key, waker: &Waker) -> Next {
        let Some(State::Streaming(stream)) = self.get(key) else {
            unreachable!("a live multishot stream has a streaming slot")
        };
        if let Some(completion) = stream.arrived.pop_front() {
            return Next::Arrived(completion);
        }
        if stream.finished {
            self.release(key);
            return Next::Finished;
        }
        match &stream.waker {
            Some(current) if current.will_wake(waker) => Next::Pending,
            _ => Next::NeedsWaker,
        }
    }

    /// Sets whom the next completion wakes. Returns the one it replaces, to be dropped by the caller.
    pub(crate) fn set_waker(&mut self, key: Key, waker: Waker) -> Option<Waker> {
        match self.get(key) {
            Some(State::Streaming(stream)) => stream.waker.replace(waker),
            state => {
                let current = state.and_then(State::waker);
                let current = current.expect("only a pending future sets its waker");
                Some(std::mem::replace(current, waker))
            }
        }
    }

    /// The future is being dropped. If the kernel is not done, an orphan must follow by [`Slots::keep_orphan`].
    pub(crate) fn abandon(&mut self, key: Key) -> Abandoned {
        match self.get(key) {
            Some(State::Waiting(_)) => Abandoned::InFlight(VecDeque::new()),
            Some(State::Settling(settling)) => {
                Abandoned::InFlight(VecDeque::from([settling.outcome]))
            }
            Some(State::Done(_)) => {
                let State::Done(completion) = self.release(key) else {
                    unreachable!("just matched")
                };
                Abandoned::Ended(VecDeque::from([completion]))
            }
            Some(State::Streaming(stream)) => {
                let arrived = std::mem::take(&mut stream.arrived);
                if stream.finished {
                    self.release(key);
                    Abandoned::Ended(arrived)
                } else {
                    Abandoned::InFlight(arrived)
                }
            }
            _ => unreachable!("a live future has a slot that is not free and not orphaned"),
        }
    }

    /// The slot now holds what the operation points to. Returns the waker nobody needs any more, to be dropped by the caller.
    pub(crate) fn keep_orphan(&mut self, key: Key, orphan: Orphan) -> Option<Waker> {
        let state = self.get(key).expect("an operation in flight has its slot");
        match std::mem::replace(state, State::Orphaned(orphan)) {
            State::Waiting(waker) => Some(waker),
            State::Settling(settling) => Some(settling.waker),
            State::Streaming(stream) => stream.waker,
            _ => None,
        }
    }

    /// Whether the kernel has not finished this one.
    pub(crate) fn is_in_flight(&self, key: Key) -> bool {
        let slot = self.slots.get(key.index as usize);
        slot.is_some_and(|slot| slot.generation == key.generation && slot.is_in_flight())
    }

    /// Whether the kernel has not finished one that ends by itself. Looks at every slot.
    pub(crate) fn has_work_in_flight(&self) -> bool {
        self.slots
            .iter()
            .any(|slot| slot.generation & QUEUED != 0 && !slot.is_open_ended && slot.is_in_flight())
    }

    /// Of an operation that waits for its descriptor: how many younger ones there may be in flight.
    pub(crate) fn younger_than(&self, key: Key) -> Option<u32> {
        if key.generation & QUEUED != 0 {
            return None;
        }
        let begun_since = self.begun.wrapping_sub(key.generation) & !QUEUED;
        Some(begun_since.min(u32::try_from(self.in_flight).unwrap_or(u32::MAX)))
    }

    /// What the operations are that the kernel has not finished, with how many there are of each kind.
    pub(crate) fn kinds_in_flight(&self) -> Vec<(&'static str, usize)> {
        let mut kinds = BTreeMap::new();
        for slot in self.slots.iter().filter(|slot| slot.is_in_flight()) {
            let kind = match &slot.state {
                State::Orphaned(orphan) => orphan.kind(),
                _ => "of futures that were not dropped",
            };
            *kinds.entry(kind).or_default() += 1;
        }
        kinds.into_iter().collect()
    }

    /// The operations the kernel has not finished.
    pub(crate) fn keys_in_flight(&self) -> Vec<Key> {
        (0u32..)
            .zip(&self.slots)
            .filter(|(_, slot)| slot.is_in_flight())
            .map(|(index, slot)| Key {
                index,
                generation: slot.generation,
            })
            .collect()
    }
}

#[cfg(test)]
impl Slots {
    /// The final completion comes, and is fetched.
    pub(crate) fn end(&mut self, key: Key) {
        let _ = self.complete(key, Completion::cancelled());
        self.release(key);
    }
}

#[cfg(test)]
mod tests;
