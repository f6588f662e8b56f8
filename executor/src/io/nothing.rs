//! What is always at its end, never at its end, and takes everything.

use crate::buf::{BufResult, IoBuf, IoBufMut, IoVectoredBuf};
use crate::io::{AsyncBufRead, AsyncRead, AsyncWrite};
use std::io;

/// How much is read of [`Repeat`] at once.
const CHUNK: usize = 4096;

/// A reader that is at its end.
///
/// # Examples
/// ```
/// use executor::io::AsyncReadExt;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// assert_eq!(executor::io::empty().read_to_end(Vec::new()).await.0?, 0);
/// # Ok(())
/// # }
/// ```
pub const fn empty() -> Empty {
    Empty(())
}

/// A reader that yields the same byte for ever.
///
/// # Examples
/// ```
/// use executor::io::AsyncReadExt;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let mut threes = executor::io::repeat(3).take(5);
/// assert_eq!(threes.read_to_end(Vec::new()).await.1, [3; 5]);
/// # Ok(())
/// # }
/// ```
pub const fn repeat(byte: u8) -> Repeat {
    Repeat(byte)
}

/// A writer that takes everything, and drops it.
///
/// # Examples
/// ```
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let count = executor::io::copy(&mut "five!".as_bytes(), &mut executor::io::sink()).await?;
/// assert_eq!(count, 5);
/// # Ok(())
/// # }
/// ```
pub const fn sink() -> Sink {
    Sink(())
}

/// A reader that is at its end; made by [`empty`]. It never waits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Empty(());

/// A reader that yields the same byte for ever; made by [`repeat`]. It never waits: a loop over it should call
/// [`consume_budget`](crate::consume_budget).
#[derive(Clone, Copy, Debug)]
pub struct Repeat(u8);

/// A writer that takes everything, and drops it; made by [`sink`]. It never waits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sink(());

impl AsyncRead for Empty {
    async fn read<B: IoBufMut>(&mut self, mut buffer: B) -> BufResult<usize, B> {
        buffer.set_bytes(&[]);
        BufResult(Ok(0), buffer)
    }
}

impl AsyncBufRead for Empty {
    async fn fill_buf(&mut self) -> io::Result<&'_ [u8]> {
        Ok(&[])
    }

    fn consume(&mut self, _bytes: usize) {}
}

impl AsyncRead for Repeat {
    async fn read<B: IoBufMut>(&mut self, mut buffer: B) -> BufResult<usize, B> {
        let count = buffer.set_bytes(&[self.0; CHUNK]);
        BufResult(Ok(count), buffer)
    }
}

impl AsyncWrite for Sink {
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
        BufResult(Ok(buffer.buf_len()), buffer)
    }

    async fn write_vectored<V: IoVectoredBuf>(&mut self, buffers: V) -> BufResult<usize, V> {
        BufResult(Ok(buffers.total_len()), buffers)
    }

    async fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        Ok(())
    }
}
