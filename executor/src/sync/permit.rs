//! What a semaphore hands out.

use super::Semaphore;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

/// Permits of a [`Semaphore`], `S` being how it is reached: `&Semaphore` or `Rc<Semaphore>`. **Dropped**, it gives them back.
#[must_use = "a permit that is dropped at once limits nothing"]
pub struct Permit<S: Deref<Target = Semaphore>> {
    semaphore: S,
    count: usize,
}

/// Permits that keep their [`Semaphore`] alive, to be moved into a task.
pub type OwnedPermit = Permit<Rc<Semaphore>>;

impl<S: Deref<Target = Semaphore>> Permit<S> {
    pub(super) fn new(semaphore: S, count: usize) -> Self {
        Self { semaphore, count }
    }

    /// How many these are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// They never come back: the semaphore has so many fewer from now on, until somebody [adds](Semaphore::add_permits) some.
    pub fn forget(mut self) {
        self.count = 0;
    }
}

impl<S: Deref<Target = Semaphore>> Drop for Permit<S> {
    fn drop(&mut self) {
        if self.count > 0 {
            self.semaphore.add_permits(self.count);
        }
    }
}

impl<S: Deref<Target = Semaphore>> fmt::Debug for Permit<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Permit")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}
