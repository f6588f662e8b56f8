//! A set of tasks that are joined in the order in which they end, and are aborted with the set.
//!
//! The futures crate's `FuturesUnordered` was not used: it first polls a handle when the set is
//! polled, so tasks that had ended before came in the order of their insertion; and a handle that
//! the budget refuses goes to the end of its queue.

#![forbid(unsafe_code)]

mod ended;
mod futures;

pub use futures::{JoinAll, JoinNext, JoinNextWithId, Shutdown};

use super::{AbortHandle, Id, JoinError, JoinHandle};
use crate::sending::{SendableClosure, SendableOutput};
use ended::Ended;
use futures_core::{FusedStream, Stream};
use reactor::{Origin, budget};
use slab::Slab;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Tasks that are started and joined together. As tokio's.
///
/// [`join_next`](Self::join_next) yields outcomes in the order in which the tasks end, whenever
/// that was. As a [`Stream`] the set yields the same. The tasks may be on any core of any runtime.
/// Joining takes the same time for each task, however many there are.
///
/// An outcome stays in the set until it is joined. **Dropping** the set aborts its tasks: each is dropped on its core, and the drop does not wait for that
/// ([`shutdown`](Self::shutdown) does). [`detach_all`](Self::detach_all) lets them go on.
///
/// If the outputs are `Send`, so is the set; it may be polled on any thread.
///
/// # Examples
/// ```
/// use executor::JoinSet;
/// # #[executor::main]
/// # async fn main() {
/// let mut set = JoinSet::new();
/// for core in 0..executor::cores() {
///     set.spawn_on(core, async || executor::current_core());
/// }
/// let mut cores = Vec::new();
/// while let Some(outcome) = set.join_next().await {
///     cores.push(outcome.unwrap());
/// }
/// cores.sort_unstable();
/// assert_eq!(cores, Vec::from_iter(0..executor::cores()));
/// # }
/// ```
#[must_use = "dropping the set aborts its tasks"]
pub struct JoinSet<T> {
    members: Slab<JoinHandle<T>>,
    /// The keys of those members whose tasks have ended.
    ended: Arc<Ended>,
    /// The process that the members are of; in a forked child the parent, as long as one of them is
    /// the parent's.
    origin: Origin,
    /// Whether it has said that it is empty.
    is_terminated: bool,
}

impl<T> Unpin for JoinSet<T> {}

impl<T> JoinSet<T> {
    /// An empty set.
    pub fn new() -> Self {
        Self {
            members: Slab::new(),
            ended: Arc::default(),
            origin: Origin::here(),
            is_terminated: false,
        }
    }

    /// How many tasks are in the set. One that has ended is, until it is joined.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Puts a task into the set that was started by itself: by
    /// [`Handle::spawn_on`](crate::Handle::spawn_on), or with a [name](super::Builder). One that
    /// has ended by then counts as ending now.
    pub fn insert(&mut self, task: JoinHandle<T>) -> AbortHandle {
        let abort = task.abort_handle();
        // In a forked child, one of the parent's stays so.
        if self.members.is_empty() || task.is_of_forked_parent() {
            self.origin = task.origin();
        }
        self.is_terminated = false;
        let entry = self.members.vacant_entry();
        let key = entry.key();
        if task.register(&self.ended.waker(key)) {
            self.ended.push(key);
        }
        entry.insert(task);
        abort
    }

    /// Starts a task on this core, as [`executor::spawn`](crate::spawn()).
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn spawn<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
        T: 'static,
    {
        self.insert(crate::spawn(future))
    }

    /// Starts a task on the core numbered `core`, as [`executor::spawn_on`](crate::spawn_on).
    ///
    /// # Panics
    /// Outside of a runtime, and if there is no such core.
    #[track_caller]
    pub fn spawn_on<C, F>(&mut self, core: usize, closure: C) -> AbortHandle
    where
        C: FnOnce() -> F + SendableClosure + 'static,
        F: Future<Output = T> + 'static,
        T: SendableOutput + 'static,
    {
        self.insert(crate::spawn_on(core, closure))
    }

