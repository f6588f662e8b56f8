//! Many readers or one writer, across awaits.

use super::{Permit, Semaphore};
use std::cell::{Ref, RefCell, RefMut};
use std::fmt;
use std::ops::{Deref, DerefMut};

/// A reader takes one of these permits, a writer all of them.
const ALL: usize = Semaphore::MAX_PERMITS;

/// A value that many tasks of this core may read at once, or one may write, also while they await.
///
/// Fair: they come in in the order in which they asked. So a writer waits for the readers before it only, and a reader behind a waiting writer
/// waits for that: a task that reads twice at once, with a writer between, waits for itself.
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
    turns: Semaphore,
    value: RefCell<T>,
}

/// The right to read the value of a [`RwLock`]. **Dropped**, it makes room for a writer, if it was the last.
#[must_use = "a lock is unlocked at once if its guard is dropped"]
pub struct ReadGuard<'a, T: ?Sized> {
    // In this order: the value is let go of before the next one is let in.
    value: Ref<'a, T>,
    _turn: Permit<&'a Semaphore>,
}

/// The right to change the value of a [`RwLock`]. **Dropped**, it lets the next ones in.
#[must_use = "a lock is unlocked at once if its guard is dropped"]
pub struct WriteGuard<'a, T: ?Sized> {
    // In this order: the value is let go of before the next one is let in.
    value: RefMut<'a, T>,
    _turn: Permit<&'a Semaphore>,
}

impl<T> RwLock<T> {
    /// Unlocked.
    pub const fn new(value: T) -> Self {
        Self {
            turns: Semaphore::new(ALL),
            value: RefCell::new(value),
        }
    }

    /// The value, from a lock that nobody can take any more.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until no writer is in, nor asked before. **Dropped** before that, the future leaves the queue; a turn that it had been given by then
    /// goes to the next. It enters the queue when it is first polled.
    pub async fn read(&self) -> ReadGuard<'_, T> {
        let turn = self.turns.acquire().await;
        self.read_guard(turn.expect("it is never closed"))
    }

    /// Waits until nobody is in who asked before. **Dropped** before that, as [`read`](Self::read).
    pub async fn write(&self) -> WriteGuard<'_, T> {
        let turn = self.turns.acquire_many(ALL).await;
        self.write_guard(turn.expect("it is never closed"))
    }

    /// The guard, if no writer is in and nobody waits.
    pub fn try_read(&self) -> Option<ReadGuard<'_, T>> {
        let turn = self.turns.try_acquire().ok()?;
        Some(self.read_guard(turn))
    }

    /// The guard, if nobody is in.
    pub fn try_write(&self) -> Option<WriteGuard<'_, T>> {
        let turn = self.turns.try_acquire_many(ALL).ok()?;
        Some(self.write_guard(turn))
    }

    /// The value, of a lock that nobody else has.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    fn read_guard<'a>(&'a self, turn: Permit<&'a Semaphore>) -> ReadGuard<'a, T> {
        ReadGuard {
            value: self.value.borrow(),
            _turn: turn,
        }
    }

    fn write_guard<'a>(&'a self, turn: Permit<&'a Semaphore>) -> WriteGuard<'a, T> {
        WriteGuard {
            value: self.value.borrow_mut(),
            _turn: turn,
        }
    }
}

impl<T: ?Sized> Deref for ReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> Deref for WriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> DerefMut for WriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("RwLock").field(&&self.value).finish()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for ReadGuard<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for WriteGuard<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}
