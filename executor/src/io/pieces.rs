//! What a [`BufReader`] has between one delimiter and the next, and how long that may be.
//!
//! What [`Lines`](super::Lines) and [`Split`](super::Split) are made of. All that it knows is here, and none of it in the futures that
//! wait: those can be dropped at any time.

use super::BufReader;
use crate::io::AsyncRead;
use std::task::{Context, Poll, ready};
use std::{error, fmt, io};

#[derive(Debug)]
pub(super) struct Pieces<R> {
    pub(super) reader: BufReader<R>,
    pub(super) delimiter: u8,
    /// In bytes, without the delimiter.
    pub(super) length_max: usize,
    /// The reader stands within a piece that was too long: the rest of it is not wanted either.
    is_within: bool,
    /// As a stream it has ended, and stays so.
    pub(super) stream_has_ended: bool,
}

impl<R> Pieces<R> {
    pub(super) fn new(reader: BufReader<R>, delimiter: u8) -> Self {
        Self {
            reader,
            delimiter,
            length_max: usize::MAX,
            is_within: false,
            stream_has_ended: false,
        }
    }
}

impl<R: AsyncRead + 'static> Pieces<R> {
    /// Reads until the buffer begins with a whole piece; how long that is, with its delimiter, which only the last may lack. Zero is the end.
    pub(super) fn poll_length(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.is_within {
            ready!(self.reader.poll_skip(context, self.delimiter))?;
            self.is_within = false;
        }
        let found = self
            .reader
            .poll_find(context, self.delimiter, self.length_max);
        if let Some(length) = ready!(found)? {
            return Poll::Ready(Ok(length));
        }
        self.is_within = true;
        let length_max = self.length_max;
        let error = io::Error::new(io::ErrorKind::InvalidData, TooLong { length_max });
        Poll::Ready(Err(error))
    }
}

/// A line, or another piece of what a [`BufReader`] reads, was longer than it may be: what the [`io::Error`] is made of.
///
/// # Examples
/// ```
/// use executor::io::{BufReader, TooLong};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let (reader, writer) = executor::io::pipe()?;
/// writer.write("a long line\nshort\n").await.0?;
/// let mut lines = BufReader::new(reader).lines().length_max(8);
/// let error = lines.next_line().await.unwrap_err();
/// let too_long = error.get_ref().and_then(|error| error.downcast_ref::<TooLong>());
/// assert_eq!(too_long.unwrap().length_max(), 8);
/// assert_eq!(lines.next_line().await?.as_deref(), Some("short"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    length_max: usize,
}

impl TooLong {
    /// How long it may have been, in bytes, without the delimiter.
    pub fn length_max(&self) -> usize {
        self.length_max
    }
}

impl fmt::Display for TooLong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length_max = self.length_max;
        write!(
            formatter,
            "more than {length_max} bytes came before a delimiter"
        )
    }
}

impl error::Error for TooLong {}