    /// Calls a closure on a thread that may block, as [`executor::spawn_blocking`](crate::spawn_blocking).
    ///
    /// # Panics
    /// As for that.
    #[track_caller]
    pub fn spawn_blocking<C>(&mut self, closure: C) -> AbortHandle
    where
        C: FnOnce() -> T + SendableClosure + 'static,
        T: SendableOutput + 'static,
    {
        self.insert(crate::spawn_blocking(closure))
    }

    /// Waits for the next task to end, and takes it out. `None` if the set is empty.
    ///
    /// **Dropped**, the future loses nothing: an outcome that it has not yielded is still in the set.
    pub fn join_next(&mut self) -> JoinNext<'_, T> {
        JoinNext { set: self }
    }

    /// The same, with the id of the task.
    pub fn join_next_with_id(&mut self) -> JoinNextWithId<'_, T> {
        JoinNextWithId { set: self }
    }

    /// Takes out a task that has ended. `None` if no task has, or the set is empty.
    ///
    /// # Panics
    /// In a forked child, if the set has a task of the parent.
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        let (_, outcome) = self.try_join_next_with_id()?;
        Some(outcome)
    }

    /// The same, with the id of the task.
    pub fn try_join_next_with_id(&mut self) -> Option<(Id, Result<T, JoinError>)> {
        if self.members.is_empty() {
            return None;
        }
        self.expect_here();
        let mut task = self.members.remove(self.ended.pop()?);
        let outcome = task.try_take().expect("its task has ended");
        Some((task.id(), outcome))
    }

    /// What [`join_next`](Self::join_next) is made of: for futures that are written by hand.
    pub fn poll_join_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<T, JoinError>>> {
        let ended = ready!(self.poll_member(context));
        Poll::Ready(ended.map(|(_, outcome)| outcome))
    }

    /// A forked child has nobody who would complete its parent's tasks; and what another thread was
    /// just putting into the queue will never be there.
    fn expect_here(&self) {
        self.origin.expect_here("a JoinSet");
    }

    fn poll_member(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<(Id, Result<T, JoinError>)>> {
        if self.members.is_empty() {
            self.is_terminated = true;
            return Poll::Ready(None);
        }
        self.expect_here();
        if !self.ended.poll(context.waker()) {
            return Poll::Pending;
        }
        ready!(budget::spend(context));
        Poll::Ready(self.try_join_next_with_id())
    }

    /// Waits for all tasks. The outputs come in the order in which the tasks ended.
    ///
    /// **Dropped**, the future aborts the tasks, as the set does.
    ///
    /// # Panics
    /// If a task panics, with its panic, or was cancelled. The others are aborted then. [`join_next`](Self::join_next) tells of each.
    pub fn join_all(self) -> JoinAll<T> {
        JoinAll {
            outputs: Vec::with_capacity(self.len()),
            set: self,
        }
    }

    /// Aborts every task in the set. They stay in it, and are joined as cancelled, or with the outcome that was there already.
    pub fn abort_all(&mut self) {
        for (_, task) in &self.members {
            task.abort();
        }
    }

    /// Aborts every task, and waits until each has ended; their outcomes are dropped, panics included.
    ///
    /// **Dropped**, the future has aborted them and leaves those that have not ended in the set.
    pub fn shutdown(&mut self) -> Shutdown<'_, T> {
        Shutdown {
            set: self,
            has_aborted: false,
        }
    }

    /// Takes every task out and lets it go on by itself.
    pub fn detach_all(&mut self) {
        self.members.clear();
        self.ended = Arc::default();
        self.is_terminated = false;
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.abort_all();
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("JoinSet")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// Starts a task on this core for each future.
impl<T: 'static, F: Future<Output = T> + 'static> FromIterator<F> for JoinSet<T> {
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = F>>(futures: I) -> Self {
        let mut set = Self::new();
        for future in futures {
            set.spawn(future);
        }
        set
    }
}

/// Ends when the set is empty. It may be filled again.
impl<T> Stream for JoinSet<T> {
    type Item = Result<T, JoinError>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<T, JoinError>>> {
        self.poll_join_next(context)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), Some(self.len()))
    }
}

impl<T> FusedStream for JoinSet<T> {
    fn is_terminated(&self) -> bool {
        self.is_terminated
    }
}
