//! splice(2) and tee(2): moving bytes from one descriptor to another inside the kernel.
//! `fs::sendfile` is made of it.

use super::ends::current_reactor;
use super::{PipeReader, PipeWriter, Splice, Stderr, Stdin, Stdout, Tee, pipe};
use crate::fs::File;
use crate::net::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, SocketStream, WriteHalf};
use crate::operation::Cancel;
use crate::ring::SharedFd;
use reactor::operation::{KeptBytes, KeptInput, SpliceEnd, SpliceInTurn};
use reactor::{Lane, Reactor};
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Moves at most `length` bytes from `from` to `to` inside the kernel, and returns how many: those
/// that are there, at least one. Zero means that the source has come to its end, or that `length`
/// is zero. (Or that a TCP peer has sent urgent data, at which the kernel's splice stops: a read
/// goes on behind it, or yields zero as well at the end.)
///
/// One of the two must be a pipe. The other may be a pipe too, a
/// [`TcpStream`](crate::net::TcpStream), a [`UnixStream`](crate::net::UnixStream), a half of one, a
/// file [at an offset](SpliceSource::at), or any descriptor in a [`SharedFd`]. The bytes are not
/// copied where the kernel can pass pages on.
///
/// It takes its turn among the reads of the source, and then among the writes of the target. It
/// first waits until the source has something, and then until the target has room. Only then does a
/// worker thread of the kernel move the bytes. So any number of splices may wait, and hold no
/// threads. A socket is given at most a third of its send buffer at once, so that the worker does
/// not wait for the peer. Should the socket have less room than it said, a worker waits that is
/// none of the core's [file workers](crate::Builder::file_workers_max). The future belongs to the
/// current core.
///
/// # Cancellation
/// Bytes are never lost: each is either still in the source or already in the target, in order.
/// **Dropped** while it waits, it has moved nothing. Dropped while a worker moves bytes, some, all
/// or none of the `length` bytes have moved, or move a moment later; none moves once the next read
/// of the source or the next write of the target has begun, for these wait for it. (Operations that
/// take no turns, on files at offsets and by [`SharedFd`], do not.) To know how many bytes were
/// moved, [`cancel`](Splice::cancel) the future and await it: the count it returns is exact, and an
/// error means that nothing was moved.
///
/// # Errors
/// As splice(2) has them. `InvalidInput` if neither is a pipe, or, once both are ready, if both are
/// the same pipe, or if a file was opened to append or its file system cannot splice; `BrokenPipe`
/// if nobody reads the target any more, and no signal is raised. `ResourceBusy` if a dropped read of the source has
/// left data: read that first. `EBUSY` while a [`Receive`](crate::net::Receive) has the source.
/// `EAGAIN` if no worker thread can be started.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// From one connection to another, by way of a pipe:
/// ```
/// use executor::io::{pipe, splice};
/// use executor::net::UnixStream;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let (client, from) = UnixStream::pair()?;
/// let (to, server) = UnixStream::pair()?;
/// client.write_all("through the kernel").await.0?;
///
/// let (reader, writer) = pipe()?;
/// let mut left = splice(&from, &writer, 65_536).await?;
/// while left > 0 {
///     left -= splice(&reader, &to, left).await?;
/// }
/// assert_eq!(&server.read_exact([0; 18]).await.1, b"through the kernel");
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn splice(from: impl Into<SpliceSource>, to: impl Into<SpliceTarget>, length: usize) -> Splice {
    Splice(Moving::new(
        current_reactor("splice"),
        from.into(),
        to.into(),
        length,
    ))
}

