//! A value that is made once, by whoever needs it first.

use super::Semaphore;
use std::cell;
use std::convert::Infallible;
use std::{error, fmt};

/// A value of this core that is made when it is first needed, by a future.
///
/// While one task makes it, the others that need it wait. If that task is dropped, panics or fails, the next one tries. For a value that needs no await use
/// [`std::cell::OnceCell`]; for one on each core see [`core_local!`](crate::core_local).
///
/// # Examples
/// ```
/// use executor::sync::OnceCell;
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let address = OnceCell::new();
/// let resolve = async || {
///     executor::yield_now().await;
///     "127.0.0.1:80"
/// };
/// assert_eq!(*address.get_or_init(resolve).await, "127.0.0.1:80");
/// assert_eq!(address.get(), Some(&"127.0.0.1:80"));
/// # }
/// ```
pub struct OnceCell<T> {
    value: cell::OnceCell<T>,
    /// The right to make the value.
    turn: Semaphore,
}

impl<T> OnceCell<T> {
    /// Without a value.
    pub const fn new() -> Self {
        Self {
            value: cell::OnceCell::new(),
            turn: Semaphore::new(1),
        }
    }

    /// With a value, or without one.
    pub fn new_with(value: Option<T>) -> Self {
        let cell = Self::new();
        if let Some(value) = value {
            let _ = cell.value.set(value);
        }
        cell
    }

    /// The value, if it was made.
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// The value, if it was made.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// Whether the value was made.
    pub fn initialized(&self) -> bool {
        self.get().is_some()
    }

    /// Sets the value.
    ///
    /// # Errors
    /// [`SetError`] with the value, if there is one already, or a task is making it.
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        if self.initialized() {
            return Err(SetError::AlreadyInitialized(value));
        }
        let Ok(_turn) = self.turn.try_acquire() else {
            return Err(SetError::Initializing(value));
        };
        self.value.set(value).map_err(SetError::AlreadyInitialized)
    }

    /// The value; if there is none, `make` makes it, unless another task does.
    ///
    /// **Dropped**, it drops what `make` has begun, and the next one that waits makes the value.
    pub async fn get_or_init(&self, make: impl AsyncFnOnce() -> T) -> &T {
        let made = self.get_or_try_init(async || Ok::<_, Infallible>(make().await));
        match made.await {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    /// The same where `make` may fail. Cancellation as there.
    ///
    /// # Errors
    /// Those of `make`. The next one that waits tries again.
    pub async fn get_or_try_init<E>(
        &self,
        make: impl AsyncFnOnce() -> Result<T, E>,
    ) -> Result<&T, E> {
        if let Some(value) = self.get() {
            return Ok(value);
        }
        let _turn = self.turn.acquire().await.expect("it is never closed");
        if let Some(value) = self.get() {
            return Ok(value);
        }
        let value = make().await?;
        Ok(self.value.get_or_init(|| value))
    }

    /// The value, which the cell has no more.
    pub fn take(&mut self) -> Option<T> {
        self.value.take()
    }

    /// The value.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }
}

impl<T> Default for OnceCell<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> From<T> for OnceCell<T> {
    fn from(value: T) -> Self {
        Self::new_with(Some(value))
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(formatter)
    }
}

/// Why [`OnceCell::set`] did not set the value, which comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SetError<T> {
    /// There is a value.
    AlreadyInitialized(T),
    /// A task is making the value.
    Initializing(T),
}

impl<T> fmt::Debug for SetError<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::AlreadyInitialized(_) => "AlreadyInitialized(..)",
            Self::Initializing(_) => "Initializing(..)",
        })
    }
}

impl<T> fmt::Display for SetError<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::AlreadyInitialized(_) => "the cell has a value already",
            Self::Initializing(_) => "a task is making the value of the cell",
        })
    }
}

impl<T> error::Error for SetError<T> {}
