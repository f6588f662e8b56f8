//! Connections that carry messages: Unix sockets of the type `SOCK_SEQPACKET`.

use super::methods::{
    connect_methods, descriptor_passing_methods, pair_method, peer_cred_method,
    unix_listener_methods,
};
use crate::io::conversions::{conversion_methods, shared_from};
use crate::net::ShutdownStream;
use crate::net::address_methods::{local_addr_method, peer_addr_method};
use crate::net::conversions::descriptor_traits;
use crate::net::datagram_methods::datagram_methods;
use crate::net::datagram_socket::DatagramSocket;
use crate::net::listen_socket::ListenSocket;
use crate::net::socket_options::buffer_options;
use crate::net::stream_socket::StreamSocket;
use socket2::Type;
use std::net::Shutdown;
use std::os::unix::net::SocketAddr;

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
    connect_methods!(
        Type::SEQPACKET,
        "[`UnixSeqpacketListener`]",
        Self::from_connected
    );
    pair_method!(Type::SEQPACKET);

    fn from_connected(socket: StreamSocket) -> Self {
        let socket = socket.into_owned();
        Self::from_owned(socket.expect("nothing is in flight on a new connection"))
    }

    datagram_methods! {
        "message";

        /// Receives a message into the buffer's capacity, from its start; what does not fit is
        /// lost. The buffer's length becomes that of the message. Zero means that the peer has
        /// finished sending, or that the message is empty. Descriptors that came with it are
        /// closed.
        ///
        /// **Dropped** before it is ready, the receive is cancelled, and no message is lost: one
        /// that was already received goes to the next receive, as much of it as fitted the buffer
        /// of the dropped one. To have the buffer back, [cancel](crate::net::Recv::cancel) it
        /// instead.
        ///
        /// # Errors
        /// As recvmsg(2) has them: `ConnectionReset` if the peer has closed with messages unread.
        ///
        /// # Panics
        /// Outside of a runtime.
        recv;

        /// Sends the buffer's bytes as a message, and returns how many they are. Waits while the
        /// receiver's queue is full.
        ///
        /// **Dropped** before it is ready, the send is cancelled: the message may have been sent or
        /// not, and is not sent any more once another send has begun. To know,
        /// [cancel](crate::net::SendDatagram::cancel) it instead.
        ///
        /// # Errors
        /// As send(2) has them: `BrokenPipe` and `ConnectionReset` if the peer has gone, `EMSGSIZE`
        /// if the message is larger than the send buffer. No signal is raised.
        ///
        /// # Panics
        /// Outside of a runtime.
        send;
    }

    descriptor_passing_methods!("message");

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

    peer_cred_method! {
        /// Who is on the other side (`SO_PEERCRED`).
    }

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
    unix_listener_methods!(Type::SEQPACKET, UnixSeqpacket);
    conversion_methods!();
}

descriptor_traits!(
    UnixSeqpacketListener,
    "a listening Unix socket of `SOCK_SEQPACKET`, as of socket activation"
);
shared_from!(UnixSeqpacketListener, "a listener");
