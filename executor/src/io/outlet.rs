//! A writer with what it has still to write, and the write that is in flight.
//!
//! What [`BufWriter`](super::BufWriter) and the adapter to `futures::io` are made of. As in [`Inlet`](super::inlet::Inlet), what is in
//! flight is kept here with the writer inside, so that whoever waits for it may be dropped. Two buffers: one that is accepted, one that
//! the writer is at. What the writer did not take stays, in order, also after an error.

use crate::buf::{BufResult, IntoInner, IoBuf};
use crate::io::AsyncWrite;
use reactor::budget;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// What came of it.
enum Done {
    /// Of these bytes so many are written, all if there is no error.
    Written(io::Result<()>, Vec<u8>, usize),
    Flushed(io::Result<()>),
    ShutDown(io::Result<()>),
}

type Work<W> = Pin<Box<dyn Future<Output = (W, Done)>>>;

enum Sink<W> {
    Idle(W),
    Busy(Work<W>),
    /// Only while it goes from one to the other, and after a panic there.
    Gone,
}

pub(super) struct Outlet<W> {
    sink: Sink<W>,
    /// What the writer is at; empty, with the sink busy, while the writer has it.
    current: Vec<u8>,
    /// How much of `current` is written.
    written: usize,
    /// What comes after it.
    accepted: Vec<u8>,
    capacity: usize,
    /// The writer may hold something back since it was last flushed.
    needs_flush: bool,
    is_shut_down: bool,
}

impl<W> Outlet<W> {
    pub(super) fn new(writer: W, capacity: usize) -> Self {
        Self {
            sink: Sink::Idle(writer),
            current: Vec::new(),
            written: 0,
            accepted: Vec::new(),
            capacity: capacity.max(1),
            needs_flush: true,
            is_shut_down: false,
        }
    }

    /// `None` while the writer is at work.
    pub(super) fn writer(&self) -> Option<&W> {
        match &self.sink {
            Sink::Idle(writer) => Some(writer),
            _ => None,
        }
    }

    /// `None` while the writer is at work.
    pub(super) fn writer_mut(&mut self) -> Option<&mut W> {
        match &mut self.sink {
            Sink::Idle(writer) => {
                self.needs_flush = true;
                Some(writer)
            }
            _ => None,
        }
    }

    /// The writer, and what it has not written; `self` while it is at work.
    pub(super) fn into_parts(self) -> Result<(W, Vec<u8>), Self> {
        match self.sink {
            Sink::Idle(writer) => {
                let mut unwritten = self.current;
                unwritten.drain(..self.written);
                unwritten.extend_from_slice(&self.accepted);
                Ok((writer, unwritten))
            }
            sink => Err(Self { sink, ..self }),
        }
    }

    fn is_busy(&self) -> bool {
        matches!(self.sink, Sink::Busy(_))
    }

    /// The next flush is to reach the writer, whether or not anything was written.
    pub(super) fn ask_for_flush(&mut self) {
        self.needs_flush = true;
    }

    /// Takes over as many bytes as there is room for.
    pub(super) fn accept(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.capacity - self.accepted.len());
        if self.accepted.capacity() == 0 {
            self.accepted.reserve_exact(self.capacity);
        }
        self.accepted.extend_from_slice(&bytes[..count]);
        count
    }

    /// Waits for what the writer is at, if it is at something.
    fn poll_work(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Sink::Busy(work) = &mut self.sink else {
            return Poll::Ready(Ok(()));
        };
        let (writer, done) = ready!(work.as_mut().poll(context));
        self.sink = Sink::Idle(writer);
        Poll::Ready(match done {
            Done::Written(result, bytes, written) => {
                (self.current, self.written) = (bytes, written);
                result
            }
            Done::Flushed(result) => {
                self.needs_flush |= result.is_err();
                result
            }
            Done::ShutDown(result) => {
                self.is_shut_down |= result.is_ok();
                result
            }
        })
    }

    /// Whether there is room for so many bytes, or there is all the room that there can be.
    fn has_room_for(&self, bytes: usize) -> bool {
        self.accepted.len() + bytes.min(self.capacity) <= self.capacity
    }
}

impl<W: AsyncWrite + 'static> Outlet<W> {
    /// Waits until there is room for so many bytes, or for the whole buffer if they are more.
    pub(super) fn poll_room(
        &mut self,
        context: &mut Context<'_>,
        bytes: usize,
    ) -> Poll<io::Result<()>> {
        while !self.has_room_for(bytes) {
            if self.is_busy() {
                ready!(self.poll_work(context))?;
            } else {
                self.begin_write();
                // So that it begins; if it is done at once, so much the better.
                if let Poll::Ready(done) = self.poll_work(context) {
                    done?;
                }
            }
        }
        budget::spend(context).map(Ok)
    }

    /// Waits until everything is written.
    pub(super) fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.is_busy() {
                ready!(self.poll_work(context))?;
            } else if !self.begin_write() {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Waits until everything is written, and the writer has flushed it.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_drain(context))?;
            if !self.needs_flush {
                return Poll::Ready(Ok(()));
            }
            self.needs_flush = false;
            self.begin(|mut writer| async {
                let flushed = writer.flush().await;
                (writer, Done::Flushed(flushed))
            });
        }
    }

    /// Waits until everything is written and flushed, and the writer is shut down.
    pub(super) fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_flush(context))?;
            if self.is_shut_down {
                return Poll::Ready(Ok(()));
            }
            self.begin(|mut writer| async {
                let shut_down = writer.shutdown().await;
                (writer, Done::ShutDown(shut_down))
            });
        }
    }

    /// Begins to write what there is; `false` if there is nothing. Only while the writer is idle.
    fn begin_write(&mut self) -> bool {
        if self.written == self.current.len() {
            self.current.clear();
            self.written = 0;
            std::mem::swap(&mut self.current, &mut self.accepted);
        }
        if self.current.is_empty() {
            return false;
        }
        self.needs_flush = true;
        let bytes = std::mem::take(&mut self.current);
        let written = std::mem::take(&mut self.written);
        self.begin(move |mut writer| async move {
            let done = write_rest(&mut writer, bytes, written).await;
            (writer, done)
        });
        true
    }

    fn begin<F: Future<Output = (W, Done)> + 'static>(&mut self, work: impl FnOnce(W) -> F) {
        let Sink::Idle(writer) = std::mem::replace(&mut self.sink, Sink::Gone) else {
            panic!("a writer that had panicked was used again")
        };
        self.sink = Sink::Busy(Box::pin(work(writer)));
    }
}

/// Writes all of `bytes` but the first `written`.
async fn write_rest<W: AsyncWrite>(writer: &mut W, mut bytes: Vec<u8>, mut written: usize) -> Done {
    while written < bytes.len() {
        let BufResult(result, rest) = writer.write(bytes.slice(written..)).await;
        bytes = rest.into_inner();
        match result {
            Ok(0) => return Done::Written(Err(io::ErrorKind::WriteZero.into()), bytes, written),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Done::Written(Err(error), bytes, written),
        }
    }
    Done::Written(Ok(()), bytes, written)
}
