//! The waker of the one future that waits for something, where there is never more than one.

use reactor::contain_panic;
use std::cell::Cell;
use std::task::Waker;

/// Wakers are foreign code: they are cloned, woken and dropped while nothing is borrowed. Their panics end here, except those of a clone.
#[derive(Default)]
pub(crate) struct WakerSlot(Cell<Option<Waker>>);

impl WakerSlot {
    /// The next [`wake`](Self::wake) wakes this one, and no other.
    pub(crate) fn register(&self, waker: &Waker) {
        match self.0.take() {
            Some(same) if same.will_wake(waker) => self.0.set(Some(same)),
            stale => {
                self.0.set(Some(waker.clone()));
                contain_panic("dropping a waker", || drop(stale));
            }
        }
    }

    /// Wakes the future that waits, if one does.
    pub(crate) fn wake(&self) {
        if let Some(waker) = self.0.take() {
            contain_panic("a waker", || waker.wake());
        }
    }
}
