//! What the senders and the receivers of a channel share.

use crate::sync::Event;
use reactor::waiters::Waiters;
use std::cell::{self, Cell, RefCell};
use std::fmt;
use std::ops::Deref;

pub(super) struct Channel<T> {
    pub(super) value: RefCell<T>,
    /// How often the value has changed.
    pub(super) version: Cell<u64>,
    pub(super) senders: Cell<usize>,
    receivers: Cell<usize>,
    /// Receivers that wait for a change, or for the end.
    pub(super) waiting: Waiters<(), ()>,
    /// Set while there is no receiver.
    pub(super) closed: Event,
}

impl<T> Channel<T> {
    /// With one sender and without receivers.
    pub(super) fn new(value: T) -> Self {
        let closed = Event::new();
        closed.set();
        Self {
            value: RefCell::new(value),
            version: Cell::new(0),
            senders: Cell::new(1),
            receivers: Cell::new(0),
            waiting: Waiters::new(),
            closed,
        }
    }

    pub(super) fn receivers(&self) -> usize {
        self.receivers.get()
    }

    /// The value was changed.
    pub(super) fn tell(&self) {
        self.version.set(self.version.get() + 1);
        self.waiting.grant_all(());
    }

    pub(super) fn add_receiver(&self) {
        self.receivers.set(self.receivers.get() + 1);
        self.closed.reset();
    }

    pub(super) fn remove_receiver(&self) {
        self.receivers.set(self.receivers.get() - 1);
        if self.receivers.get() == 0 {
            self.closed.set();
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.senders.get() == 0
    }

    /// The value, and whether it changed since `seen`.
    pub(super) fn look(&self, seen: u64) -> Ref<'_, T> {
        Ref::new(self.value.borrow(), self.version.get() != seen)
    }
}

/// A look at the value. As long as it lives the value cannot be changed: sending panics. So do not hold it across an await.
#[must_use = "it keeps the value from being changed"]
pub struct Ref<'a, T> {
    value: cell::Ref<'a, T>,
    has_changed: bool,
}

impl<'a, T> Ref<'a, T> {
    pub(super) fn new(value: cell::Ref<'a, T>, has_changed: bool) -> Self {
        Self { value, has_changed }
    }

    /// Whether the receiver that looked had not seen this value before. Always false for a sender.
    pub fn has_changed(&self) -> bool {
        self.has_changed
    }
}

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Ref<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}
