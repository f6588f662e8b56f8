//! Waiting for each other, among the tasks of one core.
//!
//! All of these stay on their core: they are neither `Send` nor `Sync`, and contain no atomics. Share them by [`Rc`](std::rc::Rc). The names
//! are tokio's where tokio has the type.
//!
//! They are fair: the first to ask is served first. They are safe to cancel: a future that is dropped while it waits leaves its place, and what it
//! had been granted, unseen, goes to the next. A loop over what is free takes from the task's [budget](crate::consume_budget), and lets the
//! others run.
//!
//! | | |
//! |---|---|
//! | [`mpsc`] | a queue, bounded or not, with one receiver |
//! | [`oneshot`] | one value, such as an answer |
//! | [`broadcast`] | every value goes to every receiver |
//! | [`watch`] | the last value, and its changes |
//! | [`Mutex`], [`RwLock`] | a value that is used across awaits |
//! | [`OnceCell`] | a value that is made once, by a future |
//! | [`Semaphore`] | at most so many at once |
//! | [`Notify`] | something has happened |
//! | [`Event`] | something is the case |
//! | [`Barrier`] | go on when all have come |
//! | [`Gate`] | let those that have begun end, and no new ones begin |
//!
//! There are no blocking forms, such as `blocking_lock`: a task that has the lock is on the same thread, and could not give it back while the thread
//! blocks. Code that runs in [`spawn_blocking`](crate::spawn_blocking) is on another thread, so it uses what is for several cores.
//!
//! # Across cores
//! What several cores share needs atomics. Use `tokio::sync`, from the `tokio` crate with its `sync` feature alone: `mpsc`, `oneshot`, `watch`,
//! `broadcast`, `Semaphore`, `Notify`, `Mutex` and `RwLock` work unchanged between our cores, without tokio's runtime. So do
//! [async-channel](https://docs.rs/async-channel), [flume](https://docs.rs/flume), and the [futures](https://docs.rs/futures) crate's
//! `channel`, and the `CancellationToken` and `TaskTracker` of tokio-util. They wake our tasks by their wakers, so a message from another core
//! wakes this one through the ring of the pair, as everything does that crosses cores.
//!
//! A single call and its result need no channel: [`spawn_on`](crate::spawn_on) is faster than a pair of them. A value on each core is a
//! [`Sharded`](crate::Sharded).
//!
//! A channel of another crate takes nothing from the task's budget. A loop over one that may never be empty, or never full, should call
//! [`consume_budget`](crate::consume_budget) each time: else it may keep its core for itself, and no [`timeout`](crate::time::timeout) ends it.
//!
//! ```
//! # #[executor::main]
//! # async fn main() {
//! let (sender, mut receiver) = tokio::sync::mpsc::channel(16);
//! let last = executor::cores() - 1;
//! let sum = executor::spawn_on(last, async move || {
//!     let mut sum = 0;
//!     while let Some(number) = receiver.recv().await {
//!         sum += number;
//!     }
//!     sum
//! });
//! for number in 1..=100 {
//!     sender.send(number).await.unwrap();
//! }
//! drop(sender);
//! assert_eq!(sum.await.unwrap(), 5050);
//! # }
//! ```
//!
//! # Which `select!`
//! Both `futures::select!` and `tokio::select!` (from the `tokio` crate, with its `macros` feature alone) work. In a loop, neither loses anything that is
//! received, granted or told by this module. Only a [`send`](mpsc::Sender::send) that is not ready is dropped with its value: call
//! [`reserve`](mpsc::Sender::reserve) there.
//!
//! `tokio::select!` takes any future, and drops those that were not ready: write the call itself in its branch. `futures::select!` wants futures that are
//! `Unpin` and say when they are done, which is [`FusedFuture`](futures_core::FusedFuture): those of this module do; call `fuse()` on others,
//! and `select_next_some()` on a [stream](futures_core::Stream). To keep a future from one round of the loop to the next, make it before the loop, and
//! give `&mut future` to either.
//!
//! ```
//! use executor::sync::{mpsc, oneshot};
//! # #[executor::main(cores = 1)]
//! # async fn main() {
//! # let (sender, mut numbers) = mpsc::channel(4);
//! # let (stop, mut stopped) = oneshot::channel::<()>();
//! # executor::spawn(async move {
//! #     for number in 0..10 {
//! #         sender.send(number).await.unwrap();
//! #     }
//! #     stop.send(()).unwrap();
//! #     std::future::pending::<()>().await;
//! # })
//! # .detach();
//! let mut sum = 0;
//! loop {
//!     tokio::select! {
//!         biased;
//!         Some(number) = numbers.recv() => sum += number,
//!         _ = &mut stopped => break,
//!     }
//! }
//! assert_eq!(sum, 45);
//! # }
//! ```

#![deny(unsafe_code)]

mod acquire;
mod barrier;
pub mod broadcast;
mod event;
mod gate;
#[expect(unsafe_code, reason = "the values of locks, in one place")]
mod guarded;
pub mod mpsc;
mod mutex;
mod mutex_guard;
mod notify;
mod once_cell;
pub mod oneshot;
mod permit;
mod rw_lock;
mod rw_lock_guard;
mod semaphore;
mod waker_slot;
pub mod watch;

pub use acquire::Acquire;
pub use barrier::{Barrier, BarrierWait, BarrierWaitResult};
pub use event::{Event, Wait};
pub use gate::{Close, Entered, Gate, GateClosed};
pub use mutex::{Lock, LockOwned, Mutex};
pub use mutex_guard::{MutexGuard, OwnedMutexGuard};
pub use notify::{Notified, NotifiedBy, Notify, OwnedNotified};
pub use once_cell::{OnceCell, SetError};
pub use permit::{OwnedSemaphorePermit, Permit, SemaphorePermit};
pub use rw_lock::{Read, ReadOwned, RwLock, Write, WriteOwned};
pub use rw_lock_guard::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard,
    RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard,
};
pub(crate) use waker_slot::WakerSlot;

pub use semaphore::{AcquireError, Semaphore, TryAcquireError, TryLockError};
