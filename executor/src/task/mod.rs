//! Tasks: their handles, ids, names and sets.
//!
//! A task is a future that a core runs on its own, beside the others. It stays on its core. These start one:
//!
//! | | where it runs | what must be `Send` |
//! |---|---|---|
//! | [`spawn`](crate::spawn()) | this core | nothing |
//! | [`spawn_on`] | the core of a number | the closure that makes the future, and the output |
//! | [`spawn_future_on`] | the core of a number | the future and the output |
//! | [`spawn_blocking`] | a thread that may block | the closure and the output |
//! | [`JoinSet`] | any of these | the same |
//! | [`Builder`] | any of the first three, with a name | the same |
//!
//! Each returns a [`JoinHandle`]. From a thread that is no core there are the same methods on a [`Handle`](crate::Handle).
//!
//! # Coming from tokio
//!
//! - **`spawn_local` and `LocalSet`** are [`spawn`](crate::spawn()): each core is a `LocalSet`, and no task needs to be `Send`.
//! - **`block_in_place`** does not exist: it would hold up every other task of the core. Use [`spawn_blocking`].
//! - **`tokio_util::sync::CancellationToken` and `tokio_util::task::TaskTracker`** work on these tasks, within a core and between cores, with no runtime of
//!   tokio (`tokio-util` with `default-features = false`, and the feature `rt` for the second). `TaskTracker::track_future` counts what any spawn function
//!   here gets; its own `spawn` methods need tokio. On one core, without atomics, there are [`sync::Event`](crate::sync::Event) and
//!   [`sync::Gate`](crate::sync::Gate).
//!
//! ```
//! use tokio_util::{sync::CancellationToken, task::TaskTracker};
//! # #[executor::main]
//! # async fn main() {
//! let (token, tracker) = (CancellationToken::new(), TaskTracker::new());
//! for core in 0..executor::cores() {
//!     let (token, tracked) = (token.clone(), tracker.token());
//!     executor::spawn_on(core, async move || {
//!         token.cancelled().await;
//!         drop(tracked);
//!     })
//!     .detach();
//! }
//! token.cancel();
//! tracker.close();
//! tracker.wait().await;
//! # }
//! ```
//!
//! - **Scoped tasks**, which borrow from the one that starts them, do not exist, here or there: a future can be forgotten, and then nobody would wait for the
//!   task. Inside of one task, `futures::join!`, `FuturesUnordered` and the like run futures that borrow. A thread that waits for a core may lend:
//!   [`Handle::block_on`](crate::Handle::block_on).

mod abort_handle;
mod blocking;
mod builder;
mod cell;
pub(crate) mod disposal;
mod header;
mod id;
mod join;
mod join_error;
mod join_set;
mod named;
mod notification;
mod state;
mod waker;

pub use abort_handle::AbortHandle;
pub(crate) use blocking::BlockingTask;
pub use builder::Builder;
pub(crate) use cell::{Closure, allocate};
pub(crate) use header::{Header, Polled, TaskRef, Vtable};
pub use id::{Id, id, try_id};
pub use join::JoinHandle;
pub use join_error::JoinError;
pub(crate) use join_error::panic_text;
pub use join_set::{JoinAll, JoinNext, JoinNextWithId, JoinSet, Shutdown};
pub(crate) use named::allocate_named;
pub(crate) use waker::cancel_current;

pub use crate::blocking::spawn_blocking;
pub use crate::budget::{Unconstrained, consume_budget, unconstrained};
pub use crate::spawn::{spawn, spawn_future_on, spawn_on};
pub use crate::yield_now::{YieldNow, yield_now};

#[cfg(all(test, modelled))]
mod loom_tests;
