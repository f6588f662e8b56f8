//! The last way home for the values of [`Foreign`](crate::Foreign)s: for those that are dropped elsewhere when their core takes no tasks in any more,
//! but is still there. Cores that end together would leak them otherwise.

use std::any::Any;
use std::sync::{Mutex, PoisonError};

type Returned = Vec<Box<dyn Any + Send>>;

/// What has come home to one core; `None` when that looks no more.
pub(crate) struct Homecoming(Mutex<Option<Returned>>);

impl Homecoming {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Some(Vec::new())))
    }

    /// Any thread: brings a value home, to be dropped there.
    ///
    /// # Errors
    /// It is too late: gives the value back.
    pub(crate) fn bring(&self, value: Box<dyn Any + Send>) -> Result<(), Box<dyn Any + Send>> {
        let mut returned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *returned {
            Some(returned) => {
                returned.push(value);
                Ok(())
            }
            None => Err(value),
        }
    }

    /// Owner: what has come since the last time.
    #[must_use]
    pub(super) fn take(&self) -> Returned {
        let mut returned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        returned.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Owner, once: the last of it. From now on it is too late.
    #[must_use]
    pub(super) fn close(&self) -> Returned {
        let mut returned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        returned.take().unwrap_or_default()
    }
}
