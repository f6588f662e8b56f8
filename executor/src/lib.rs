//! A thread-per-core async executor for Linux.
//!
//! Each core has a thread, pinned to a CPU, with its own io_uring, run queue, timers and tasks. Nothing is stolen and nothing on the
//! hot path is shared: a task stays on its core for life, so it needs no `Send`, and neither does what it holds. What crosses cores
//! does so by [`spawn_on`], a [`JoinHandle`] or a waker, through a lock-free ring for each pair of cores, in batches; a core that is
//! awake is told of it by the push alone.
//!
//! ```
//! use executor::time::{Duration, sleep};
//!
//! #[executor::main]
//! async fn main() {
//!     let last = executor::cores() - 1;
//!     let there = executor::spawn_on(last, async || { executor::current_core() });
//!     let here = executor::spawn(async {
//!         sleep(Duration::from_millis(1)).await;
//!         executor::current_core()
//!     });
//!     assert_eq!(there.await.unwrap(), last);
//!     assert_eq!(here.await.unwrap(), 0);
//! }
//! ```
//!
//! # Where to find what
//!
//! | | |
//! |---|---|
//! | [`main`](macro@main), [`test`](macro@test), [`Builder`], [`Runtime`], [`Handle`] | starting a runtime, and reaching it from other threads |
//! | [`spawn`](spawn()), [`spawn_on`], [`spawn_blocking`], [`JoinSet`], [`task`] | tasks on this core, on another, on a thread that may block |
//! | [`buf`], [`io`], [`net`], [`fs`], [`process`], [`signal`] | input and output |
//! | [`time`] | sleeping, time limits, intervals; paused time in tests |
//! | [`sync`] | channels and locks for the tasks of one core |
//! | [`Sharded`], [`core_local!`], [`Foreign`] | values on each core, and values that travel |
//! | [`ring`] | operations of io_uring that are not here |
//!
//! # Coming from elsewhere
//!
//! The [`guide`] says where to find what you know from tokio, glommio, monoio, compio and Seastar.
//!
//! A core that computes for long holds up all of its tasks, and none is moved away: call
//! [`yield_now`](yield_now()) now and then, or compute in [`spawn_blocking`].
//!
//! # Processes
//! A runtime belongs to its process. A child of fork(2) that calls no exec may leave by `_exit` or build a runtime of its own; what it has of its
//! parent's it can only drop, and the parent notices nothing: see [`Runtime`](Runtime#forked-children).
//!
//! # Logging
//!
//! Events go to [`tracing`](https://docs.rs/tracing). A subscriber may use the runtime; if it panics, the event is lost and nothing else. What it does while
//! it handles an event is not logged by us.
//!
//! | target | level | what |
//! |---|---|---|
//! | `executor::stall` | `WARN` | a core has not come round for a second, once each time: its number (`core`) and the type of the future that it polls or drops (`future`), with the name of its task (`task`) if that [has one](task::Builder). A core that sleeps in the kernel is not stuck |
//! | `executor::shutdown` | `WARN` | a shutdown waits: after a second, then at longer intervals, for which core and what it does, or for how many threads of [`spawn_blocking`] |
//! | `executor::idle`, `executor::wake` | `TRACE` | how cores waited and were woken, see [`CoreStats`] |
//! | `executor…`, `reactor…`: the module | `ERROR` | a panic of foreign code was contained; operations that the kernel did not give back at a shutdown |
//! | | `WARN` | something was done without: a thread, an affinity mask, memory that is registered; and the kernel is slow to give operations back at a shutdown |
//! | | `INFO`, `DEBUG` | what a runtime was started with |
//!
//! Linux 5.13 or later is needed, 6.1 or later recommended; see the `probe` example for what a machine has. The crate's
//! `ARCHITECTURE.md` is the map of the code.

mod blocking;
mod budget;
mod core;
mod fastopen;
mod foreign;
pub mod fs;
pub mod guide;
mod idle;
mod inherited;
pub mod io;
mod local;
pub mod net;
mod next;
mod operation;
mod primitives;
pub mod process;
pub mod ring;
mod runtime;
pub mod sending;
mod sharded;
pub mod signal;
mod spawn;
mod stats;
pub mod sync;
pub mod task;
pub mod time;
mod yield_now;

