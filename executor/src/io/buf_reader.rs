//! Reading through a buffer: lines, and whatever else ends somewhere.

use super::buf_reads::{FillBuf, ReadLine, ReadUntil};
use super::inlet::Inlet;
use super::lines::{Lines, Split};
use crate::buf::{BufResult, IoBufMut, IoVectoredBufMut};
use crate::io::{AsyncBufRead, AsyncRead, AsyncSeek};
use reactor::budget;
use std::future::poll_fn;
use std::io::SeekFrom;
use std::task::{Context, Poll, ready};
use std::{fmt, io};

/// How much is read at once, if nothing else is said.
const CAPACITY: usize = 8 * 1024;

/// A reader with a buffer.
///
/// **Dropping** any future of it loses nothing. A read that is in flight then is kept, with the reader in it, and the next future goes on with it;
/// what was read stays in the buffer until somebody has it. So it may be read in `select!` with anything, in a loop.
///
/// At the end each call asks the reader again, as the standard library's does: a terminal on which an end was typed goes on, and so does a
/// file that has grown. Of most readers the end is final, and is told again.
///
/// The price is an allocation for each read, and that the reader must be owned (`'static`). Of a
/// socket that is written to as well, give it the [half that is
/// read](crate::net::TcpStream::into_split), or use a [`BufStream`](crate::io::BufStream).
///
/// # Examples
/// ```
/// use executor::io::BufReader;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let (reader, writer) = executor::io::pipe()?;
/// writer.write("one\ntwo\n").await.0?;
/// drop(writer);
/// let mut reader = BufReader::new(reader);
/// let mut line = String::new();
/// assert_eq!(reader.read_line(&mut line).await?, 4);
/// assert_eq!(line, "one\n");
/// let mut lines = reader.lines();
/// assert_eq!(lines.next_line().await?.as_deref(), Some("two"));
/// assert_eq!(lines.next_line().await?, None);
/// # Ok(())
/// # }
/// ```
pub struct BufReader<R> {
    inlet: Inlet<R>,
    /// The delimiter that was last looked for, and how many of the unread bytes are known not to be it: who looks again, in a `select!` or as
    /// a stream, goes on behind them, or a long line would be searched from its start for each part of it that comes.
    searched: (u8, usize),
}

impl<R> BufReader<R> {
    /// With a buffer of 8 KiB.
    pub fn new(reader: R) -> Self
    where
        R: AsyncRead + 'static,
    {
        Self::with_capacity(CAPACITY, reader)
    }

    /// With a buffer of so many bytes; it grows for a line that is longer.
    pub fn with_capacity(bytes: usize, reader: R) -> Self
    where
        R: AsyncRead + 'static,
    {
        Self {
            inlet: Inlet::new(reader, bytes),
            searched: (b'\n', 0),
        }
    }

    /// What was read and not consumed.
    pub fn buffer(&self) -> &[u8] {
        self.inlet.unread()
    }

    /// The reader; `None` while a read of it is in flight.
    pub fn get_ref(&self) -> Option<&R> {
        self.inlet.reader()
    }

    /// The reader; `None` while a read of it is in flight. What is read from it directly comes after what is in the buffer.
    pub fn get_mut(&mut self) -> Option<&mut R> {
        self.inlet.reader_mut()
    }

    /// The reader, and what was read and not consumed.
    ///
    /// # Errors
    /// `self`, while a read that somebody began, and dropped, is in flight. It is over when [`fill_buf`](Self::fill_buf) is.
    #[doc(alias = "into_inner")]
    pub fn into_parts(self) -> Result<(R, Vec<u8>), Self> {
        let searched = self.searched;
        let refuse = |inlet| Self { inlet, searched };
        self.inlet.into_parts().map_err(refuse)
    }

    /// Drops so many bytes from the front of the buffer.
    ///
    /// # Panics
    /// If there are not so many in it.
    pub fn consume(&mut self, bytes: usize) {
        self.inlet.consume(bytes);
        self.searched.1 = self.searched.1.saturating_sub(bytes);
    }
}

