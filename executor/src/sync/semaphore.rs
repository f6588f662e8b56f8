//! A number of permits, handed out in the order in which they were asked for. [`Mutex`](super::Mutex) and [`RwLock`](super::RwLock) are made of it.

use super::permit::{OwnedPermit, Permit};
use reactor::waiters::{Left, Place, Waiters};
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::{error, fmt};

/// The semaphore, or the gate, has been closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("closed")
    }
}

impl error::Error for Closed {}

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
            Self::Closed => "closed",
            Self::NoPermits => "no permits available",
        })
    }
}

impl error::Error for TryAcquireError {}

/// Hands out a limited number of permits to the tasks of one core, so that no more than that many do something at once.
///
/// It is fair: whoever asked first is served first, and one that asks for many holds up those behind it, so it is never starved. No permit
/// is handed to somebody who comes later, not even by [`try_acquire`](Self::try_acquire).
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
    waiters: Waiters<usize, Result<(), Closed>>,
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

    /// How many permits there are for whoever asks now.
    pub fn available_permits(&self) -> usize {
        self.permits.get()
    }

    /// Waits for a permit. **Dropped** before it is there, the future leaves the queue; a permit that it had been given by then goes to the next.
    /// It enters the queue when it is first polled.
    ///
    /// # Errors
    /// [`Closed`], if the semaphore was closed, also while this waited.
    pub async fn acquire(&self) -> Result<Permit<&Self>, Closed> {
        self.acquire_many(1).await
    }

    /// The same for `count` permits, which come together; for 0 when it is this one's turn. If there will never be as many, it waits, and whoever
    /// comes after it, until it is dropped.
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire).
    pub async fn acquire_many(&self, count: usize) -> Result<Permit<&Self>, Closed> {
        self.turn(count).await?;
        Ok(Permit::new(self, count))
    }

    /// As [`acquire`](Self::acquire), with a permit that keeps the semaphore alive and borrows nothing: to be moved into a task.
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire).
    pub async fn acquire_owned(self: Rc<Self>) -> Result<OwnedPermit, Closed> {
        self.acquire_many_owned(1).await
    }

    /// As [`acquire_many`](Self::acquire_many), with a permit that borrows nothing.
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire).
    pub async fn acquire_many_owned(self: Rc<Self>, count: usize) -> Result<OwnedPermit, Closed> {
        self.turn(count).await?;
        Ok(Permit::new(self, count))
    }

    /// A permit, if there is one and nobody waits for it.
    ///
    /// # Errors
    /// Says why not.
    pub fn try_acquire(&self) -> Result<Permit<&Self>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// The same for `count` permits.
    ///
    /// # Errors
    /// Says why not.
    pub fn try_acquire_many(&self, count: usize) -> Result<Permit<&Self>, TryAcquireError> {
        self.try_take(count)?;
        Ok(Permit::new(self, count))
    }

    /// As [`try_acquire`](Self::try_acquire), with a permit that borrows nothing.
    ///
    /// # Errors
    /// Says why not.
    pub fn try_acquire_owned(self: Rc<Self>) -> Result<OwnedPermit, TryAcquireError> {
        self.try_take(1)?;
        Ok(Permit::new(self, 1))
    }

    /// Adds permits, which go to whoever waits.
    ///
    /// # Panics
    /// If there would be more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    pub fn add_permits(&self, count: usize) {
        let permits = self.permits.get().checked_add(count);
        let permits = permits.filter(|permits| *permits <= Self::MAX_PERMITS);
        self.permits.set(permits.expect("too many permits"));
        self.hand_out();
    }

    /// Refuses whoever waits and whoever comes. Permits that are out stay good.
    pub fn close(&self) {
        self.is_closed.set(true);
        self.waiters.grant_all(Err(Closed));
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.is_closed.get()
    }

    fn try_take(&self, count: usize) -> Result<(), TryAcquireError> {
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
    fn hand_out(&self) {
        while let Some(wanted) = self.waiters.first() {
            let Some(left) = self.permits.get().checked_sub(wanted) else {
                return;
            };
            self.permits.set(left);
            self.waiters.grant_first(Ok(()));
        }
    }

    fn turn(&self, count: usize) -> Turn<'_> {
        Turn {
            semaphore: self,
            count,
            place: None,
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

/// Waits until `count` permits were taken out for its owner, who has to see that they come back.
struct Turn<'a> {
    semaphore: &'a Semaphore,
    count: usize,
    place: Place,
}

impl Future for Turn<'_> {
    type Output = Result<(), Closed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            semaphore,
            count,
            place,
        } = &mut *self;
        if place.is_none() {
            let outcome = match semaphore.try_take(*count) {
                Ok(()) => Some(Ok(())),
                Err(TryAcquireError::Closed) => Some(Err(Closed)),
                Err(TryAcquireError::NoPermits) => None,
            };
            if let Some(outcome) = outcome {
                return semaphore.waiters.grant_at_once(place, outcome, context);
            }
        }
        semaphore.waiters.wait(place, *count, context)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        match self.semaphore.waiters.leave(&mut self.place) {
            Left::Granted(Ok(())) => self.semaphore.add_permits(self.count),
            // It may have been the one that asked for too much.
            Left::Waiting => self.semaphore.hand_out(),
            Left::Nothing | Left::Granted(Err(Closed)) => {}
        }
    }
}
