//! A number of permits, handed out in the order in which they were asked for. [`Mutex`](super::Mutex) and [`RwLock`](super::RwLock) are made of it.

use super::acquire::Acquire;
use super::permit::{OwnedSemaphorePermit, Permit, SemaphorePermit};
use reactor::waiters::Waiters;
use std::cell::Cell;
use std::rc::Rc;
use std::{error, fmt};

/// The [`Semaphore`] has been closed: nobody gets a permit any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcquireError;

impl fmt::Display for AcquireError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the semaphore is closed")
    }
}

impl error::Error for AcquireError {}

/// Why [`Semaphore::try_acquire`] has no permit to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryAcquireError {
    /// The semaphore has been closed.
    Closed,
    /// There are not enough permits now, or others wait for theirs.
    NoPermits,
}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Closed => "the semaphore is closed",
            Self::NoPermits => "no permits available",
        })
    }
}

impl error::Error for TryAcquireError {}

/// A [`Mutex`](super::Mutex) or [`RwLock`](super::RwLock) could not be locked at once: somebody has it, or waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TryLockError;

impl fmt::Display for TryLockError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the lock is taken, or others wait for it")
    }
}

impl error::Error for TryLockError {}

/// For the semaphore of a lock, which is never closed.
impl From<TryAcquireError> for TryLockError {
    fn from(_: TryAcquireError) -> Self {
        Self
    }
}

/// Hands out a limited number of permits to the tasks of one core, so that no more than that many do something at once.
///
/// It is fair: the first to ask is served first, and one that asks for many holds up those behind it, so it is never starved. Nobody
/// who comes later gets a permit before, not even by [`try_acquire`](Self::try_acquire).
///
/// # Examples
/// ```
/// use executor::sync::Semaphore;
/// use std::rc::Rc;
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let connections = Rc::new(Semaphore::new(100));
/// let permit = connections.clone().acquire_owned().await.unwrap();
/// executor::spawn(async move {
///     // At most a hundred of these at once.
///     drop(permit);
/// })
/// .detach();
/// # }
/// ```
pub struct Semaphore {
    permits: Cell<usize>,
    is_closed: Cell<bool>,
    pub(super) waiters: Waiters<usize, Result<(), AcquireError>>,
}

impl Semaphore {
    /// As many permits as a semaphore can have.
    pub const MAX_PERMITS: usize = usize::MAX >> 3;

    /// With `permits` to hand out.
    ///
    /// # Panics
    /// If these are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    pub const fn new(permits: usize) -> Self {
        assert!(permits <= Self::MAX_PERMITS, "too many permits");
        Self {
            permits: Cell::new(permits),
            is_closed: Cell::new(false),
            waiters: Waiters::new(),
        }
    }

    /// How many permits there are now that nobody has.
    pub fn available_permits(&self) -> usize {
        self.permits.get()
    }

    /// Waits for a permit. For cancellation see [`Acquire`].
    ///
    /// # Errors
    /// [`AcquireError`], if the semaphore was closed, also while this waited.
    pub fn acquire(&self) -> Acquire<&Self> {
        self.acquire_many(1)
    }

    /// Waits for `count` permits, which come together; for 0, until it is this one's turn. If there will never be as many, it waits, and so do
    /// those behind it, until it is dropped.
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire).
    pub fn acquire_many(&self, count: usize) -> Acquire<&Self> {
        Acquire::new(self, count)
    }

    /// As [`acquire`](Self::acquire), with a permit that keeps the semaphore alive and borrows nothing: to be moved into a task.
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire).
    pub fn acquire_owned(self: Rc<Self>) -> Acquire<Rc<Self>> {
        self.acquire_many_owned(1)
    }

    /// As [`acquire_many`](Self::acquire_many), with a permit that borrows nothing.
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire).
    pub fn acquire_many_owned(self: Rc<Self>, count: usize) -> Acquire<Rc<Self>> {
        Acquire::new(self, count)
    }

    /// A permit, if there is one and nobody waits for it.
    ///
    /// # Errors
    /// Says why not.
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// The same for `count` permits.
    ///
    /// # Errors
    /// Says why not.
    pub fn try_acquire_many(&self, count: usize) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_take(count)?;
        Ok(Permit::new(self, count))
    }

    /// As [`try_acquire`](Self::try_acquire), with a permit that borrows nothing.
    ///
    /// # Errors
    /// Says why not.
    pub fn try_acquire_owned(self: Rc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// As [`try_acquire_many`](Self::try_acquire_many), with a permit that borrows nothing.
    ///
    /// # Errors
    /// Says why not.
    pub fn try_acquire_many_owned(
        self: Rc<Self>,
        count: usize,
    ) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_take(count)?;
        Ok(Permit::new(self, count))
    }

    /// Adds permits, which go to those that wait.
    ///
    /// # Panics
    /// If there would be more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    pub fn add_permits(&self, count: usize) {
        let permits = self.permits.get().checked_add(count);
        let permits = permits.filter(|permits| *permits <= Self::MAX_PERMITS);
        self.permits.set(permits.expect("too many permits"));
        self.hand_out();
    }

    /// Takes up to `count` of the available permits out of use, and says how many that was.
    pub fn forget_permits(&self, count: usize) -> usize {
        let count = count.min(self.permits.get());
        self.permits.set(self.permits.get() - count);
        count
    }

    /// Refuses those that wait and those that come. Permits that are out stay good.
    pub fn close(&self) {
        self.is_closed.set(true);
        self.waiters.grant_all(Err(AcquireError));
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.is_closed.get()
    }

    pub(super) fn try_take(&self, count: usize) -> Result<(), TryAcquireError> {
        if self.is_closed() {
            return Err(TryAcquireError::Closed);
        }
        match self.permits.get().checked_sub(count) {
            Some(left) if self.waiters.is_empty() => {
                self.permits.set(left);
                Ok(())
            }
            _ => Err(TryAcquireError::NoPermits),
        }
    }

    /// Serves those that can be served now, from the first on.
    pub(super) fn hand_out(&self) {
        while let Some(wanted) = self.waiters.first() {
            let Some(left) = self.permits.get().checked_sub(wanted) else {
                return;
            };
            self.permits.set(left);
            self.waiters.grant_first(Ok(()));
        }
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Semaphore")
            .field("available_permits", &self.available_permits())
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
