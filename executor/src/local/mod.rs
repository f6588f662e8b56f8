//! Values that belong to a core or to a task.

#![forbid(unsafe_code)]

mod cells;
mod core_local;
mod key;
mod task_local;

pub use core_local::CoreLocal;
pub(crate) use key::{Key, OwnedKey};
pub use task_local::{AccessError, TaskLocal, TaskLocalFuture};
