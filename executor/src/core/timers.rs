//! A core's timers: the wheel, and the clock of the runtime that it is turned by.
//!
//! Shared by reference count with the futures that wait in it, so that one dropped late, after its core has gone, finds its own
//! wheel and not another's.

use super::clock::Clock;
use reactor::timer::{TimerKey, TimerWheel};
use reactor::{Origin, contain_panic};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

/// Timers woken in a turn: some ten microseconds' worth, so that a million on one tick leave room for I/O and the inboxes.
const WAKES_PER_TURN: usize = 1024;

/// The timers of one core.
pub(crate) struct Timers {
    origin: Origin,
    wheel: RefCell<TimerWheel<Waker>>,
    /// Due, and not woken yet: more came due at once than one turn wakes.
    due: RefCell<VecDeque<Waker>>,
    /// The wheel has its nanoseconds.
    clock: Arc<Clock>,
}

impl Timers {
    pub(super) fn new(clock: Arc<Clock>) -> Self {
        Self {
            origin: Origin::here(),
            wheel: RefCell::new(TimerWheel::new(0)),
            due: RefCell::default(),
            clock,
        }
    }

    pub(super) fn now_ns(&self) -> u64 {
        self.clock.now_ns()
    }

    /// Wakes `waker` once `deadline` is past, on the runtime's clock.
    pub(crate) fn insert(&self, deadline: Instant, waker: Waker) -> TimerKey {
        let deadline_ns = self.clock.ns_since_epoch(deadline);
        self.wheel.borrow_mut().insert(deadline_ns, waker)
    }

    /// Takes a timer out, if it has not fired.
    pub(crate) fn cancel(&self, key: TimerKey) {
        let waker = self.wheel.borrow_mut().cancel(key);
        // Foreign code: not while the wheel is borrowed.
        drop(waker);
    }

    /// Makes a timer wake `waker`; false if it has fired.
    ///
    /// # Panics
    /// In a forked child, where it would never fire.
    pub(crate) fn update(&self, key: TimerKey, waker: &Waker) -> bool {
        let same = match self.wheel.borrow_mut().get_mut(key) {
            None => return false,
            Some(current) => current.will_wake(waker),
        };
        if !same {
            let waker = waker.clone();
            let replaced = self
                .wheel
                .borrow_mut()
                .get_mut(key)
                .map(|current| std::mem::replace(current, waker));
            drop(replaced);
        }
        self.origin.expect_here("a timer");
        true
    }

    /// Wakes what is due, in the order of the deadlines, as far as one turn goes. Reads the clock once, and not at all when nothing waits.
    pub(super) fn fire(&self) {
        if !self.wheel.borrow().is_empty() {
            let now_ns = self.now_ns();
            let mut due = self.due.borrow_mut();
            self.wheel.borrow_mut().advance(now_ns, &mut *due);
        }
        for _ in 0..WAKES_PER_TURN {
            let Some(waker) = self.due.borrow_mut().pop_front() else {
                break;
            };
            contain_panic("a timer's waker", || waker.wake());
        }
    }

    /// The same for all that is due, however much that is.
    pub(crate) fn fire_all(&self) {
        self.fire();
        while !self.due.borrow().is_empty() {
            self.fire();
        }
    }

    /// When to call [`fire`](Self::fire) next.
    pub(crate) fn next_deadline_ns(&self) -> Option<u64> {
        if !self.due.borrow().is_empty() {
            return Some(0);
        }
        self.wheel.borrow().next_deadline_ns()
    }

    /// Drops every waker that waits. The wheel stays, so that no key comes to mean another timer.
    pub(super) fn clear(&self) {
        let mut waiting = self.due.take();
        self.wheel.borrow_mut().advance(u64::MAX, &mut waiting);
        for waker in waiting {
            contain_panic("dropping a timer's waker", || drop(waker));
        }
    }
}
