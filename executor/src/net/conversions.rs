//! To and from bare descriptors, for sockets that the standard library has no type for. The others have `io::conversions`.
//!
//! Each type has `from_owned`, which takes over a blocking socket, and a first field with `into_owned`.

/// The methods.
macro_rules! bare_conversion_methods {
    () => {
        /// Gives the bare descriptor back, to be sent to another core, or to be passed to another library.
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

pub(super) use {bare_conversion_methods, descriptor_traits};
