//! What takes several reads.

use super::numbers::each_number;
use super::{AsyncRead, AsyncReadAt, Chain, Take};
use crate::buf::{BufResult, IntoInner, IoBuf, IoBufMut, IoVectoredBufMut, Slice, VectoredSlice};
use std::io;

/// Reads a number of one type.
macro_rules! read_number {
    ($number:ty, $big_endian:ident, $little_endian:ident) => {
        #[doc = concat!("Reads a big-endian `", stringify!($number), "`, as [`read_exact`](Self::read_exact) does.")]
        ///
        /// # Errors
        /// As for [`read_exact`](Self::read_exact).
        async fn $big_endian(&mut self) -> io::Result<$number> {
            let BufResult(result, bytes) = self.read_exact([0; size_of::<$number>()]).await;
            result.map(|()| <$number>::from_be_bytes(bytes))
        }

        #[doc = concat!("Reads a little-endian `", stringify!($number), "`, as [`read_exact`](Self::read_exact) does.")]
        ///
        /// # Errors
        /// As for [`read_exact`](Self::read_exact).
        async fn $little_endian(&mut self) -> io::Result<$number> {
            let BufResult(result, bytes) = self.read_exact([0; size_of::<$number>()]).await;
            result.map(|()| <$number>::from_le_bytes(bytes))
        }
    };
}

/// What can be done with every [`AsyncRead`].
///
/// A read that was interrupted (`Interrupted`) is made again. **Dropping** the future of a method that makes several reads drops the
/// buffer with what was read into it: keep the future, and poll it on.
pub trait AsyncReadExt: AsyncRead {
    /// The reader, borrowed, for what takes a reader by value.
    fn by_ref(&mut self) -> &mut Self
    where
        Self: Sized,
    {
        self
    }

    /// Reads once, as [`AsyncRead::read`] does, and appends what comes to the buffer's bytes. Cancellation as there.
    ///
    /// A vector is not made larger: without room behind its bytes nothing is read, and the count is
    /// zero, which is not the end then. [Reserve](Vec::reserve) before each call.
    ///
    /// # Errors
    /// The reader's.
    ///
    /// # Examples
    /// ```
    /// use executor::buf::BufResult;
    /// use executor::io::AsyncReadExt;
    /// # #[executor::main(cores = 1)]
    /// # async fn main() -> std::io::Result<()> {
    /// # let (mut reader, writer) = executor::io::pipe()?;
    /// # writer.write("a request\n\n").await.0?;
    /// let mut request = Vec::new();
    /// while !request.ends_with(b"\n\n") {
    ///     request.reserve(4096);
    ///     let BufResult(count, more) = reader.append(request).await;
    ///     if count? == 0 {
    ///         return Err(std::io::ErrorKind::UnexpectedEof.into());
    ///     }
    ///     request = more;
    /// }
    /// assert_eq!(request, b"a request\n\n");
    /// # Ok(())
    /// # }
    /// ```
    async fn append<B: IoBufMut>(&mut self, buffer: B) -> BufResult<usize, B> {
        self.read(buffer.uninit()).await.into_inner()
    }

    /// Fills the buffer's whole space, from its start.
    ///
    /// # Errors
    /// The reader's, and `UnexpectedEof` if it ends before. How much came by then, the buffer's length tells, if it has one apart from its
    /// space.
    async fn read_exact<B: IoBufMut>(&mut self, buffer: B) -> BufResult<(), B> {
        fill(buffer, async |part, _| self.read(part).await).await
    }

    /// Reads until the end, and says how many bytes came; they become the buffer's content.
    ///
    /// # Errors
    /// The reader's. What came before it is in the buffer.
    async fn read_to_end(&mut self, buffer: Vec<u8>) -> BufResult<usize, Vec<u8>> {
        read_all(buffer, async |part, _| self.read(part).await).await
    }

    /// Reads text until the end, and says how many bytes came; it becomes the buffer's content.
    ///
    /// # Errors
    /// The reader's, and `InvalidData` if it is not UTF-8. The buffer is empty then.
    async fn read_to_string(&mut self, buffer: String) -> BufResult<usize, String> {
        as_text(self.read_to_end(buffer.into_bytes()).await)
    }

    /// Fills the whole space of several buffers, one after another.
    ///
    /// # Errors
    /// As for [`read_exact`](Self::read_exact).
    async fn read_vectored_exact<V: IoVectoredBufMut>(&mut self, buffers: V) -> BufResult<(), V> {
        fill_vectored(buffers, async |part, _| self.read_vectored(part).await).await
    }

    /// A reader that ends after `limit` bytes, or where this one does.
    fn take(self, limit: u64) -> Take<Self>
    where
        Self: Sized,
    {
        Take::new(self, limit)
    }

    /// A reader that goes on with `next` where this one ends.
    ///
    /// # Examples
    /// ```
    /// use executor::io::AsyncReadExt;
    /// # #[executor::main(cores = 1)]
    /// # async fn main() {
    /// let mut both = "head, ".as_bytes().chain("body".as_bytes());
    /// assert_eq!(both.read_to_end(Vec::new()).await.1, b"head, body");
    /// # }
    /// ```
    fn chain<R: AsyncRead>(self, next: R) -> Chain<Self, R>
    where
        Self: Sized,
    {
        Chain::new(self, next)
    }

