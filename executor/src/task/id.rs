//! Which task this is.
//!
//! An id is the address of the task's cell: so it costs nothing to have one. The cell lives as long as the task or a handle to it, and no other has its
//! address meanwhile.

#![forbid(unsafe_code)]

use super::header::Header;
use crate::core::{Core, context};
use std::cell::Cell;
use std::fmt;
use std::num::NonZeroUsize;
use std::ptr::NonNull;

/// Names a task. No other task of the process has the same id as long as the task runs, or a [`JoinHandle`](super::JoinHandle),
/// [`AbortHandle`](super::AbortHandle), waker or [`JoinSet`](super::JoinSet) of it is there. After that the id may be used again, as in tokio, and soon is.
///
/// # Examples
/// ```
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let task = executor::spawn(async { executor::task::id() });
/// let id = task.id();
/// assert_eq!(task.await.unwrap(), id);
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(NonZeroUsize);

thread_local! {
    /// That of the blocking closure that this thread runs.
    static BLOCKING: Cell<Option<Id>> = const { Cell::new(None) };
}

impl Id {
    pub(crate) fn of(header: NonNull<Header>) -> Self {
        Self(header.addr())
    }

    pub(crate) fn from_address(address: usize) -> Option<Self> {
        NonZeroUsize::new(address).map(Self)
    }

    /// Calls `call` while the thread runs the blocking closure with this id.
    pub(super) fn within_blocking<T>(self, call: impl FnOnce() -> T) -> T {
        let before = BLOCKING.replace(Some(self));
        let result = call();
        BLOCKING.set(before);
        result
    }
}

/// The id of the task that runs now: a spawned one, a closure of [`spawn_blocking`](crate::spawn_blocking), or the future of
/// [`block_on`](crate::Runtime::block_on).
///
/// # Panics
/// Outside of a task.
#[track_caller]
pub fn id() -> Id {
    match try_id() {
        Some(id) => id,
        None => panic!(
            "task::id was used outside of a task: it works inside of spawned tasks, blocking closures and the future of block_on"
        ),
    }
}

/// The same, or `None` outside of a task.
pub fn try_id() -> Option<Id> {
    let polled = context::with(|core| core.and_then(Core::current_task));
    polled.or_else(|| BLOCKING.try_with(Cell::get).ok().flatten())
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:#x}", self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Id({self})")
    }
}
