//! The options of a UDP socket that must be set before it is bound.

use super::address::first_that;
use super::address_group::{bind_group, unbound};
use super::{ToSocketAddrs, UdpSocket};
use socket2::{Socket, Type};
use std::io;
use std::net::{self, SocketAddr};

/// The options of a [`UdpSocket`].
///
/// # Examples
/// ```
/// use executor::net::UdpSocketBuilder;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let old = UdpSocketBuilder::new().reuse_port(true).bind("127.0.0.1:0")?;
/// // Of the next version of the program, while the old one still receives.
/// let new = UdpSocketBuilder::new().reuse_port(true).bind(old.local_addr()?)?;
/// # drop(new);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct UdpSocketBuilder {
    reuse_address: bool,
    reuse_port: bool,
    only_v6: Option<bool>,
    recv_buffer_bytes: Option<usize>,
    send_buffer_bytes: Option<usize>,
}

impl UdpSocketBuilder {
    /// `SO_REUSEADDR` and `SO_REUSEPORT` off; `IPV6_V6ONLY` and the sizes of the buffers as the system has them.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the address may be shared with other sockets that have set this, too (`SO_REUSEADDR`). A datagram to one machine goes to the one
    /// that was bound last; one to a multicast group goes to all. It is for several programs that listen to one group.
    #[must_use]
    pub fn reuse_address(mut self, reuse: bool) -> Self {
        self.reuse_address = reuse;
        self
    }

    /// Whether the address is shared with other sockets of the same user that have set this, too (`SO_REUSEPORT`). Each sender's datagrams go to one of
    /// them, by a hash of the addresses. It is for restarts without a gap. For a socket on each core, see [`UdpSocket::bind_all`].
    #[must_use]
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.reuse_port = reuse;
        self
    }

    /// Whether a socket on an IPv6 address leaves IPv4 alone (`IPV6_V6ONLY`).
    #[must_use]
    pub fn only_v6(mut self, only: bool) -> Self {
        self.only_v6 = Some(only);
        self
    }

    /// Asks for a receive buffer of so many bytes (`SO_RCVBUF`) before anything can come; the system takes twice that, within its limits.
    #[must_use]
    pub fn recv_buffer_size(mut self, bytes: usize) -> Self {
        self.recv_buffer_bytes = Some(bytes);
        self
    }

    /// Asks for a send buffer of so many bytes (`SO_SNDBUF`); the system takes twice that, within its limits.
    #[must_use]
    pub fn send_buffer_size(mut self, bytes: usize) -> Self {
        self.send_buffer_bytes = Some(bytes);
        self
    }

    /// A socket at the first of `addresses` that can be bound.
    ///
    /// # Errors
    /// As for [`UdpSocket::bind`].
    pub fn bind(&self, addresses: impl ToSocketAddrs) -> io::Result<UdpSocket> {
        let socket = first_that(addresses, |address| self.bind_one(address, self.reuse_port))?;
        Ok(UdpSocket::from_owned(socket.into()))
    }

    /// `count` sockets, all at the first of `addresses` that can be bound, as [`UdpSocket::bind_all`] does, in a runtime or outside.
    ///
    /// # Errors
    /// As for [`UdpSocket::bind_all`], and `InvalidInput` if `count` is zero.
    pub fn bind_many(
        &self,
        addresses: impl ToSocketAddrs,
        count: usize,
    ) -> io::Result<Vec<net::UdpSocket>> {
        let bind_one = |address, reuse_port| self.bind_one(address, reuse_port);
        let bind = |address| bind_group(address, count, self.reuse_port, bind_one);
        let sockets = first_that(addresses, bind)?;
        Ok(sockets.into_iter().map(Into::into).collect())
    }

    fn bind_one(&self, address: SocketAddr, reuse_port: bool) -> io::Result<Socket> {
        let (reuse_address, only_v6) = (self.reuse_address, self.only_v6);
        let socket = unbound(Type::DGRAM, address, reuse_address, reuse_port, only_v6)?;
        if let Some(bytes) = self.recv_buffer_bytes {
            socket.set_recv_buffer_size(bytes)?;
        }
        if let Some(bytes) = self.send_buffer_bytes {
            socket.set_send_buffer_size(bytes)?;
        }
        socket.bind(&address.into())?;
        Ok(socket)
    }
}
