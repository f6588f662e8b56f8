//! What a [`BufReader`] yields piece by piece.

use super::BufReader;
use super::buf_reader::text;
use compio_io::AsyncRead;
use futures_util::Stream;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The lines of a [`BufReader`]; also a [`Stream`].
#[derive(Debug)]
pub struct Lines<R> {
    reader: BufReader<R>,
}

impl<R> Lines<R> {
    pub(super) fn new(reader: BufReader<R>) -> Self {
        Self { reader }
    }

    /// The reader, which goes on behind the last line that was yielded.
    pub fn into_inner(self) -> BufReader<R> {
        self.reader
    }
}

impl<R: AsyncRead + 'static> Lines<R> {
    /// The next line, without its end (`\n`, or `\r\n`); `None` if there is none.
    ///
    /// **Dropped**, nothing is lost: the next call yields the line.
    ///
    /// # Errors
    /// The reader's, and `InvalidData` for a line that is not UTF-8: it stays in the buffer, and
    /// [`read_until`](BufReader::read_until) can have it.
    pub async fn next_line(&mut self) -> io::Result<Option<String>> {
        let mut searched = 0;
        poll_fn(|context| self.poll_next_line(context, &mut searched)).await
    }

    fn poll_next_line(
        &mut self,
        context: &mut Context<'_>,
        searched: &mut usize,
    ) -> Poll<io::Result<Option<String>>> {
        let length = ready!(self.reader.poll_find(context, b'\n', searched))?;
        let line = text(&self.reader.buffer()[..length])?;
        let line = match line.strip_suffix('\n') {
            Some(line) => line.strip_suffix('\r').unwrap_or(line),
            None => line,
        };
        let line = (length > 0).then(|| line.to_owned());
        self.reader.consume(length);
        Poll::Ready(Ok(line))
    }
}

impl<R: AsyncRead + 'static> Stream for Lines<R> {
    type Item = io::Result<String>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_next_line(context, &mut 0).map(Result::transpose)
    }
}

/// The pieces of a [`BufReader`] between a delimiter; also a [`Stream`].
#[derive(Debug)]
pub struct Split<R> {
    reader: BufReader<R>,
    delimiter: u8,
}

impl<R> Split<R> {
    pub(super) fn new(reader: BufReader<R>, delimiter: u8) -> Self {
        Self { reader, delimiter }
    }

    /// The reader, which goes on behind the last piece that was yielded.
    pub fn into_inner(self) -> BufReader<R> {
        self.reader
    }
}

impl<R: AsyncRead + 'static> Split<R> {
    /// The next piece, without the delimiter; `None` if there is none.
    ///
    /// **Dropped**, nothing is lost: the next call yields the piece.
    ///
    /// # Errors
    /// The reader's.
    pub async fn next_segment(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut searched = 0;
        poll_fn(|context| self.poll_next_segment(context, &mut searched)).await
    }

    fn poll_next_segment(
        &mut self,
        context: &mut Context<'_>,
        searched: &mut usize,
    ) -> Poll<io::Result<Option<Vec<u8>>>> {
        let length = ready!(self.reader.poll_find(context, self.delimiter, searched))?;
        let piece = &self.reader.buffer()[..length];
        let piece = piece.strip_suffix(&[self.delimiter]).unwrap_or(piece);
        let piece = (length > 0).then(|| piece.to_owned());
        self.reader.consume(length);
        Poll::Ready(Ok(piece))
    }
}

impl<R: AsyncRead + 'static> Stream for Split<R> {
    type Item = io::Result<Vec<u8>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_next_segment(context, &mut 0)
            .map(Result::transpose)
    }
}

// The reader is moved, never pinned: what is pinned of it is on the heap.
impl<R> Unpin for Lines<R> {}
impl<R> Unpin for Split<R> {}
