//! What all sockets have to and from descriptors. The methods are those of `io::conversions`.

/// The traits of a socket of one core. It has `from_owned`, which takes over a blocking socket.
/// `$what` is what it takes over, and `$std` its counterpart in the standard library, if any.
macro_rules! descriptor_traits {
    ($type:ty, $what:literal $(, $std:ty)?) => {
        $crate::io::conversions::as_fd!($type);

        impl From<std::os::fd::OwnedFd> for $type {
            #[doc = concat!("Takes over ", $what, ". It is made blocking, if it is not.")]
            fn from(socket: std::os::fd::OwnedFd) -> Self {
                Self::from_owned($crate::net::made_blocking(socket))
            }
        }

        $(
            impl From<$std> for $type {
                /// Takes over one of the standard library. It is made blocking, if it is not: the
                /// ring waits by itself.
                fn from(of_std: $std) -> Self {
                    Self::from(std::os::fd::OwnedFd::from(of_std))
                }
            }
        )?
    };
}

/// The traits of a socket that is not connected yet, around socket2's. No operation has it, so it
/// is given away at any time.
macro_rules! unconnected_traits {
    ($type:ty, $what:literal) => {
        $crate::io::conversions::as_fd!($type);

        impl From<std::os::fd::OwnedFd> for $type {
            #[doc = concat!("Takes over ", $what, ". It is made blocking, if it is not.")]
            fn from(socket: std::os::fd::OwnedFd) -> Self {
                Self($crate::net::made_blocking(socket).into())
            }
        }

        impl From<$type> for std::os::fd::OwnedFd {
            /// Gives the socket away.
            fn from(socket: $type) -> Self {
                socket.0.into()
            }
        }

        impl std::os::fd::IntoRawFd for $type {
            fn into_raw_fd(self) -> std::os::fd::RawFd {
                self.0.into_raw_fd()
            }
        }
    };
}

pub(super) use {descriptor_traits, unconnected_traits};
