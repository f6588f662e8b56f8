//! Two readers, one after the other.

use super::{AsyncBufRead, AsyncRead};
use crate::buf::{BufResult, IoBufMut, IoVectoredBufMut};
use std::io;

/// Reads one reader to its end, and then another; made by [`AsyncReadExt::chain`](super::AsyncReadExt::chain).
///
/// **Dropping** a future of it loses what the reader loses whose turn it is.
#[derive(Debug)]
pub struct Chain<A, B> {
    first: A,
    second: B,
    first_has_ended: bool,
}

impl<A, B> Chain<A, B> {
    pub(super) fn new(first: A, second: B) -> Self {
        Self {
            first,
            second,
            first_has_ended: false,
        }
    }

    /// The two readers.
    pub fn into_inner(self) -> (A, B) {
        (self.first, self.second)
    }

    /// The two readers.
    pub fn get_ref(&self) -> (&A, &B) {
        (&self.first, &self.second)
    }

    /// The two readers. What is read from them directly does not come again.
    pub fn get_mut(&mut self) -> (&mut A, &mut B) {
        (&mut self.first, &mut self.second)
    }
}

impl<A: AsyncRead, B: AsyncRead> AsyncRead for Chain<A, B> {
    async fn read<T: IoBufMut>(&mut self, mut buffer: T) -> BufResult<usize, T> {
        if !self.first_has_ended {
            let has_room = buffer.buf_capacity() > 0;
            let BufResult(result, same) = self.first.read(buffer).await;
            // Zero is the end only if there was room for more.
            if !matches!(result, Ok(0)) || !has_room {
                return BufResult(result, same);
            }
            self.first_has_ended = true;
            buffer = same;
        }
        self.second.read(buffer).await
    }

    async fn read_vectored<V: IoVectoredBufMut>(&mut self, mut buffers: V) -> BufResult<usize, V> {
        if !self.first_has_ended {
            let has_room = buffers.total_capacity() > 0;
            let BufResult(result, same) = self.first.read_vectored(buffers).await;
            if !matches!(result, Ok(0)) || !has_room {
                return BufResult(result, same);
            }
            self.first_has_ended = true;
            buffers = same;
        }
        self.second.read_vectored(buffers).await
    }
}

impl<A: AsyncBufRead, B: AsyncBufRead> AsyncBufRead for Chain<A, B> {
    async fn fill_buf(&mut self) -> io::Result<&'_ [u8]> {
        if !self.first_has_ended {
            self.first_has_ended = self.first.fill_buf().await?.is_empty();
        }
        if self.first_has_ended {
            self.second.fill_buf().await
        } else {
            self.first.fill_buf().await
        }
    }

    fn consume(&mut self, bytes: usize) {
        if self.first_has_ended {
            self.second.consume(bytes);
        } else {
            self.first.consume(bytes);
        }
    }
}
