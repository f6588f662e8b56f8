//! One core's io_uring, and what a core needs to sleep and be woken: the layer under the `executor` crate.
//!
//! A [`Reactor`] belongs to one thread. It sets its ring up from the best flags the kernel has (decided once, kept as
//! [`Capabilities`]), submits [`operation`]s, hands their completions to the [`std::task::Waker`]s waiting for them, and blocks in
//! the kernel when its owner has nothing to do. [`park`] holds the state word through which other threads learn whether the
//! owner must be woken, and [`timer`] the wheel its deadlines wait in. It knows no tasks, no queues and no clock.
//!
//! Most people want the `executor` crate instead.

#[cfg(not(target_os = "linux"))]
compile_error!("the reactor is built on io_uring, which only Linux has");

mod attempt;
pub mod budget;
pub mod buf;
pub mod buffers;
mod cancels;
pub mod capabilities;
mod contain;
mod descriptor;
pub mod doorbell;
mod fork;
mod header;
mod kernel_wake;
mod lane;
pub mod log;
#[cfg(modelled)]
pub mod modelled;
pub mod monitor;
pub mod operation;
pub mod park;
pub mod patience;
mod reactor;
mod ring;
mod setup;
mod slots;
mod sync;
mod sys;
pub mod timer;
pub mod waiters;
mod workers;

pub use capabilities::{Capabilities, Feature};
pub use contain::contain_panic;
pub use descriptor::Descriptor;
pub use fork::{Origin, end_child, refuse_in_child};
pub use header::HeaderLine;
pub use io_uring;
pub use io_uring::squeue::Entry;
pub use kernel_wake::KernelWake;
pub use lane::Lane;
pub use reactor::{Reactor, ShutdownError};
pub use setup::SetupError;
pub use workers::FILE_WORKERS_MAX;
