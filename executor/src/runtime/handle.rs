//! Reaching a runtime from any thread.

use super::dispatch::{NoSuchCore, dispatch, dispatch_as};
use super::waiting::wait;
use super::{StartError, TryCurrentError};
use crate::blocking;
use crate::core::{CoreShared, RuntimeShared, context};
use crate::sending::{Message, SendableClosure, SendableFuture, SendableOutput};
use crate::stats::CoreStats;
use crate::task::{Closure, JoinHandle, allocate};
use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

/// Reaches a runtime's cores from any thread, inside or outside of it. Cheap to clone; does not keep the runtime running.
///
/// # Examples
/// ```
/// let runtime = executor::Builder::new().cores(1).build()?;
/// let handle = runtime.handle();
/// let thread = std::thread::spawn(move || handle.spawn_on(0, async || { executor::current_core() }));
/// let join = thread.join().unwrap();
/// assert_eq!(runtime.block_on(join).unwrap(), 0);
/// # Ok::<(), executor::StartError>(())
/// ```
#[derive(Clone)]
pub struct Handle {
    runtime: Arc<RuntimeShared>,
}

impl Handle {
    pub(super) fn new(runtime: Arc<RuntimeShared>) -> Self {
        Self { runtime }
    }

    /// The handle of the runtime that this thread is a core of, or whose [blocking closure](crate::spawn_blocking) it runs.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn current() -> Self {
        context::expect_runtime("Handle::current", |runtime, _| {
            Self::new(Arc::clone(runtime))
        })
    }

    /// As [`current`](Self::current), where that would panic with an error instead.
    ///
    /// # Errors
    /// Outside of a runtime, and in a [forked child](crate::Runtime#forked-children) of one.
    ///
    /// # Examples
    /// ```
    /// assert!(executor::Handle::try_current().is_err());
    /// ```
    pub fn try_current() -> Result<Self, TryCurrentError> {
        match context::runtime() {
            Some(runtime) if runtime.origin().is_here() => Ok(Self::new(runtime)),
            runtime => Err(TryCurrentError {
                is_forked_child: runtime.is_some(),
            }),
        }
    }

    /// Whether this is the process that the runtime was built in.
    pub(crate) fn is_here(&self) -> bool {
        self.runtime.origin().is_here()
    }

    pub(crate) fn core(&self, index: usize) -> &Arc<CoreShared> {
        &self.runtime.cores()[index]
    }

    /// How many cores the runtime has. They are numbered from 0.
    pub fn cores(&self) -> usize {
        self.runtime.cores().len()
    }

    /// The CPU behind each core, by the core's number.
    pub fn cpus(&self) -> &[usize] {
        self.runtime.cpus()
    }

    /// How the runtime's cores slept and were woken, by the core's number.
    pub fn stats(&self) -> Vec<CoreStats> {
        self.runtime.stats()
    }

    /// As [`executor::spawn_on`](crate::spawn_on), from any thread.
    ///
    /// # Panics
    /// If there is no such core, and in a [forked child](crate::Runtime#forked-children).
    #[track_caller]
    pub fn spawn_on<C, F>(&self, core: usize, closure: C) -> JoinHandle<F::Output>
    where
        C: FnOnce() -> F + SendableClosure + 'static,
        F: Future + 'static,
        F::Output: SendableOutput + 'static,
    {
        // SAFETY: until it is polled, on its core, there is only the closure in it, which is `Send`; the output is as well.
        let sent = context::with(|current| unsafe {
            dispatch(&self.runtime, current, core, Closure::new(closure))
        });
        NoSuchCore::refuse(sent)
    }

    /// As [`executor::spawn_future_on`](crate::spawn_future_on), from any thread.
    ///
    /// # Panics
    /// As for [`spawn_on`](Self::spawn_on).
    #[track_caller]
    pub fn spawn_future_on<F>(&self, core: usize, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        Message<F>: SendableFuture,
        F::Output: SendableOutput + 'static,
    {
        // SAFETY: the future is `Send`, and so is its output.
        let sent =
            context::with(|current| unsafe { dispatch(&self.runtime, current, core, future) });
        NoSuchCore::refuse(sent)
    }

    /// Calls `closure` on the core numbered `core`, runs the future that it makes there, as a task, and blocks this thread until the task has ended: for
    /// threads that are no cores, closures of [`spawn_blocking`](crate::spawn_blocking) among them.
    ///
    /// The future runs on the core and not on this thread, since sockets, files and timers need one: so it is a closure that is given, as to
    /// [`spawn_on`](Self::spawn_on). Closure and output are `Send`. Both, and the future, may borrow from this thread, which waits for them.
    ///
    /// **Choose a core that runs.** Core 0 does so inside of [`Runtime::block_on`](crate::Runtime::block_on) only, and what is sent to it meanwhile waits for
    /// that. Every other core always runs.
    ///
    /// # Panics
    /// - If the future or the closure does; with the same panic.
    /// - On a thread that is a core, of whatever runtime: it would stand still. Use `spawn_on(..).await` there. And for core 0, on the thread that built the
    ///   runtime: that is core 0. Use `Runtime::block_on`.
    /// - If the runtime shuts down before the task has ended.
    /// - If there is no such core, and in a [forked child](crate::Runtime#forked-children).
    ///
    /// # Examples
    /// ```
    /// let runtime = executor::Builder::new().cores(1).build()?;
    /// let handle = runtime.handle();
    /// let answer = runtime.block_on(runtime.spawn_blocking(move || {
    ///     let words = ["lent", "to", "a", "core"];
    ///     handle.block_on(0, async || words.join(" "))
    /// }));
    /// assert_eq!(answer.unwrap(), "lent to a core");
    /// # Ok::<(), executor::StartError>(())
    /// ```
    #[track_caller]
    pub fn block_on<C, F>(&self, core: usize, closure: C) -> F::Output
    where
        C: FnOnce() -> F + SendableClosure,
        F: Future,
        F::Output: SendableOutput,
    {
        if context::is_core() {
            panic!(
                "Handle::block_on was used on a core: {}",
                StartError::InsideRuntime
            );
        }
        self.runtime.origin().expect_here("Handle::block_on");
        let is_main = self.runtime.main_thread() == thread::current().id();
        if core == 0 && is_main && !self.runtime.is_stopping() {
            panic!(
                "Handle::block_on for core 0 was used on the thread that is core 0, which would wait for itself: use Runtime::block_on"
            );
        }
        // SAFETY: until it is polled, on its core, there is only the closure in it, which is `Send`; the output is as well. What they borrow outlives the
        // task's end, since this thread neither goes on nor unwinds before that.
        let sent = dispatch_as(&self.runtime, None, core, |core, travels| unsafe {
            allocate(core, travels, Closure::new(closure))
        });
        match wait(NoSuchCore::refuse(sent)) {
            Ok(output) => output,
            Err(error) => match error.try_into_panic() {
                Ok(payload) => resume_unwind(payload),
                Err(_) => panic!("the runtime was shut down while Handle::block_on waited for it"),
            },
        }
    }

    /// As [`executor::spawn_blocking`](crate::spawn_blocking), from any thread.
    ///
    /// # Panics
    /// If the system refuses to start a thread, and there is none yet.
    #[track_caller]
    pub fn spawn_blocking<C, T>(&self, closure: C) -> JoinHandle<T>
    where
        C: FnOnce() -> T + SendableClosure + 'static,
        T: SendableOutput + 'static,
    {
        blocking::expect_thread(blocking::start(&self.runtime, 0, closure))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Handle")
            .field("cpus", &self.runtime.cpus())
            .finish_non_exhaustive()
    }
}
