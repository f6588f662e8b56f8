//! The join handle.

use super::disposal::dispose;
use super::header::TaskRef;
use super::{AbortHandle, Id, JoinError, waker};
use futures_core::FusedFuture;
use reactor::{Origin, budget};
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

/// Owns the right to a task's output. Await it, from any core or thread, to get it.
///
/// **Dropping** the handle detaches the task: it goes on, and its output is dropped on its core. [`abort`](Self::abort) ends it. Awaiting
/// `&mut handle`, in a `select!` say, may be given up and begun again.
///
/// # Panics
/// When polled after it gave its output out.
///
/// # Examples
/// ```
/// #[executor::main]
/// async fn main() {
///     let handle = executor::spawn(async { 6 * 7 });
///     assert_eq!(handle.await.unwrap(), 42);
/// }
/// ```
#[must_use = "dropping a join handle detaches the task; say so with `detach`"]
pub struct JoinHandle<T> {
    task: TaskRef,
    taken: bool,
    output: PhantomData<T>,
}

// SAFETY: another thread can get, and drop, the output through it; everything else it reaches is atomic.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: through a shared handle one can only ask whether the task is complete, and abort it. Both are atomic.
unsafe impl<T: Send> Sync for JoinHandle<T> {}

impl<T> Unpin for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// # Safety
    /// `task` is the handle's reference of a cell whose future's output is a `T`; there is one handle for it.
    pub(super) unsafe fn new(task: TaskRef) -> Self {
        Self {
            task,
            taken: false,
            output: PhantomData,
        }
    }

    /// Asks the task to end. If its core has not completed it by then, the future is dropped there, and the handle yields a
    /// [`JoinError`] that [is cancelled](JoinError::is_cancelled). A task that is running goes on to its next `await`. Callable from any
    /// thread, any number of times; never blocks.
    pub fn abort(&self) {
        self.task.abort();
    }

    /// Whether the outcome is there: awaiting the handle will not wait. Also true for an aborted task, once it has ended.
    pub fn is_finished(&self) -> bool {
        self.task.header().is_complete()
    }

    /// Drops the handle and lets the task go on: the same as `drop`, in words. An error that the
    /// task yields is lost then, so let it log its own. A panic is printed nonetheless, by the
    /// panic hook.
    pub fn detach(self) {}

    /// A handle that can abort the task and cannot await it.
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle::new(self.task.clone())
    }

    /// The task's id.
    pub fn id(&self) -> Id {
        Id::of(self.task.as_raw())
    }

    /// The outcome, if it is there.
    pub(crate) fn try_take(&mut self) -> Option<Result<T, JoinError>> {
        // SAFETY: it is complete.
        self.is_finished().then(|| unsafe { self.take() })
    }

    /// Whether the outcome is there; if not, `waker`, which is not a task's, will be woken when it
    /// is.
    pub(super) fn register(&self, waker: &Waker) -> bool {
        self.task.header().state.poll(waker, || None)
    }

    /// The process that the task was started in.
    pub(super) fn is_of_forked_parent(&self) -> bool {
        !self.origin().is_here()
    }

    pub(super) fn origin(&self) -> Origin {
        self.task.header().core().origin()
    }

    /// # Safety
    /// The task is complete.
    #[inline]
    unsafe fn take(&mut self) -> Result<T, JoinError> {
        assert!(
            !self.taken,
            "a join handle was polled after it gave the output out"
        );
        self.taken = true;
        let mut outcome: Option<Result<T, JoinError>> = None;
        let vtable = self.task.header().vtable;
        // SAFETY: the task is complete and the handle alive, so the outcome is ours; the place is of the type it says.
        unsafe { (vtable.take_outcome)(self.task.as_raw(), (&raw mut outcome).cast()) };
        outcome.expect("a complete task has an outcome until the handle takes it")
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let header = self.task.header();
        let waker = context.waker();
        let joiners_core = || waker::core(waker)?.number_for(header.core());
        if !header.state.poll(waker, joiners_core) {
            // A forked child has nobody who would complete it.
            header.core().origin().expect_here("a join handle");
            return Poll::Pending;
        }
        ready!(budget::spend(context));
        // SAFETY: the state said that it is complete.
        Poll::Ready(unsafe { self.take() })
    }
}

/// For `futures::select!`: it is terminated when it has given its output out.
impl<T> FusedFuture for JoinHandle<T> {
    fn is_terminated(&self) -> bool {
        self.taken
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        let header = self.task.header();
        if header.state.close() && !self.taken {
            // SAFETY: the task completed before the handle went, so the outcome is ours, and it was not taken.
            unsafe { dispose(&self.task, header.vtable.drop_outcome) };
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.task.describe(formatter, "JoinHandle")
    }
}