/// Duplicates at most `length` bytes from the start of one pipe into another, and returns how many:
/// those that are there, at least one. They stay in the source, to be read, spliced, or duplicated
/// again. Zero means that the source has come to its end, or that `length` is zero.
///
/// The bytes are not copied: both pipes share the pages. Turns and waiting are as for [`splice`].
/// While the bytes stay in the source, the source stays readable: a loop of `tee` alone duplicates
/// the same bytes again and again.
///
/// # Cancellation
/// **Dropped**, it has taken nothing from the source. The target has got some, all or none of the
/// bytes, or gets them a moment later, before the next write to it begins. To know how many,
/// [`cancel`](Tee::cancel) the future and await it: the count is exact, and an error means none.
///
/// # Errors
/// As tee(2) has them. `InvalidInput` if one of the two is no pipe, or, once both
/// are ready, if both are the same; the
/// others as for [`splice`].
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// use executor::io::{pipe, splice, tee};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let (input, source) = pipe()?;
/// let (copied, copy) = pipe()?;
/// source.write("to both").await.0?;
/// assert_eq!(tee(&input, &copy, 100).await?, 7);
/// assert_eq!(&input.read([0; 7]).await.1, b"to both");
/// assert_eq!(&copied.read([0; 7]).await.1, b"to both");
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn tee(from: &PipeReader, to: &PipeWriter, length: usize) -> Tee {
    let reactor = current_reactor("tee");
    let (from, to) = (from.splice_end(), to.splice_end());
    Tee(SpliceInTurn::tee(reactor, from, to, length))
}

/// A pipe for somebody who fills it only when it is empty, and empties it only when it is not: then
/// neither end waits.
pub(crate) fn own_pipe() -> io::Result<(SpliceSource, SpliceTarget)> {
    let (reader, writer) = pipe()?;
    let source = reader.splice_end().always_ready();
    let target = writer.splice_end().always_ready();
    Ok((SpliceSource(Source::Pipe(source)), SpliceTarget(target)))
}

/// What [`splice`] reads from. It is made from a reference to a pipe, a stream, a half of a stream,
/// a standard stream or a [`SharedFd`], or from a file [at an offset](Self::at). It holds the
/// descriptor open. A splice from a [`SharedFd`] takes no turn among the reads of the descriptor.
#[derive(Clone)]
pub struct SpliceSource(Source);

#[derive(Clone)]
enum Source {
    Pipe(SpliceEnd<KeptInput>),
    Stream(SpliceEnd<KeptBytes>),
}

impl SpliceSource {
    /// A file, from `offset` bytes on. Its position does not matter, and is not moved. A file
    /// without places, as a terminal, is refused by the kernel (`ESPIPE`): use a [`SharedFd`] for
    /// that.
    ///
    /// Its bytes are read by a thread of the kernel, as many as there are splices at work: where the
    /// files are not in memory, bound their number by a [`Semaphore`](crate::sync::Semaphore). A
    /// [`close`](File::close) of the file waits until this is dropped.
    pub fn at(file: &File, offset: u64) -> Self {
        Self(Source::Pipe(SpliceEnd::at(
            file.descriptor().clone(),
            offset,
        )))
    }

    /// Goes on behind `bytes` more, if it is a file.
    pub(crate) fn advance(&mut self, bytes: usize) {
        match &mut self.0 {
            Source::Pipe(end) => end.advance(bytes),
            Source::Stream(end) => end.advance(bytes),
        }
    }
}

/// What [`splice`] writes to. It is made from a reference to a pipe, a stream, a half of a stream,
/// a standard stream or a [`SharedFd`], or from a file [at an offset](Self::at). It holds the
/// descriptor open. A splice to a [`SharedFd`] takes no turn among the writes of the descriptor.
#[derive(Clone)]
pub struct SpliceTarget(SpliceEnd<()>);

impl SpliceTarget {
    /// A file, from `offset` bytes on. Its position does not matter, and is not moved. A file
    /// without places, as a terminal, is refused by the kernel (`ESPIPE`): use a [`SharedFd`] for
    /// that.
    ///
    /// A [`close`](File::close) of the file waits until this is dropped.
    pub fn at(file: &File, offset: u64) -> Self {
        Self(SpliceEnd::at(file.descriptor().clone(), offset))
    }

    /// Goes on behind `bytes` more, if it is a file.
    pub(crate) fn advance(&mut self, bytes: usize) {
        self.0.advance(bytes);
    }

    pub(crate) fn is_pipe(&self) -> bool {
        self.0.is_pipe()
    }
}

