//! A stream of the executor as one of `compio-io`.

use crate::lent::Lent;
use crate::transit::Transit;
use compio_buf::{BufResult, IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use compio_io::util::Splittable;
use compio_io::{AsyncRead, AsyncWrite};
use executor::buf::IntoInner as _;
use executor::io as ours;
use std::io;

/// Reads and writes a stream of the executor by the traits of `compio-io`.
///
/// **Dropping** a future of it loses nothing that the stream itself does not lose.
///
/// # Examples
/// ```
/// use compio_io::{AsyncReadExt, AsyncWriteExt};
/// use executor_compio::ToCompio;
///
/// #[executor::main(cores = 1)]
/// async fn main() -> std::io::Result<()> {
///     let (reader, writer) = executor::io::pipe()?;
///     ToCompio::new(writer).write_u32(7).await?;
///     assert_eq!(ToCompio::new(reader).read_u32().await?, 7);
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct ToCompio<T> {
    stream: T,
    transit: Transit,
}

impl<T> ToCompio<T> {
    /// Takes the stream over.
    pub fn new(stream: T) -> Self {
        let transit = Transit::default();
        Self { stream, transit }
    }

    /// The stream.
    pub fn get_ref(&self) -> &T {
        &self.stream
    }

    /// The stream.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.stream
    }

    /// Gives the stream back.
    pub fn into_inner(self) -> T {
        self.stream
    }
}

impl<R: ours::AsyncRead> ToCompio<R> {
    async fn fill(&mut self, room: usize) -> io::Result<&[u8]> {
        let Self { stream, transit } = self;
        let read = async |space: Vec<u8>, length| {
            let part = executor::buf::IoBuf::slice(space, ..length);
            stream.read(part).await.into_inner().into_parts()
        };
        transit.fill(room, read).await
    }
}

impl<R: ours::AsyncRead> AsyncRead for ToCompio<R> {
    async fn read<B: IoBufMut>(&mut self, mut buffer: B) -> BufResult<usize, B> {
        let read = match self.fill(buffer.buf_capacity()).await {
            Ok(mut bytes) => bytes.read(buffer).await,
            Err(error) => BufResult(Err(error), buffer),
        };
        self.transit.consume(*read.0.as_ref().unwrap_or(&0));
        read
    }

    async fn read_vectored<V: IoVectoredBufMut>(&mut self, mut buffers: V) -> BufResult<usize, V> {
        let read = match self.fill(buffers.total_capacity()).await {
            Ok(mut bytes) => bytes.read_vectored(buffers).await,
            Err(error) => BufResult(Err(error), buffers),
        };
        self.transit.consume(*read.0.as_ref().unwrap_or(&0));
        read
    }
}

impl<W: ours::AsyncWrite> AsyncWrite for ToCompio<W> {
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
        let executor::buf::BufResult(result, Lent(buffer)) = self.stream.write(Lent(buffer)).await;
        BufResult(result, buffer)
    }

    async fn write_vectored<V: IoVectoredBuf>(&mut self, buffers: V) -> BufResult<usize, V> {
        let written = self.stream.write_vectored(Lent(buffers)).await;
        let executor::buf::BufResult(result, Lent(buffers)) = written;
        BufResult(result, buffers)
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.stream.flush().await
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }
}

impl<S: ours::Splittable> Splittable for ToCompio<S> {
    type ReadHalf = ToCompio<S::ReadHalf>;
    type WriteHalf = ToCompio<S::WriteHalf>;

    fn split(self) -> (Self::ReadHalf, Self::WriteHalf) {
        let (reader, writer) = self.stream.split();
        let reader = ToCompio {
            stream: reader,
            transit: self.transit,
        };
        (reader, ToCompio::new(writer))
    }
}
