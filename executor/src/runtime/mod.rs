//! A runtime: its cores, how they are started and stopped, and how other threads reach them.

pub(crate) mod affinity;
mod builder;
mod cpus;
mod dispatch;
mod error;
mod handle;
mod start;
mod threads;
mod waiting;

pub use builder::Builder;
pub use cpus::unpinned;
pub(crate) use dispatch::{NoSuchCore, dispatch, dispatch_as};
pub use error::{StartError, TryCurrentError};
pub use handle::Handle;

use crate::core::{Core, context};
use crate::sending::{SendableClosure, SendableOutput};
use crate::stats::CoreStats;
use crate::task::JoinHandle;
use cpus::Masked;
use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use std::{mem, thread};
use threads::Begun;

/// A running runtime. Its core 0 is the thread that built it, inside [`block_on`](Self::block_on); the others have threads of their
/// own and run until the runtime is dropped.
///
/// **Dropping** it stops every core in an orderly way: tasks are dropped on the core they belong to, operations are cancelled, and
/// the call returns when the kernel has let go of every buffer. A task that never returns from its poll keeps it waiting, which is
/// [logged](crate#logging) after a second; a closure of
/// [`spawn_blocking`](crate::spawn_blocking) does so for a [bounded time](Builder::blocking_shutdown).
///
/// # Threads
/// A runtime stays on the thread that built it: it is neither `Send` nor `Sync`, since that thread is core 0. What other threads need of it is in a
/// [`Handle`], which is both.
///
/// ```compile_fail
/// let runtime = executor::Runtime::new().unwrap();
/// std::thread::spawn(move || runtime.block_on(async {}));
/// ```
///
/// There is no `enter`, as tokio's runtime has. A thread that is no core could spawn inside of it, but a task, a socket or a timer needs a core to be made on.
/// From such a thread use [`Handle::spawn_on`] and [`Handle::block_on`].
///
/// # Forked children
/// A runtime belongs to the process that built it. In a child of fork(2) that calls no exec it is a copy without threads, whose rings and sockets are
/// the parent's. There:
///
/// - [`block_on`](Self::block_on), `spawn` and its like, and every future of this crate that would have to wait panic, and say why.
/// - Dropping anything does nothing but free memory and close the child's copies of descriptors: no operation is cancelled, no socket shut down, no
///   process killed. Dropping the runtime leaks it.
/// - A `block_on` inside of which fork was called returns if its future completes without waiting; otherwise it panics as soon as the future waits.
///   On another core's thread, or one of `spawn_blocking`, the child ends with status 101 when the task's poll, or the closure, returns.
/// - The child may call exec or `_exit`, or build a runtime of its own, also inside of the parent's `block_on`, and use what is made in it.
///
/// The parent notices none of it. What a child may do at all, where the parent has threads, fork(2) says: a lock that another thread held stays
/// locked, those of the standard library's streams and of loggers among them. To start a program, [`process::Command`](crate::process::Command)
/// is safe always.
///
/// # Examples
/// ```
/// let runtime = executor::Builder::new().cores(1).build().unwrap();
/// let answer = runtime.block_on(async { executor::spawn(async { 42 }).await.unwrap() });
/// assert_eq!(answer, 42);
/// ```
pub struct Runtime {
    /// Counted so that a forked child can leak it.
    core: Rc<Core>,
    /// The CPU that core 0 is pinned to while it runs.
    pin: Option<usize>,
    threads: Vec<thread::JoinHandle<()>>,
    /// How long the drop waits for blocking closures.
    blocking_shutdown: Duration,
    /// The last to go.
    _begun: Begun,
}

impl Runtime {
    /// A runtime on every CPU this process may use: `Builder::new().build()`.
    ///
    /// # Errors
    /// As for [`Builder::build`].
    pub fn new() -> Result<Self, StartError> {
        Builder::new().build()
    }

