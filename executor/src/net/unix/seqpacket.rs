//! Connections that carry messages: Unix sockets of the type `SOCK_SEQPACKET`.

use super::PeerCredentials;
use super::credentials::of_peer;
use crate::buf::{IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use crate::io::closing::close_method;
use crate::io::conversions::{conversion_methods, shared_from};
use crate::net::address::{from_unix, to_unix};
use crate::net::address_methods::{local_addr_method, peer_addr_method};
use crate::net::conversions::descriptor_traits;
use crate::net::datagram_socket::DatagramSocket;
use crate::net::listen_socket::{BACKLOG, ListenSocket};
use crate::net::ready_methods::datagram_ready_methods;
use crate::net::socket_options::buffer_options;
use crate::net::{
    Accept, Connect, Incoming, Recv, RecvVectored, RecvWithDescriptors, SendDatagram, SendVectored,
    SendWithDescriptors, ShutdownStream,
};
use socket2::{Domain, SockAddr, Socket, Type};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::SocketAddr;
use std::path::Path;
use std::{fs, io};

/// A connection within a machine that carries messages: connected and reliable as a [`UnixStream`](super::UnixStream), with the boundaries of a
/// [`UnixDatagram`](super::UnixDatagram). It is bound to the core it was made on.
///
/// Sending and receiving take `&self`: one task may send while another receives. **Dropping** it closes the connection once no operation of it
/// is in flight.
///
/// # Examples
/// ```
/// use executor::buf::BufResult;
/// use executor::net::UnixSeqpacket;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let (one, other) = UnixSeqpacket::pair()?;
/// one.send("hello").await.0?;
/// one.send("again").await.0?;
/// let BufResult(received, buffer) = other.recv(Vec::with_capacity(64)).await;
/// assert_eq!((received?, &*buffer), (5, &b"hello"[..]));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct UnixSeqpacket(DatagramSocket);

impl UnixSeqpacket {
    /// Connects to the [`UnixSeqpacketListener`] at a path.
    ///
    /// **Dropped** before it is ready, the attempt is cancelled and the socket closed.
    ///
    /// # Errors
    /// As connect(2) has them: `NotFound`, or `ConnectionRefused` if nobody listens there any more; `EPROTOTYPE` if a socket of another type does;
    /// `InvalidInput` if the path is too long.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn connect(path: impl AsRef<Path>) -> Connect<Self> {
        Self::connect_to(SockAddr::unix(path))
    }

    /// Connects to an address: a path, or an abstract name
    /// ([`SocketAddrExt::from_abstract_name`](std::os::linux::net::SocketAddrExt::from_abstract_name)). The rest is as for
    /// [`connect`](Self::connect).
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn connect_addr(address: &SocketAddr) -> Connect<Self> {
        Self::connect_to(from_unix(address))
    }

    #[track_caller]
    fn connect_to(address: io::Result<SockAddr>) -> Connect<Self> {
        let socket = Socket::new(Domain::UNIX, Type::SEQPACKET, None);
        Connect::to_one(socket, address, |connected| {
            let socket = connected.into_owned();
            Self::from_owned(socket.expect("nothing is in flight on a new connection"))
        })
    }

    /// Two sockets that are connected with each other.
    ///
    /// # Errors
    /// As socketpair(2) has them.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = Socket::pair(Domain::UNIX, Type::SEQPACKET, None)?;
        Ok((Self::from_owned(one.into()), Self::from_owned(other.into())))
    }

    fn from_owned(socket: OwnedFd) -> Self {
        Self(DatagramSocket::new(socket))
    }

    /// Receives a message into the buffer's capacity, from its start; what does not fit is lost. The buffer's length becomes that of the
    /// message. Zero means that the peer has finished sending, or that the message is empty. Descriptors that came with it are closed.
    ///
    /// **Dropped** before it is ready, the receive is cancelled, and no message is lost: one that was already received goes to the next receive,
    /// as much of it as fitted the buffer of the dropped one. To have the buffer back, [cancel](Recv::cancel) it instead.
    ///
    /// # Errors
    /// As recvmsg(2) has them: `ConnectionReset` if the peer has closed with messages unread.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn recv<B: IoBufMut>(&self, buffer: B) -> Recv<B> {
        self.0.recv(buffer)
    }

    /// Receives as [`recv`](Self::recv) does, and leaves the message to be received again. Cancellation, errors and panics as there.
    #[track_caller]
    pub fn peek<B: IoBufMut>(&self, buffer: B) -> Recv<B> {
        self.0.peek(buffer)
    }

    /// Receives as [`recv`](Self::recv) does, into several buffers, each full before the next is begun. Cancellation, errors and panics as there.
    #[track_caller]
    pub fn recv_vectored<V: IoVectoredBufMut>(&self, buffers: V) -> RecvVectored<V> {
        self.0.recv_vectored(buffers)
    }

    /// Receives as [`recv`](Self::recv) does, and takes descriptors that came with the message, `max` at most; further ones are closed. They are
    /// close-on-exec. Cancellation, errors and panics as there; descriptors of a dropped receive go to the next, up to the `max` of the dropped
    /// one.
    #[track_caller]
    pub fn recv_with_descriptors<B: IoBufMut>(
        &self,
        buffer: B,
        max: usize,
    ) -> RecvWithDescriptors<B> {
        self.0.recv_with_descriptors(buffer, max)
    }

    /// Sends the buffer's bytes as a message, and returns how many they are. Waits while the receiver's queue is full.
    ///
    /// **Dropped** before it is ready, the send is cancelled: the message may have been sent or not, and is not sent any more once another send has
    /// begun. To know, [cancel](SendDatagram::cancel) it instead.
    ///
    /// # Errors
    /// As send(2) has them: `BrokenPipe` and `ConnectionReset` if the peer has gone, `EMSGSIZE` if the message is larger than the send buffer. No
    /// signal is raised.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn send<B: IoBuf>(&self, buffer: B) -> SendDatagram<B> {
        self.0.send(buffer)
    }

    /// Sends as [`send`](Self::send) does, the bytes of several buffers as one message. Cancellation, errors and panics as there.
    #[track_caller]
    pub fn send_vectored<V: IoVectoredBuf>(&self, buffers: V) -> SendVectored<V> {
        self.0.send_vectored(buffers, None)
    }

    /// Sends as [`send`](Self::send) does, and descriptors along, 253 at most. The receiver gets descriptors of its own for the same open files;
    /// these here are closed, whatever the outcome: pass clones to keep some. Cancellation and panics as there.
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

    /// Shuts one or both directions down. After `Write` the peer receives what was sent, and then the end.
    ///
    /// # Errors
    /// As shutdown(2) has them.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn shutdown(&self, how: Shutdown) -> ShutdownStream {
        self.0.shutdown(how)
    }

    buffer_options!();

    local_addr_method! {
        /// The address on this side; unnamed, mostly, if it is the one that connected.
        SocketAddr
    }

    peer_addr_method! {
        /// The address on the other side.
        SocketAddr
    }

    /// Who is on the other side (`SO_PEERCRED`).
    ///
    /// # Errors
    /// As getsockopt(2) has them.
    pub fn peer_cred(&self) -> io::Result<PeerCredentials> {
        of_peer(self)
    }

    close_method!();
    conversion_methods!();
}

