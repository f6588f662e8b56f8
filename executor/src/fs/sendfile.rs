//! Sending a file's bytes to a socket, or to anything else that is written, inside the kernel:
//! splices through a pipe of its own.
//!
//! sendfile(2) itself is no operation of the ring, and would hold a thread for as long as the peer
//! does not read.

use super::{File, Sendfile};
use crate::io::ends::current_reactor;
use crate::io::splice::{Moving, own_pipe};
use crate::io::{SpliceSource, SpliceTarget};
use crate::operation::Cancel;
use reactor::{Reactor, budget};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// Sends `length` bytes of `file`, from `offset` bytes on, to `to`, without copying them into this
/// process, and returns how many were sent: fewer than `length` only if the file ends before. For
/// everything to the end, pass `u64::MAX`.
///
/// The target is whatever [`splice`](crate::io::splice()) can write to: a stream, a half of one, a
/// pipe, another file at an offset. The bytes pass through a pipe that belongs to the future, or
/// straight into the target if that is a pipe. No thread is held while the target has no room. While
/// the disk is read, a thread of the kernel is, for each that is at work, without a limit: where
/// files are not in memory, bound their number by a [`Semaphore`](crate::sync::Semaphore). The
/// future belongs to the current core.
///
/// The position of `file` does not matter, and is not moved. Another write to the target may come
/// between two parts, as it may with [`write_all`](crate::io::AsyncWriteExt::write_all). The kernel
/// sends pages of its file cache: if the file is changed before the peer has received them, the
/// peer may receive the change.
///
/// # Cancellation
/// At any time, [`sent`](Sendfile::sent) bytes are known to be in the target: the first of the
/// range, in order. **Dropped**, the part that is under way is cancelled, so that at most what a
/// pipe holds (64 KiB by default) is sent in addition, at once or a moment later, before the next
/// write to the target begins. What waits in the future's own pipe is discarded; the file still has
/// it. To know how many bytes were sent in the end, [`cancel`](Sendfile::cancel) the future and
/// await it: the count is exact, and `offset` plus the count is where to go on.
///
/// # Errors
/// Those of [`splice`](crate::io::splice()), and `EMFILE` if there is no descriptor for the pipe.
/// Some bytes may have been sent before the error: [`sent`](Sendfile::sent) says how many, if the
/// future was awaited by reference.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// use executor::fs::{File, sendfile};
/// use executor::net::UnixStream;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// # let path = std::env::temp_dir().join("executor-doc-sendfile");
/// # executor::fs::write(&path, "a header, and the content").await.0?;
/// let (stream, peer) = UnixStream::pair()?;
/// let file = File::open(&path).await?;
/// assert_eq!(sendfile(&file, 14, &stream, u64::MAX).await?, 11);
/// assert_eq!(&peer.read_exact([0; 11]).await.1, b"the content");
/// # executor::fs::remove_file(&path).await
/// # }
/// ```
#[track_caller]
pub fn sendfile(file: &File, offset: u64, to: impl Into<SpliceTarget>, length: u64) -> Sendfile {
    let route = Route {
        from: SpliceSource::at(file, offset),
        to: to.into(),
        pipe: None,
    };
    Sendfile(Sending {
        reactor: current_reactor("sendfile"),
        route: Some(route),
        unread: length,
        in_pipe: 0,
        sent: 0,
        is_cancelled: false,
        step: Step::Between,
    })
}

impl Sendfile {
    /// How many bytes are known to be in the target by now. It goes on counting until the future is
    /// ready, and stays readable afterwards.
    pub fn sent(&self) -> u64 {
        self.0.sent
    }
}

/// The way of the bytes.
struct Route {
    from: SpliceSource,
    to: SpliceTarget,
    /// Between the two, once it is needed.
    pipe: Option<(SpliceSource, SpliceTarget)>,
}

enum Step {
    Between,
    /// From the file into the pipe, or into the target if that is one.
    Reading(Moving),
    /// From the pipe into the target.
    Writing(Moving),
}

