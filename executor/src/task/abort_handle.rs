//! Ends a task from anywhere, without the right to its output.

use super::Id;
use super::header::TaskRef;
use std::fmt;

/// Ends a task; from any thread, as often as wanted. Made by [`JoinHandle::abort_handle`](super::JoinHandle::abort_handle), and by the methods of a
/// [`JoinSet`](super::JoinSet) that spawn. As tokio's.
///
/// **Dropping** it has no effect on the task. While it is there the memory of the task is, but not its future or its output.
///
/// # Examples
/// ```
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let task = executor::spawn(std::future::pending::<()>());
/// let abort = task.abort_handle();
/// std::thread::spawn(move || abort.abort());
/// assert!(task.await.unwrap_err().is_cancelled());
/// # }
/// ```
#[derive(Clone)]
pub struct AbortHandle {
    task: TaskRef,
}

// SAFETY: what can be done through it is to look at the address, to ask whether the task is complete, to abort it, and to count references. All of
// these are atomic, or read what never changes.
unsafe impl Sync for AbortHandle {}

impl AbortHandle {
    pub(super) fn new(task: TaskRef) -> Self {
        Self { task }
    }

    /// Asks the task to end, as [`JoinHandle::abort`](super::JoinHandle::abort).
    pub fn abort(&self) {
        self.task.abort();
    }

    /// Whether the task has an outcome: its output, a panic, or that it was cancelled.
    pub fn is_finished(&self) -> bool {
        self.task.header().is_complete()
    }

    /// The task's id.
    pub fn id(&self) -> Id {
        Id::of(self.task.as_raw())
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.task.describe(formatter, "AbortHandle")
    }
}
