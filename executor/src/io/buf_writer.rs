//! Writing through a buffer.

use super::outlet::Outlet;
use crate::buf::{BufResult, IoBuf, IoVectoredBuf};
use crate::io::AsyncWrite;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::{fmt, io};

/// How much is collected, if nothing else is said.
const CAPACITY: usize = 8 * 1024;

/// A writer with a buffer. Flush it when all is written: **dropping** the writer itself drops what is in the buffer.
///
/// **Dropping** any future of it loses nothing. A write is taken into the buffer at once and whole, or it waits; what is in flight to the writer
/// is kept, and the next future goes on with it. What the writer did not take, because of an error, stays in the buffer as well: flush
/// again, or [take it back](Self::into_parts). An error may concern what an earlier call wrote.
///
/// While one buffer is on its way to the writer, another is filled: it takes twice the capacity in memory.
///
/// # Examples
/// ```
/// use executor::io::{AsyncWrite, AsyncWriteExt, BufWriter};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let (reader, writer) = executor::io::pipe()?;
/// let mut writer = BufWriter::new(writer);
/// for number in 1..=3 {
///     writer.write_all(format!("{number}\n")).await.0?;
/// }
/// writer.flush().await?;
/// assert_eq!(reader.read(Vec::with_capacity(100)).await.1, b"1\n2\n3\n");
/// # Ok(())
/// # }
/// ```
pub struct BufWriter<W> {
    outlet: Outlet<W>,
}

impl<W> BufWriter<W> {
    /// With a buffer of 8 KiB.
    pub fn new(writer: W) -> Self
    where
        W: AsyncWrite + 'static,
    {
        Self::with_capacity(CAPACITY, writer)
    }

    /// With a buffer of so many bytes.
    pub fn with_capacity(bytes: usize, writer: W) -> Self
    where
        W: AsyncWrite + 'static,
    {
        let outlet = Outlet::new(writer, bytes);
        Self { outlet }
    }

    /// The writer; `None` while it is at work.
    pub fn get_ref(&self) -> Option<&W> {
        self.outlet.writer()
    }

    /// The writer; `None` while it is at work. What is written to it directly comes before what is in the buffer.
    pub fn get_mut(&mut self) -> Option<&mut W> {
        self.outlet.writer_mut()
    }

    /// The writer, and what it has not written.
    ///
    /// # Errors
    /// `self`, while the writer is at work for a future that was dropped, or behind one that was not. It is over after a flush.
    #[doc(alias = "into_inner")]
    pub fn into_parts(self) -> Result<(W, Vec<u8>), Self> {
        self.outlet.into_parts().map_err(|outlet| Self { outlet })
    }
}

impl<W: AsyncWrite + 'static> BufWriter<W> {
    /// Takes as many of these bytes as fit, all if they fit the buffer at all.
    pub(super) fn poll_accept(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.outlet.poll_room(context, bytes.len()))?;
        Poll::Ready(Ok(self.outlet.accept(bytes)))
    }

    /// Writes everything, and has the writer flush it if it may hold something back.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outlet.poll_flush(context)
    }
}

impl<W: AsyncWrite + 'static> AsyncWrite for BufWriter<W> {
    /// Takes the bytes into the buffer, all of them if its capacity is not less; writes what is in it first if there is no room.
    ///
    /// **Dropped**, none of them was taken. So `write_all` of what fits the buffer takes all or nothing.
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
        let taken = poll_fn(|context| self.poll_accept(context, buffer.as_init())).await;
        BufResult(taken, buffer)
    }

    /// The same for several buffers: all of them, if they fit together.
    async fn write_vectored<B: IoVectoredBuf>(&mut self, buffers: B) -> BufResult<usize, B> {
        let total = buffers.total_len();
        let room = poll_fn(|context| self.outlet.poll_room(context, total)).await;
        let taken = room.map(|()| {
            let pieces = buffers.iter_slice();
            pieces.map(|piece| self.outlet.accept(piece)).sum()
        });
        BufResult(taken, buffers)
    }

    /// Writes everything, and has the writer flush it. **Dropped**, it goes on with the next call.
    async fn flush(&mut self) -> io::Result<()> {
        self.outlet.ask_for_flush();
        poll_fn(|context| self.outlet.poll_flush(context)).await
    }

    /// Flushes, and shuts the writer down. **Dropped**, it goes on with the next call.
    async fn shutdown(&mut self) -> io::Result<()> {
        poll_fn(|context| self.outlet.poll_shutdown(context)).await
    }
}

impl<W: fmt::Debug> fmt::Debug for BufWriter<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BufWriter")
            .field("writer", &self.get_ref())
            .finish_non_exhaustive()
    }
}
