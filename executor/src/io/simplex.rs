//! Pipes in memory, between two tasks of one core.

use crate::buf::{BufResult, IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use crate::io::{AsyncRead, AsyncWrite, Splittable};
use crate::sync::WakerSlot;
use reactor::budget;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::{fmt, io};

struct Pipe {
    bytes: RefCell<VecDeque<u8>>,
    bytes_max: usize,
    /// The writer has gone or was shut down.
    has_ended: Cell<bool>,
    has_no_reader: Cell<bool>,
    reader: WakerSlot,
    writer: WakerSlot,
}

impl Pipe {
    /// Lets `take` take bytes, and say how many, if there are some or will be none.
    fn poll_read(
        &self,
        context: &mut Context<'_>,
        take: impl FnOnce(&[u8]) -> usize,
    ) -> Poll<usize> {
        budget::limit(context, |context| {
            // Taken out while `take` fills a buffer, which is foreign code.
            let mut bytes = self.bytes.take();
            if bytes.is_empty() && !self.has_ended.get() {
                self.bytes.replace(bytes);
                self.reader.register(context.waker());
                return Poll::Pending;
            }
            let count = take(bytes.make_contiguous());
            bytes.drain(..count);
            self.bytes.replace(bytes);
            self.writer.wake();
            Poll::Ready(count)
        })
    }

    /// Takes as many of the bytes, which are `total`, as there is room for; waits for room, if there are bytes and there is none.
    fn poll_write<'a>(
        &self,
        context: &mut Context<'_>,
        total: usize,
        pieces: impl Iterator<Item = &'a [u8]>,
    ) -> Poll<io::Result<usize>> {
        budget::limit(context, |context| {
            if self.has_no_reader.get() || self.has_ended.get() {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            if total == 0 {
                return Poll::Ready(Ok(0));
            }
            let room = self.bytes_max - self.bytes.borrow().len();
            if room == 0 {
                self.writer.register(context.waker());
                return Poll::Pending;
            }
            let mut left = room;
            for piece in pieces {
                let count = piece.len().min(left);
                self.bytes.borrow_mut().extend(&piece[..count]);
                left -= count;
            }
            self.reader.wake();
            Poll::Ready(Ok(room - left))
        })
    }

    fn end(&self) {
        self.has_ended.set(true);
        self.reader.wake();
    }
}

/// A pipe in memory that holds up to `bytes_max` bytes: what is written to the one end is read from the other, on the same core.
///
/// A write waits while the pipe is full, a read while it is empty. When the writer is shut down or **dropped**, the reader gets what is in the pipe, and
/// then the end; when the reader is dropped, writes fail with `BrokenPipe`. **Dropping** the future of a read or write loses nothing, except the
/// buffer: bytes are moved when it is ready, and not before.
///
/// # Panics
/// If `bytes_max` is 0.
///
/// # Examples
/// ```
/// use executor::io::{AsyncReadExt, AsyncWriteExt};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let (mut reader, mut writer) = executor::io::simplex(4);
/// executor::spawn(async move { writer.write_all("more than four").await.0 }).detach();
/// let mut text = String::new();
/// assert_eq!(reader.read_to_string(text).await.1, "more than four");
/// # Ok(())
/// # }
/// ```
pub fn simplex(bytes_max: usize) -> (SimplexReader, SimplexWriter) {
    assert!(bytes_max > 0, "a pipe needs room for at least one byte");
    let pipe = Rc::new(Pipe {
        bytes: RefCell::default(),
        bytes_max,
        has_ended: Cell::new(false),
        has_no_reader: Cell::new(false),
        reader: WakerSlot::default(),
        writer: WakerSlot::default(),
    });
    let reader = SimplexReader(Rc::clone(&pipe));
    (reader, SimplexWriter(pipe))
}

/// Two streams in memory, of which each reads what is written to the other, on the same core: for tests of what uses a connection, and for passing
/// bytes between tasks. `bytes_max` is what each direction holds.
///
/// As for [`simplex`].
///
/// # Panics
/// If `bytes_max` is 0.
///
/// # Examples
/// ```
/// use executor::io::{AsyncReadExt, AsyncWriteExt};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let (mut client, mut server) = executor::io::duplex(64);
/// client.write_all("ping").await.0?;
/// assert_eq!(server.read_exact(Vec::with_capacity(4)).await.1, b"ping");
/// server.write_all("pong").await.0?;
/// assert_eq!(client.read_exact(Vec::with_capacity(4)).await.1, b"pong");
/// # Ok(())
/// # }
/// ```
pub fn duplex(bytes_max: usize) -> (DuplexStream, DuplexStream) {
    let ((reader, other_writer), (other_reader, writer)) = (simplex(bytes_max), simplex(bytes_max));
    let one = DuplexStream { reader, writer };
    let other = DuplexStream {
        reader: other_reader,
        writer: other_writer,
    };
    (one, other)
}

/// The end of a pipe in memory that is read. **Dropped**, it has writes fail with `BrokenPipe`. Made by [`simplex`].
pub struct SimplexReader(Rc<Pipe>);

/// The end of a pipe in memory that is written. **Dropped**, it has the reader get the end. Made by [`simplex`].
pub struct SimplexWriter(Rc<Pipe>);

/// One of two streams in memory. Made by [`duplex`]. [Split](Splittable) it to read and write at once.
#[derive(Debug)]
pub struct DuplexStream {
    reader: SimplexReader,
    writer: SimplexWriter,
}

impl AsyncRead for SimplexReader {
    async fn read<B: IoBufMut>(&mut self, mut buffer: B) -> BufResult<usize, B> {
        if buffer.buf_capacity() == 0 {
            return BufResult(Ok(0), buffer);
        }
        let read = poll_fn(|context| self.0.poll_read(context, |bytes| buffer.set_bytes(bytes)));
        let count = read.await;
        BufResult(Ok(count), buffer)
    }

    async fn read_vectored<V: IoVectoredBufMut>(&mut self, mut buffers: V) -> BufResult<usize, V> {
        if buffers.total_capacity() == 0 {
            return BufResult(Ok(0), buffers);
        }
        let read = poll_fn(|context| self.0.poll_read(context, |bytes| buffers.set_bytes(bytes)));
        let count = read.await;
        BufResult(Ok(count), buffers)
    }
}

impl AsyncWrite for SimplexWriter {
    /// # Errors
    /// `BrokenPipe`, if the reader has gone or the writer was shut down.
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
        let bytes = buffer.as_init();
        let write = poll_fn(|context| self.0.poll_write(context, bytes.len(), [bytes].into_iter()));
        let result = write.await;
        BufResult(result, buffer)
    }

    async fn write_vectored<V: IoVectoredBuf>(&mut self, buffers: V) -> BufResult<usize, V> {
        let total = buffers.total_len();
        let write = poll_fn(|context| self.0.poll_write(context, total, buffers.iter_slice()));
        let result = write.await;
        BufResult(result, buffers)
    }

    async fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        self.0.end();
        Ok(())
    }
}

