//! Copying all of a reader to a writer.

use super::{BufReader, BufWriter};
use crate::buf::BufResult;
use crate::consume_budget;
use crate::io::{AsyncRead, AsyncWrite, AsyncWriteExt, Splittable};
use futures_util::future::{Either, poll_immediate, select, try_join};
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

/// How much is moved at once.
const CHUNK: usize = 64 * 1024;

/// Copies everything from `reader` to `writer` until the reader's end, flushes the writer, and says how many bytes that was. It does not
/// shut the writer down. One buffer of 64 KiB goes back and forth between the two; the bytes are not copied otherwise.
///
/// Whenever the reader has to be waited for, the writer is flushed if something was written since the last time. So a writer with a buffer
/// holds nothing back that the other side may be waiting for.
///
/// **Dropped**, what was read and not yet written is lost, up to 64 KiB, and how much of it was written is not known; a reader of this crate
/// keeps what a read in flight brings, and a [`BufWriter`] what it has taken. To stop and go on later keep the future and poll it again, or use
/// [`copy_buffered`], which loses nothing.
///
/// # Errors
/// The reader's or the writer's, and `WriteZero` if that takes nothing more. `Interrupted` is tried again. When the reader has failed, what was
/// written before may not be flushed yet; when the writer has failed, what was read and not yet written is lost.
///
/// # Examples
/// ```
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let (mut reader, writer) = executor::io::pipe()?;
/// writer.write("all of it").await.0?;
/// drop(writer);
/// let mut out = Vec::new();
/// assert_eq!(executor::io::copy(&mut reader, &mut out).await?, 9);
/// assert_eq!(out, b"all of it");
/// # Ok(())
/// # }
/// ```
pub async fn copy<R: AsyncRead, W: AsyncWrite>(reader: &mut R, writer: &mut W) -> io::Result<u64> {
    copy_by(CHUNK, reader, writer).await
}

/// Copies with a buffer of so many bytes.
async fn copy_by<R, W>(bytes: usize, reader: &mut R, writer: &mut W) -> io::Result<u64>
where
    R: AsyncRead,
    W: AsyncWrite,
{
    let mut buffer = Vec::with_capacity(bytes.max(1));
    let mut total = 0;
    let mut needs_flush = false;
    loop {
        // Neither of the two need be one of ours.
        consume_budget().await;
        let read = pin!(reader.read(buffer));
        let BufResult(result, filled) = if needs_flush {
            read_flushing(read, writer, &mut needs_flush).await?
        } else {
            read.await
        };
        buffer = filled;
        match result {
            Ok(0) => break,
            Ok(count) => total += count as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        let BufResult(result, written) = writer.write_all(buffer).await;
        result?;
        needs_flush = true;
        buffer = written;
        buffer.clear();
    }
    flush(writer).await?;
    Ok(total)
}

/// Waits for `read`, and flushes the writer if that takes time. A flush that has begun is waited for, whatever the read brings: the writer may
/// not bear it that it is dropped. Only a failed read ends it.
async fn read_flushing<W: AsyncWrite>(
    mut read: Pin<&mut impl Future<Output = BufResult<usize, Vec<u8>>>>,
    writer: &mut W,
    needs_flush: &mut bool,
) -> io::Result<BufResult<usize, Vec<u8>>> {
    if let Some(read) = poll_immediate(&mut read).await {
        return Ok(read);
    }
    let flush = pin!(flush(writer));
    let (read, flush) = match select(read, flush).await {
        Either::Left((read, flush)) if may_go_on(&read) => (read, flush.await),
        Either::Left((failed, _)) => return Ok(failed),
        Either::Right((flushed, read)) => {
            flushed?;
            *needs_flush = false;
            return Ok(read.await);
        }
    };
    flush?;
    *needs_flush = false;
    Ok(read)
}

/// Whether it is no failure.
fn may_go_on(BufResult(result, _): &BufResult<usize, Vec<u8>>) -> bool {
    match result {
        Ok(_) => true,
        Err(error) => error.kind() == io::ErrorKind::Interrupted,
    }
}

async fn flush<W: AsyncWrite>(writer: &mut W) -> io::Result<()> {
    loop {
        match writer.flush().await {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            flushed => return flushed,
        }
    }
}

/// The same from buffer to buffer.
///
/// **Dropped**, nothing is lost: each byte is in the one buffer or in the other, or has been written, and an end that was reached is reached
/// again.
///
/// # Errors
/// As for [`copy`].
pub async fn copy_buffered<R, W>(
    reader: &mut BufReader<R>,
    writer: &mut BufWriter<W>,
) -> io::Result<u64>
where
    R: AsyncRead + 'static,
    W: AsyncWrite + 'static,
{
    let mut total = 0;
    poll_fn(|context| poll_copy(context, reader, writer, &mut total)).await?;
    flush(writer).await?;
    reader.take_end();
    Ok(total)
}

fn poll_copy<R, W>(
    context: &mut Context<'_>,
    reader: &mut BufReader<R>,
    writer: &mut BufWriter<W>,
    total: &mut u64,
) -> Poll<io::Result<()>>
where
    R: AsyncRead + 'static,
    W: AsyncWrite + 'static,
{
    loop {
        let bytes = match reader.poll_fill(context) {
            Poll::Ready(Ok(bytes)) => bytes,
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => match writer.poll_flush(context) {
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) | Poll::Pending => return Poll::Pending,
            },
        };
        if bytes.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let count = match ready!(writer.poll_accept(context, bytes)) {
            // A flush that was begun while the reader had nothing.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            accepted => accepted?,
        };
        reader.consume(count);
        *total += count as u64;
    }
}

