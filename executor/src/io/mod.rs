//! Reading and writing, whatever it is from or to: the traits, buffers, pipes, the standard streams, and the futures of their operations.
//!
//! **Dropping** a future of what reads and writes through a buffer ([`BufReader`], [`BufWriter`]) loses nothing.
//!
//! [`compat`] has adapters to and from the traits of `futures::io`. The crate `executor-compio` has them for those of `compio-io`, for codecs
//! and TLS that are written against these.
//!
//! The helpers of [`AsyncReadExt`] and [`AsyncWriteExt`] that take several reads or writes, `read_exact` and `write_all` among
//! them, are what they are elsewhere: **dropped** half-way, what they had read is lost with their buffer, and how much was written is
//! not known.

#![forbid(unsafe_code)]

mod async_fd;
mod buf_reader;
mod buf_writer;
pub(crate) mod closing;
pub mod compat;
pub(crate) mod conversions;
mod copy;
pub(crate) mod ends;
mod inlet;
mod lines;
pub(crate) mod opening;
mod operations;
mod outlet;
mod pieces;
mod pipe;
mod standard;
mod traits;

pub use async_fd::{AsyncFd, Interest, Readiness};
pub use buf_reader::BufReader;
pub use buf_writer::BufWriter;
pub use copy::{copy, copy_bidirectional, copy_buffered};
pub use lines::{Lines, NextLine, NextSegment, Split};
pub use operations::{Read, ReadVectored, Ready, Write, WriteVectored};
pub use pieces::TooLong;
pub use pipe::{PipeReader, PipeWriter, pipe};
pub use standard::{Stderr, Stdin, Stdout, stderr, stdin, stdout};
pub use traits::{
    AsyncBufRead, AsyncRead, AsyncReadAt, AsyncReadAtExt, AsyncReadExt, AsyncWrite, AsyncWriteAt,
    AsyncWriteAtExt, AsyncWriteExt, Splittable, Take,
};