impl From<&PipeReader> for SpliceSource {
    fn from(pipe: &PipeReader) -> Self {
        Self(Source::Pipe(pipe.splice_end()))
    }
}

impl From<&PipeWriter> for SpliceTarget {
    fn from(pipe: &PipeWriter) -> Self {
        Self(pipe.splice_end())
    }
}

impl From<&Stdin> for SpliceSource {
    fn from(stdin: &Stdin) -> Self {
        Self(Source::Pipe(stdin.splice_end()))
    }
}

impl From<&Stdout> for SpliceTarget {
    fn from(stdout: &Stdout) -> Self {
        Self(stdout.splice_end())
    }
}

impl From<&Stderr> for SpliceTarget {
    fn from(stderr: &Stderr) -> Self {
        Self(stderr.splice_end())
    }
}

impl From<&SharedFd> for SpliceSource {
    fn from(shared: &SharedFd) -> Self {
        let descriptor = shared.descriptor().clone();
        Self(Source::Pipe(SpliceEnd::new(descriptor, Lane::new())))
    }
}

impl From<&SharedFd> for SpliceTarget {
    fn from(shared: &SharedFd) -> Self {
        Self(SpliceEnd::new(shared.descriptor().clone(), Lane::new()))
    }
}

impl<S: SocketStream> From<&S> for SpliceSource {
    fn from(stream: &S) -> Self {
        Self(Source::Stream(stream.stream_socket().source()))
    }
}

impl<S: SocketStream> From<&S> for SpliceTarget {
    fn from(stream: &S) -> Self {
        Self(stream.stream_socket().target())
    }
}

impl<S: SocketStream> From<&ReadHalf<'_, S>> for SpliceSource {
    fn from(half: &ReadHalf<'_, S>) -> Self {
        Self(Source::Stream(half.stream_socket().source()))
    }
}

impl<S: SocketStream> From<&WriteHalf<'_, S>> for SpliceTarget {
    fn from(half: &WriteHalf<'_, S>) -> Self {
        Self(half.stream_socket().target())
    }
}

impl<S: SocketStream> From<&OwnedReadHalf<S>> for SpliceSource {
    fn from(half: &OwnedReadHalf<S>) -> Self {
        half.as_ref().into()
    }
}

impl<S: SocketStream> From<&OwnedWriteHalf<S>> for SpliceTarget {
    fn from(half: &OwnedWriteHalf<S>) -> Self {
        half.as_ref().into()
    }
}

impl fmt::Debug for SpliceSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SpliceSource")
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SpliceTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SpliceTarget")
            .finish_non_exhaustive()
    }
}

/// A splice, whatever its source keeps.
pub(crate) enum Moving {
    Pipe(SpliceInTurn<KeptInput>),
    Stream(SpliceInTurn<KeptBytes>),
}

impl Moving {
    pub(crate) fn new(
        reactor: Rc<Reactor>,
        from: SpliceSource,
        to: SpliceTarget,
        length: usize,
    ) -> Self {
        match from.0 {
            Source::Pipe(source) => Self::Pipe(SpliceInTurn::splice(reactor, source, to.0, length)),
            Source::Stream(source) => {
                Self::Stream(SpliceInTurn::splice(reactor, source, to.0, length))
            }
        }
    }
}

impl Future for Moving {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Pipe(moving) => Pin::new(moving).poll(context),
            Self::Stream(moving) => Pin::new(moving).poll(context),
        }
    }
}

impl Cancel for Moving {
    fn cancel(self) -> Self {
        match self {
            Self::Pipe(moving) => Self::Pipe(moving.cancel()),
            Self::Stream(moving) => Self::Stream(moving.cancel()),
        }
    }

    fn is_over(&self) -> bool {
        match self {
            Self::Pipe(moving) => moving.is_over(),
            Self::Stream(moving) => moving.is_over(),
        }
    }
}

impl<T: 'static> Cancel for SpliceInTurn<T> {
    fn cancel(self) -> Self {
        Self::cancel(self)
    }

    fn is_over(&self) -> bool {
        Self::is_over(self)
    }
}
