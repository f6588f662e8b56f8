//! Tasks with names.

use super::{Closure, JoinHandle, allocate_named};
use crate::core::context;
use crate::runtime::{NoSuchCore, dispatch_as};
use crate::sending::{Message, SendableClosure, SendableFuture, SendableOutput};
use std::future::Future;
use std::sync::Arc;

/// Starts tasks that have a name.
///
/// The name is for people: it is in the [warning](crate#logging) that a core is stuck, and in the `Debug` of the task's handles. Several tasks may have the
/// same one. It costs a lock that is free, twice a poll; tasks without a name pay nothing.
///
/// To put such a task into a [`JoinSet`](super::JoinSet), [insert](super::JoinSet::insert) its handle.
///
/// # Examples
/// ```
/// # #[executor::main]
/// # async fn main() {
/// let task = executor::task::Builder::new()
///     .name("accept")
///     .spawn_on(executor::cores() - 1, async || {});
/// assert!(format!("{task:?}").contains("accept"));
/// task.await.unwrap();
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder spawns nothing by itself"]
pub struct Builder {
    name: Option<Arc<str>>,
}

impl Builder {
    /// Without a name the task is called by the empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Its name: a `&str`, a `String`, or an `Arc<str>`, which is shared by the tasks and not copied.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    fn into_name(self) -> Arc<str> {
        self.name.unwrap_or_default()
    }

    /// As [`executor::spawn`](crate::spawn()).
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn spawn<F: Future + 'static>(self, future: F) -> JoinHandle<F::Output> {
        context::expect("task::Builder::spawn", |core| {
            core.spawn_named(future, self.into_name())
        })
    }

    /// As [`executor::spawn_on`](crate::spawn_on).
    ///
    /// # Panics
    /// Outside of a runtime, and if there is no such core.
    #[track_caller]
    pub fn spawn_on<C, F>(self, core: usize, closure: C) -> JoinHandle<F::Output>
    where
        C: FnOnce() -> F + SendableClosure + 'static,
        F: Future + 'static,
        F::Output: SendableOutput + 'static,
    {
        // SAFETY: until it is polled, on its core, there is only the closure in it, which is `Send`; the output is as well.
        unsafe { self.dispatch("task::Builder::spawn_on", core, Closure::new(closure)) }
    }

    /// As [`executor::spawn_future_on`](crate::spawn_future_on).
    ///
    /// # Panics
    /// Outside of a runtime, and if there is no such core.
    #[track_caller]
    pub fn spawn_future_on<F>(self, core: usize, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        Message<F>: SendableFuture,
        F::Output: SendableOutput + 'static,
    {
        // SAFETY: the future is `Send`, and so is its output.
        unsafe { self.dispatch("task::Builder::spawn_future_on", core, future) }
    }

    /// # Safety
    /// As for [`dispatch`](crate::runtime::dispatch).
    #[track_caller]
    unsafe fn dispatch<F: Future + 'static>(
        self,
        what: &str,
        core: usize,
        future: F,
    ) -> JoinHandle<F::Output> {
        let sent = context::expect_runtime(what, |runtime, here| {
            // SAFETY: passed on to the caller; the future borrows nothing.
            dispatch_as(runtime, here, core, |core, travels| unsafe {
                allocate_named(core, travels, future, self.into_name())
            })
        });
        NoSuchCore::refuse(sent)
    }
}
