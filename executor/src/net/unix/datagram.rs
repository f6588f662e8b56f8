//! Datagrams between processes of one machine.

use super::methods::{bind_methods, descriptor_passing_methods, pair_method, peer_cred_method};
use crate::buf::{IoBuf, IoBufMut};
use crate::io::conversions::{conversion_methods, shared_from};
use crate::net::address::{from_unix, to_unix};
use crate::net::address_methods::{local_addr_method, peer_addr_method};
use crate::net::conversions::descriptor_traits;
use crate::net::datagram_methods::datagram_methods;
use crate::net::datagram_socket::DatagramSocket;
use crate::net::socket_options::buffer_options;
use crate::net::{RecvFrom, SendTo};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use std::io;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;

/// A Unix datagram socket, bound to the core it was made on. Nothing it sends is lost: a sender waits while the receiver's queue is full.
///
/// A path that was bound stays in the file system when the socket is gone: remove it.
///
/// # Examples
/// ```
/// use executor::buf::BufResult;
/// use executor::net::UnixDatagram;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let (one, other) = UnixDatagram::pair()?;
/// one.send("hello").await.0?;
/// one.send("again").await.0?;
/// let BufResult(received, buffer) = other.recv(Vec::with_capacity(64)).await;
/// assert_eq!((received?, &*buffer), (5, &b"hello"[..]));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct UnixDatagram(DatagramSocket);

impl UnixDatagram {
    bind_methods! {
        "A socket at";
        /// A socket at a path, where there must be nothing yet.
        ///
        /// # Errors
        /// As bind(2) has them: `AddrInUse`; `InvalidInput` if the path is too long.
    }

    fn bind_to(address: &SockAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
        socket.bind(address)?;
        Ok(Self::from_owned(socket.into()))
    }

    /// A socket without an address, to send from.
    ///
    /// # Errors
    /// As socket(2) has them.
    pub fn unbound() -> io::Result<Self> {
        let socket = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
        Ok(Self::from_owned(socket.into()))
    }

    pair_method!(Type::DGRAM);

    /// From now on, [`send`](Self::send) goes to the socket at this path.
    ///
    /// # Errors
    /// As connect(2) has them: `NotFound`, or `ConnectionRefused` if nobody is there any more.
    pub fn connect(&self, path: impl AsRef<Path>) -> io::Result<()> {
        SockRef::from(self).connect(&SockAddr::unix(path)?)
    }

    /// From now on, [`send`](Self::send) goes to the socket at this address.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect).
    pub fn connect_addr(&self, address: &SocketAddr) -> io::Result<()> {
        SockRef::from(self).connect(&from_unix(address)?)
    }

    /// Receives as [`recv`](Self::recv) does, and says whom it is from; unnamed if the sender is not bound.
    #[track_caller]
    pub fn recv_from<B: IoBufMut>(&self, buffer: B) -> RecvFrom<B, SocketAddr> {
        self.0.recv_from(buffer)
    }

    /// Sends as [`send`](Self::send) does, to the socket at a path.
    ///
    /// # Errors
    /// Those of `send`, and `InvalidInput` if the path is too long.
    #[track_caller]
    pub fn send_to<B: IoBuf>(&self, buffer: B, path: impl AsRef<Path>) -> SendTo<B> {
        self.0.send_to(buffer, SockAddr::unix(path))
    }

    /// Sends as [`send`](Self::send) does, to the socket at an address.
    ///
    /// # Errors
    /// Those of `send`.
    #[track_caller]
    pub fn send_to_addr<B: IoBuf>(&self, buffer: B, address: &SocketAddr) -> SendTo<B> {
        self.0.send_to(buffer, from_unix(address))
    }

    datagram_methods! {
        "datagram";

        /// Receives a datagram into the buffer's capacity, from its start; what does not fit is
        /// lost. Descriptors that came with it are closed. The buffer's length becomes that of the
        /// datagram.
        ///
        /// **Dropped** before it is ready, the receive is cancelled, and nothing is lost: a
        /// datagram that had come by then is what the next receive yields, cut as the dropped one's
        /// buffer had it. To have the buffer back, [cancel](crate::net::Recv::cancel) it instead.
        ///
        /// # Errors
        /// As recvmsg(2) has them.
        ///
        /// # Panics
        /// Outside of a runtime.
        recv;

        /// Sends the buffer's bytes as a datagram to the socket it is connected to, and returns how
        /// many they are. Waits while the receiver's queue is full.
        ///
        /// **Dropped** before it is ready, the send is cancelled: the datagram was sent or was not,
        /// and is not any more once another send has begun, which waits for that. To know,
        /// [cancel](crate::net::SendDatagram::cancel) it instead.
        ///
        /// # Errors
        /// As send(2) has them: `ConnectionRefused` or `ConnectionReset` if the receiver has gone,
        /// `NotConnected`, `EMSGSIZE` if it is too large.
        ///
        /// # Panics
        /// Outside of a runtime.
        send;
    }

    descriptor_passing_methods!("datagram");

    /// Receives a datagram at once, and returns how many of its bytes are in the buffer and who sent it: unnamed if the sender is not bound. What
    /// does not fit is lost, and descriptors that came with it are closed.
    ///
    /// # Errors
    /// As for [`try_recv`](Self::try_recv).
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn try_recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (count, sender) = self.0.try_recv(buffer)?;
        Ok((count, to_unix(&sender)?))
    }

    /// Sends a datagram to the socket at a path at once.
    ///
    /// # Errors
    /// As for [`try_send`](Self::try_send); `InvalidInput` if the path is too long.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn try_send_to(&self, buffer: &[u8], path: impl AsRef<Path>) -> io::Result<usize> {
        self.0.try_send(buffer, Some(&SockAddr::unix(path)?))
    }

    buffer_options!();

    local_addr_method! {
        /// The address on this side.
        SocketAddr
    }

    peer_addr_method! {
        /// The address it is connected to.
        SocketAddr
    }

    peer_cred_method! {
        /// Who made the pair that it is one of (`SO_PEERCRED`).
    }

    conversion_methods!(
        net::UnixDatagram,
        "socket",
        "an operation",
        "a datagram that a dropped receive has left is to be received"
    );
}

descriptor_traits!(
    UnixDatagram,
    "a Unix datagram socket, as of socket activation",
    net::UnixDatagram
);
shared_from!(UnixDatagram, "a socket");
