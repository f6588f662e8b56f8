//! A reader with its buffer, and the read that is in flight.
//!
//! What [`BufReader`](super::BufReader) and the adapter to `futures::io` are made of. The read is not a part of whichever future waits for
//! it: it is kept here, with the reader and the buffer inside, until it is done. So a future that waits can be dropped at any time, and
//! whoever polls next goes on with the same read. This holds for every reader, whatever it does when a read of it is dropped.
//!
//! The end is kept too, until it is [taken](Inlet::take_end): so who asks twice gets it twice, at once, and it is not lost with a future that saw it
//! and had something else to wait for. Once it is taken the reader is asked again. Most readers say the same again; a terminal on which an
//! end was typed, or a file that has grown, goes on.

use crate::buf::BufResult;
use crate::io::AsyncRead;
use reactor::budget;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

type Read<R> = Pin<Box<dyn Future<Output = (R, BufResult<usize, Vec<u8>>)>>>;

enum Source<R> {
    Idle(R),
    Reading(Read<R>),
    /// Only while it goes from one to the other, and after a panic there.
    Gone,
}

pub(super) struct Inlet<R> {
    source: Source<R>,
    buffer: Vec<u8>,
    /// Where what was not consumed begins.
    start: usize,
    capacity: usize,
    /// The reader was at its end, and nobody has taken that yet.
    has_ended: bool,
}

impl<R> Inlet<R> {
    pub(super) fn new(reader: R, capacity: usize) -> Self {
        Self {
            source: Source::Idle(reader),
            buffer: Vec::new(),
            start: 0,
            capacity: capacity.max(1),
            has_ended: false,
        }
    }

    /// What was read and not consumed.
    pub(super) fn unread(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    pub(super) fn consume(&mut self, count: usize) {
        let unread = self.buffer.len() - self.start;
        assert!(
            count <= unread,
            "{count} bytes were consumed, of {unread} that were read"
        );
        self.start += count;
    }

    /// The end was passed on: the next call asks the reader again.
    pub(super) fn take_end(&mut self) {
        self.has_ended = false;
    }

    /// `None` while a read is in flight.
    pub(super) fn reader(&self) -> Option<&R> {
        match &self.source {
            Source::Idle(reader) => Some(reader),
            _ => None,
        }
    }

    /// `None` while a read is in flight. An end that was not taken is forgotten: whoever has the reader may read on.
    pub(super) fn reader_mut(&mut self) -> Option<&mut R> {
        self.take_end();
        match &mut self.source {
            Source::Idle(reader) => Some(reader),
            _ => None,
        }
    }

    /// The reader, and what was not consumed; `self` while a read is in flight.
    pub(super) fn into_parts(self) -> Result<(R, Vec<u8>), Self> {
        match self.source {
            Source::Idle(reader) => {
                let mut unread = self.buffer;
                unread.drain(..self.start);
                Ok((reader, unread))
            }
            source => Err(Self { source, ..self }),
        }
    }
}

impl<R: AsyncRead + 'static> Inlet<R> {
    /// Waits until something is unread, if nothing is. Nothing then, at the end, until that is taken.
    pub(super) fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        if self.unread().is_empty() {
            ready!(self.poll_more(context))?;
        } else {
            ready!(budget::spend(context));
        }
        Poll::Ready(Ok(self.unread()))
    }

    /// Reads once, behind what is unread, and says how much came: nothing at the end, until that is taken.
    pub(super) fn poll_more(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.has_ended {
            return Poll::Ready(Ok(0));
        }
        if matches!(self.source, Source::Idle(_)) {
            self.start_read();
        }
        let Source::Reading(read) = &mut self.source else {
            panic!("a reader that had panicked was used again")
        };
        let polled = budget::limit(context, |context| read.as_mut().poll(context));
        let (reader, BufResult(result, filled)) = ready!(polled);
        self.source = Source::Idle(reader);
        self.has_ended = matches!(result, Ok(0));
        if self.unread().is_empty() {
            (self.buffer, self.start) = (filled, 0);
            if result.is_err() {
                self.buffer.clear();
            }
        } else if result.is_ok() {
            // It is the rest of a line: the two are put together.
            self.buffer.drain(..self.start);
            self.start = 0;
            self.buffer.extend_from_slice(&filled);
        }
        Poll::Ready(result)
    }

    /// Waits for the read that is in flight, if one is, and keeps what it brings.
    pub(super) fn poll_idle(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if matches!(self.source, Source::Reading(_)) {
            ready!(self.poll_more(context))?;
        }
        Poll::Ready(Ok(()))
    }

    fn start_read(&mut self) {
        let mut space = Vec::new();
        // The buffer itself, if nothing in it is needed any more and no long line has made it large.
        if self.unread().is_empty() && self.buffer.capacity() <= 2 * self.capacity {
            space = std::mem::take(&mut self.buffer);
            space.clear();
            self.start = 0;
        }
        space.reserve(self.capacity);
        let Source::Idle(mut reader) = std::mem::replace(&mut self.source, Source::Gone) else {
            unreachable!("called while it is idle")
        };
        self.source = Source::Reading(Box::pin(async move {
            let read = reader.read(space).await;
            (reader, read)
        }));
    }
}
