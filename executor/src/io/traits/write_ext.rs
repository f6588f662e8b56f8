//! What takes several writes.

use super::numbers::each_number;
use super::{AsyncWrite, AsyncWriteAt};
use crate::buf::{BufResult, IntoInner, IoBuf, IoVectoredBuf, Slice, VectoredSlice};
use std::io;

/// Writes a number of one type.
macro_rules! write_number {
    ($number:ty, $big_endian:ident, $little_endian:ident) => {
        #[doc = concat!("Writes a `", stringify!($number), "`, big endian, as [`write_all`](Self::write_all) does.")]
        ///
        /// # Errors
        /// As for [`write_all`](Self::write_all).
        async fn $big_endian(&mut self, number: $number) -> io::Result<()> {
            self.write_all(number.to_be_bytes()).await.0
        }

        #[doc = concat!("Writes a `", stringify!($number), "`, little endian, as [`write_all`](Self::write_all) does.")]
        ///
        /// # Errors
        /// As for [`write_all`](Self::write_all).
        async fn $little_endian(&mut self, number: $number) -> io::Result<()> {
            self.write_all(number.to_le_bytes()).await.0
        }
    };
}

/// What can be done with every [`AsyncWrite`].
///
/// A write that was interrupted (`Interrupted`) is made again. **Dropping** the future of a method that makes several writes leaves it
/// unknown how much was written.
pub trait AsyncWriteExt: AsyncWrite {
    /// The writer, borrowed, for what takes a writer by value.
    fn by_ref(&mut self) -> &mut Self
    where
        Self: Sized,
    {
        self
    }

    /// Writes all of the buffer's bytes.
    ///
    /// # Errors
    /// The writer's, and `WriteZero` if it takes nothing more.
    async fn write_all<B: IoBuf>(&mut self, buffer: B) -> BufResult<(), B> {
        drain(buffer, async |part, _| self.write(part).await).await
    }

    /// Writes all bytes of several buffers, in order.
    ///
    /// # Errors
    /// As for [`write_all`](Self::write_all).
    async fn write_vectored_all<V: IoVectoredBuf>(&mut self, buffers: V) -> BufResult<(), V> {
        drain_vectored(buffers, async |part, _| self.write_vectored(part).await).await
    }

    each_number!(write: write_number);
}

impl<W: AsyncWrite + ?Sized> AsyncWriteExt for W {}

/// What can be done with every [`AsyncWriteAt`]. Interruptions and cancellation as for [`AsyncWriteExt`].
pub trait AsyncWriteAtExt: AsyncWriteAt {
    /// Writes all of the buffer's bytes at `offset` bytes.
    ///
    /// # Errors
    /// As for [`AsyncWriteExt::write_all`].
    async fn write_all_at<B: IoBuf>(&mut self, buffer: B, offset: u64) -> BufResult<(), B> {
        let write = async |part, done| self.write_at(part, offset + done as u64).await;
        drain(buffer, write).await
    }

    /// Writes all bytes of several buffers, in order, at `offset` bytes.
    ///
    /// # Errors
    /// As for [`AsyncWriteExt::write_all`].
    async fn write_vectored_all_at<V: IoVectoredBuf>(
        &mut self,
        buffers: V,
        offset: u64,
    ) -> BufResult<(), V> {
        let write = async |part, done| self.write_vectored_at(part, offset + done as u64).await;
        drain_vectored(buffers, write).await
    }
}

impl<W: AsyncWriteAt + ?Sized> AsyncWriteAtExt for W {}

/// Counts what was written.
fn count(result: io::Result<usize>, done: &mut usize) -> io::Result<()> {
    match result {
        Ok(0) => Err(io::Error::new(
            io::ErrorKind::WriteZero,
            "the writer takes no more bytes",
        )),
        Ok(count) => {
            *done += count;
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        Err(error) => Err(error),
    }
}

/// Writes the bytes of a buffer by writes that are told how much is done.
async fn drain<B: IoBuf>(
    mut buffer: B,
    mut write: impl AsyncFnMut(Slice<B>, usize) -> BufResult<usize, Slice<B>>,
) -> BufResult<(), B> {
    let length = buffer.buf_len();
    let mut done = 0;
    while done < length {
        let BufResult(result, part) = write(buffer.slice(done..), done).await;
        buffer = part.into_inner();
        if let Err(error) = count(result, &mut done) {
            return BufResult(Err(error), buffer);
        }
    }
    BufResult(Ok(()), buffer)
}

async fn drain_vectored<V: IoVectoredBuf>(
    mut buffers: V,
    mut write: impl AsyncFnMut(VectoredSlice<V>, usize) -> BufResult<usize, VectoredSlice<V>>,
) -> BufResult<(), V> {
    let length = buffers.total_len();
    let mut done = 0;
    while done < length {
        let BufResult(result, part) = write(buffers.slice(done), done).await;
        buffers = part.into_inner();
        if let Err(error) = count(result, &mut done) {
            return BufResult(Err(error), buffers);
        }
    }
    BufResult(Ok(()), buffers)
}
