//! The futures of a [`BufReader`]. What they know is in the reader, so dropping them loses nothing.

use super::BufReader;
use crate::io::AsyncRead;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The future of [`BufReader::fill_buf`]. **Dropped**, it loses nothing.
#[must_use = "futures do nothing unless polled"]
pub struct FillBuf<'a, R> {
    /// `None` when it is done.
    reader: Option<&'a mut BufReader<R>>,
}

impl<'a, R> FillBuf<'a, R> {
    pub(super) fn new(reader: &'a mut BufReader<R>) -> Self {
        let reader = Some(reader);
        Self { reader }
    }
}

impl<'a, R: AsyncRead + 'static> Future for FillBuf<'a, R> {
    type Output = io::Result<&'a [u8]>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let reader = self.reader.as_mut().expect("polled after it was ready");
        ready!(reader.poll_fill(context))?;
        reader.take_end();
        let reader = self.reader.take().expect("just used");
        Poll::Ready(Ok(reader.buffer()))
    }
}

/// The future of [`BufReader::read_until`]. **Dropped**, it loses nothing: what was read is in the reader's buffer.
#[must_use = "futures do nothing unless polled"]
pub struct ReadUntil<'a, R> {
    reader: &'a mut BufReader<R>,
    delimiter: u8,
    out: &'a mut Vec<u8>,
}

impl<'a, R> ReadUntil<'a, R> {
    pub(super) fn new(reader: &'a mut BufReader<R>, delimiter: u8, out: &'a mut Vec<u8>) -> Self {
        Self {
            reader,
            delimiter,
            out,
        }
    }
}

impl<R: AsyncRead + 'static> Future for ReadUntil<'_, R> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Self {
            reader,
            delimiter,
            out,
        } = &mut *self;
        let length = ready!(reader.poll_find(context, *delimiter, usize::MAX))?;
        let length = length.expect("nothing is too long for it");
        out.extend_from_slice(&reader.buffer()[..length]);
        reader.consume(length);
        Poll::Ready(Ok(length))
    }
}

/// The future of [`BufReader::read_line`]. **Dropped**, it loses nothing: what was read is in the reader's buffer.
#[must_use = "futures do nothing unless polled"]
pub struct ReadLine<'a, R> {
    reader: &'a mut BufReader<R>,
    out: &'a mut String,
}

impl<'a, R> ReadLine<'a, R> {
    pub(super) fn new(reader: &'a mut BufReader<R>, out: &'a mut String) -> Self {
        Self { reader, out }
    }
}

impl<R: AsyncRead + 'static> Future for ReadLine<'_, R> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Self { reader, out } = &mut *self;
        let length = ready!(reader.poll_find(context, b'\n', usize::MAX))?;
        let length = length.expect("nothing is too long for it");
        let line = std::str::from_utf8(&reader.buffer()[..length]);
        out.push_str(line.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?);
        reader.consume(length);
        Poll::Ready(Ok(length))
    }
}

macro_rules! debug {
    ($($future:ident),*) => {$(
        impl<R> fmt::Debug for $future<'_, R> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_struct(stringify!($future)).finish_non_exhaustive()
            }
        }
    )*};
}

debug!(FillBuf, ReadUntil, ReadLine);
