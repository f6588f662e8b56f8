//! Reading and writing, whatever it is from or to: the traits, buffers, pipes, the standard streams, and the futures of their operations.
//!
//! | | |
//! |---|---|
//! | [`AsyncRead`], [`AsyncWrite`] | the traits; [`AsyncReadExt`], [`AsyncWriteExt`] have what takes several reads or writes |
//! | [`BufReader`], [`BufWriter`], [`BufStream`] | reading and writing through a buffer: lines, and what ends with a byte |
//! | [`BoxedRead`], [`BoxedWrite`], [`BoxedStream`] | for what would be a `Box<dyn AsyncRead>`: any reader, writer or stream behind one type |
//! | [`split`](split()), [`join`], [`Splittable`] | halves of a stream, and a stream of two halves |
//! | [`copy`](copy()), [`copy_bidirectional`] | all of a reader to a writer, and a proxy |
//! | [`duplex`], [`simplex`](simplex()) | a stream and a pipe in memory; [`empty`], [`repeat`], [`sink`] for less than that |
//! | [`splice`](splice()), [`tee`](tee()) | moving bytes inside the kernel |
//! | [`fs::sendfile`](crate::fs::sendfile()) | the same for a whole file |
//! | [`pipe`](pipe()), [`stdin`], [`stdout`], [`AsyncFd`] | what the kernel has |
//!
//! # Coming from tokio
//!
//! - `read`, `write`, `flush` and `shutdown` are methods of [`AsyncRead`] and [`AsyncWrite`]
//!   themselves, and the rest of the `Ext` traits: import both. Sockets, files and pipes have most
//!   of them without any import.
//! - What reads or writes a buffer takes it by value, and yields a
//!   [`BufResult`](crate::buf::BufResult). The exceptions are `read_line` and `read_until` of a
//!   [`BufReader`]: it has a buffer of its own, and appends to what you lend.
//! - [`stdin`], [`stdout`] and [`stderr`] yield a `Result`.
//!
//! # Cancellation
//! **Dropping** a future of what reads and writes through a buffer ([`BufReader`], [`BufWriter`])
//! loses nothing.
//!
//! The helpers of [`AsyncReadExt`] and [`AsyncWriteExt`] that take several reads or writes, `read_exact` and `write_all` among
//! them, are what they are elsewhere: **dropped** half-way, what they had read is lost with their buffer, and how much was written is
//! not known.
//!
//! # Other traits
//! [`compat`] has adapters to and from the traits of `futures::io`. The crate `corering-compio` has
//! them for those of `compio-io`, for codecs and TLS that are written against these.

#![forbid(unsafe_code)]

mod async_fd;
mod boxed;
mod buf_reader;
mod buf_reads;
mod buf_stream;
mod buf_writer;
pub(crate) mod by_methods;
pub(crate) mod closing;
pub mod compat;
pub(crate) mod conversions;
mod copy;
pub(crate) mod ends;
mod inlet;
mod lines;
mod nothing;
pub(crate) mod opening;
mod operations;
mod outlet;
mod pieces;
mod pipe;
mod simplex;
pub(crate) mod splice;
mod split;
mod standard;
mod traits;

pub use async_fd::{AsyncFd, Interest, Readiness};
pub use boxed::{BoxedRead, BoxedStream, BoxedWrite};
pub use buf_reader::BufReader;
pub use buf_reads::{FillBuf, ReadLine, ReadUntil};
pub use buf_stream::BufStream;
pub use buf_writer::BufWriter;
pub use copy::{copy, copy_bidirectional, copy_bidirectional_with_sizes, copy_buffered};
pub use lines::{Lines, NextLine, NextSegment, Split};
pub use nothing::{Empty, Repeat, Sink, empty, repeat, sink};
pub use operations::{Read, ReadVectored, Ready, Splice, Tee, Write, WriteVectored};
pub use pieces::TooLong;
pub use pipe::{PipeReader, PipeWriter, pipe};
pub use simplex::{DuplexStream, SimplexReader, SimplexWriter, duplex, simplex};
pub use splice::{SpliceSource, SpliceTarget, splice, tee};
pub use split::{Join, ReadHalf, UnsplitError, WriteHalf, join, split};
pub use standard::{Stderr, Stdin, Stdout, stderr, stdin, stdout};
#[doc(no_inline)]
pub use std::io::{Error, ErrorKind, Result, SeekFrom};
pub use traits::{
    AsyncBufRead, AsyncRead, AsyncReadAt, AsyncReadAtExt, AsyncReadExt, AsyncSeek, AsyncWrite,
    AsyncWriteAt, AsyncWriteAtExt, AsyncWriteExt, Chain, Splittable, Take,
};
