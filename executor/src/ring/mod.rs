//! Operations of your own on the core's io_uring: for what this crate has no method for.
//!
//! An operation is a type that implements [`Operation`] (one completion) or [`Multishot`] (many): it makes the submission entry, with the builders of
//! [`io_uring::opcode`], and turns the completion into its output. [`Op`] and [`OpStream`] submit it on the current core. They are cancelled like the
//! operations of this crate: if the future is dropped, the operation, and what the entry points to, is kept until the kernel is done with it.
//!
//! Implementing the traits needs `unsafe`: the kernel believes what the entry says. Using such an operation does not.
//!
//! # Descriptors
//! An operation must hold what its descriptor belongs to. Otherwise the number could be closed, and
//! be given to another file, before the kernel looks at the entry. [`SharedFd`] is a descriptor that
//! can be held by any number of operations; it is made from an [`OwnedFd`](std::os::fd::OwnedFd), or
//! shares that of a [`File`](crate::fs::File), a pipe, a socket or a listener; that of a half of a
//! stream is had by its `as_ref`. To wait until a descriptor is ready, there is
//! [`AsyncFd`](crate::io::AsyncFd).
//!
//! # Cancelling
//! When a future or a stream is dropped, and by [`Op::cancel`], the kernel is asked once to give
//! the operation up. What waits for a descriptor, for a time or in a queue ends at once. What the
//! kernel is executing and cannot interrupt ends when it is done: a write to a disk, some commands
//! to drivers. Until then it keeps its memory and its descriptors; [`Op::cancel`] waits for it, and
//! so does `close` of what it shares a descriptor with. (Linux 6.1 may also miss the cancel of an
//! operation that a worker thread is just taking up.)
//!
//! At the end of a runtime each core cancels what is in flight, again every 20 ms, until it has
//! ended. That takes 5 s at most. Then an error is logged, which names the types of the operations
//! that are left, and what they own is leaked. So do not leave an operation in flight that neither
//! heeds a cancel nor ends by itself: before the runtime ends, do what it waits for.
//!
//! # What the ring has
//! - Entries have 64 bytes and completions 16. So operations that need large ones do not work: `uring_cmd` of NVMe devices is one
//!   (`UringCmd80`). A `UringCmd16` fits.
//! - An operation that the kernel does not know ends with `InvalidInput` (`EINVAL`), on some kernels with `EOPNOTSUPP`.
//! - The kernel first tries an operation on the core's thread. An operation that may sleep there (most of files do) is to have
//!   [`Flags::ASYNC`](io_uring::squeue::Flags::ASYNC), so that a worker thread of the kernel does it.
//!
//! # Examples
//! The kernel is told how a file will be read:
//! ```
//! use executor::fs::File;
//! use executor::ring::io_uring::{opcode, squeue::Flags, types::Fd};
//! use executor::ring::{Completion, Entry, Op, Operation, SharedFd};
//! use std::io;
//! use std::os::fd::AsRawFd;
//!
//! struct WillNeed {
//!     file: SharedFd,
//!     length: u32,
//! }
//!
//! // SAFETY: the entry points to no memory, has one completion, and the descriptor is held.
//! unsafe impl Operation for WillNeed {
//!     type Output = io::Result<()>;
//!
//!     fn entry(&mut self) -> Entry {
//!         const WILLNEED: i32 = 3;
//!         opcode::Fadvise::new(Fd(self.file.as_raw_fd()), self.length.into(), WILLNEED)
//!             .build()
//!             .flags(Flags::ASYNC)
//!     }
//!
//!     fn complete(self, completion: Completion) -> io::Result<()> {
//!         completion.result().map(drop)
//!     }
//! }
//!
//! # #[executor::main(cores = 1)]
//! # async fn main() -> io::Result<()> {
//! let file = File::open("Cargo.toml").await?;
//! let length = 4096;
//! Op::new(WillNeed { file: SharedFd::from(&file), length }).await?;
//! # Ok(())
//! # }
//! ```

mod operation;
mod shared_fd;

pub use operation::{Multishot, Op, OpStream, Operation};
#[doc(inline)]
pub use reactor::operation::Completion;
pub use reactor::{Entry, io_uring};
pub use shared_fd::SharedFd;