pub use blocking::spawn_blocking;
pub use budget::{ConsumeBudget, Unconstrained, consume_budget, unconstrained};
pub use executor_macros::{main, test};
pub use foreign::Foreign;
pub use idle::IdlePolicy;
pub use local::{AccessError, CoreLocal, TaskLocal, TaskLocalFuture};
pub use next::Next;
/// Buffers: given to an operation, and given back with its result.
///
/// | to | write |
/// |---|---|
/// | read into a new buffer | `stream.read(Vec::with_capacity(4096))`: as much as the capacity holds, from the start, and the length is set |
/// | use the buffer again | as it came back, also if it is full: a read begins at the start, and needs no `clear` |
/// | append | [`buffer.uninit()`](buf::IoBufMut::uninit), or [`append`](io::AsyncReadExt::append), with capacity reserved before |
/// | read or write a part | [`buffer.slice(range)`](buf::IoBuf::slice), and [`into_inner`](buf::IntoInner::into_inner) for the whole again |
/// | write a constant | `stream.write_all("text")` |
/// | write the same bytes to many | an `Rc<[u8]>`, or `Bytes` with the feature `bytes`: a clone for each |
/// | write several buffers at once | an array, a vector, or a tuple `(head, (body,))`, to `write_vectored_all` |
///
/// An error leaves the buffer as usable as a success does. For `?` take the result apart from the
/// buffer, or, to drop the buffer with an error, call [`into_result`](buf::BufResult::into_result).
///
/// # Examples
/// ```
/// use executor::buf::{BufResult, IntoInner, IoBuf, IoBufMut};
/// use executor::net::UnixStream;
///
/// #[executor::main(cores = 1)]
/// async fn main() -> std::io::Result<()> {
///     let (stream, peer) = UnixStream::pair()?;
///     let (written, message) = peer.write(String::from("hello")).await.into_result()?;
///     assert_eq!((written, &*message), (5, "hello"));
///
///     let BufResult(count, buffer) = stream.read(Vec::with_capacity(64)).await;
///     assert_eq!(count?, 5);
///     assert_eq!(buffer, b"hello");
///
///     // Behind what is there.
///     peer.write_all(", world").await.0?;
///     let BufResult(count, room) = stream.read(buffer.uninit()).await;
///     let buffer = room.into_inner();
///     assert_eq!(count?, 7);
///     assert_eq!(buffer, b"hello, world");
///
///     // A part of it.
///     let BufResult(written, part) = stream.write_all(buffer.slice(7..)).await;
///     written?;
///     let buffer = part.into_inner();
///     let ((), answer) = peer.read_exact([0; 5]).await.into_result()?;
///     assert_eq!(&answer, b"world");
///     assert_eq!(buffer.len(), 12);
///     Ok(())
/// }
/// ```
///
/// # The traits
#[doc(inline)]
pub use reactor::buf;
#[doc(inline)]
pub use reactor::park::State as CoreState;
#[doc(inline)]
pub use reactor::{Capabilities, Feature, SetupError};
pub use runtime::{Builder, Handle, Runtime, StartError, TryCurrentError, unpinned};
pub use sharded::Sharded;
pub use spawn::{cores, cpus, current_core, spawn, spawn_future_on, spawn_on};
pub use stats::{CoreStats, Waits, Wakes, stats};
pub use task::{AbortHandle, Id as TaskId, JoinError, JoinHandle, JoinSet};
pub use yield_now::{YieldNow, yield_now};

/// What the macros expand to. Not for use by hand.
#[doc(hidden)]
pub mod macros {
    use crate::{Builder, Runtime};

    /// Starts the runtime of a `main`; if that fails, says why and ends the process with status 1.
    pub fn start(builder: Builder) -> Runtime {
        builder.build().unwrap_or_else(|error| {
            eprintln!("error: the executor could not start: {error}");
            std::process::exit(1)
        })
    }

    /// Starts the runtime of a test, or of another function; if that fails, panics and says why.
    #[track_caller]
    pub fn start_or_panic(builder: Builder) -> Runtime {
        match builder.build() {
            Ok(runtime) => runtime,
            Err(error) => panic!("the executor could not start: {error}"),
        }
    }
}