pub(crate) struct Sending {
    reactor: Rc<Reactor>,
    /// `None` when it is over: the descriptors can be closed though the future is still there.
    route: Option<Route>,
    unread: u64,
    in_pipe: usize,
    sent: u64,
    is_cancelled: bool,
    step: Step,
}

impl Sending {
    /// The next step; `None` if there is nothing left to do.
    fn next(&mut self) -> io::Result<Option<Step>> {
        let route = self.route.as_mut().expect("it is not over");
        let moving = |from: &SpliceSource, to: &SpliceTarget, length| {
            Moving::new(Rc::clone(&self.reactor), from.clone(), to.clone(), length)
        };
        if self.is_cancelled {
            return match self.sent {
                0 => Err(io::Error::from_raw_os_error(libc::ECANCELED)),
                _ => Ok(None),
            };
        }
        if let Some((outlet, _)) = route.pipe.as_ref().filter(|_| self.in_pipe > 0) {
            let writing = moving(outlet, &route.to, self.in_pipe);
            return Ok(Some(Step::Writing(writing)));
        }
        if self.unread == 0 {
            return Ok(None);
        }
        if route.pipe.is_none() && !route.to.is_pipe() {
            route.pipe = Some(own_pipe()?);
        }
        let inlet = route.pipe.as_ref().map_or(&route.to, |(_, inlet)| inlet);
        let length = usize::try_from(self.unread).unwrap_or(usize::MAX);
        Ok(Some(Step::Reading(moving(&route.from, inlet, length))))
    }

    /// Bytes have come from the file.
    fn has_read(&mut self, count: usize) {
        let route = self.route.as_mut().expect("it is not over");
        route.from.advance(count);
        self.unread -= count as u64;
        if route.pipe.is_some() {
            self.in_pipe += count;
        } else {
            self.sent += count as u64;
        }
    }

    /// Bytes have gone from the pipe to the target.
    fn has_written(&mut self, count: usize) {
        let route = self.route.as_mut().expect("it is not over");
        route.to.advance(count);
        self.in_pipe -= count;
        self.sent += count as u64;
    }

    /// A step has failed. One that was cancelled has moved nothing, and what was sent before
    /// counts.
    fn failed(&self, error: io::Error) -> io::Result<u64> {
        let is_given_up = matches!(error.raw_os_error(), Some(libc::ECANCELED | libc::EINTR));
        if self.is_cancelled && is_given_up && self.sent > 0 {
            return Ok(self.sent);
        }
        Err(error)
    }

    fn poll_steps(&mut self, context: &mut Context<'_>) -> Poll<io::Result<u64>> {
        loop {
            match &mut self.step {
                Step::Between => match self.next() {
                    Ok(Some(step)) => self.step = step,
                    ended => {
                        ready!(budget::spend(context));
                        return Poll::Ready(ended.map(|_| self.sent));
                    }
                },
                Step::Reading(moving) => match ready!(Pin::new(moving).poll(context)) {
                    Ok(0) => return Poll::Ready(Ok(self.sent)),
                    Ok(count) => {
                        self.has_read(count);
                        self.step = Step::Between;
                    }
                    Err(error) => return Poll::Ready(self.failed(error)),
                },
                Step::Writing(moving) => match ready!(Pin::new(moving).poll(context)) {
                    Ok(count) => {
                        self.has_written(count);
                        self.step = Step::Between;
                    }
                    Err(error) => return Poll::Ready(self.failed(error)),
                },
            }
        }
    }
}

impl Future for Sending {
    type Output = io::Result<u64>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(
            self.route.is_some(),
            "an operation was polled after it had completed"
        );
        let result = ready!(self.poll_steps(context));
        self.step = Step::Between;
        self.route = None;
        Poll::Ready(result)
    }
}

impl Cancel for Sending {
    fn cancel(mut self) -> Self {
        self.is_cancelled = true;
        self.step = match self.step {
            Step::Between => Step::Between,
            Step::Reading(moving) => Step::Reading(moving.cancel()),
            Step::Writing(moving) => Step::Writing(moving.cancel()),
        };
        self
    }

    fn is_over(&self) -> bool {
        self.route.is_none()
    }
}
