//! The task cell: a future, its outcome, and everything a waker or a join handle needs to reach it from any thread.
//!
//! One heap block holds it all. Who may touch which part:
//!
//! | part                   | who                                                        | when                                                     |
//! |------------------------|------------------------------------------------------------|----------------------------------------------------------|
//! | `stage` with a future  | the task's core; before it got there, the thread that sends it | until completion                                    |
//! | `stage` with an outcome| the join handle; the core, if the handle went first         | after completion ([`state`] decides)                   |
//! | `queued`, `slot`       | the task's core                                             | always; written last before the first poll, as for `slot` |
//! | `notification`, `aborted`  | anyone                                                      | always                                                   |
//! | `state`                | anyone who holds one                                        | always                                                   |
//!
//! References are held by: the core's task table from linking to completion (a task in the run queue is in the table, so the run
//! queue holds none), each message on its way to a core, each waker, and the join handle. When the last goes, there is neither
//! future nor outcome nor waker in the cell any more: so it may go on any thread, and freeing it frees nothing else. What may run deep is the drop
//! of what a cell holds, by whoever drops its handle: [`disposal`] bounds that.
//!
//! A [`BlockingTask`] never gets to its core: the thread that has it does what would be the core's. Its `queued` and `slot` are never written, so
//! whoever wakes it may read them.
//!
//! A crate's cell (async-task) was not used: its every wake and poll is an atomic read-modify-write, because a task may be anywhere.
//! Here a task never leaves its core, so a wake on that core is two plain stores (see `benches`, `local`).

mod blocking;
mod cell;
pub(crate) mod disposal;
mod header;
mod join;
mod notification;
mod state;
mod waker;

pub(crate) use blocking::BlockingTask;
pub(crate) use cell::{Closure, allocate};
pub(crate) use header::{Header, Polled, TaskRef, Vtable};
pub use join::{JoinError, JoinHandle};
pub(crate) use waker::cancel_current;

#[cfg(all(test, modelled))]
mod loom_tests;
