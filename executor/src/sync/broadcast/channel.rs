//! What the senders and the receivers of a channel share.

use super::error::TryRecvError;
use reactor::waiters::Waiters;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

pub(super) struct Channel<T> {
    ring: RefCell<Ring<T>>,
    pub(super) senders: Cell<usize>,
    /// Receivers that wait for the next value, or for the end.
    pub(super) waiting: Waiters<(), ()>,
}

/// The values that are kept, in order. The first has the number `first`.
struct Ring<T> {
    entries: VecDeque<Entry<T>>,
    first: u64,
    capacity: usize,
    receivers: usize,
}

struct Entry<T> {
    /// Shared, so that a value can be cloned, which is foreign code, while nothing is borrowed.
    value: Rc<T>,
    /// How many receivers have not had it.
    missing: usize,
}

impl<T> Ring<T> {
    /// The number of the next value.
    fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// A receiver has had the value with this number, or does not want it. Returns what nobody wants any more, for the caller to drop.
    fn count_off(&mut self, number: u64) -> Vec<Entry<T>> {
        let index = usize::try_from(number - self.first).expect("it is in memory");
        self.entries[index].missing -= 1;
        let mut unwanted = Vec::new();
        while self.entries.front().is_some_and(|entry| entry.missing == 0) {
            unwanted.extend(self.entries.pop_front());
            self.first += 1;
        }
        unwanted
    }
}

impl<T> Channel<T> {
    /// With one sender and without receivers.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            ring: RefCell::new(Ring {
                entries: VecDeque::new(),
                first: 0,
                capacity,
                receivers: 0,
            }),
            senders: Cell::new(1),
            waiting: Waiters::new(),
        }
    }

    pub(super) fn receivers(&self) -> usize {
        self.ring.borrow().receivers
    }

    /// How many values are kept because some receiver has not had them.
    pub(super) fn len(&self) -> usize {
        self.ring.borrow().entries.len()
    }

    /// How many values there are for a receiver whose next has the number `next`, with those that were overwritten.
    pub(super) fn len_from(&self, next: u64) -> usize {
        usize::try_from(self.ring.borrow().end() - next).unwrap_or(usize::MAX)
    }

    /// Adds a receiver, and says which number its first value will have.
    pub(super) fn add_receiver(&self) -> u64 {
        let mut ring = self.ring.borrow_mut();
        ring.receivers += 1;
        ring.end()
    }

    pub(super) fn remove_receiver(&self, next: u64) {
        let unwanted = {
            let mut ring = self.ring.borrow_mut();
            ring.receivers -= 1;
            let mut unwanted = Vec::new();
            for number in next.max(ring.first)..ring.end() {
                // The front may have moved past this number by then; it has not, for this receiver misses it.
                unwanted.extend(ring.count_off(number));
            }
            unwanted
        };
        drop(unwanted);
    }

    /// Keeps the value for all receivers, and says how many these are; the value comes back if there is none.
    pub(super) fn send(&self, value: T) -> Result<usize, T> {
        let (receivers, overwritten) = {
            let mut ring = self.ring.borrow_mut();
            if ring.receivers == 0 {
                return Err(value);
            }
            let mut overwritten = None;
            if ring.entries.len() == ring.capacity {
                overwritten = ring.entries.pop_front();
                ring.first += 1;
            }
            let missing = ring.receivers;
            let value = Rc::new(value);
            ring.entries.push_back(Entry { value, missing });
            (missing, overwritten)
        };
        drop(overwritten);
        self.waiting.grant_all(());
        Ok(receivers)
    }

    /// The value with the number `next`, which becomes that of the one after it.
    pub(super) fn try_recv(&self, next: &mut u64) -> Result<Rc<T>, TryRecvError> {
        let (value, unwanted) = {
            let mut ring = self.ring.borrow_mut();
            if *next < ring.first {
                let missed = ring.first - *next;
                *next = ring.first;
                return Err(TryRecvError::Lagged(missed));
            }
            if *next == ring.end() {
                let is_open = self.senders.get() > 0;
                return Err(if is_open {
                    TryRecvError::Empty
                } else {
                    TryRecvError::Closed
                });
            }
            let index = usize::try_from(*next - ring.first).expect("it is in memory");
            let value = Rc::clone(&ring.entries[index].value);
            let unwanted = ring.count_off(*next);
            *next += 1;
            (value, unwanted)
        };
        drop(unwanted);
        Ok(value)
    }
}
