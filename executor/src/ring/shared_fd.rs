//! A descriptor that operations share with whoever uses it.

#![forbid(unsafe_code)]

use crate::fs::File;
use crate::io::conversions::as_fd;
use crate::io::ends::descriptor;
use crate::net::SocketStream;
use reactor::Descriptor;
use std::os::fd::OwnedFd;

/// A descriptor of one core, for operations to hold. The last clone that is dropped closes it.
///
/// Made [from an `OwnedFd`](#impl-From<OwnedFd>-for-SharedFd), it takes the descriptor over: a few
/// system calls that do not block. Made from a reference to a file, a pipe, a socket or a listener,
/// it shares the descriptor of that. While it is alive, `into_std` of that gives it back as an
/// error, `close` waits until the last `SharedFd`, and the last operation with one, has gone, and a
/// socket or a listener that is dropped keeps its address. An operation on a shared descriptor does
/// not wait for its turn among the reads and writes of the file, the pipe or the socket.
///
/// A [`TcpSocket`](crate::net::TcpSocket) or a [`UnixSocket`](crate::net::UnixSocket) is shared
/// with nothing of this crate yet: turn it into an `OwnedFd` and that into a `SharedFd`, and back.
///
/// # Examples
/// ```
/// use executor::ring::SharedFd;
/// use std::os::fd::OwnedFd;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let (reader, _writer) = std::io::pipe()?;
/// let shared = SharedFd::from(OwnedFd::from(reader));
/// let other = shared.clone();
/// let shared = shared.try_into_owned().expect_err("there is another clone");
/// drop(other);
/// let owned: OwnedFd = shared.try_into_owned().expect("this is the last");
/// # drop(owned);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SharedFd(Descriptor);

impl SharedFd {
    pub(crate) fn of(descriptor: &Descriptor) -> Self {
        Self(descriptor.clone())
    }

    pub(crate) fn descriptor(&self) -> &Descriptor {
        &self.0
    }

    /// Gives the descriptor back if nobody else holds it: no clone, no operation in flight, and not
    /// what it was made from.
    ///
    /// # Errors
    /// Returns `self` unchanged while there are other holders, and while a `close` of what it was
    /// made from waits for this one: then it is closed when this one is dropped.
    pub fn try_into_owned(self) -> Result<OwnedFd, Self> {
        self.0.try_into_owned().map_err(Self)
    }
}

impl From<OwnedFd> for SharedFd {
    /// Takes over a descriptor of any kind. Where closing it may block, the current core closes it in the background, if there is one.
    fn from(fd: OwnedFd) -> Self {
        Self(descriptor(fd))
    }
}

impl From<&File> for SharedFd {
    /// Shares the descriptor of a file.
    fn from(file: &File) -> Self {
        Self::of(file.descriptor())
    }
}

impl<S: SocketStream> From<&S> for SharedFd {
    /// Shares the descriptor of a stream.
    fn from(stream: &S) -> Self {
        Self::of(stream.stream_socket().descriptor())
    }
}

as_fd!(SharedFd);
