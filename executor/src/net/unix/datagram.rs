//! Datagrams between processes of one machine.

use super::PeerCredentials;
use super::credentials::of_peer;
use crate::buf::{IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use crate::io::closing::close_method;
use crate::io::conversions::{conversion_methods, shared_from};
use crate::net::address::{from_unix, to_unix};
use crate::net::address_methods::{local_addr_method, peer_addr_method};
use crate::net::conversions::descriptor_traits;
use crate::net::datagram_socket::DatagramSocket;
use crate::net::ready_methods::datagram_ready_methods;
use crate::net::socket_options::buffer_options;
use crate::net::{
    Recv, RecvFrom, RecvVectored, RecvWithDescriptors, SendDatagram, SendTo, SendVectored,
    SendWithDescriptors,
};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use std::io;
use std::os::fd::OwnedFd;
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
    /// A socket at a path, where there must be nothing yet.
    ///
    /// # Errors
    /// As bind(2) has them: `AddrInUse`; `InvalidInput` if the path is too long.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::bind_to(&SockAddr::unix(path)?)
    }

    /// A socket at an address: a path, or an abstract name
    /// ([`SocketAddrExt::from_abstract_name`](std::os::linux::net::SocketAddrExt::from_abstract_name)).
    ///
    /// # Errors
    /// Those of [`bind`](Self::bind).
    pub fn bind_addr(address: &SocketAddr) -> io::Result<Self> {
        Self::bind_to(&from_unix(address)?)
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

    /// Two sockets that are connected with each other.
    ///
    /// # Errors
    /// As socketpair(2) has them.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = Socket::pair(Domain::UNIX, Type::DGRAM, None)?;
        Ok((Self::from_owned(one.into()), Self::from_owned(other.into())))
    }

    pub(super) fn from_owned(socket: OwnedFd) -> Self {
        Self(DatagramSocket::new(socket))
    }

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

    /// Receives a datagram into the buffer's capacity, from its start; what does not fit is lost. Descriptors that came with it are closed.
    /// The buffer's length becomes that of the datagram.
    ///
    /// **Dropped** before it is ready, the receive is cancelled, and nothing is lost: a datagram that had come by then is what the next
    /// receive yields, cut as the dropped one's buffer had it. To have the buffer back, [cancel](Recv::cancel) it instead.
    ///
    /// # Errors
    /// As recvmsg(2) has them.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn recv<B: IoBufMut>(&self, buffer: B) -> Recv<B> {
        self.0.recv(buffer)
    }

    /// Receives as [`recv`](Self::recv) does, and says whom it is from; unnamed if the sender is not bound.
    #[track_caller]
    pub fn recv_from<B: IoBufMut>(&self, buffer: B) -> RecvFrom<B, SocketAddr> {
        self.0.recv_from(buffer)
    }

    /// Receives as [`recv`](Self::recv) does, and leaves the datagram to be received again.
    #[track_caller]
    pub fn peek<B: IoBufMut>(&self, buffer: B) -> Recv<B> {
        self.0.peek(buffer)
    }

    /// Receives as [`recv`](Self::recv) does, into several buffers, each full before the next is begun.
    #[track_caller]
    pub fn recv_vectored<V: IoVectoredBufMut>(&self, buffers: V) -> RecvVectored<V> {
        self.0.recv_vectored(buffers)
    }

    /// Receives as [`recv`](Self::recv) does, and takes descriptors that came with the datagram, `max` at most; further ones are closed.
    /// They are close-on-exec.
    ///
    /// **Dropped** before it is ready, what is said of `recv` holds, for the descriptors as well, up to the `max` of the dropped receive.
    #[track_caller]
    pub fn recv_with_descriptors<B: IoBufMut>(
        &self,
        buffer: B,
        max: usize,
    ) -> RecvWithDescriptors<B> {
        self.0.recv_with_descriptors(buffer, max)
    }

    /// Sends the buffer's bytes as a datagram to the socket it is connected to, and returns how many they are. Waits while the receiver's
    /// queue is full.
    ///
    /// **Dropped** before it is ready, the send is cancelled: the datagram was sent or was not, and is not any more once another send has
    /// begun, which waits for that. To know, [cancel](SendDatagram::cancel) it instead.
    ///
    /// # Errors
    /// As send(2) has them: `ConnectionRefused` or `ConnectionReset` if the receiver has gone, `NotConnected`, `EMSGSIZE` if it is too
    /// large.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn send<B: IoBuf>(&self, buffer: B) -> SendDatagram<B> {
        self.0.send(buffer)
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

    /// Sends as [`send`](Self::send) does, the bytes of several buffers, one after another.
    #[track_caller]
    pub fn send_vectored<V: IoVectoredBuf>(&self, buffers: V) -> SendVectored<V> {
        self.0.send_vectored(buffers, None)
    }

    /// Sends as [`send`](Self::send) does, and descriptors along, 253 at most. The receiver gets descriptors of its own for the same open
    /// files; these here are closed, whatever the outcome: pass clones to keep some.
    ///
    /// # Errors
    /// Those of `send`; `EINVAL` for too many descriptors, `ETOOMANYREFS` if too many of this user's are under way.
    #[track_caller]
    pub fn send_with_descriptors<B: IoBuf>(
        &self,
        buffer: B,
        descriptors: Vec<OwnedFd>,
    ) -> SendWithDescriptors<B> {
        self.0.send_with_descriptors(buffer, descriptors)
    }

    datagram_ready_methods!();

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

    /// Who made the pair that it is one of (`SO_PEERCRED`).
    ///
    /// # Errors
    /// As getsockopt(2) has them.
    pub fn peer_cred(&self) -> io::Result<PeerCredentials> {
        of_peer(self)
    }

    close_method!();
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
