//! To and from bare descriptors and the types of the standard library: one text for all sockets.
//!
//! Each type has `from_owned`, which takes over a blocking socket, and a first field with `into_owned`.

use socket2::SockRef;
use std::io;
use std::os::fd::OwnedFd;

/// A socket from elsewhere, without `O_NONBLOCK`.
pub(super) fn blocking(socket: OwnedFd) -> io::Result<OwnedFd> {
    SockRef::from(&socket).set_nonblocking(false)?;
    Ok(socket)
}

/// The methods. `$std` is the type of the standard library, where there is one.
macro_rules! conversion_methods {
    ($std:ty) => {
        /// Takes over a socket of the standard library, for this core. It is made blocking, if it is not: the ring waits by itself. There is also a
        /// [`From`], which logs the error instead.
        ///
        /// # Errors
        /// As fcntl(2) has them, if it cannot be made blocking. The socket is closed then.
        pub fn from_std(socket: $std) -> std::io::Result<Self> {
            crate::net::conversions::blocking(socket.into()).map(Self::from_owned)
        }

        conversion_methods!();
    };
    () => {
        /// Gives its descriptor away, for other types and libraries, or another core. To get a bare number:
        /// [`into_raw_fd`](std::os::fd::IntoRawFd::into_raw_fd) of that.
        ///
        /// # Errors
        /// `self`, while an operation or another future of it is in flight, also one that was dropped and is being cancelled; and while something
        /// that a dropped operation has received waits for the next one.
        pub fn into_owned_fd(self) -> Result<std::os::fd::OwnedFd, Self> {
            self.0.into_owned().map_err(Self)
        }

        /// A second one for the same socket, with a descriptor of its own (`F_DUPFD_CLOEXEC`). The socket is closed when both are.
        ///
        /// The two do not know of each other. Operations take turns in each, but not between them: two reads race for what comes, and parts of two
        /// writes may mix. What a dropped operation of one has received goes to the next of the same one. To share one socket among tasks of a
        /// core, put it into an [`Rc`](std::rc::Rc) instead; for another core, give it the descriptor of a second one.
        ///
        /// # Errors
        /// As fcntl(2) has them: `EMFILE` if there are too many descriptors.
        pub fn try_clone(&self) -> std::io::Result<Self> {
            let socket = std::os::fd::AsFd::as_fd(self).try_clone_to_owned()?;
            Ok(Self::from_owned(socket))
        }
    };
}

/// The traits of a type that the standard library has no counterpart of. `$what` is what it takes over.
macro_rules! descriptor_traits {
    ($type:ty, $what:literal) => {
        impl std::os::fd::AsFd for $type {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                std::os::fd::AsFd::as_fd(&self.0)
            }
        }

        impl std::os::fd::AsRawFd for $type {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                std::os::fd::AsRawFd::as_raw_fd(&std::os::fd::AsFd::as_fd(&self.0))
            }
        }

        impl From<std::os::fd::OwnedFd> for $type {
            #[doc = concat!("Takes over ", $what, ". It is made blocking, if it is not.")]
            fn from(socket: std::os::fd::OwnedFd) -> Self {
                Self::from_owned(crate::net::made_blocking(socket))
            }
        }
    };
}

pub(super) use {conversion_methods, descriptor_traits};
