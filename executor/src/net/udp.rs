//! UDP.

use super::address::{no_address, to_std};
use super::address_methods::{local_addr_method, peer_addr_method};
use super::conversions::descriptor_traits;
use super::datagram_methods::datagram_methods;
use super::datagram_socket::DatagramSocket;
use super::resolve::resolve;
use super::socket_options::{buffer_options, device_options, tos_options, ttl_options};
use super::{
    BufPool, Datagrams, RecvFrom, RecvFromVectored, SendTo, SendVectored, ToSocketAddrs,
    UdpSocketBuilder,
};
use crate::buf::{IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use crate::io::conversions::{conversion_methods, shared_from};
use socket2::SockRef;
use std::io;
use std::net::{self, IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A UDP socket, bound to the core it was made on.
///
/// Sending and receiving take `&self`: one task may send while another receives. To hand it to another core, turn it
/// [into a standard one](Self::into_std) and back there.
///
/// **Dropping** the socket closes it, and its address is free at once, also if an operation was dropped a moment before. Not so while a future or a
/// [`Datagrams`] of it is alive: then the last of those closes it.
///
/// # Examples
/// ```
/// use executor::buf::BufResult;
/// use executor::net::UdpSocket;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let server = UdpSocket::bind("127.0.0.1:0")?;
/// let client = UdpSocket::bind("127.0.0.1:0")?;
/// client.send_to("hello", server.local_addr()?).await.0?;
/// let BufResult(received, buffer) = server.recv_from(Vec::with_capacity(64)).await;
/// let (count, sender) = received?;
/// assert_eq!((count, &*buffer), (5, &b"hello"[..]));
/// assert_eq!(sender, client.local_addr()?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct UdpSocket(pub(super) DatagramSocket);

impl UdpSocket {
    /// A socket at the first of `addresses` that can be bound. Port 0 picks a free one. A name is refused:
    /// see [`ToSocketAddrs`].
    ///
    /// # Errors
    /// As bind(2) has them; `AddrInUse` if anybody has the address, this process included: for a socket on each core, see
    /// [`bind_all`](Self::bind_all). `InvalidInput` for a name.
    pub fn bind(addresses: impl ToSocketAddrs) -> io::Result<Self> {
        UdpSocketBuilder::new().bind(addresses)
    }

    /// One socket for each core of this runtime, all at the first of `addresses` that can be bound. The kernel spreads datagrams over them, by a
    /// hash of the addresses of both sides: so those of one sender always come to the same core. Port 0 picks a free one, the same for all.
    ///
    /// The rest is as for [`TcpListener::bind_all`](super::TcpListener::bind_all): they are sockets of the standard library, each to be sent to its
    /// core and turned [into](From) a `UdpSocket` there. **Every one must be received from, or dropped**: what the kernel gives to one that
    /// nobody receives from is lost. Other programs get `AddrInUse`, except those of the same user that set `SO_REUSEPORT`.
    ///
    /// # Errors
    /// Those of [`bind`](Self::bind). If one of the sockets cannot be made, there is none.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn bind_all(addresses: impl ToSocketAddrs) -> io::Result<Vec<net::UdpSocket>> {
        UdpSocketBuilder::new().bind_many(addresses, crate::cores())
    }

    /// From now on, [`send`](Self::send) goes to the first of `addresses` that can be reached, and nothing is received but from there. A
    /// name is looked up by [`spawn_blocking`](crate::spawn_blocking); nothing is sent.
    ///
    /// **Dropped** before it is ready, it has changed nothing.
    ///
    /// # Errors
    /// As connect(2) has them, or the lookup's.
    pub async fn connect(&self, addresses: impl ToSocketAddrs) -> io::Result<()> {
        let mut last = None;
        for address in resolve(&addresses).await? {
            match SockRef::from(self).connect(&address.into()) {
                Ok(()) => return Ok(()),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(no_address))
    }

    /// Receives a datagram into the buffer's capacity, from its start; what does not fit is lost. Says how long it is, and whom it is from.
    /// The buffer's length becomes that of the datagram.
    ///
    /// **Dropped** before it is ready, the receive is cancelled, and nothing is lost: a datagram that had come by then is what the next
    /// receive yields, cut as the dropped one's buffer had it. To have the buffer back, [cancel](RecvFrom::cancel) it instead.
    ///
    /// # Errors
    /// As recvmsg(2) has them: `ConnectionRefused` when an earlier datagram found nobody. `EBUSY` while a [`Datagrams`] has the
    /// receiving side.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn recv_from<B: IoBufMut>(&self, buffer: B) -> RecvFrom<B> {
        self.0.recv_from(buffer)
    }

    /// Receives as [`recv_from`](Self::recv_from) does, and leaves the datagram to be received again. Cancellation, errors and panics as
    /// there.
    #[track_caller]
    pub fn peek_from<B: IoBufMut>(&self, buffer: B) -> RecvFrom<B> {
        self.0.peek_from(buffer)
    }

    /// Receives a datagram into several buffers, each full before the next is begun. Cancellation, errors and panics as for
    /// [`recv_from`](Self::recv_from).
    #[track_caller]
    pub fn recv_from_vectored<V: IoVectoredBufMut>(&self, buffers: V) -> RecvFromVectored<V> {
        self.0.recv_from_vectored(buffers)
    }

    /// Receives datagram after datagram into buffers of a pool of the same core, which the kernel chooses when one has come. It
    /// begins when first polled; see there for what it has for itself meanwhile, and what is lost when it is **dropped**: nothing.
    ///
    /// # Errors
    /// `InvalidInput` if the pool is filled incrementally, or if its buffers are too small: beside the datagram each holds the sender's
    /// address, in 144 bytes.
    ///
    /// # Panics
    /// Outside of a runtime, and if the pool is of another one.
    #[track_caller]
    pub fn receive(&self, pool: &BufPool) -> io::Result<Datagrams> {
        Datagrams::new(self.0.socket(), self.0.inbound().clone(), pool)
    }

    /// Sends the buffer's bytes as a datagram, and returns how many they are.
    ///
    /// **Dropped** before it is ready, the send is cancelled: the datagram was sent or was not, and is not any more once another send has
    /// begun, which waits for that. To know, [cancel](SendTo::cancel) it instead.
    ///
    /// # Errors
    /// As sendmsg(2) has them: `EMSGSIZE` if it is too large.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn send_to<B: IoBuf>(&self, buffer: B, target: SocketAddr) -> SendTo<B> {
        self.0.send_to(buffer, Ok(target.into()))
    }

    /// Sends the bytes of several buffers, one after another, as one datagram. Cancellation, errors and panics as for
    /// [`send_to`](Self::send_to).
    #[track_caller]
    pub fn send_to_vectored<V: IoVectoredBuf>(
        &self,
        buffers: V,
        target: SocketAddr,
    ) -> SendVectored<V> {
        self.0.send_vectored(buffers, Some(target.into()))
    }

    datagram_methods! {
        "datagram";

        /// Receives a datagram, from whomever; for connected sockets. Cancellation, errors and
        /// panics as for [`recv_from`](Self::recv_from).
        recv;

        /// Sends a datagram to whom the socket is connected to. Cancellation, errors and panics as
        /// for [`send_to`](Self::send_to); `ConnectionRefused` when an earlier one found nobody
        /// there, `EDESTADDRREQ` if it is not connected.
        send;
    }

    /// Receives a datagram at once, and returns how many of its bytes are in the buffer and who sent it. What does not fit is lost.
    ///
    /// # Errors
    /// As for [`try_recv`](Self::try_recv).
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn try_recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (count, sender) = self.0.try_recv(buffer)?;
        Ok((count, to_std(&sender)?))
    }

    /// Sends a datagram to `target` at once.
    ///
    /// # Errors
    /// As for [`try_send`](Self::try_send).
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn try_send_to(&self, buffer: &[u8], target: SocketAddr) -> io::Result<usize> {
        self.0.try_send(buffer, Some(&target.into()))
    }

    buffer_options!();
    ttl_options!();
    tos_options!();
    device_options!();

    /// Whether datagrams may be sent to broadcast addresses (`SO_BROADCAST`).
    ///
    /// # Errors
    /// As setsockopt(2) has them.
    pub fn set_broadcast(&self, broadcast: bool) -> io::Result<()> {
        SockRef::from(self).set_broadcast(broadcast)
    }

    /// Whether `SO_BROADCAST` is set.
    ///
    /// # Errors
    /// As getsockopt(2) has them.
    pub fn broadcast(&self) -> io::Result<bool> {
        SockRef::from(self).broadcast()
    }

    /// Joins a multicast group, on the interface that has this address; on one that the system chooses if it is unspecified.
    ///
    /// # Errors
    /// As setsockopt(2) has them.
    pub fn join_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        SockRef::from(self).join_multicast_v4(&group, &interface)
    }

    /// Leaves a multicast group.
    ///
    /// # Errors
    /// As setsockopt(2) has them.
    pub fn leave_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        SockRef::from(self).leave_multicast_v4(&group, &interface)
    }

    /// Joins a multicast group, on the interface of this number; on one that the system chooses if it is zero.
    ///
    /// # Errors
    /// As setsockopt(2) has them.
    pub fn join_multicast_v6(&self, group: Ipv6Addr, interface: u32) -> io::Result<()> {
        SockRef::from(self).join_multicast_v6(&group, interface)
    }

    /// Leaves a multicast group.
    ///
    /// # Errors
    /// As setsockopt(2) has them.
    pub fn leave_multicast_v6(&self, group: Ipv6Addr, interface: u32) -> io::Result<()> {
        SockRef::from(self).leave_multicast_v6(&group, interface)
    }

    /// Whether what is sent to a group comes back to receivers on this machine.
    ///
    /// # Errors
    /// As setsockopt(2) has them.
    pub fn set_multicast_loop(&self, loops: bool) -> io::Result<()> {
        match self.local_addr()?.ip() {
            IpAddr::V4(_) => SockRef::from(self).set_multicast_loop_v4(loops),
            IpAddr::V6(_) => SockRef::from(self).set_multicast_loop_v6(loops),
        }
    }

    /// Over how many hops what is sent to a group may go.
    ///
    /// # Errors
    /// As setsockopt(2) has them.
    pub fn set_multicast_ttl(&self, hops: u32) -> io::Result<()> {
        match self.local_addr()?.ip() {
            IpAddr::V4(_) => SockRef::from(self).set_multicast_ttl_v4(hops),
            IpAddr::V6(_) => SockRef::from(self).set_multicast_hops_v6(hops),
        }
    }

    /// Whether what is sent to a group comes back to receivers on this machine.
    ///
    /// # Errors
    /// As getsockopt(2) has them.
    pub fn multicast_loop(&self) -> io::Result<bool> {
        match self.local_addr()?.ip() {
            IpAddr::V4(_) => SockRef::from(self).multicast_loop_v4(),
            IpAddr::V6(_) => SockRef::from(self).multicast_loop_v6(),
        }
    }

    /// Over how many hops what is sent to a group may go.
    ///
    /// # Errors
    /// As getsockopt(2) has them.
    pub fn multicast_ttl(&self) -> io::Result<u32> {
        match self.local_addr()?.ip() {
            IpAddr::V4(_) => SockRef::from(self).multicast_ttl_v4(),
            IpAddr::V6(_) => SockRef::from(self).multicast_hops_v6(),
        }
    }

    /// By which interface what is sent to groups goes, for IPv4: the one that has this address; the system chooses if it is unspecified.
    ///
    /// # Errors
    /// As setsockopt(2) has them.
    pub fn set_multicast_if_v4(&self, interface: Ipv4Addr) -> io::Result<()> {
        SockRef::from(self).set_multicast_if_v4(&interface)
    }

    /// By which interface what is sent to groups goes, for IPv6: the one of this number; the system chooses if it is zero.
    ///
    /// # Errors
    /// As setsockopt(2) has them.
    pub fn set_multicast_if_v6(&self, interface: u32) -> io::Result<()> {
        SockRef::from(self).set_multicast_if_v6(interface)
    }

    local_addr_method! {
        /// The address on this side.
        SocketAddr
    }

    peer_addr_method! {
        /// The address it is connected to.
        SocketAddr
    }

    conversion_methods!(
        net::UdpSocket,
        "socket",
        "an operation",
        "a datagram that a dropped receive has left is to be received"
    );
}

descriptor_traits!(
    UdpSocket,
    "a UDP socket, as of socket activation",
    net::UdpSocket
);
shared_from!(UdpSocket, "a socket");
