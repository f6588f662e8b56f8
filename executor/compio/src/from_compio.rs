//! A stream of `compio-io` as one of the executor.

use crate::lent::Lent;
use crate::transit::Transit;
use compio_buf::IntoInner as _;
use compio_io as theirs;
use executor::buf::{BufResult, IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use executor::io::{AsyncRead, AsyncWrite, Splittable};
use std::io;

/// Reads and writes a stream of `compio-io` by the traits of the executor.
///
/// **Dropping** a future of it loses nothing that the stream itself does not lose. Streams of `compio-io` may lose data, or panic when they
/// are used again: its `BufReader` does, and says so.
///
/// # Examples
/// ```
/// use executor::io::BufReader;
/// use executor_compio::FromCompio;
///
/// #[executor::main(cores = 1)]
/// async fn main() -> std::io::Result<()> {
///     let stream = compio_io::null();
///     let mut lines = BufReader::new(FromCompio::new(stream)).lines();
///     assert_eq!(lines.next_line().await?, None);
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct FromCompio<T> {
    stream: T,
    transit: Transit,
}

impl<T> FromCompio<T> {
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

impl<R: theirs::AsyncRead> FromCompio<R> {
    async fn fill(&mut self, room: usize) -> io::Result<&[u8]> {
        let Self { stream, transit } = self;
        let read = async |space: Vec<u8>, length| {
            let part = compio_buf::IoBuf::slice(space, ..length);
            stream.read(part).await.into_inner().into_parts()
        };
        transit.fill(room, read).await
    }
}

impl<R: theirs::AsyncRead> AsyncRead for FromCompio<R> {
    async fn read<B: IoBufMut>(&mut self, mut buffer: B) -> BufResult<usize, B> {
        let filled = self.fill(buffer.buf_capacity()).await;
        let result = filled.map(|bytes| buffer.set_bytes(bytes));
        self.transit.consume(*result.as_ref().unwrap_or(&0));
        BufResult(result, buffer)
    }

    async fn read_vectored<V: IoVectoredBufMut>(&mut self, mut buffers: V) -> BufResult<usize, V> {
        let filled = self.fill(buffers.total_capacity()).await;
        let result = filled.map(|bytes| buffers.set_bytes(bytes));
        self.transit.consume(*result.as_ref().unwrap_or(&0));
        BufResult(result, buffers)
    }
}

impl<W: theirs::AsyncWrite> AsyncWrite for FromCompio<W> {
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
        let compio_buf::BufResult(result, Lent(buffer)) = self.stream.write(Lent(buffer)).await;
        BufResult(result, buffer)
    }

    async fn write_vectored<V: IoVectoredBuf>(&mut self, buffers: V) -> BufResult<usize, V> {
        let written = self.stream.write_vectored(Lent(buffers)).await;
        let compio_buf::BufResult(result, Lent(buffers)) = written;
        BufResult(result, buffers)
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.stream.flush().await
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }
}

impl<S: theirs::util::Splittable> Splittable for FromCompio<S> {
    type ReadHalf = FromCompio<S::ReadHalf>;
    type WriteHalf = FromCompio<S::WriteHalf>;

    fn split(self) -> (Self::ReadHalf, Self::WriteHalf) {
        let (reader, writer) = self.stream.split();
        let reader = FromCompio {
            stream: reader,
            transit: self.transit,
        };
        (reader, FromCompio::new(writer))
    }
}
