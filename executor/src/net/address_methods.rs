//! The methods by which sockets say which addresses they have: one text for all types that do.

/// The address on this side. What it is of a type is said before the type of the address.
macro_rules! local_addr_method {
    ($(#[$doc:meta])+ $address:ty) => {
        $(#[$doc])+
        ///
        /// # Errors
        /// As getsockname(2) has them.
        pub fn local_addr(&self) -> std::io::Result<$address> {
            let address = socket2::SockRef::from(self).local_addr()?;
            $crate::net::address::Address::of(&address)
        }
    };
}

/// The address on the other side, likewise.
macro_rules! peer_addr_method {
    ($(#[$doc:meta])+ $address:ty) => {
        $(#[$doc])+
        ///
        /// # Errors
        /// As getpeername(2) has them: `NotConnected` if it is not connected, or not any more.
        pub fn peer_addr(&self) -> std::io::Result<$address> {
            let address = socket2::SockRef::from(self).peer_addr()?;
            $crate::net::address::Address::of(&address)
        }
    };
}

pub(super) use {local_addr_method, peer_addr_method};
