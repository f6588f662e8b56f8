//! What a [`BufReader`] yields piece by piece.

use super::BufReader;
use super::pieces::Pieces;
use crate::io::AsyncRead;
use futures_core::Stream;
use futures_core::stream::FusedStream;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The lines of a [`BufReader`]; also a [`Stream`].
///
/// Once the stream has ended it stays so. [`next_line`](Self::next_line) asks the reader again, as [`BufReader`] does.
#[derive(Debug)]
pub struct Lines<R> {
    pieces: Pieces<R>,
}

impl<R> Lines<R> {
    pub(super) fn new(reader: BufReader<R>) -> Self {
        let pieces = Pieces::new(reader, b'\n');
        Self { pieces }
    }

    /// Refuses lines of more than so many bytes, not counting the newline. If nothing is said, there is no limit, and a peer
    /// that never sends one can use up all the memory there is.
    ///
    /// One that is longer is an error, `InvalidData` with [`TooLong`](super::TooLong) in it, as soon as that is known; the rest of it is
    /// then skipped as it comes, and what follows is yielded. The buffer holds at most so many bytes and one read.
    #[must_use]
    pub fn length_max(mut self, bytes: usize) -> Self {
        self.pieces.length_max = bytes;
        self
    }

    /// The reader, which goes on behind the last line that was yielded, or within the last one, if that was too long.
    pub fn into_inner(self) -> BufReader<R> {
        self.pieces.reader
    }
}

impl<R: AsyncRead + 'static> Lines<R> {
    /// The next line, without its end (`\n`, or `\r\n`); `None` if there is none.
    ///
    /// **Dropped**, nothing is lost: the next call yields the line.
    ///
    /// # Errors
    /// The reader's, and `InvalidData` for a line that is [too long](Self::length_max), or not UTF-8. The next call yields the next
    /// line; the bytes of one that is not UTF-8 are in the error, which is made of a [`FromUtf8Error`](std::string::FromUtf8Error).
    pub fn next_line(&mut self) -> NextLine<'_, R> {
        NextLine(self)
    }

    fn poll_next_line(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Option<String>>> {
        let length = ready!(self.pieces.poll_length(context))?;
        let reader = &mut self.pieces.reader;
        let line = &reader.buffer()[..length];
        let line = match line.strip_suffix(b"\n") {
            Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
            None => line,
        };
        let line = (length > 0).then(|| line.to_owned());
        // Also if it is no text: a stream whose next item is the same error for ever would never wait again.
        reader.consume(length);
        let line = line.map(String::from_utf8).transpose();
        Poll::Ready(line.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error)))
    }
}

impl<R: AsyncRead + 'static> Stream for Lines<R> {
    type Item = io::Result<String>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_terminated() {
            return Poll::Ready(None);
        }
        let line = ready!(self.poll_next_line(context)).transpose();
        self.pieces.stream_has_ended = line.is_none();
        Poll::Ready(line)
    }
}

impl<R: AsyncRead + 'static> FusedStream for Lines<R> {
    fn is_terminated(&self) -> bool {
        self.pieces.stream_has_ended
    }
}

/// The pieces of a [`BufReader`] between a delimiter; also a [`Stream`].
///
/// Once the stream has ended it stays so. [`next_segment`](Self::next_segment) asks the reader again, as [`BufReader`] does.
#[derive(Debug)]
pub struct Split<R> {
    pieces: Pieces<R>,
}

impl<R> Split<R> {
    pub(super) fn new(reader: BufReader<R>, delimiter: u8) -> Self {
        let pieces = Pieces::new(reader, delimiter);
        Self { pieces }
    }

    /// Refuses pieces of more than so many bytes, not counting the delimiter. If nothing is said, there is no limit, and a peer
    /// that never sends one can use up all the memory there is.
    ///
    /// One that is longer is an error, `InvalidData` with [`TooLong`](super::TooLong) in it, as soon as that is known; the rest of it is
    /// then skipped as it comes, and what follows is yielded. The buffer holds at most so many bytes and one read.
    #[must_use]
    pub fn length_max(mut self, bytes: usize) -> Self {
        self.pieces.length_max = bytes;
        self
    }

    /// The reader, which goes on behind the last piece that was yielded, or within the last one, if that was too long.
    pub fn into_inner(self) -> BufReader<R> {
        self.pieces.reader
    }
}

impl<R: AsyncRead + 'static> Split<R> {
    /// The next piece, without the delimiter; `None` if there is none.
    ///
    /// **Dropped**, nothing is lost: the next call yields the piece.
    ///
    /// # Errors
    /// The reader's, and `InvalidData` for a piece that is [too long](Self::length_max).
    pub fn next_segment(&mut self) -> NextSegment<'_, R> {
        NextSegment(self)
    }

    fn poll_next_segment(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Option<Vec<u8>>>> {
        let length = ready!(self.pieces.poll_length(context))?;
        let Pieces {
            reader, delimiter, ..
        } = &mut self.pieces;
        let piece = &reader.buffer()[..length];
        let piece = piece.strip_suffix(&[*delimiter]).unwrap_or(piece);
        let piece = (length > 0).then(|| piece.to_owned());
        reader.consume(length);
        Poll::Ready(Ok(piece))
    }
}

impl<R: AsyncRead + 'static> Stream for Split<R> {
    type Item = io::Result<Vec<u8>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_terminated() {
            return Poll::Ready(None);
        }
        let piece = ready!(self.poll_next_segment(context)).transpose();
        self.pieces.stream_has_ended = piece.is_none();
        Poll::Ready(piece)
    }
}

impl<R: AsyncRead + 'static> FusedStream for Split<R> {
    fn is_terminated(&self) -> bool {
        self.pieces.stream_has_ended
    }
}

/// The future of [`Lines::next_line`]. It yields `None` at the end of the input.
///
/// **Dropped**, it loses nothing: the next call goes on.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct NextLine<'a, R>(&'a mut Lines<R>);

impl<R: AsyncRead + 'static> Future for NextLine<'_, R> {
    type Output = io::Result<Option<String>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_next_line(context)
    }
}

/// The future of [`Split::next_segment`]. It yields `None` at the end of the input.
///
/// **Dropped**, it loses nothing: the next call goes on.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct NextSegment<'a, R>(&'a mut Split<R>);

impl<R: AsyncRead + 'static> Future for NextSegment<'_, R> {
    type Output = io::Result<Option<Vec<u8>>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_next_segment(context)
    }
}

// The reader is moved, never pinned: what is pinned of it is on the heap.
impl<R> Unpin for Lines<R> {}
impl<R> Unpin for Split<R> {}