descriptor_traits!(UnixSeqpacket, "a connected Unix socket of `SOCK_SEQPACKET`");
shared_from!(UnixSeqpacket, "a socket");

/// Accepts connections of [`UnixSeqpacket`], on the core it is used on. All that is said of paths, names and several cores at
/// [`UnixListener`](super::UnixListener) holds here, too.
///
/// # Examples
/// ```
/// use executor::net::{UnixSeqpacket, UnixSeqpacketListener};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// # let path = std::env::temp_dir().join(format!("executor-doc-seqpacket-{}", std::process::id()));
/// let listener = UnixSeqpacketListener::bind(&path)?;
/// let client = executor::spawn(UnixSeqpacket::connect(path));
/// let (connection, _) = listener.accept().await?;
/// client.await.unwrap()?.send("hello").await.0?;
/// assert_eq!(connection.recv([0; 8]).await.0?, 5);
/// listener.unlink()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct UnixSeqpacketListener(ListenSocket);

impl UnixSeqpacketListener {
    /// Listens at a path, where there must be nothing yet.
    ///
    /// # Errors
    /// As bind(2) and listen(2) have them: `AddrInUse` if there is something, be it a socket that nobody listens at; `InvalidInput` if the
    /// path is too long.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::bind_to(&SockAddr::unix(path)?)
    }

    /// Listens at an address: a path, or an abstract name.
    ///
    /// # Errors
    /// Those of [`bind`](Self::bind).
    pub fn bind_addr(address: &SocketAddr) -> io::Result<Self> {
        Self::bind_to(&from_unix(address)?)
    }

    fn bind_to(address: &SockAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::UNIX, Type::SEQPACKET, None)?;
        socket.bind(address)?;
        socket.listen(i32::try_from(BACKLOG).unwrap_or(i32::MAX))?;
        Ok(Self::from_owned(socket.into()))
    }

    fn from_owned(socket: OwnedFd) -> Self {
        Self(ListenSocket::new(socket))
    }

    /// Waits for a connection. The new socket is close-on-exec and belongs to this core; the address, the peer's, is unnamed, mostly.
    ///
    /// **Dropped** before it is ready, the operation is cancelled. A connection that was being handed over at that moment goes to the next
    /// accept. A second accept waits for the first.
    ///
    /// # Errors
    /// As accept(2) has them. When descriptors run out (`EMFILE`, `ENFILE`) the connection stays in the backlog: wait until some are
    /// free and accept again.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn accept(&self) -> Accept<UnixSeqpacket, SocketAddr> {
        self.0
            .accept(|(socket, peer)| Ok((UnixSeqpacket::from_owned(socket), to_unix(&peer)?)))
    }

    /// All connections, one after another; see there for what it has for itself meanwhile. **Dropped**, it loses none.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn incoming(&self) -> Incoming<UnixSeqpacket> {
        self.0.incoming(UnixSeqpacket::from_owned)
    }

    /// Removes the path that it listens at; does nothing if that is none. Connections made before are still accepted. It is a system call, which
    /// may wait for the file system, and it does not look who is at the path now.
    ///
    /// # Errors
    /// As unlink(2) has them.
    pub fn unlink(&self) -> io::Result<()> {
        match self.local_addr()?.as_pathname() {
            Some(path) => fs::remove_file(path),
            None => Ok(()),
        }
    }

    local_addr_method! {
        /// The address it listens at.
        SocketAddr
    }

    close_method!();
    conversion_methods!();
}

descriptor_traits!(
    UnixSeqpacketListener,
    "a listening Unix socket of `SOCK_SEQPACKET`, as of socket activation"
);
shared_from!(UnixSeqpacketListener, "a listener");
