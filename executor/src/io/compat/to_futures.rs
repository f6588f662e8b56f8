//! A stream of this crate as one of `futures::io`.

use crate::io::inlet::Inlet;
use crate::io::outlet::Outlet;
use compio_io::util::Splittable;
use compio_io::{AsyncRead, AsyncWrite};
use futures_util::io;
use std::fmt;
use std::io::{Error, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker, ready};

type Drain<W> = fn(&mut Outlet<W>, &mut Context<'_>) -> Poll<Result<()>>;

/// How large each of the two buffers is, if nothing else is said.
const CAPACITY: usize = 8 * 1024;

/// Reads and writes a stream of owned buffers by the traits of `futures::io`: `AsyncRead`, `AsyncBufRead`, `AsyncWrite`.
///
/// Made of whatever can be split in two ([`Splittable`]), a pair of a reader and a writer for one; where only one of them is needed, the other
/// may be `()`.
///
/// What is written goes out at once, in the background, as many bytes at a time as the buffer holds; it need not be flushed to get there. But
/// an error comes late, with the next write, flush or close. Flushing waits until all is written. Closing flushes, and shuts the writer
/// down. **Dropping** a future of it loses nothing; dropping the adapter drops what is in its buffers.
///
/// # Examples
/// ```
/// use executor::io::compat::ToFutures;
/// use futures::{AsyncReadExt, AsyncWriteExt};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let mut stream = ToFutures::new(executor::io::pipe()?);
/// stream.write_all(b"there and back").await?;
/// let mut text = [0; 14];
/// stream.read_exact(&mut text).await?;
/// assert_eq!(&text, b"there and back");
/// # Ok(())
/// # }
/// ```
pub struct ToFutures<S: Splittable> {
    inlet: Inlet<S::ReadHalf>,
    outlet: Outlet<S::WriteHalf>,
    /// How to go on writing, once something was written: who only reads may have a writer that is none.
    drain: Option<Drain<S::WriteHalf>>,
    /// Who waits for the writer: another task may be the one that reads.
    waiting: Option<Waker>,
    /// An error of what was written in the background, until somebody can be told.
    late: Option<Error>,
}

impl<S: Splittable> ToFutures<S> {
    /// With a buffer of 8 KiB for reading and two for writing.
    pub fn new(stream: S) -> Self {
        Self::with_capacity(CAPACITY, stream)
    }

    /// With buffers of so many bytes.
    pub fn with_capacity(bytes: usize, stream: S) -> Self {
        let (reader, writer) = stream.split();
        Self {
            inlet: Inlet::new(reader, bytes),
            outlet: Outlet::new(writer, bytes),
            drain: None,
            waiting: None,
            late: None,
        }
    }

    /// Goes on with what was written: also whoever only reads now, for an answer, is to see it through.
    fn go_on_writing(&mut self, waker: &Waker) {
        if self.late.is_none()
            && let Some(drain) = self.drain
            && let Poll::Ready(Err(error)) =
                drain(&mut self.outlet, &mut Context::from_waker(waker))
        {
            self.late = Some(error);
        }
    }

    /// The same for who reads, without taking the wake from who waits for the writer.
    fn go_on_writing_as_reader(&mut self, waker: &Waker) {
        match &self.waiting {
            Some(writer) if !writer.will_wake(waker) => {
                let both = Both(writer.clone(), waker.clone());
                self.go_on_writing(&Waker::from(Arc::new(both)));
            }
            _ => self.go_on_writing(waker),
        }
    }

    /// Waits for the writer, if `poll` does.
    fn as_writer<T>(
        &mut self,
        context: &mut Context<'_>,
        poll: impl FnOnce(&mut Outlet<S::WriteHalf>, &mut Context<'_>) -> Poll<Result<T>>,
    ) -> Poll<Result<T>> {
        if let Some(error) = self.late.take() {
            return Poll::Ready(Err(error));
        }
        let polled = poll(&mut self.outlet, context);
        self.waiting = polled.is_pending().then(|| context.waker().clone());
        polled
    }

    /// The reader, and the writer; `None` while it is at work.
    pub fn get_ref(&self) -> (Option<&S::ReadHalf>, Option<&S::WriteHalf>) {
        (self.inlet.reader(), self.outlet.writer())
    }
}

// The halves are moved, never pinned: what is pinned of them is on the heap.
impl<S: Splittable> Unpin for ToFutures<S> {}

impl<S: Splittable> io::AsyncRead for ToFutures<S>
where
    S::ReadHalf: AsyncRead + 'static,
{
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.go_on_writing_as_reader(context.waker());
        let unread = ready!(self.inlet.poll_fill(context))?;
        let count = unread.len().min(buffer.len());
        buffer[..count].copy_from_slice(&unread[..count]);
        self.inlet.consume(count);
        Poll::Ready(Ok(count))
    }
}

impl<S: Splittable> io::AsyncBufRead for ToFutures<S>
where
    S::ReadHalf: AsyncRead + 'static,
{
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<&[u8]>> {
        let this = self.get_mut();
        this.go_on_writing_as_reader(context.waker());
        this.inlet.poll_fill(context)
    }

    fn consume(mut self: Pin<&mut Self>, bytes: usize) {
        self.inlet.consume(bytes);
    }
}

impl<S: Splittable> io::AsyncWrite for ToFutures<S>
where
    S::WriteHalf: AsyncWrite + 'static,
{
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        // One byte of room is enough: who writes comes again with the rest.
        let wanted = bytes.len().min(1);
        ready!(self.as_writer(context, |outlet, context| outlet.poll_room(context, wanted)))?;
        let count = self.outlet.accept(bytes);
        self.drain = Some(Outlet::poll_drain);
        self.go_on_writing(context.waker());
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.as_writer(context, Outlet::poll_flush)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.as_writer(context, Outlet::poll_shutdown)
    }
}

/// Wakes two.
struct Both(Waker, Waker);

impl Wake for Both {
    fn wake(self: Arc<Self>) {
        self.0.wake_by_ref();
        self.1.wake_by_ref();
    }
}

impl<S: Splittable> fmt::Debug for ToFutures<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ToFutures")
            .field("unread", &self.inlet.unread().len())
            .finish_non_exhaustive()
    }
}
