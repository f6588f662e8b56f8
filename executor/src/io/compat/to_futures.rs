//! A stream of this crate as one of `futures::io`.

use super::background::Background;
use crate::io::inlet::Inlet;
use crate::io::{AsyncRead, AsyncWrite, Splittable};
use futures_util::io;
use std::fmt;
use std::io::Result;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// How large each of the two buffers is, if nothing else is said.
const CAPACITY: usize = 8 * 1024;

/// Reads and writes a stream of owned buffers by the traits of `futures::io`: `AsyncRead`, `AsyncBufRead`, `AsyncWrite`.
///
/// Made of whatever can be split in two ([`Splittable`]), a pair of a reader and a writer for one; where only one of them is needed, the other
/// may be `()`.
///
/// What is written goes out at once, in the background, as many bytes at a time as the buffer holds; it need not be flushed to get there: the
/// first write starts a local task that sees to it. But an error comes late, with the next write, flush or close. Flushing waits until all is
/// written. Closing flushes, and shuts the writer down. **Dropping** a future of it loses nothing; dropping the adapter drops what is in its
/// buffers, so flush or close it first.
///
/// The end of the reader is final: it is told as often as anyone asks, and the reader is not asked again. (A [`BufReader`](crate::io::BufReader)
/// asks again, which matters for a terminal on which an end is typed, and for a file that grows.)
///
/// # Panics
/// When something is first written outside of a runtime.
///
/// # Examples
/// ```
/// use executor::io::compat::ToFutures;
/// use futures::{AsyncReadExt, AsyncWriteExt};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let mut stream = ToFutures::new(executor::io::pipe()?);
/// stream.write_all(b"there and back").await?;
/// let mut text = [0; 14];
/// stream.read_exact(&mut text).await?;
/// assert_eq!(&text, b"there and back");
/// # Ok(())
/// # }
/// ```
pub struct ToFutures<S: Splittable> {
    inlet: Inlet<S::ReadHalf>,
    writer: Background<S::WriteHalf>,
}

impl<S: Splittable> ToFutures<S> {
    /// With a buffer of 8 KiB for reading and two for writing.
    pub fn new(stream: S) -> Self {
        Self::with_capacity(CAPACITY, stream)
    }

    /// With buffers of so many bytes.
    pub fn with_capacity(bytes: usize, stream: S) -> Self {
        let (reader, writer) = stream.split();
        Self {
            inlet: Inlet::new(reader, bytes),
            writer: Background::new(writer, bytes),
        }
    }

    /// The reader; `None` while a read of it is in flight.
    pub fn reader(&self) -> Option<&S::ReadHalf> {
        self.inlet.reader()
    }

    /// Shows the writer to `look`; `None` while it is at work. It is not lent for longer, for the writing goes on in the background.
    pub fn with_writer<T>(&self, look: impl FnOnce(Option<&S::WriteHalf>) -> T) -> T {
        self.writer.with_writer(look)
    }
}

// The halves are moved, never pinned: what is pinned of them is on the heap.
impl<S: Splittable> Unpin for ToFutures<S> {}

impl<S: Splittable> io::AsyncRead for ToFutures<S>
where
    S::ReadHalf: AsyncRead + 'static,
{
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let unread = ready!(self.inlet.poll_fill(context))?;
        let count = unread.len().min(buffer.len());
        buffer[..count].copy_from_slice(&unread[..count]);
        self.inlet.consume(count);
        Poll::Ready(Ok(count))
    }
}

impl<S: Splittable> io::AsyncBufRead for ToFutures<S>
where
    S::ReadHalf: AsyncRead + 'static,
{
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<&[u8]>> {
        self.get_mut().inlet.poll_fill(context)
    }

    fn consume(mut self: Pin<&mut Self>, bytes: usize) {
        self.inlet.consume(bytes);
    }
}

impl<S: Splittable> io::AsyncWrite for ToFutures<S>
where
    S::WriteHalf: AsyncWrite + 'static,
{
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        self.writer.poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.writer.poll_flush(context)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.writer.poll_shutdown(context)
    }
}

impl<S: Splittable> fmt::Debug for ToFutures<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ToFutures")
            .field("unread", &self.inlet.unread().len())
            .finish_non_exhaustive()
    }
}