    /// Runs `future` on core 0, which is this thread, until it is complete, and with it whatever is spawned on core 0. The thread is
    /// pinned to the core's CPU meanwhile.
    ///
    /// The future needs to be neither `Send` nor `'static`. Between two `block_on`s core 0 stands still: its tasks, timers and operations go
    /// on in the next one, cancels included, so a socket with a cancelled read on it is open until then. The other cores go on.
    ///
    /// # Panics
    /// If `future` panics, and from inside a runtime: a core that blocks on another would stand still. In a [forked child](Self#forked-children), unless
    /// fork was called by `future` itself, and that completes without waiting.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        const NAME: &str = "Runtime::block_on";
        if context::is_core() {
            panic!("{}", StartError::InsideRuntime);
        }
        self.core.expect_here(NAME);
        let _pinned = self.pin.map(Masked::pin);
        // Another runtime on this thread may have set its own since the last time.
        self.core.reactor().apply_worker_limit();
        let _entered = context::enter(&self.core);
        // SAFETY: the loop below does not unwind, and ends only when the task is complete: by then the future is gone, and the output
        // is taken here. In a forked child it may end earlier; there nobody polls or drops the task ever again: the core runs no loop, and is leaked.
        let mut main = unsafe { self.core.spawn_unchecked(future) };
        self.core.run_until(|| main.is_finished());
        let Some(outcome) = main.try_take() else {
            self.core.expect_here(NAME);
            unreachable!("the loop ends when it is finished");
        };
        match outcome {
            Ok(output) => output,
            Err(error) => resume_unwind(error.into_panic()),
        }
    }

    /// A handle by which any thread can reach the runtime.
    pub fn handle(&self) -> Handle {
        Handle::new(Arc::clone(self.core.runtime()))
    }

    /// As [`executor::spawn_on`](crate::spawn_on). A task of core 0 begins in the next [`block_on`](Self::block_on).
    ///
    /// # Panics
    /// If there is no such core, and in a [forked child](Self#forked-children).
    #[track_caller]
    pub fn spawn_on<C, F>(&self, core: usize, closure: C) -> JoinHandle<F::Output>
    where
        C: FnOnce() -> F + SendableClosure + 'static,
        F: Future + 'static,
        F::Output: SendableOutput + 'static,
    {
        self.handle().spawn_on(core, closure)
    }

    /// As [`executor::spawn_blocking`](crate::spawn_blocking).
    ///
    /// # Panics
    /// If the system refuses to start a thread, and there is none yet.
    #[track_caller]
    pub fn spawn_blocking<C, T>(&self, closure: C) -> JoinHandle<T>
    where
        C: FnOnce() -> T + SendableClosure + 'static,
        T: SendableOutput + 'static,
    {
        self.handle().spawn_blocking(closure)
    }

    /// How many cores it has. They are numbered from 0.
    pub fn cores(&self) -> usize {
        self.cpus().len()
    }

    /// The CPU behind each core, by the core's number.
    pub fn cpus(&self) -> &[usize] {
        self.core.runtime().cpus()
    }

    /// How its cores slept and were woken, by the core's number.
    pub fn stats(&self) -> Vec<CoreStats> {
        self.core.runtime().stats()
    }

    /// Drops the runtime, and waits for closures of [`spawn_blocking`](crate::spawn_blocking) that are running no longer than `limit`, instead of
    /// [`Builder::blocking_shutdown`]. Those that go on then are left to themselves.
    ///
    /// Tasks are not left to themselves: a core ends when the poll that it is in has returned, whatever the limit, for the kernel may be writing to what the
    /// core's tasks own.
    pub fn shutdown_timeout(mut self, limit: Duration) {
        self.blocking_shutdown = limit;
    }

    /// As [`shutdown_timeout`](Self::shutdown_timeout) with no time at all: waits for no closure of [`spawn_blocking`](crate::spawn_blocking).
    pub fn shutdown_background(self) {
        self.shutdown_timeout(Duration::ZERO);
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if self.core.is_here() {
            self.shut_down();
        }
        // The parent's, or its threads': this is a forked child, perhaps of something that was dropped just now.
        if !self.core.is_here() {
            mem::forget(Rc::clone(&self.core));
            mem::forget(mem::take(&mut self.threads));
        }
    }
}

impl Runtime {
    fn shut_down(&mut self) {
        let blocking = Arc::clone(self.core.runtime().blocking());
        let closing = blocking.close(self.blocking_shutdown);
        self.core.runtime().stop();
        {
            let _entered = context::enter(&self.core);
            self.core.shut_down();
        }
        if !self.core.is_here() {
            return;
        }
        self.core.runtime().watchdog().end();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                reactor::log!(
                    error,
                    "a core's thread panicked outside of any task: this is a bug in the executor"
                );
            }
        }
        // The tasks that wait for closures are gone by now: nobody takes their end for a failure.
        closing.finish();
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Runtime")
            .field("cpus", &self.core.runtime().cpus())
            .finish_non_exhaustive()
    }
}
