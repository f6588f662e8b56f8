//! One at a time, across awaits.

use super::{Permit, Semaphore};
use std::cell::{RefCell, RefMut};
use std::fmt;
use std::ops::{Deref, DerefMut};

/// A value that one task of this core at a time may use, also while it awaits. Fair: whoever asked first has it first.
///
/// Where nothing is awaited meanwhile, a [`Cell`](std::cell::Cell) or [`RefCell`] does it, for no other task runs in between. It is not
/// poisoned by a panic: the next one finds the value as the panic left it.
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
    turns: Semaphore,
    value: RefCell<T>,
}

/// The right to use a [`Mutex`]'s value. **Dropped**, it lets the next one in.
#[must_use = "a mutex is unlocked at once if its guard is dropped"]
pub struct MutexGuard<'a, T: ?Sized> {
    // In this order: the value is let go of before the next one is let in.
    value: RefMut<'a, T>,
    _turn: Permit<&'a Semaphore>,
}

impl<T> Mutex<T> {
    /// Unlocked.
    pub const fn new(value: T) -> Self {
        Self {
            turns: Semaphore::new(1),
            value: RefCell::new(value),
        }
    }

    /// The value, from a mutex that nobody can lock any more.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for one's turn. **Dropped** before that, the future leaves the queue; a turn that it had been given by then goes to the next.
    /// It enters the queue when it is first polled.
    pub async fn lock(&self) -> MutexGuard<'_, T> {
        let turn = self.turns.acquire().await;
        self.guard(turn.expect("it is never closed"))
    }

    /// The guard, if nobody has it and nobody waits for it.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.turns.try_acquire().ok().map(|turn| self.guard(turn))
    }

    /// The value, of a mutex that nobody else has.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    fn guard<'a>(&'a self, turn: Permit<&'a Semaphore>) -> MutexGuard<'a, T> {
        MutexGuard {
            value: self.value.borrow_mut(),
            _turn: turn,
        }
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Mutex").field(&&self.value).finish()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}
