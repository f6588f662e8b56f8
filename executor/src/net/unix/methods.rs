//! The methods of Unix sockets that several types have: one text for all of them.
//!
//! `$kind` is socket2's type of the sockets.

/// Connecting, for what is connected. `$listener` is named in the docs, and `$make` makes it of a
/// connected `StreamSocket`.
macro_rules! connect_methods {
    ($kind:expr, $listener:literal, $make:expr) => {
        #[doc = concat!("Connects to the ", $listener, " at a path.")]
        ///
        /// **Dropped** before it is ready, the attempt is cancelled and the socket closed.
        ///
        /// # Errors
        /// As connect(2) has them: `NotFound`, or `ConnectionRefused` if nobody listens there any
        /// more; `EPROTOTYPE` if a socket of another type does; `InvalidInput` if the path is too
        /// long.
        ///
        /// # Panics
        /// Outside of a runtime.
        #[track_caller]
        pub fn connect(path: impl AsRef<std::path::Path>) -> $crate::net::Connect<Self> {
            Self::connect_to(socket2::SockAddr::unix(path))
        }

        /// Connects to an address: a path, or an abstract name
        /// ([`SocketAddrExt::from_abstract_name`](std::os::linux::net::SocketAddrExt::from_abstract_name)).
        /// The rest is as for [`connect`](Self::connect).
        ///
        /// # Errors
        /// Those of `connect`.
        ///
        /// # Panics
        /// Outside of a runtime.
        #[track_caller]
        pub fn connect_addr(
            address: &std::os::unix::net::SocketAddr,
        ) -> $crate::net::Connect<Self> {
            Self::connect_to($crate::net::address::from_unix(address))
        }

        #[track_caller]
        fn connect_to(address: std::io::Result<socket2::SockAddr>) -> $crate::net::Connect<Self> {
            let socket = socket2::Socket::new(socket2::Domain::UNIX, $kind, None);
            $crate::net::Connect::to_one(socket, address, $make)
        }
    };
}

/// A pair, for what can be connected.
macro_rules! pair_method {
    ($kind:expr) => {
        /// Two sockets that are connected with each other.
        ///
        /// # Errors
        /// As socketpair(2) has them.
        pub fn pair() -> std::io::Result<(Self, Self)> {
            let (one, other) = socket2::Socket::pair(socket2::Domain::UNIX, $kind, None)?;
            Ok((Self::from_owned(one.into()), Self::from_owned(other.into())))
        }
    };
}

/// Who the peer is.
macro_rules! peer_cred_method {
    ($(#[$doc:meta])+) => {
        $(#[$doc])+
        ///
        /// # Errors
        /// As getsockopt(2) has them.
        pub fn peer_cred(&self) -> std::io::Result<$crate::net::PeerCredentials> {
            $crate::net::unix::credentials::of_peer(self)
        }
    };
}

/// Binding by path or address, for what is made so. `bind_to` does it, and `$what` says what that
/// is.
macro_rules! bind_methods {
    ($what:literal; $(#[$doc:meta])+) => {
        $(#[$doc])+
        pub fn bind(path: impl AsRef<std::path::Path>) -> std::io::Result<Self> {
            Self::bind_to(&socket2::SockAddr::unix(path)?)
        }

        #[doc = concat!($what, " an address: a path, or an abstract name")]
        /// ([`SocketAddrExt::from_abstract_name`](std::os::linux::net::SocketAddrExt::from_abstract_name)).
        ///
        /// # Errors
        /// Those of [`bind`](Self::bind).
        pub fn bind_addr(address: &std::os::unix::net::SocketAddr) -> std::io::Result<Self> {
            Self::bind_to(&$crate::net::address::from_unix(address)?)
        }
    };
}

/// What listeners have.
macro_rules! unix_listener_methods {
    ($kind:expr, $stream:ty) => {
        $crate::net::unix::methods::bind_methods! {
            "Listens at";
            /// Listens at a path, where there must be nothing yet.
            ///
            /// # Errors
            /// As bind(2) and listen(2) have them: `AddrInUse` if there is something, be it a
            /// socket that nobody listens at; `InvalidInput` if the path is too long.
        }

        fn bind_to(address: &socket2::SockAddr) -> std::io::Result<Self> {
            let socket = socket2::Socket::new(socket2::Domain::UNIX, $kind, None)?;
            socket.bind(address)?;
            $crate::net::listen_socket::listen(&socket, $crate::net::listen_socket::BACKLOG)?;
            Ok(Self::from_owned(socket.into()))
        }

        $crate::net::listener_methods::listener_methods!($stream, std::os::unix::net::SocketAddr);

        /// Removes the path that it listens at; does nothing if that is none. From then on nobody
        /// finds it there; connections made before are still accepted.
        ///
        /// It is a system call, which may wait for the file system, and it does not look who is at
        /// the path now.
        ///
        /// # Errors
        /// As unlink(2) has them.
        pub fn unlink(&self) -> std::io::Result<()> {
            match self.local_addr()?.as_pathname() {
                Some(path) => std::fs::remove_file(path),
                None => Ok(()),
            }
        }
    };
}

/// Descriptors along with datagrams or messages, for what has `recv` and `send` and a
/// `DatagramSocket` as its only field. `$message` is what users call one.
macro_rules! descriptor_passing_methods {
    ($message:literal) => {
        /// Receives as [`recv`](Self::recv) does, and takes descriptors that came with the
        #[doc = concat!($message, ", `max` at most; further ones are closed.")]
        /// They are close-on-exec. Errors and panics as there.
        ///
        /// **Dropped** before it is ready, what is said of `recv` holds, for the descriptors as
        /// well, up to the `max` of the dropped receive.
        #[track_caller]
        pub fn recv_with_descriptors<B: $crate::buf::IoBufMut>(
            &self,
            buffer: B,
            max: usize,
        ) -> $crate::net::RecvWithDescriptors<B> {
            self.0.recv_with_descriptors(buffer, max)
        }

        /// Sends as [`send`](Self::send) does, and descriptors along, 253 at most. The receiver
        /// gets descriptors of its own for the same open files; these here are closed, whatever the
        /// outcome: pass clones to keep some. Cancellation and panics as there.
        ///
        /// # Errors
        /// Those of `send`; `EINVAL` for too many descriptors, `ETOOMANYREFS` if too many of this
        /// user's are under way.
        #[track_caller]
        pub fn send_with_descriptors<B: $crate::buf::IoBuf>(
            &self,
            buffer: B,
            descriptors: Vec<std::os::fd::OwnedFd>,
        ) -> $crate::net::SendWithDescriptors<B> {
            self.0.send_with_descriptors(buffer, descriptors)
        }
    };
}

pub(super) use {
    bind_methods, connect_methods, descriptor_passing_methods, pair_method, peer_cred_method,
    unix_listener_methods,
};
