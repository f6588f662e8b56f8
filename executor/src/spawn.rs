//! Spawning, and asking where one is.

use crate::core::context;
use crate::runtime::{NoSuchCore, dispatch};
use crate::sending::{Message, SendableClosure, SendableFuture, SendableOutput};
use crate::task::{Closure, JoinHandle};
use std::future::Future;

/// Starts a task on this core. Neither the future nor its output need be `Send`.
///
/// It is polled for the first time after the current task has yielded. It runs on this core and is dropped there; so is its output,
/// unless the [`JoinHandle`] was sent away, as it may be when the output is `Send`. A panic ends the task alone and reaches the
/// handle.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// use std::rc::Rc;
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let shared = Rc::new(5);
/// let task = executor::spawn({
///     let shared = Rc::clone(&shared);
///     async move { *shared + 1 }
/// });
/// assert_eq!(task.await.unwrap(), 6);
/// # }
/// ```
#[track_caller]
pub fn spawn<F: Future + 'static>(future: F) -> JoinHandle<F::Output> {
    context::expect("spawn", |core| core.spawn(future))
}

/// Calls `closure` on the core numbered `core`, which may be this one, and runs the future that it makes there, as a task. The closure
/// and the output travel, so they are `Send`. The future does not: it may hold what is not `Send`, such as sockets, timers and `Rc`s.
///
/// An async closure is the short form, and `|| serve(listener)` does where there is a function. A future that exists already, and is
/// `Send`, is sent by [`spawn_future_on`].
///
/// The task is sent when the current turn of this core's loop ends. Tasks that one core sends to another start in the order in which
/// they were sent, however many there are. A panic, also one of the closure, ends the task alone and reaches the handle. **Where things are
/// dropped:** closure and future on their core, whether it completed, panicked or was aborted; if the core shut down before the task got
/// there, the closure where that was found out. The output, or the panic's payload, by the owner of the [`JoinHandle`], or on the task's
/// core if the handle was dropped before the task completed. During shutdown nothing is started: the handle yields a cancelled error.
///
/// # Panics
/// Outside of a runtime, and if there is no such core (they are numbered from 0 to [`cores`]` - 1`).
///
/// # Examples
/// ```
/// use executor::time::{Duration, sleep};
/// # #[executor::main]
/// # async fn main() {
/// let x = 41;
/// let answer = executor::spawn_on(executor::cores() - 1, async move || {
///     sleep(Duration::from_millis(1)).await;
///     x + 1
/// });
/// assert_eq!(answer.await.unwrap(), 42);
/// # }
/// ```
#[track_caller]
pub fn spawn_on<C, F>(core: usize, closure: C) -> JoinHandle<F::Output>
where
    C: FnOnce() -> F + SendableClosure + 'static,
    F: Future + 'static,
    F::Output: SendableOutput + 'static,
{
    let sent = context::expect_runtime("spawn_on", |runtime, here| {
        // SAFETY: until it is polled, on its core, there is only the closure in it, which is `Send`; the output is as well.
        unsafe { dispatch(runtime, here, core, Closure::new(closure)) }
    });
    NoSuchCore::refuse(sent)
}

/// Sends a future to the core numbered `core`, which may be this one, and runs it there, as a task. The future travels, so it is `Send`,
/// with all that it holds across an `.await`; few are. [`spawn_on`] makes the future there.
///
/// The future is dropped on its core; if that shut down before the task got there, where that was found out. Otherwise as [`spawn_on`].
///
/// # Panics
/// As for [`spawn_on`].
///
/// # Examples
/// ```
/// # #[executor::main]
/// # async fn main() {
/// let (sender, receiver) = futures::channel::oneshot::channel();
/// let waiting = executor::spawn_future_on(executor::cores() - 1, receiver);
/// sender.send(42).unwrap();
/// assert_eq!(waiting.await.unwrap(), Ok(42));
/// # }
/// ```
#[track_caller]
pub fn spawn_future_on<F>(core: usize, future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    Message<F>: SendableFuture,
    F::Output: SendableOutput + 'static,
{
    let sent = context::expect_runtime("spawn_future_on", |runtime, here| {
        // SAFETY: the future is `Send`, and so is its output.
        unsafe { dispatch(runtime, here, core, future) }
    });
    NoSuchCore::refuse(sent)
}

/// The number of the core this is called on.
///
/// # Panics
/// Outside of a runtime.
#[track_caller]
pub fn current_core() -> usize {
    context::expect("current_core", |core| core.index())
}

/// How many cores this runtime has. They are numbered from 0.
///
/// # Panics
/// Outside of a runtime.
#[track_caller]
pub fn cores() -> usize {
    context::expect_runtime("cores", |runtime, _| runtime.cores().len())
}

/// The CPU behind each core of this runtime, by the core's number.
///
/// # Panics
/// Outside of a runtime.
#[track_caller]
pub fn cpus() -> Vec<usize> {
    context::expect_runtime("cpus", |runtime, _| runtime.cpus().to_vec())
}
