//! A stream of `futures::io` as one of this crate.

use crate::buf::{BufResult, IoBuf, IoBufMut};
use crate::io::{AsyncRead, AsyncWrite};
use futures_util::io;
use reactor::budget;
use std::future::poll_fn;
use std::io::Result;
use std::pin::Pin;

/// How much is read at once at most.
const CHUNK: usize = 8 * 1024;

/// Reads and writes a stream of `futures::io` by the traits of owned buffers.
///
/// A read comes through a buffer of at most 8 KiB, which is copied out of; a write lends the caller's bytes. **Dropping** a future of it loses
/// nothing that the stream itself does not lose.
///
/// # Examples
/// ```
/// use executor::buf::BufResult;
/// use executor::io::{AsyncRead, compat::FromFutures};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let mut reader = FromFutures::new(futures::io::Cursor::new("a text"));
/// let BufResult(read, text) = reader.read(Vec::with_capacity(10)).await;
/// read?;
/// assert_eq!(text, b"a text");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FromFutures<T> {
    stream: T,
    /// It stands between the stream, which may look at what it is given, and buffers that hold nothing yet.
    space: Vec<u8>,
}

impl<T> FromFutures<T> {
    /// Takes the stream over.
    pub fn new(stream: T) -> Self {
        let space = Vec::new();
        Self { stream, space }
    }

    /// The stream.
    pub fn get_ref(&self) -> &T {
        &self.stream
    }

    /// The stream. Nothing of it is held back here.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.stream
    }

    /// Gives the stream back. Nothing of it is held back here.
    pub fn into_inner(self) -> T {
        self.stream
    }
}

impl<T: io::AsyncRead + Unpin> AsyncRead for FromFutures<T> {
    async fn read<B: IoBufMut>(&mut self, mut buffer: B) -> BufResult<usize, B> {
        let Self { stream, space } = self;
        let length = buffer.buf_capacity().min(CHUNK);
        if space.len() < length {
            space.resize(length, 0);
        }
        let read = poll_fn(|context| {
            let stream = Pin::new(&mut *stream);
            budget::limit(context, |context| {
                stream.poll_read(context, &mut space[..length])
            })
        });
        match read.await {
            Ok(count) => (&space[..count]).read(buffer).await,
            Err(error) => BufResult(Err(error), buffer),
        }
    }
}

impl<T: io::AsyncWrite + Unpin> AsyncWrite for FromFutures<T> {
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
        let stream = &mut self.stream;
        let write = poll_fn(|context| {
            let stream = Pin::new(&mut *stream);
            budget::limit(context, |context| {
                stream.poll_write(context, buffer.as_init())
            })
        });
        BufResult(write.await, buffer)
    }

    async fn flush(&mut self) -> Result<()> {
        poll_fn(|context| Pin::new(&mut self.stream).poll_flush(context)).await
    }

    async fn shutdown(&mut self) -> Result<()> {
        poll_fn(|context| Pin::new(&mut self.stream).poll_close(context)).await
    }
}
