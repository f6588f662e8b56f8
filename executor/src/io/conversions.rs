//! To and from descriptors, in the same words for every type that has one.

/// The methods, for types that have `into_std`, `AsFd` and `From<OwnedFd>`.
macro_rules! conversion_methods {
    ($std:ty) => {
        /// Takes over one of the standard library: the same as [`From`]. It belongs to this core from now on.
        pub fn from_std(of_std: $std) -> Self {
            Self::from(of_std)
        }

        /// Gives the bare descriptor back, to be sent to another core, or to be passed to another library.
        ///
        /// # Errors
        /// `self`, for the same reasons as [`into_std`](Self::into_std).
        pub fn into_owned_fd(self) -> Result<std::os::fd::OwnedFd, Self> {
            self.into_std().map(Into::into)
        }

        /// Duplicates the descriptor: both are the same socket or pipe, on this core, and it is closed when both are.
        ///
        /// Operations take turns within each of the two only. Data that a dropped operation has left goes to the next one of the same handle, not
        /// of the other.
        ///
        /// # Errors
        /// As fcntl(2) has them, for `F_DUPFD_CLOEXEC`: `EMFILE` if there are too many descriptors.
        pub fn try_clone(&self) -> std::io::Result<Self> {
            let descriptor = std::os::fd::AsFd::as_fd(self).try_clone_to_owned()?;
            Ok(descriptor.into())
        }
    };
}

/// `AsRawFd`, for types that have `AsFd`.
macro_rules! as_raw_fd {
    ($([$($parameters:tt)*] $type:ty),+ $(,)?) => {$(
        impl<$($parameters)*> std::os::fd::AsRawFd for $type {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                std::os::fd::AsFd::as_fd(self).as_raw_fd()
            }
        }
    )+};
}

pub(crate) use {as_raw_fd, conversion_methods};
