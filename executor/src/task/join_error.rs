//! Why a task has no output.

#![forbid(unsafe_code)]

use super::Id;
use std::any::Any;
use std::sync::{Mutex, PoisonError};
use std::{error, fmt, io};

/// Why a task has no output: it was cancelled, or it panicked.
pub struct JoinError {
    id: Id,
    /// What it panicked with; boxed, so that every task's outcome is the smaller by it. The mutex is never locked for long: it makes
    /// the error `Sync`, as `?` into a boxed error wants it.
    panic: Option<Box<Mutex<Payload>>>,
}

type Payload = Box<dyn Any + Send>;

impl JoinError {
    pub(super) fn cancelled(id: Id) -> Self {
        Self { id, panic: None }
    }

    pub(super) fn panicked(id: Id, payload: Payload) -> Self {
        Self {
            id,
            panic: Some(Box::new(Mutex::new(payload))),
        }
    }

    /// The id of the task.
    pub fn id(&self) -> Id {
        self.id
    }

    /// Whether the task was ended: by [`JoinHandle::abort`](super::JoinHandle::abort), by the shutdown of its runtime, or, if it was a call to a
    /// [`Sharded`](crate::Sharded), by that having been stopped.
    pub fn is_cancelled(&self) -> bool {
        self.panic.is_none()
    }

    /// Whether the task panicked, in its poll or in the drop of its future.
    pub fn is_panic(&self) -> bool {
        self.panic.is_some()
    }

    /// What the task panicked with, to be looked at or to be given to [`std::panic::resume_unwind`].
    ///
    /// # Errors
    /// The error itself, if the task did not panic.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send>, Self> {
        match self.panic {
            Some(payload) => Ok(payload.into_inner().unwrap_or_else(PoisonError::into_inner)),
            None => Err(self),
        }
    }

    /// The same.
    ///
    /// # Panics
    /// If the task did not panic.
    pub fn into_panic(self) -> Box<dyn Any + Send> {
        self.try_into_panic()
            .expect("into_panic on the error of a task that was cancelled")
    }
}

/// The text of a panic, if it has one.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> Option<&str> {
    payload
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

impl fmt::Display for JoinError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(payload) = &self.panic else {
            return formatter.write_str("the task was cancelled");
        };
        let payload = payload.lock().unwrap_or_else(PoisonError::into_inner);
        match panic_text(&**payload) {
            Some(text) => write!(formatter, "the task panicked: {text}"),
            None => formatter.write_str("the task panicked"),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "JoinError({self})")
    }
}

impl error::Error for JoinError {}

/// An error of kind [`Other`](io::ErrorKind::Other) that has this one inside: `?` in a function that returns an [`io::Result`].
impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> Self {
        Self::other(error)
    }
}
