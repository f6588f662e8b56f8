//! Readers and writers whose type is not known: what `Box<dyn AsyncRead>` would be, if the trait's methods were not generic.
//!
//! A buffer is boxed as well, so that there is one type for all of them, and is unboxed when it comes back. Its bytes stay where they are.

use crate::buf::{BufResult, IoBuf, IoBufMut};
use crate::io::{AsyncRead, AsyncWrite};
use futures_util::future::LocalBoxFuture;
use std::any::Any;
use std::{fmt, io};

/// A buffer to be written from.
trait AnyBuf: IoBuf + Any {}

impl<B: IoBuf> AnyBuf for B {}

/// A buffer to be read into.
trait AnyBufMut: IoBufMut + Any {}

impl<B: IoBufMut> AnyBufMut for B {}

fn unboxed<B: 'static>(buffer: Box<dyn Any>) -> B {
    let buffer = buffer.downcast();
    *buffer.expect("who reads or writes a buffer gives the same one back")
}

trait DynRead {
    fn read_dyn(
        &mut self,
        buffer: Box<dyn AnyBufMut>,
    ) -> LocalBoxFuture<'_, BufResult<usize, Box<dyn AnyBufMut>>>;
}

impl<R: AsyncRead> DynRead for R {
    fn read_dyn(
        &mut self,
        buffer: Box<dyn AnyBufMut>,
    ) -> LocalBoxFuture<'_, BufResult<usize, Box<dyn AnyBufMut>>> {
        Box::pin(self.read(buffer))
    }
}

trait DynWrite {
    fn write_dyn(
        &mut self,
        buffer: Box<dyn AnyBuf>,
    ) -> LocalBoxFuture<'_, BufResult<usize, Box<dyn AnyBuf>>>;
    fn flush_dyn(&mut self) -> LocalBoxFuture<'_, io::Result<()>>;
    fn shutdown_dyn(&mut self) -> LocalBoxFuture<'_, io::Result<()>>;
}

impl<W: AsyncWrite> DynWrite for W {
    fn write_dyn(
        &mut self,
        buffer: Box<dyn AnyBuf>,
    ) -> LocalBoxFuture<'_, BufResult<usize, Box<dyn AnyBuf>>> {
        Box::pin(self.write(buffer))
    }

    fn flush_dyn(&mut self) -> LocalBoxFuture<'_, io::Result<()>> {
        Box::pin(self.flush())
    }

    fn shutdown_dyn(&mut self) -> LocalBoxFuture<'_, io::Result<()>> {
        Box::pin(self.shutdown())
    }
}

trait DynStream: DynRead + DynWrite {}

impl<S: AsyncRead + AsyncWrite> DynStream for S {}

/// Any reader, behind one type. For the costs see [`BoxedStream`].
pub struct BoxedRead(Box<dyn DynRead>);

/// Any writer, behind one type. For the costs see [`BoxedStream`].
pub struct BoxedWrite(Box<dyn DynWrite>);

/// Anything that is read and written, behind one type: a TCP or Unix stream, or one that is encrypted.
///
/// Each read or write allocates twice, the future and the buffer's handle; the bytes are not copied. Vectored reads and writes use the first buffer
/// that will do. **Dropping** a future of it drops that of the stream inside, with the buffer: what is lost then is for that stream to say, and
/// those of this crate lose no bytes that were received.
///
/// To read and write at once, box the two halves of the stream: a pair of a [`BoxedRead`] and a [`BoxedWrite`] is
/// [`Splittable`](super::Splittable), and [`join`](super::join) makes one stream of them.
///
/// # Examples
/// ```
/// use executor::io::{AsyncReadExt, AsyncWriteExt, BoxedStream};
///
/// struct Connection {
///     stream: BoxedStream,
/// }
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let (one, mut other) = executor::io::duplex(64);
/// let mut connection = Connection { stream: BoxedStream::new(one) };
/// connection.stream.write_all("hello").await.0?;
/// assert_eq!(other.read_exact(Vec::with_capacity(5)).await.1, b"hello");
/// # Ok(())
/// # }
/// ```
pub struct BoxedStream(Box<dyn DynStream>);

impl BoxedRead {
    /// Boxes a reader.
    pub fn new(reader: impl AsyncRead + 'static) -> Self {
        Self(Box::new(reader))
    }
}

impl BoxedWrite {
    /// Boxes a writer.
    pub fn new(writer: impl AsyncWrite + 'static) -> Self {
        Self(Box::new(writer))
    }
}

impl BoxedStream {
    /// Boxes a stream.
    pub fn new(stream: impl AsyncRead + AsyncWrite + 'static) -> Self {
        Self(Box::new(stream))
    }
}

macro_rules! boxed_read {
    ($($boxed:ty),*) => {$(
        impl AsyncRead for $boxed {
            async fn read<B: IoBufMut>(&mut self, buffer: B) -> BufResult<usize, B> {
                let BufResult(result, buffer) = self.0.read_dyn(Box::new(buffer)).await;
                BufResult(result, unboxed(buffer))
            }
        }
    )*};
}

macro_rules! boxed_write {
    ($($boxed:ty),*) => {$(
        impl AsyncWrite for $boxed {
            async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
                let BufResult(result, buffer) = self.0.write_dyn(Box::new(buffer)).await;
                BufResult(result, unboxed(buffer))
            }

            async fn flush(&mut self) -> io::Result<()> {
                self.0.flush_dyn().await
            }

            async fn shutdown(&mut self) -> io::Result<()> {
                self.0.shutdown_dyn().await
            }
        }
    )*};
}

macro_rules! debug {
    ($($boxed:ident),*) => {$(
        impl fmt::Debug for $boxed {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_struct(stringify!($boxed)).finish_non_exhaustive()
            }
        }
    )*};
}

boxed_read!(BoxedRead, BoxedStream);
boxed_write!(BoxedWrite, BoxedStream);
debug!(BoxedRead, BoxedWrite, BoxedStream);
