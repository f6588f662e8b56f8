//! Halves of a stream that is read and written by reference, and streams made of two halves.

use crate::buf::{BufResult, IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use crate::io::{AsyncBufRead, AsyncRead, AsyncWrite, Splittable};
use std::rc::Rc;
use std::{error, fmt, io};

/// Splits a stream that can be read and written by reference, such as those of [`net`](crate::net), into two halves that share it on this core.
/// [`unsplit`](ReadHalf::unsplit) puts them together again.
///
/// Sockets have halves of their own ([`Splittable`]), which shut their direction down when they are dropped; these do not: the stream is dropped with
/// the second half.
///
/// A stream that is read and written by `&mut` alone cannot be split so: a read that waits would
/// keep writes out. A [`DuplexStream`](super::DuplexStream) and what [`join`] makes have [halves of
/// their own](Splittable::split). If it is one of `futures::io`, as of a TLS library, split it by
/// `futures::io::AsyncReadExt::split` and adapt the halves by [`compat`](super::compat).
///
/// # Examples
/// ```
/// use executor::io::{AsyncReadExt, AsyncWriteExt, split};
/// use executor::net::UnixStream;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let (one, mut other) = UnixStream::pair()?;
/// let (mut reader, mut writer) = split(one);
/// let reading = executor::spawn(async move {
///     let word = reader.read_exact(Vec::with_capacity(4)).await.1;
///     (reader, word)
/// });
/// writer.write_all("ping").await.0?;
/// other.write_all("pong").await.0?;
/// let (reader, word) = reading.await.unwrap();
/// assert_eq!(word, b"pong");
/// let one: UnixStream = reader.unsplit(writer).unwrap();
/// # Ok(())
/// # }
/// ```
pub fn split<S>(stream: S) -> (ReadHalf<S>, WriteHalf<S>)
where
    for<'a> &'a S: AsyncRead + AsyncWrite,
{
    let stream = Rc::new(stream);
    (ReadHalf(Rc::clone(&stream)), WriteHalf(stream))
}

/// The half of a stream that is read; made by [`split`].
#[derive(Debug)]
pub struct ReadHalf<S>(Rc<S>);

/// The half of a stream that is written; made by [`split`]. Shut it down to end the writing: its drop does not.
#[derive(Debug)]
pub struct WriteHalf<S>(Rc<S>);

impl<S> ReadHalf<S> {
    /// Whether the two are halves of one stream.
    pub fn is_pair_of(&self, writer: &WriteHalf<S>) -> bool {
        Rc::ptr_eq(&self.0, &writer.0)
    }

    /// Puts the stream together again.
    ///
    /// # Errors
    /// [`UnsplitError`] with both, if they are halves of different streams.
    pub fn unsplit(self, writer: WriteHalf<S>) -> Result<S, UnsplitError<S>> {
        if !self.is_pair_of(&writer) {
            return Err(UnsplitError(self, writer));
        }
        drop(writer);
        Ok(Rc::into_inner(self.0).expect("a stream has two halves, and the other was dropped"))
    }
}

/// Two halves are of different streams. They come back.
pub struct UnsplitError<S>(pub ReadHalf<S>, pub WriteHalf<S>);

impl<S> fmt::Debug for UnsplitError<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("UnsplitError")
            .finish_non_exhaustive()
    }
}

impl<S> fmt::Display for UnsplitError<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the halves are of different streams")
    }
}

impl<S> error::Error for UnsplitError<S> {}

impl<S> AsyncRead for ReadHalf<S>
where
    for<'a> &'a S: AsyncRead,
{
    async fn read<B: IoBufMut>(&mut self, buffer: B) -> BufResult<usize, B> {
        (&*self.0).read(buffer).await
    }

    async fn read_vectored<V: IoVectoredBufMut>(&mut self, buffers: V) -> BufResult<usize, V> {
        (&*self.0).read_vectored(buffers).await
    }
}

impl<S> AsyncWrite for WriteHalf<S>
where
    for<'a> &'a S: AsyncWrite,
{
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
        (&*self.0).write(buffer).await
    }

    async fn write_vectored<V: IoVectoredBuf>(&mut self, buffers: V) -> BufResult<usize, V> {
        (&*self.0).write_vectored(buffers).await
    }

    async fn flush(&mut self) -> io::Result<()> {
        (&*self.0).flush().await
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        (&*self.0).shutdown().await
    }
}

/// Makes one stream of a reader and a writer, such as the input and output of a program.
///
/// # Examples
/// ```
/// use executor::io::{AsyncReadExt, AsyncWriteExt, join};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let mut stream = join("input".as_bytes(), Vec::new());
/// stream.write_all("output").await.0?;
/// assert_eq!(stream.read_to_end(Vec::new()).await.1, b"input");
/// assert_eq!(stream.into_inner().1, b"output");
/// # Ok(())
/// # }
/// ```
pub fn join<R: AsyncRead, W: AsyncWrite>(reader: R, writer: W) -> Join<R, W> {
    Join { reader, writer }
}

/// A stream that is read from a reader and written to a writer; made by [`join`]. **Dropping** a future of it does what it does of these.
#[derive(Debug)]
pub struct Join<R, W> {
    reader: R,
    writer: W,
}

impl<R, W> Join<R, W> {
    /// The reader and the writer.
    pub fn into_inner(self) -> (R, W) {
        (self.reader, self.writer)
    }

    /// The reader.
    pub fn reader(&self) -> &R {
        &self.reader
    }

    /// The writer.
    pub fn writer(&self) -> &W {
        &self.writer
    }

    /// The reader.
    pub fn reader_mut(&mut self) -> &mut R {
        &mut self.reader
    }

    /// The writer.
    pub fn writer_mut(&mut self) -> &mut W {
        &mut self.writer
    }
}

impl<R, W> Splittable for Join<R, W> {
    type ReadHalf = R;
    type WriteHalf = W;

    fn split(self) -> (R, W) {
        self.into_inner()
    }
}

impl<R: AsyncRead, W> AsyncRead for Join<R, W> {
    async fn read<B: IoBufMut>(&mut self, buffer: B) -> BufResult<usize, B> {
        self.reader.read(buffer).await
    }

    async fn read_vectored<V: IoVectoredBufMut>(&mut self, buffers: V) -> BufResult<usize, V> {
        self.reader.read_vectored(buffers).await
    }
}

impl<R: AsyncBufRead, W> AsyncBufRead for Join<R, W> {
    async fn fill_buf(&mut self) -> io::Result<&'_ [u8]> {
        self.reader.fill_buf().await
    }

    fn consume(&mut self, bytes: usize) {
        self.reader.consume(bytes);
    }
}

impl<R, W: AsyncWrite> AsyncWrite for Join<R, W> {
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
