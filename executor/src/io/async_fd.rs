//! Waiting until a descriptor of somebody else is ready.

use super::Ready;
use super::conversions::as_raw_fd;
use super::ends::current_reactor;
use crate::consume_budget;
use reactor::operation::{self, Op};
use std::io;
use std::ops::BitOr;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;

/// What to wait for. Combine with `|`: any of them is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest(u32);

impl Interest {
    /// Something can be read, or the end was reached.
    pub const READABLE: Self = Self(libc::POLLIN as u32 | libc::POLLRDHUP as u32);
    /// Something can be written.
    pub const WRITABLE: Self = Self(libc::POLLOUT as u32);
    /// Something exceptional can be read (`POLLPRI`).
    pub const PRIORITY: Self = Self(libc::POLLPRI as u32);

    /// The events of poll(2).
    pub(crate) const fn events(self) -> u32 {
        self.0
    }
}

impl BitOr for Interest {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a descriptor is ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness(u32);

impl Readiness {
    /// From the events of poll(2).
    pub(crate) const fn of(events: u32) -> Self {
        Self(events)
    }

    fn has(self, event: i16) -> bool {
        self.0 & event as u32 != 0
    }

    /// Whether a read does not block: there is something, or the end, or an error.
    pub fn is_readable(self) -> bool {
        self.has(libc::POLLIN | libc::POLLRDHUP | libc::POLLHUP | libc::POLLERR)
    }

    /// Whether a write does not block: there is room, or nobody is there any more.
    pub fn is_writable(self) -> bool {
        self.has(libc::POLLOUT | libc::POLLHUP | libc::POLLERR)
    }

    /// Whether there is something exceptional to read.
    pub fn is_priority(self) -> bool {
        self.has(libc::POLLPRI)
    }

    /// Whether the other side has closed it.
    pub fn is_closed(self) -> bool {
        self.has(libc::POLLHUP | libc::POLLRDHUP)
    }

    /// Whether it has an error.
    pub fn is_error(self) -> bool {
        self.has(libc::POLLERR)
    }
}

/// A descriptor that somebody else made (an eventfd, a timerfd, an inotify instance, a socket of a C library), of which this core wants to
/// know when it is ready. What is done with it then, system calls of your own do.
///
/// The answers are of the moment (level-triggered): a descriptor stays ready until it was read dry, and there is nothing to clear. It should be
/// `O_NONBLOCK`, for between the answer and the call, somebody else may have been quicker.
///
/// **Dropping** a future of it loses nothing: it only looked. The descriptor itself is dropped when the kernel has let go of it, on this
/// core.
///
/// # Examples
/// ```
/// use executor::io::{AsyncFd, Interest};
/// use rustix::event::{EventfdFlags, eventfd};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let event = AsyncFd::new(eventfd(1, EventfdFlags::NONBLOCK)?);
/// let mut count = [0; 8];
/// let read = |event: &_| Ok(rustix::io::read(event, &mut count)?);
/// assert_eq!(event.when(Interest::READABLE, read).await?, 8);
/// assert_eq!(u64::from_ne_bytes(count), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AsyncFd<T>(Rc<T>);

impl<T: AsFd + 'static> AsyncFd<T> {
    /// Takes the descriptor over. Nothing is asked of the kernel yet.
    pub fn new(inner: T) -> Self {
        Self(Rc::new(inner))
    }

    /// What holds the descriptor.
    pub fn get_ref(&self) -> &T {
        &self.0
    }

    /// Gives it back.
    ///
    /// # Errors
    /// `self`, while the kernel has it: a future of it is alive, or was dropped and is being cancelled.
    pub fn into_inner(self) -> Result<T, Self> {
        Rc::try_unwrap(self.0).map_err(Self)
    }

    /// Waits until it is ready for any of `interest`, and says for what.
    ///
    /// **Dropped**, it is cancelled in the background, and nothing is lost.
    ///
    /// # Errors
    /// As poll(2) has them. An error of the descriptor itself is no error here but a [`Readiness`].
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn ready(&self, interest: Interest) -> Ready<T> {
        let ready = operation::Ready::new(Rc::clone(&self.0), interest.0);
        Ready(Op::new(current_reactor("ready"), ready))
    }

    /// Waits until a read does not block. As for [`ready`](Self::ready).
    ///
    /// # Errors
    /// As for [`ready`](Self::ready).
    #[track_caller]
    pub fn readable(&self) -> Ready<T> {
        self.ready(Interest::READABLE)
    }

    /// Waits until a write does not block. As for [`ready`](Self::ready).
    ///
    /// # Errors
    /// As for [`ready`](Self::ready).
    #[track_caller]
    pub fn writable(&self) -> Ready<T> {
        self.ready(Interest::WRITABLE)
    }

    /// Calls `call`, and as long as that says `WouldBlock`, waits and calls it again. Calls that say `Interrupted` are made again at once.
    ///
    /// **Dropped**, nothing is lost: what `call` has done, it has returned.
    ///
    /// # Errors
    /// Those of `call`, and of [`ready`](Self::ready).
    pub async fn when<R>(
        &self,
        interest: Interest,
        mut call: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        consume_budget().await;
        loop {
            match call(&self.0) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.ready(interest).await?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }
}

impl<T: AsFd> AsFd for AsyncFd<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

as_raw_fd!([T: AsFd] AsyncFd<T>);
