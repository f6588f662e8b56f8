//! Work that blocks its thread, on threads of its own.

#![forbid(unsafe_code)]

mod pool;

pub(crate) use pool::{Limits, Pool};

use crate::core::{RuntimeShared, context};
use crate::task::{BlockingTask, JoinHandle};
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
/// # Panics
/// Outside of a runtime; and if the system refuses to start a thread, and there is none yet.
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
    C: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    context::expect("spawn_blocking", |core| {
        start(core.runtime(), core.index(), closure)
    })
}

/// The same for a runtime, of which the core of this number will wait for it.
#[track_caller]
pub(crate) fn start<C, T>(runtime: &RuntimeShared, core: usize, closure: C) -> JoinHandle<T>
where
    C: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    runtime.origin().expect_here("spawn_blocking");
    let (task, handle) = BlockingTask::new(Arc::clone(&runtime.cores()[core]), closure);
    if let Err(error) = runtime.blocking().push(task) {
        panic!("no thread for blocking work could be started: {error}");
    }
    handle
}
