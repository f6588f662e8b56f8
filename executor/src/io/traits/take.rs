//! A reader that ends early.

use super::{AsyncBufRead, AsyncRead};
use crate::buf::{BufResult, IntoInner, IoBufMut};
use std::io;

/// Reads at most so many bytes of a reader; made by [`AsyncReadExt::take`](super::AsyncReadExt::take).
///
/// **Dropping** a future of it loses what the reader loses, and counts nothing.
#[derive(Debug)]
pub struct Take<R> {
    reader: R,
    limit: u64,
}

impl<R> Take<R> {
    pub(super) fn new(reader: R, limit: u64) -> Self {
        Self { reader, limit }
    }

    /// How many bytes can be read until it ends.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Makes it end after so many bytes from now on.
    pub fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// The reader.
    pub fn into_inner(self) -> R {
        self.reader
    }

    /// The reader.
    pub fn get_ref(&self) -> &R {
        &self.reader
    }

    /// The reader. What is read from it directly does not count.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.reader
    }

    /// How many of so many bytes are within the limit.
    fn within_limit(&self, bytes: usize) -> usize {
        usize::try_from(self.limit).map_or(bytes, |limit| limit.min(bytes))
    }
}

impl<R: AsyncRead> AsyncRead for Take<R> {
    /// # Panics
    /// If the reader says that it has read more than there was space for.
    async fn read<B: IoBufMut>(&mut self, mut buffer: B) -> BufResult<usize, B> {
        let room = self.within_limit(buffer.buf_capacity());
        if self.limit == 0 {
            return BufResult(Ok(0), buffer);
        }
        let BufResult(result, part) = self.reader.read(buffer.slice(..room)).await;
        if let Ok(count) = result {
            assert!(
                count <= room,
                "{count} bytes were read into space for {room}"
            );
            self.limit -= count as u64;
        }
        BufResult(result, part.into_inner())
    }
}

impl<R: AsyncBufRead> AsyncBufRead for Take<R> {
    async fn fill_buf(&mut self) -> io::Result<&'_ [u8]> {
        if self.limit == 0 {
            return Ok(&[]);
        }
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let bytes = self.reader.fill_buf().await?;
        Ok(&bytes[..bytes.len().min(limit)])
    }

    fn consume(&mut self, bytes: usize) {
        let bytes = self.within_limit(bytes);
        self.limit -= bytes as u64;
        self.reader.consume(bytes);
    }
}
