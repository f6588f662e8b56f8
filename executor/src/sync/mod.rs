//! Waiting for each other, among the tasks of one core.
//!
//! All of these stay on their core: they are neither `Send` nor `Sync`, and contain no atomics. Share them by [`Rc`](std::rc::Rc). They are
//! fair, first come, first served; and safe to cancel: a future that is dropped while it waits leaves its place, and what it had been granted,
//! unseen, goes to the next. A loop over what is free takes from the task's [budget](crate::consume_budget), and lets the others run.
//!
//! | | |
//! |---|---|
//! | [`Mutex`], [`RwLock`] | a value that is used across awaits |
//! | [`Semaphore`] | at most so many at once |
//! | [`Notify`] | something has happened |
//! | [`Event`] | something is the case |
//! | [`Gate`] | let the begun ones end, and no new ones begin |
//!
//! # Across cores
//! What is shared by cores needs atomics, and better libraries for it than this would be exist. Their wakers are those of our tasks, so a message
//! from another core wakes this one as everything does that crosses cores: through the ring of the pair. We recommend
//! [async-channel](https://docs.rs/async-channel) for a queue with any number of senders and receivers, bounded or not, and the
//! [futures](https://docs.rs/futures) crate's `channel::oneshot` for one answer. A single call and its result need neither:
//! [`spawn_on`](crate::spawn_on) is faster than a pair of channels; and a value on each core is a [`Sharded`](crate::Sharded).
//!
//! A channel of another crate takes nothing from the task's budget. A loop over one that may never be empty, or never full, should call
//! [`consume_budget`](crate::consume_budget) each time: else it may keep its core for itself, and no [`timeout`](crate::time::timeout) ends it.
//!
//! ```
//! # #[executor::main]
//! # async fn main() {
//! let (sender, receiver) = async_channel::bounded(16);
//! let last = executor::cores() - 1;
//! let sum = executor::spawn_on(last, async move || {
//!     let mut sum = 0;
//!     while let Ok(number) = receiver.recv().await {
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

#![forbid(unsafe_code)]

mod event;
mod gate;
mod mutex;
mod notify;
mod permit;
mod rw_lock;
mod semaphore;

pub use event::Event;
pub use gate::{Entered, Gate};
pub use mutex::{Mutex, MutexGuard};
pub use notify::{Notified, Notify};
pub use permit::{OwnedPermit, Permit};
pub use rw_lock::{ReadGuard, RwLock, WriteGuard};
pub use semaphore::{Closed, Semaphore, TryAcquireError};
