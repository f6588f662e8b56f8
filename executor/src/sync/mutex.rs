//! One at a time, across awaits.

use super::guarded::{self, ALL, Guarded, TurnsOf};
use super::{Acquire, MutexGuard, OwnedMutexGuard, Permit, Semaphore, TryLockError};
use futures_core::FusedFuture;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A value that one task of this core at a time may use, also while it awaits. Fair: the first to ask has it first.
///
/// Where nothing is awaited meanwhile, a [`Cell`](std::cell::Cell) or [`RefCell`](std::cell::RefCell) is enough, for no other task runs in between.
/// A panic does not poison it: the next one finds the value as the panic left it.
///
/// # Examples
/// ```
/// use executor::sync::Mutex;
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let lines = Mutex::new(Vec::new());
/// let append = async |line| {
///     let mut lines = lines.lock().await;
///     executor::yield_now().await;
///     lines.push(line);
/// };
/// futures::join!(append("one"), append("two"));
/// assert_eq!(lines.into_inner(), ["one", "two"]);
/// # }
/// ```
pub struct Mutex<T: ?Sized> {
    inner: Guarded<T>,
}

impl<T> Mutex<T> {
    /// An unlocked mutex.
    pub const fn new(value: T) -> Self {
        Self {
            inner: Guarded::new(value),
        }
    }

    /// The value, from a mutex that nobody can lock any more.
    pub fn into_inner(self) -> T {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for its turn, and locks the mutex. For cancellation see [`Lock`].
    pub fn lock(&self) -> Lock<'_, T> {
        Lock {
            mutex: self,
            turn: self.inner.turns().acquire_many(ALL),
        }
    }

    /// The same with a guard that keeps the mutex alive and borrows nothing: to be moved into a task or kept in a struct.
    ///
    /// # Examples
    /// ```
    /// use executor::sync::{Mutex, OwnedMutexGuard};
    /// use std::rc::Rc;
    /// # #[executor::main(cores = 1)]
    /// # async fn main() {
    /// let pair = Rc::new(Mutex::new((1, "one")));
    /// let guard = Rc::clone(&pair).lock_owned().await;
    /// let mut number = OwnedMutexGuard::map(guard, |pair| &mut pair.0);
    /// executor::spawn(async move { *number += 1 }).await.unwrap();
    /// assert_eq!(pair.lock().await.0, 2);
    /// # }
    /// ```
    pub fn lock_owned(self: Rc<Self>) -> LockOwned<T> {
        LockOwned {
            turn: Acquire::new(TurnsOf(self), ALL),
        }
    }

    /// Locks the mutex, if nobody has it and nobody waits for it.
    ///
    /// # Errors
    /// [`TryLockError`] otherwise.
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        let turn = self.inner.turns().try_acquire_many(ALL)?;
        Ok(MutexGuard::new(self, turn))
    }

    /// The same with a guard that borrows nothing.
    ///
    /// # Errors
    /// As for [`try_lock`](Self::try_lock).
    pub fn try_lock_owned(self: Rc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        self.inner.turns().try_take(ALL)?;
        let turn = Permit::new(TurnsOf(self), ALL);
        Ok(OwnedMutexGuard::new(turn))
    }

    /// The value, of a mutex that nobody else has.
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.get_mut()
    }
}

impl<T: ?Sized> guarded::Lock for Mutex<T> {
    type Value = T;

    fn guarded(&self) -> &Guarded<T> {
        &self.inner
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = formatter.debug_struct("Mutex");
        match self.try_lock() {
            Ok(value) => text.field("value", &&*value),
            Err(_) => text.field("value", &format_args!("<locked>")),
        };
        text.finish()
    }
}

/// The future of [`Mutex::lock`].
///
/// It enters the queue when it is first polled. **Dropped** before it is ready, it leaves the queue; a turn that it had been given by then goes to
/// the next.
#[must_use = "futures do nothing unless polled"]
pub struct Lock<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    turn: Acquire<&'a Semaphore>,
}

/// The future of [`Mutex::lock_owned`]. Cancellation as for [`Lock`].
#[must_use = "futures do nothing unless polled"]
pub struct LockOwned<T: ?Sized> {
    turn: Acquire<TurnsOf<Mutex<T>>>,
}

impl<'a, T: ?Sized> Future for Lock<'a, T> {
    type Output = MutexGuard<'a, T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mutex = self.mutex;
        let turn = Pin::new(&mut self.turn).poll(context);
        turn.map(|turn| MutexGuard::new(mutex, turn.expect("it is never closed")))
    }
}

impl<T: ?Sized> Future for LockOwned<T> {
    type Output = OwnedMutexGuard<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let turn = Pin::new(&mut self.turn).poll(context);
        turn.map(|turn| OwnedMutexGuard::new(turn.expect("it is never closed")))
    }
}

impl<T: ?Sized> FusedFuture for Lock<'_, T> {
    fn is_terminated(&self) -> bool {
        self.turn.is_terminated()
    }
}

impl<T: ?Sized> FusedFuture for LockOwned<T> {
    fn is_terminated(&self) -> bool {
        self.turn.is_terminated()
    }
}

impl<T: ?Sized> fmt::Debug for Lock<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Lock").finish_non_exhaustive()
    }
}

impl<T: ?Sized> fmt::Debug for LockOwned<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LockOwned").finish_non_exhaustive()
    }
}
