//! Work that blocks its thread, on threads of its own.

#![forbid(unsafe_code)]

mod pool;

pub(crate) use pool::{Limits, Pool};

use crate::core::{Core, RuntimeShared, context};
use crate::sending::{SendableClosure, SendableOutput};
use crate::task::{BlockingTask, JoinHandle};
use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;

/// Calls `closure` on a thread that may block: for system calls that io_uring lacks, libraries that wait, and computations of more than a
/// millisecond, all of which would hold up everything else on this core.
///
/// The threads are shared by the cores of the runtime, are started when they are needed, and may use every CPU that the thread which built the runtime
/// could. There are [512 at most](crate::Builder::blocking_threads_max); what finds none free waits its turn, first come, first served.
///
/// The handle is that of any task: a panic reaches it. [`abort`](JoinHandle::abort) before the closure has begun cancels it, which is told when its
/// turn comes; afterwards it does nothing. **Dropping** the handle lets the closure go on; its result is then dropped on its thread. **At
/// shutdown** closures that have not begun are cancelled, and those that run are waited for,
/// [for 1 s at most](crate::Builder::blocking_shutdown).
///
/// **Inside the closure** these work, for the same runtime: [`Handle::current`](crate::Handle::current), [`spawn_on`](crate::spawn_on),
/// [`spawn_future_on`](crate::spawn_future_on), `spawn_blocking` itself, [`task::id`](crate::task::id), [`cores`](crate::cores), [`cpus`](crate::cpus) and
/// [`stats`](crate::stats()). Its thread is no core: [`spawn`](crate::spawn()), [`current_core`](crate::current_core), sockets, files, timers and
/// everything else that needs one panic there. Send such work to a core with `spawn_on`; to wait for it,
/// [`Handle::block_on`](crate::Handle::block_on).
///
/// This is also what to use instead of tokio's `block_in_place`, which does not exist here: a core that blocks would hold up all of its tasks.
///
/// # Panics
/// Outside of a runtime; and if the system refuses to start a thread, and there is none yet, as [`std::thread::spawn`] does. (What returns an
/// [`io::Result`] and uses these threads, such as [`fs::read_dir`](crate::fs::read_dir), returns that error instead.)
///
/// # Examples
/// ```
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// use std::net::ToSocketAddrs;
///
/// let resolved = executor::spawn_blocking(|| "localhost:80".to_socket_addrs());
/// for address in resolved.await.expect("it does not panic").unwrap() {
///     println!("{address}");
/// }
/// # }
/// ```
#[track_caller]
pub fn spawn_blocking<C, T>(closure: C) -> JoinHandle<T>
where
    C: FnOnce() -> T + SendableClosure + 'static,
    T: SendableOutput + 'static,
{
    let started = context::expect_runtime("spawn_blocking", |runtime, here| {
        start(runtime, here.map_or(0, Core::index), closure)
    });
    expect_thread(started)
}

/// The same for a runtime, of which the core of this number will wait for it.
///
/// # Errors
/// As the system refused to start a thread, if there is none yet.
pub(crate) fn start<C, T>(
    runtime: &Arc<RuntimeShared>,
    core: usize,
    closure: C,
) -> io::Result<JoinHandle<T>>
where
    C: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    runtime.origin().expect_here("spawn_blocking");
    let served = Arc::clone(runtime);
    let serving = move || {
        let _serving = context::serve(&served);
        closure()
    };
    let (task, handle) = BlockingTask::new(Arc::clone(&runtime.cores()[core]), serving);
    runtime.blocking().push(task)?;
    Ok(handle)
}

/// What was started.
///
/// # Panics
/// At the caller's line, if the system refused.
#[track_caller]
pub(crate) fn expect_thread<T>(started: io::Result<T>) -> T {
    match started {
        Ok(started) => started,
        Err(error) => panic!(
            "no thread for blocking work could be started: {error}. Raise the limits on processes and threads (ulimit -u, or TasksMax= of a \
             service)"
        ),
    }
}

/// Calls `call` on a thread that may block, and waits for it: for what returns an [`io::Result`] and cannot be done by the ring. **Dropped**, the call
/// takes place all the same, once it was asked for; its outcome is dropped there.
///
/// # Errors
/// Those of `call`; `EAGAIN` and the like if there is no thread for it; one that says so if the runtime is shutting down.
///
/// # Panics
/// If `call` does, and outside of a runtime.
pub(crate) async fn call<T: Send + 'static>(
    call: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let handle = context::expect("an operation that blocks", |core| {
        start(core.runtime(), core.index(), call)
    })?;
    match handle.await {
        Ok(result) => result,
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        Err(error) if context::expect("a task", |core| core.runtime().is_stopping()) => {
            Err(io::Error::other(error))
        }
        // It waited for a thread that was being started for others, and could not be.
        Err(_) => Err(io::Error::from_raw_os_error(libc::EAGAIN)),
    }
}