impl AsyncRead for DuplexStream {
    async fn read<B: IoBufMut>(&mut self, buffer: B) -> BufResult<usize, B> {
        self.reader.read(buffer).await
    }

    async fn read_vectored<V: IoVectoredBufMut>(&mut self, buffers: V) -> BufResult<usize, V> {
        self.reader.read_vectored(buffers).await
    }
}

impl AsyncWrite for DuplexStream {
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
        self.writer.write(buffer).await
    }

    async fn write_vectored<V: IoVectoredBuf>(&mut self, buffers: V) -> BufResult<usize, V> {
        self.writer.write_vectored(buffers).await
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.writer.flush().await
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        self.writer.shutdown().await
    }
}

impl Splittable for DuplexStream {
    type ReadHalf = SimplexReader;
    type WriteHalf = SimplexWriter;

    fn split(self) -> (SimplexReader, SimplexWriter) {
        (self.reader, self.writer)
    }
}

impl Drop for SimplexReader {
    fn drop(&mut self) {
        self.0.has_no_reader.set(true);
        self.0.bytes.take();
        self.0.writer.wake();
    }
}

impl Drop for SimplexWriter {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl fmt::Debug for SimplexReader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SimplexReader")
            .field("buffered", &self.0.bytes.borrow().len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SimplexWriter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SimplexWriter")
            .field("buffered", &self.0.bytes.borrow().len())
            .finish_non_exhaustive()
    }
}
