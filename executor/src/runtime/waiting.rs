//! A thread that is no core waits for a task.

#![forbid(unsafe_code)]

use crate::task::{JoinError, JoinHandle};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Wakes a thread that parks.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The task may borrow from the caller: to unwind before its end would be to free what it uses.
struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        eprintln!(
            "the executor cannot go on: a thread that waits for a task has panicked, as printed above"
        );
        std::process::abort();
    }
}

/// Blocks the thread until the task has ended. Does not unwind.
pub(super) fn wait<T>(task: JoinHandle<T>) -> Result<T, JoinError> {
    let abort = AbortOnUnwind;
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut task = pin!(task);
    let outcome = loop {
        match task.as_mut().poll(&mut context) {
            Poll::Ready(outcome) => break outcome,
            Poll::Pending => thread::park(),
        }
    };
    std::mem::forget(abort);
    outcome
}
