//! What can be written: in order, and at offsets.

use super::first;
use crate::buf::{BufResult, IntoInner, IoBuf, IoVectoredBuf};
use std::io;

/// Something that is written in order.
///
/// **Dropping** the future of a write drops its buffer; some, all or none of the bytes may have been written. Each writer says what else
/// it promises.
///
/// # Examples
/// ```
/// use executor::buf::BufResult;
/// use executor::io::AsyncWrite;
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let mut writer = Vec::new();
/// let BufResult(result, buffer) = writer.write("some text").await;
/// assert_eq!(result.unwrap(), buffer.len());
/// assert_eq!(writer, b"some text");
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written by this runtime: it does not implement `executor::io::AsyncWrite`",
    label = "not a writer of this runtime",
    note = "what std has is made a writer by `from_std` or `TryFrom`, writers of `futures::io` by `executor::io::compat::FromFutures`, and \
            those of tokio by that and `tokio_util::compat`"
)]
pub trait AsyncWrite {
    /// Writes some of the buffer's bytes, and says how many: at least one, if there is one.
    ///
    /// # Errors
    /// The writer's.
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B>;

    /// Writes some of the bytes of several buffers, in order. A writer that does not implement this writes of the first buffer that has
    /// bytes.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    async fn write_vectored<V: IoVectoredBuf>(&mut self, buffers: V) -> BufResult<usize, V> {
        match first(buffers, |buffer| (*buffer).buf_len() > 0) {
            Ok(buffer) => self.write(buffer).await.into_inner(),
            Err(buffers) => BufResult(Ok(0), buffers),
        }
    }

    /// Passes on what the writer holds back, if it does.
    ///
    /// # Errors
    /// The writer's; also of earlier writes.
    async fn flush(&mut self) -> io::Result<()>;

    /// Ends the writing: flushes, and tells the other side that nothing more comes, if it can be told.
    ///
    /// # Errors
    /// As for [`flush`](Self::flush).
    async fn shutdown(&mut self) -> io::Result<()>;
}

/// Something that is written at offsets.
///
/// **Dropping** the future of a write drops its buffer; some, all or none of the bytes may have been written, or be written later.
pub trait AsyncWriteAt {
    /// Writes some of the buffer's bytes at `offset` bytes, and says how many.
    ///
    /// # Errors
    /// The writer's.
    async fn write_at<B: IoBuf>(&mut self, buffer: B, offset: u64) -> BufResult<usize, B>;

    /// The same of several buffers, in order. As for [`AsyncWrite::write_vectored`].
    ///
    /// # Errors
    /// The writer's.
    async fn write_vectored_at<V: IoVectoredBuf>(
        &mut self,
        buffers: V,
        offset: u64,
    ) -> BufResult<usize, V> {
        match first(buffers, |buffer| (*buffer).buf_len() > 0) {
            Ok(buffer) => self.write_at(buffer, offset).await.into_inner(),
            Err(buffers) => BufResult(Ok(0), buffers),
        }
    }
}

/// What points to a writer alone is a writer.
macro_rules! own_pointers {
    ($($pointer:ty),*) => {
        $(
            impl<W: AsyncWrite + ?Sized> AsyncWrite for $pointer {
                async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
                    (**self).write(buffer).await
                }

                async fn write_vectored<V: IoVectoredBuf>(
                    &mut self,
                    buffers: V,
                ) -> BufResult<usize, V> {
                    (**self).write_vectored(buffers).await
                }

                async fn flush(&mut self) -> io::Result<()> {
                    (**self).flush().await
                }

                async fn shutdown(&mut self) -> io::Result<()> {
                    (**self).shutdown().await
                }
            }

            impl<W: AsyncWriteAt + ?Sized> AsyncWriteAt for $pointer {
                async fn write_at<B: IoBuf>(
                    &mut self,
                    buffer: B,
                    offset: u64,
                ) -> BufResult<usize, B> {
                    (**self).write_at(buffer, offset).await
                }

                async fn write_vectored_at<V: IoVectoredBuf>(
                    &mut self,
                    buffers: V,
                    offset: u64,
                ) -> BufResult<usize, V> {
                    (**self).write_vectored_at(buffers, offset).await
                }
            }
        )*
    };
}

own_pointers!(&mut W, Box<W>);
