//! What a semaphore hands out.

use super::Semaphore;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

/// Permits of a [`Semaphore`]. `S` is how the semaphore is reached: `&Semaphore` or `Rc<Semaphore>`.
///
/// **Dropped**, it gives the permits back.
#[must_use = "a permit that is dropped at once limits nothing"]
pub struct Permit<S: Deref<Target = Semaphore>> {
    semaphore: S,
    count: usize,
}

/// Permits that borrow their [`Semaphore`].
pub type SemaphorePermit<'a> = Permit<&'a Semaphore>;

/// Permits that keep their [`Semaphore`] alive, to be moved into a task.
pub type OwnedSemaphorePermit = Permit<Rc<Semaphore>>;

impl<S: Deref<Target = Semaphore>> Permit<S> {
    pub(super) fn new(semaphore: S, count: usize) -> Self {
        Self { semaphore, count }
    }

    /// How many permits these are.
    pub fn num_permits(&self) -> usize {
        self.count
    }

    /// The semaphore that these are of.
    pub fn semaphore(&self) -> &S {
        &self.semaphore
    }

    /// Takes the permits out of use: the semaphore has fewer from now on, until somebody [adds](Semaphore::add_permits) some.
    pub fn forget(mut self) {
        self.count = 0;
    }

    /// Adds the permits of `other` to these; they are given back together.
    ///
    /// # Panics
    /// If the two are of different semaphores. `other` is given back then.
    ///
    /// # Examples
    /// ```
    /// use executor::sync::Semaphore;
    /// let semaphore = Semaphore::new(3);
    /// let mut permit = semaphore.try_acquire().unwrap();
    /// permit.merge(semaphore.try_acquire_many(2).unwrap());
    /// assert_eq!(permit.num_permits(), 3);
    /// let two = permit.split(2).unwrap();
    /// drop(permit);
    /// assert_eq!((two.num_permits(), semaphore.available_permits()), (2, 1));
    /// ```
    pub fn merge(&mut self, mut other: Self) {
        assert!(
            std::ptr::eq(&*self.semaphore, &*other.semaphore),
            "permits of different semaphores cannot be merged"
        );
        self.count += std::mem::take(&mut other.count);
    }

    /// Splits `count` permits off; `None` if there are not as many.
    pub fn split(&mut self, count: usize) -> Option<Self>
    where
        S: Clone,
    {
        let left = self.count.checked_sub(count)?;
        let semaphore = self.semaphore.clone();
        self.count = left;
        Some(Self { semaphore, count })
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
            .field("num_permits", &self.count)
            .finish_non_exhaustive()
    }
}