impl<R: AsyncRead + 'static> BufReader<R> {
    /// What is in the buffer, or, if there is nothing, what can be read; empty at the end. [Consume](Self::consume) what you have used.
    ///
    /// **Dropped**, nothing is lost.
    ///
    /// # Errors
    /// The reader's.
    pub fn fill_buf(&mut self) -> FillBuf<'_, R> {
        FillBuf::new(self)
    }

    /// The same. The end, if that is what came, stays until it is taken.
    pub(super) fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        self.inlet.poll_fill(context)
    }

    pub(super) fn take_end(&mut self) {
        self.inlet.take_end();
    }

    /// Appends everything up to and including the next `delimiter` to `out`, or, if none comes any more, everything up to the end; says how
    /// much that was. Zero is the end.
    ///
    /// **Dropped**, nothing is lost: `out` is as it was, and what was read is in the buffer. It holds all of it at once, so be sure
    /// of who sends it, or give [`split`](Self::split) a [limit](Split::length_max).
    ///
    /// # Errors
    /// The reader's. What had been read before stays in the buffer.
    pub fn read_until<'a>(&'a mut self, delimiter: u8, out: &'a mut Vec<u8>) -> ReadUntil<'a, R> {
        ReadUntil::new(self, delimiter, out)
    }

    /// Appends the next line to `out`, with the newline, which only the last line may lack; says how many bytes that was. Zero is the end.
    /// As for [`read_until`](Self::read_until).
    ///
    /// # Errors
    /// The reader's, and `InvalidData` for a line that is not UTF-8: it stays in the buffer, where `read_until` finds it.
    pub fn read_line<'a>(&'a mut self, out: &'a mut String) -> ReadLine<'a, R> {
        ReadLine::new(self, out)
    }

    /// The lines from here on.
    pub fn lines(self) -> Lines<R> {
        Lines::new(self)
    }

    /// The pieces from here on that `delimiter` separates.
    pub fn split(self, delimiter: u8) -> Split<R> {
        Split::new(self, delimiter)
    }

    /// Reads until the buffer has the delimiter, or everything there will be, and says how many bytes that takes from the buffer; `None` as soon as
    /// there are more than `length_max` bytes before the delimiter, or without it.
    pub(super) fn poll_find(
        &mut self,
        context: &mut Context<'_>,
        delimiter: u8,
        length_max: usize,
    ) -> Poll<io::Result<Option<usize>>> {
        if self.searched.0 != delimiter {
            self.searched = (delimiter, 0);
        }
        loop {
            let searched = self.searched.1;
            let unread = self.inlet.unread();
            let place = memchr::memchr(delimiter, &unread[searched..]);
            let place = place.map(|place| searched + place);
            if place.unwrap_or(unread.len()) > length_max {
                return Poll::Ready(Ok(None));
            }
            if let Some(place) = place {
                return budget::spend(context).map(|()| Ok(Some(place + 1)));
            }
            self.searched.1 = unread.len();
            match ready!(self.inlet.poll_more(context)) {
                Ok(0) => {
                    let length = self.buffer().len();
                    // Behind a last piece, it is for the next call.
                    if length == 0 {
                        self.take_end();
                    }
                    return Poll::Ready(Ok(Some(length)));
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Reads up to and including the delimiter, or to the end, and keeps none of it, so that it needs no room.
    pub(super) fn poll_skip(
        &mut self,
        context: &mut Context<'_>,
        delimiter: u8,
    ) -> Poll<io::Result<()>> {
        loop {
            let unread = match ready!(self.inlet.poll_fill(context)) {
                Ok(unread) => unread,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Poll::Ready(Err(error)),
            };
            let place = memchr::memchr(delimiter, unread);
            let count = place.map_or(unread.len(), |place| place + 1);
            self.consume(count);
            if place.is_some() || count == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<R: AsyncRead + 'static> AsyncRead for BufReader<R> {
    /// Copies out of the buffer, which is filled first if it is empty.
    async fn read<B: IoBufMut>(&mut self, mut buffer: B) -> BufResult<usize, B> {
        if buffer.buf_capacity() != 0
            && let Err(error) = self.fill_buf().await
        {
            return BufResult(Err(error), buffer);
        }
        let mut unread = self.buffer();
        let BufResult(result, buffer) = unread.read(buffer).await;
        BufResult(result.inspect(|count| self.consume(*count)), buffer)
    }

    async fn read_vectored<B: IoVectoredBufMut>(&mut self, mut buffers: B) -> BufResult<usize, B> {
        if buffers.total_capacity() != 0
            && let Err(error) = self.fill_buf().await
        {
            return BufResult(Err(error), buffers);
        }
        let mut unread = self.buffer();
        let BufResult(result, buffers) = unread.read_vectored(buffers).await;
        BufResult(result.inspect(|count| self.consume(*count)), buffers)
    }
}

impl<R: AsyncRead + AsyncSeek + 'static> AsyncSeek for BufReader<R> {
    /// Moves the reader, and drops what is in the buffer. A place that is given from the current one counts from the first byte that was not consumed.
    ///
    /// A read that is in flight is waited for. **Dropped**, the reader may have moved or not, as its own `seek` says; the buffer is as it was.
    ///
    /// # Errors
    /// The reader's, also those of the read that was in flight; `InvalidInput` for a place that is too far away.
    async fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        poll_fn(|context| self.inlet.poll_idle(context)).await?;
        let unread = self.buffer().len();
        let to = match to {
            SeekFrom::Current(by) => {
                let by = i64::try_from(unread)
                    .ok()
                    .and_then(|unread| by.checked_sub(unread));
                SeekFrom::Current(by.ok_or(io::ErrorKind::InvalidInput)?)
            }
            absolute => absolute,
        };
        let reader = self.get_mut().expect("no read is in flight");
        let place = reader.seek(to).await?;
        self.consume(unread);
        Ok(place)
    }
}

impl<R: AsyncRead + 'static> AsyncBufRead for BufReader<R> {
    async fn fill_buf(&mut self) -> io::Result<&'_ [u8]> {
        Self::fill_buf(self).await
    }

    fn consume(&mut self, bytes: usize) {
        Self::consume(self, bytes);
    }
}

impl<R: fmt::Debug> fmt::Debug for BufReader<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BufReader")
            .field("reader", &self.get_ref())
            .field("unread", &self.buffer().len())
            .finish()
    }
}