    each_number!(read: read_number);
}

impl<R: AsyncRead + ?Sized> AsyncReadExt for R {}

/// What can be done with every [`AsyncReadAt`].
///
/// Interruptions and cancellation as for [`AsyncReadExt`]; but what a dropped future has read can be read again.
pub trait AsyncReadAtExt: AsyncReadAt {
    /// Fills the buffer's whole space, from its start, with what is at `offset` bytes.
    ///
    /// # Errors
    /// As for [`AsyncReadExt::read_exact`].
    async fn read_exact_at<B: IoBufMut>(&self, buffer: B, offset: u64) -> BufResult<(), B> {
        let read = async |part, done| self.read_at(part, offset + done as u64).await;
        fill(buffer, read).await
    }

    /// Reads from `offset` bytes until the end, and says how many bytes came; they become the buffer's content.
    ///
    /// # Errors
    /// The reader's. What came before it is in the buffer.
    async fn read_to_end_at(&self, buffer: Vec<u8>, offset: u64) -> BufResult<usize, Vec<u8>> {
        let read = async |part, done| self.read_at(part, offset + done as u64).await;
        read_all(buffer, read).await
    }

    /// Reads text from `offset` bytes until the end, and says how many bytes came; it becomes the buffer's content.
    ///
    /// # Errors
    /// As for [`AsyncReadExt::read_to_string`].
    async fn read_to_string_at(&self, buffer: String, offset: u64) -> BufResult<usize, String> {
        as_text(self.read_to_end_at(buffer.into_bytes(), offset).await)
    }

    /// Fills the whole space of several buffers, one after another, with what is at `offset` bytes.
    ///
    /// # Errors
    /// As for [`AsyncReadExt::read_exact`].
    async fn read_vectored_exact_at<V: IoVectoredBufMut>(
        &self,
        buffers: V,
        offset: u64,
    ) -> BufResult<(), V> {
        let read = async |part, done| self.read_vectored_at(part, offset + done as u64).await;
        fill_vectored(buffers, read).await
    }
}

impl<R: AsyncReadAt + ?Sized> AsyncReadAtExt for R {}

/// Counts what `result` has brought; `Ok(true)` at the end.
fn count(result: io::Result<usize>, done: &mut usize) -> io::Result<bool> {
    match result {
        Ok(0) => Ok(true),
        Ok(count) => {
            *done += count;
            Ok(false)
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(false),
        Err(error) => Err(error),
    }
}

fn ended_early() -> io::Error {
    let text = "the reader ended before the buffer was full";
    io::Error::new(io::ErrorKind::UnexpectedEof, text)
}

/// Fills the space of a buffer by reads that are told how much is done.
async fn fill<B: IoBufMut>(
    mut buffer: B,
    mut read: impl AsyncFnMut(Slice<B>, usize) -> BufResult<usize, Slice<B>>,
) -> BufResult<(), B> {
    buffer.clear();
    let length = buffer.buf_capacity();
    let mut done = 0;
    while done < length {
        let BufResult(result, part) = read(buffer.slice(done..), done).await;
        buffer = part.into_inner();
        match count(result, &mut done) {
            Ok(false) => {}
            Ok(true) => return BufResult(Err(ended_early()), buffer),
            Err(error) => return BufResult(Err(error), buffer),
        }
    }
    BufResult(Ok(()), buffer)
}

async fn fill_vectored<V: IoVectoredBufMut>(
    mut buffers: V,
    mut read: impl AsyncFnMut(VectoredSlice<V>, usize) -> BufResult<usize, VectoredSlice<V>>,
) -> BufResult<(), V> {
    let length = buffers.total_capacity();
    let mut done = 0;
    while done < length {
        let BufResult(result, part) = read(buffers.slice_mut(done), done).await;
        buffers = part.into_inner();
        match count(result, &mut done) {
            Ok(false) => {}
            Ok(true) => return BufResult(Err(ended_early()), buffers),
            Err(error) => return BufResult(Err(error), buffers),
        }
    }
    BufResult(Ok(()), buffers)
}

async fn read_all(
    mut buffer: Vec<u8>,
    mut read: impl AsyncFnMut(Slice<Vec<u8>>, usize) -> BufResult<usize, Slice<Vec<u8>>>,
) -> BufResult<usize, Vec<u8>> {
    /// The least that is asked for at once. The vector grows by more: it doubles.
    const ROOM: usize = 32;
    buffer.clear();
    let mut done = 0;
    loop {
        if buffer.len() == buffer.capacity() {
            buffer.reserve(ROOM);
        }
        let BufResult(result, part) = read(buffer.slice(done..), done).await;
        buffer = part.into_inner();
        match count(result, &mut done) {
            Ok(false) => {}
            Ok(true) => return BufResult(Ok(done), buffer),
            Err(error) => return BufResult(Err(error), buffer),
        }
    }
}

fn as_text(BufResult(result, bytes): BufResult<usize, Vec<u8>>) -> BufResult<usize, String> {
    let read = result.and_then(|count| {
        let text = String::from_utf8(bytes);
        text.map(|text| (count, text))
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    });
    match read {
        Ok((count, text)) => BufResult(Ok(count), text),
        Err(error) => BufResult(Err(error), String::new()),
    }
}
