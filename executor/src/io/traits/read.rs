//! What can be read: in order, at offsets, and through a buffer.

use super::first;
use crate::buf::{BufResult, IntoInner, IoBufMut, IoVectoredBufMut};
use std::io;
use std::rc::Rc;
use std::sync::Arc;

/// Something that is read in order.
///
/// **Dropping** the future of a read drops its buffer. Whether bytes that were read by then are lost is for each reader to say; those of
/// this crate lose none.
///
/// # Examples
/// ```
/// use executor::buf::BufResult;
/// use executor::io::AsyncRead;
///
/// async fn first_bytes(reader: &mut impl AsyncRead) -> std::io::Result<Vec<u8>> {
///     let BufResult(result, buffer) = reader.read(Vec::with_capacity(5)).await;
///     result.map(|_| buffer)
/// }
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// assert_eq!(first_bytes(&mut "hello world".as_bytes()).await.unwrap(), b"hello");
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read by this runtime: it does not implement `executor::io::AsyncRead`",
    label = "not a reader of this runtime",
    note = "what std has is made a reader by `from_std` or `TryFrom`, readers of `futures::io` by `executor::io::compat::FromFutures`, and \
            those of tokio by that and `tokio_util::compat`"
)]
pub trait AsyncRead {
    /// Reads what is there, at least one byte, to the start of the buffer's space, and says how much; the buffer's length becomes the
    /// count. Zero is the end, or means that the buffer has no space.
    ///
    /// An implementor fills the buffer by passing it on, or by [`set_bytes`](IoBufMut::set_bytes).
    ///
    /// # Errors
    /// The reader's.
    async fn read<B: IoBufMut>(&mut self, buffer: B) -> BufResult<usize, B>;

    /// Reads into several buffers, each filled before the next. Buffers that nothing came for stay as they were. A reader that does not
    /// implement this reads into the first buffer that has space.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    async fn read_vectored<V: IoVectoredBufMut>(&mut self, buffers: V) -> BufResult<usize, V> {
        match first(buffers, |buffer| buffer.buf_capacity() > 0) {
            Ok(buffer) => self.read(buffer).await.into_inner(),
            Err(buffers) => BufResult(Ok(0), buffers),
        }
    }
}

/// Something that is read through a buffer of its own, which can be looked at.
pub trait AsyncBufRead: AsyncRead {
    /// What is in the buffer, or, if there is nothing, what can be read; empty at the end.
    ///
    /// **Dropped**, nothing is lost if the reader keeps its buffer, as [`BufReader`](crate::io::BufReader) does.
    ///
    /// # Errors
    /// The reader's.
    async fn fill_buf(&mut self) -> io::Result<&'_ [u8]>;

    /// Drops so many bytes from the front of the buffer.
    fn consume(&mut self, bytes: usize);
}

/// Something that is read at offsets, any number of reads at a time.
///
/// **Dropping** the future of a read drops its buffer. What it had read can be read again.
pub trait AsyncReadAt {
    /// Reads at `offset` bytes to the start of the buffer's space, and says how much; the buffer's length becomes the count. Zero is
    /// the end, or means that the buffer has no space.
    ///
    /// # Errors
    /// The reader's.
    async fn read_at<B: IoBufMut>(&self, buffer: B, offset: u64) -> BufResult<usize, B>;

    /// The same into several buffers, each filled before the next. As for [`AsyncRead::read_vectored`].
    ///
    /// # Errors
    /// The reader's.
    async fn read_vectored_at<V: IoVectoredBufMut>(
        &self,
        buffers: V,
        offset: u64,
    ) -> BufResult<usize, V> {
        match first(buffers, |buffer| buffer.buf_capacity() > 0) {
            Ok(buffer) => self.read_at(buffer, offset).await.into_inner(),
            Err(buffers) => BufResult(Ok(0), buffers),
        }
    }
}

/// What points to a reader alone is a reader.
macro_rules! own_pointers {
    ($($pointer:ty),*) => {
        $(
            impl<R: AsyncRead + ?Sized> AsyncRead for $pointer {
                async fn read<B: IoBufMut>(&mut self, buffer: B) -> BufResult<usize, B> {
                    (**self).read(buffer).await
                }

                async fn read_vectored<V: IoVectoredBufMut>(
                    &mut self,
                    buffers: V,
                ) -> BufResult<usize, V> {
                    (**self).read_vectored(buffers).await
                }
            }

            impl<R: AsyncBufRead + ?Sized> AsyncBufRead for $pointer {
                async fn fill_buf(&mut self) -> io::Result<&'_ [u8]> {
                    (**self).fill_buf().await
                }

                fn consume(&mut self, bytes: usize) {
                    (**self).consume(bytes);
                }
            }
        )*
    };
}

own_pointers!(&mut R, Box<R>);

/// What points to something that is read at offsets is read so too.
macro_rules! pointers {
    ($($pointer:ty),*) => {
        $(
            impl<R: AsyncReadAt + ?Sized> AsyncReadAt for $pointer {
                async fn read_at<B: IoBufMut>(&self, buffer: B, offset: u64) -> BufResult<usize, B> {
                    (**self).read_at(buffer, offset).await
                }

                async fn read_vectored_at<V: IoVectoredBufMut>(
                    &self,
                    buffers: V,
                    offset: u64,
                ) -> BufResult<usize, V> {
                    (**self).read_vectored_at(buffers, offset).await
                }
            }
        )*
    };
}

pointers!(&R, &mut R, Box<R>, Rc<R>, Arc<R>);