/// Copies in both directions at once, until both have ended; says how many bytes went from `a` to `b`, and from `b` to `a`. Where one side
/// ends, the other is shut down for writing.
///
/// The streams are taken apart for it ([`Splittable`]); a pair of a reader and a writer will do. Each direction flushes its writer as [`copy`]
/// does.
///
/// **Dropped**, it drops the streams, and what was read and not yet written is lost with them: up to 64 KiB in each direction, and what is in a
/// writer's buffer.
///
/// # Errors
/// The first of any of the four; both directions end then, and the other loses what a drop loses. A peer that has gone is noticed where something
/// is read from it or written to it: while nothing is, the copy waits.
///
/// # An idle limit
/// There is none, and a [`timeout`](crate::time::timeout) around it limits the whole. To end a connection on which nothing has come for a while, give
/// it readers that say when something came, and race the copy against a watch of that:
///
/// ```
/// use executor::buf::{BufResult, IoBufMut};
/// use executor::io::{AsyncRead, Splittable, copy_bidirectional, duplex};
/// use executor::sync::Notify;
/// use executor::time::{Duration, timeout};
/// use std::rc::Rc;
///
/// struct Watched<R>(R, Rc<Notify>);
///
/// impl<R: AsyncRead> AsyncRead for Watched<R> {
///     async fn read<B: IoBufMut>(&mut self, buffer: B) -> BufResult<usize, B> {
///         let read = self.0.read(buffer).await;
///         self.1.notify_one();
///         read
///     }
/// }
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// # let ((_client, left), (right, _server)) = (duplex(64), duplex(64));
/// let something_came = Rc::new(Notify::new());
/// let watched = |reader| Watched(reader, Rc::clone(&something_came));
/// let (left_reader, left_writer) = left.split();
/// let (right_reader, right_writer) = right.split();
/// let left = (watched(left_reader), left_writer);
/// let right = (watched(right_reader), right_writer);
/// let is_idle = async {
///     while timeout(Duration::from_millis(10), something_came.notified()).await.is_ok() {}
/// };
/// tokio::select! {
///     copied = copy_bidirectional(left, right) => drop(copied),
///     () = is_idle => println!("closed: it was idle"),
/// }
/// # }
/// ```
///
/// # Examples
/// ```
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// use executor::io::{copy_bidirectional, pipe};
/// let (from_left, left) = pipe()?;
/// let (left_in, to_left) = pipe()?;
/// let (from_right, right) = pipe()?;
/// let (right_in, to_right) = pipe()?;
/// left.write("to the right").await.0?;
/// right.write("to the left").await.0?;
/// drop((left, right));
/// let (there, back) = copy_bidirectional((from_left, to_left), (from_right, to_right)).await?;
/// assert_eq!((there, back), (12, 11));
/// assert_eq!(left_in.read(Vec::with_capacity(20)).await.1, b"to the left");
/// assert_eq!(right_in.read(Vec::with_capacity(20)).await.1, b"to the right");
/// # Ok(())
/// # }
/// ```
pub async fn copy_bidirectional<A, B>(a: A, b: B) -> io::Result<(u64, u64)>
where
    A: Splittable<ReadHalf: AsyncRead + 'static, WriteHalf: AsyncWrite + 'static>,
    B: Splittable<ReadHalf: AsyncRead + 'static, WriteHalf: AsyncWrite + 'static>,
{
    copy_bidirectional_with_sizes(a, b, CHUNK, CHUNK).await
}

/// The same with buffers of so many bytes, one for each direction: smaller ones for many connections, larger ones for few that are fast. As much can be
/// lost if it is dropped.
///
/// # Errors
/// As for [`copy_bidirectional`].
pub async fn copy_bidirectional_with_sizes<A, B>(
    a: A,
    b: B,
    a_to_b_bytes: usize,
    b_to_a_bytes: usize,
) -> io::Result<(u64, u64)>
where
    A: Splittable<ReadHalf: AsyncRead + 'static, WriteHalf: AsyncWrite + 'static>,
    B: Splittable<ReadHalf: AsyncRead + 'static, WriteHalf: AsyncWrite + 'static>,
{
    let (a_reader, a_writer) = a.split();
    let (b_reader, b_writer) = b.split();
    try_join(
        copy_and_shut_down(a_to_b_bytes, a_reader, b_writer),
        copy_and_shut_down(b_to_a_bytes, b_reader, a_writer),
    )
    .await
}

async fn copy_and_shut_down<R, W>(bytes: usize, mut reader: R, mut writer: W) -> io::Result<u64>
where
    R: AsyncRead,
    W: AsyncWrite,
{
    let total = copy_by(bytes, &mut reader, &mut writer).await?;
    writer.shutdown().await?;
    Ok(total)
}
