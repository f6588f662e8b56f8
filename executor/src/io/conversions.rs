//! To and from descriptors, in the same words for every type that has one: sockets, pipes, files.
//!
//! The macros are for types whose first field is what has the descriptor, unless they say more.

/// The methods that turn a type into its counterpart in the standard library, and back. The first
/// field has `into_owned`; the type has `From` for the counterpart and for `OwnedFd`.
///
/// `$noun` is what users call it, `$operation` what may be in flight, and `$kept` what a dropped
/// operation may have left. Without arguments they are for a type that has no such counterpart.
macro_rules! conversion_methods {
    ($std:ty, $noun:literal, $operation:literal $(, $kept:literal)?) => {
        /// Takes over one of the standard library: the same as [`From`]. It belongs to this core from now on.
        pub fn from_std(of_std: $std) -> Self {
            Self::from(of_std)
        }

        #[doc = concat!("Turns it into a ", $noun, " of the standard library,")]
        /// which may be sent to another core and turned back there.
        ///
        /// # Errors
        #[doc = concat!("The ", $noun, " itself, while ", $operation, " of it is in flight,")]
        #[doc = concat!("also one that was dropped and is being cancelled", $(", and while ", $kept,)? ".")]
        pub fn into_std(self) -> Result<$std, Self> {
            self.0.into_owned().map(Into::into).map_err(Self)
        }

        /// Gives the bare descriptor back, to be sent to another core, or to be passed to another library.
        ///
        /// # Errors
        /// `self`, for the same reasons as [`into_std`](Self::into_std).
        pub fn into_owned_fd(self) -> Result<std::os::fd::OwnedFd, Self> {
            self.0.into_owned().map_err(Self)
        }

        $crate::io::conversions::conversion_methods!(@try_clone);
    };
    () => {
        /// Gives the bare descriptor back, to be sent to another core, or to be passed to another
        /// library.
        ///
        /// # Errors
        /// `self`, while an operation or another future of it is in flight, also one that was
        /// dropped and is being cancelled; and while something that a dropped operation has
        /// received waits for the next one.
        pub fn into_owned_fd(self) -> Result<std::os::fd::OwnedFd, Self> {
            self.0.into_owned().map_err(Self)
        }

        $crate::io::conversions::conversion_methods!(@try_clone);
    };
    (@try_clone) => {
        /// Duplicates the descriptor: both are the same socket or pipe, on this core, and it is closed when both are.
        ///
        /// Operations take turns within each of the two only: two reads race for what comes, and
        /// parts of two writes may mix. Data that a dropped operation has left goes to the next one
        /// of the same handle, not of the other. To share one handle among tasks of a core, put it
        /// into an [`Rc`](std::rc::Rc) instead.
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

/// `AsFd` and `AsRawFd`.
macro_rules! as_fd {
    ($($type:ty),+ $(,)?) => {$(
        impl std::os::fd::AsFd for $type {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                std::os::fd::AsFd::as_fd(&self.0)
            }
        }

        $crate::io::conversions::as_raw_fd!([] $type);
    )+};
}

/// `From` of a reference for `SharedFd`. The first field has `descriptor`. `$what` is for the docs.
macro_rules! shared_from {
    ($type:ty, $what:literal) => {
        impl From<&$type> for $crate::ring::SharedFd {
            #[doc = concat!("Shares the descriptor of ", $what, ".")]
            fn from(holder: &$type) -> Self {
                Self::of(holder.0.descriptor())
            }
        }
    };
}

pub(crate) use {as_fd, as_raw_fd, conversion_methods, shared_from};
