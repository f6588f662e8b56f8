//! A closure in a task cell, for a thread that may block: so it is joined, aborted, and its panics are told, as any task.
//!
//! The cell is made as one that travels, and never arrives: until it does, wakes do nothing, and an abort is seen when somebody begins to run it.
//! Whoever has the [`BlockingTask`] is alone with the stage.

use super::Id;
use super::cell::{Closure, allocate};
use super::header::{Polled, TaskRef};
use super::join::JoinHandle;
use crate::core::CoreShared;
use std::future::ready;
use std::sync::Arc;

/// A closure that has not begun. **Dropped**, it is cancelled.
pub(crate) struct BlockingTask(Option<TaskRef>);

impl BlockingTask {
    /// `core` is the one that is most likely to wait for it.
    pub(crate) fn new<C, T>(core: Arc<CoreShared>, closure: C) -> (Self, JoinHandle<T>)
    where
        C: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let future = Closure::new(|| ready(closure()));
        // SAFETY: before its first poll, which is its last, there is only the closure in it, which is `Send`, as is the output; they borrow nothing.
        let (task, handle) = unsafe { allocate(core, true, future) };
        (Self(Some(task)), handle)
    }

    /// Calls the closure, unless it was aborted, and stores what came of it, its panic included.
    pub(crate) fn run(mut self) {
        let Some(task) = self.0.take() else { return };
        // SAFETY: the closure may run on any thread. This is the reference that would carry it to a core, which has not seen it and never will.
        let polled = Id::of(task.as_raw()).within_blocking(|| unsafe { task.run() });
        match polled {
            Polled::Released => std::mem::forget(task),
            // The waker goes the way of every wake from a foreign thread.
            Polled::Awaited(_) => task.wake_joiner(),
            Polled::Complete => {}
            Polled::Pending => unreachable!("it is ready when the closure has returned"),
        }
    }
}

impl Drop for BlockingTask {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            // SAFETY: it was never linked, and this is the message that carries it; the closure may be dropped on any thread.
            unsafe { task.cancel_unrun() };
        }
    }
}
