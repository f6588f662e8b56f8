//! The methods by which listeners accept: one text for all of them. The only field is a
//! `ListenSocket`, and the stream has `from_owned`.

/// What every listener has. `$stream` is what it accepts, `$address` that of a peer.
macro_rules! listener_methods {
    ($stream:ty, $address:ty) => {
        pub(in crate::net) fn from_owned(socket: std::os::fd::OwnedFd) -> Self {
            Self($crate::net::listen_socket::ListenSocket::new(socket))
        }

        /// Waits for a connection. The new socket is close-on-exec and belongs to this core. With
        /// it comes the peer's address; that of a Unix socket is unnamed, mostly.
        ///
        /// **Dropped** before it is ready, the operation is cancelled. A connection that was being
        /// handed over at that moment goes to the next accept. A second accept waits for the first.
        ///
        /// # Errors
        /// As accept(2) has them. When descriptors run out (`EMFILE`, `ENFILE`) the connection
        /// stays in the backlog: wait until some are free and accept again. `EBUSY` while an
        /// [`Incoming`](crate::net::Incoming) has the listener.
        ///
        /// # Panics
        /// Outside of a runtime.
        #[track_caller]
        pub fn accept(&self) -> $crate::net::Accept<$stream, $address> {
            self.0.accept(|(socket, peer)| {
                let peer = $crate::net::address::Address::of(&peer)?;
                Ok((<$stream>::from_owned(socket), peer))
            })
        }

        /// All connections, one after another; see there for what it has for itself meanwhile.
        /// **Dropped**, it loses none. Who a connection is from, its `peer_addr` says.
        ///
        /// # Panics
        /// Outside of a runtime.
        #[track_caller]
        pub fn incoming(&self) -> $crate::net::Incoming<$stream> {
            self.0.incoming(<$stream>::from_owned)
        }

        $crate::net::address_methods::local_addr_method! {
            /// The address it listens at.
            $address
        }

        $crate::net::socket_options::take_error_method!();
        $crate::io::closing::close_method!();
    };
}

pub(super) use listener_methods;
