//! Many readers or one writer, across awaits.

use super::guarded::{self, ALL, Guarded, TurnsOf};
use super::{
    Acquire, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, Permit, RwLockReadGuard,
    RwLockWriteGuard, Semaphore, TryLockError,
};
use futures_core::FusedFuture;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A value that many tasks of this core may read at once, or one may write, also while they await.
///
/// Fair: they come in in the order in which they asked. So a writer waits for the readers before it only, and a reader behind a waiting writer
/// waits for that: a task that reads twice at once, with a writer between, waits for itself.
///
/// It cannot be closed. To have those that wait give up, race the lock against a [`Gate`](super::Gate) or an [`Event`](super::Event) in
/// a `select!`.
///
/// # Examples
/// ```
/// use executor::sync::RwLock;
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let routes = RwLock::new(vec!["/"]);
/// {
///     let (one, other) = (routes.read().await, routes.read().await);
///     assert_eq!(*one, *other);
/// }
/// routes.write().await.push("/about");
/// assert_eq!(routes.read().await.len(), 2);
/// # }
/// ```
pub struct RwLock<T: ?Sized> {
    inner: Guarded<T>,
}

impl<T> RwLock<T> {
    /// An unlocked lock.
    pub const fn new(value: T) -> Self {
        Self {
            inner: Guarded::new(value),
        }
    }

    /// The value, from a lock that nobody can take any more.
    pub fn into_inner(self) -> T {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until no writer is in, and none asked before. For cancellation see [`Read`].
    pub fn read(&self) -> Read<'_, T> {
        Read {
            lock: self,
            turn: self.inner.turns().acquire(),
        }
    }

    /// Waits until everybody has left who asked before. For cancellation see [`Write`].
    pub fn write(&self) -> Write<'_, T> {
        Write {
            lock: self,
            turn: self.inner.turns().acquire_many(ALL),
        }
    }

    /// As [`read`](Self::read), with a guard that keeps the lock alive and borrows nothing: to be moved into a task or kept in a struct.
    pub fn read_owned(self: Rc<Self>) -> ReadOwned<T> {
        ReadOwned {
            turn: Acquire::new(TurnsOf(self), 1),
        }
    }

    /// As [`write`](Self::write), with a guard that borrows nothing.
    pub fn write_owned(self: Rc<Self>) -> WriteOwned<T> {
        WriteOwned {
            turn: Acquire::new(TurnsOf(self), ALL),
        }
    }

    /// A reader's guard, if no writer is in and nobody waits.
    ///
    /// # Errors
    /// [`TryLockError`] otherwise.
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, TryLockError> {
        let turn = self.inner.turns().try_acquire()?;
        Ok(RwLockReadGuard::new(self, turn))
    }

    /// A writer's guard, if nobody is in.
    ///
    /// # Errors
    /// [`TryLockError`] otherwise.
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, TryLockError> {
        let turn = self.inner.turns().try_acquire_many(ALL)?;
        Ok(RwLockWriteGuard::new(self, turn))
    }

    /// As [`try_read`](Self::try_read), with a guard that borrows nothing.
    ///
    /// # Errors
    /// [`TryLockError`], if a writer is in or somebody waits.
    pub fn try_read_owned(self: Rc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError> {
        self.inner.turns().try_take(1)?;
        let turn = Permit::new(TurnsOf(self), 1);
        Ok(OwnedRwLockReadGuard::new(turn))
    }

    /// As [`try_write`](Self::try_write), with a guard that borrows nothing.
    ///
    /// # Errors
    /// [`TryLockError`], if somebody is in.
    pub fn try_write_owned(self: Rc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError> {
        self.inner.turns().try_take(ALL)?;
        let turn = Permit::new(TurnsOf(self), ALL);
        Ok(OwnedRwLockWriteGuard::new(turn))
    }

    /// The value, of a lock that nobody else has.
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.get_mut()
    }
}

impl<T: ?Sized> guarded::Lock for RwLock<T> {
    type Value = T;

    fn guarded(&self) -> &Guarded<T> {
        &self.inner
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = formatter.debug_struct("RwLock");
        match self.try_read() {
            Ok(value) => text.field("value", &&*value),
            Err(_) => text.field("value", &format_args!("<locked>")),
        };
        text.finish()
    }
}

/// The future of [`RwLock::read`].
///
/// It enters the queue when it is first polled. **Dropped** before it is ready, it leaves the queue; a turn that it had been given by then goes to
/// the next.
#[must_use = "futures do nothing unless polled"]
pub struct Read<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    turn: Acquire<&'a Semaphore>,
}

/// The future of [`RwLock::write`]. Cancellation as for [`Read`]; readers that waited behind it go on then.
#[must_use = "futures do nothing unless polled"]
pub struct Write<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    turn: Acquire<&'a Semaphore>,
}

/// The future of [`RwLock::read_owned`]. Cancellation as for [`Read`].
#[must_use = "futures do nothing unless polled"]
pub struct ReadOwned<T: ?Sized> {
    turn: Acquire<TurnsOf<RwLock<T>>>,
}

/// The future of [`RwLock::write_owned`]. Cancellation as for [`Write`].
#[must_use = "futures do nothing unless polled"]
pub struct WriteOwned<T: ?Sized> {
    turn: Acquire<TurnsOf<RwLock<T>>>,
}

macro_rules! lock_future {
    ([$($borrowed:lifetime)?] $future:ident => $guard:ident, $new:expr) => {
        impl<$($borrowed,)? T: ?Sized> Future for $future<$($borrowed,)? T> {
            type Output = $guard<$($borrowed,)? T>;

            fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
                let turn = Pin::new(&mut self.turn).poll(context);
                turn.map(|turn| $new(&self, turn.expect("it is never closed")))
            }
        }

        impl<$($borrowed,)? T: ?Sized> FusedFuture for $future<$($borrowed,)? T> {
            fn is_terminated(&self) -> bool {
                self.turn.is_terminated()
            }
        }

        impl<$($borrowed,)? T: ?Sized> fmt::Debug for $future<$($borrowed,)? T> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_struct(stringify!($future)).finish_non_exhaustive()
            }
        }
    };
}

lock_future!(['a] Read => RwLockReadGuard, |this: &Self, turn| RwLockReadGuard::new(this.lock, turn));
lock_future!(['a] Write => RwLockWriteGuard, |this: &Self, turn| RwLockWriteGuard::new(this.lock, turn));
lock_future!([] ReadOwned => OwnedRwLockReadGuard, |_: &Self, turn| OwnedRwLockReadGuard::new(turn));
lock_future!([] WriteOwned => OwnedRwLockWriteGuard, |_: &Self, turn| OwnedRwLockWriteGuard::new(turn));
