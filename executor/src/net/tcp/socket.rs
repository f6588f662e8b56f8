//! A TCP socket before it is connected or listens, for options that must be set by then.

use super::{TcpListener, TcpStream};
use crate::net::Connect;
use crate::net::address_methods::local_addr_method;
use crate::net::conversions::unconnected_traits;
use crate::net::listen_socket::listen;
use crate::net::socket_options::{
    buffer_options, device_options, fastopen_options, tcp_options, tos_options, ttl_options,
};
use nix::sys::socket::sockopt::TcpFastOpenConnect;
use nix::sys::socket::{getsockopt, setsockopt};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{self, SocketAddr};
use std::os::fd::OwnedFd;

/// A TCP socket that is not connected yet.
///
/// # Examples
/// ```
/// use executor::net::TcpSocket;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let socket = TcpSocket::new_v4()?;
/// socket.set_recv_buffer_size(1 << 16)?;
/// socket.bind("127.0.0.1:0".parse().unwrap())?;
/// let listener = socket.listen(16)?;
///
/// let socket = TcpSocket::new_v4()?;
/// socket.set_nodelay(true)?;
/// socket.bind("127.0.0.2:0".parse().unwrap())?;
/// let stream = socket.connect(listener.local_addr()?).await?;
/// assert_eq!(stream.local_addr()?.ip().to_string(), "127.0.0.2");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TcpSocket(Socket);

impl TcpSocket {
    /// A socket for IPv4.
    ///
    /// # Errors
    /// As socket(2) has them.
    pub fn new_v4() -> io::Result<Self> {
        Self::new(Domain::IPV4)
    }

    /// A socket for IPv6.
    ///
    /// # Errors
    /// As socket(2) has them: `EAFNOSUPPORT` where there is no IPv6.
    pub fn new_v6() -> io::Result<Self> {
        Self::new(Domain::IPV6)
    }

    /// A socket for addresses of that one's kind.
    ///
    /// # Errors
    /// As socket(2) has them.
    pub fn new_for(address: SocketAddr) -> io::Result<Self> {
        Self::new(Domain::for_address(address))
    }

    fn new(domain: Domain) -> io::Result<Self> {
        Socket::new(domain, Type::STREAM, Some(Protocol::TCP)).map(Self)
    }

    buffer_options!();
    ttl_options!();
    tcp_options!();
    tos_options!();
    device_options!();
    fastopen_options!();

    /// Whether the address may be bound while old connections of it linger (`SO_REUSEADDR`).
    ///
    /// # Errors
    /// As setsockopt(2) has them.
    #[doc(alias = "set_reuseaddr")]
    pub fn set_reuse_address(&self, reuse: bool) -> io::Result<()> {
        self.0.set_reuse_address(reuse)
    }

    /// Whether `SO_REUSEADDR` is set.
    ///
    /// # Errors
    /// As getsockopt(2) has them.
    pub fn reuse_address(&self) -> io::Result<bool> {
        self.0.reuse_address()
    }

    /// Whether sockets of the same user may share the address (`SO_REUSEPORT`).
    ///
    /// # Errors
    /// As setsockopt(2) has them.
    #[doc(alias = "set_reuseport")]
    pub fn set_reuse_port(&self, reuse: bool) -> io::Result<()> {
        self.0.set_reuse_port(reuse)
    }

    /// Whether `SO_REUSEPORT` is set.
    ///
    /// # Errors
    /// As getsockopt(2) has them.
    pub fn reuse_port(&self) -> io::Result<bool> {
        self.0.reuse_port()
    }

    /// Whether a connect may save a round trip (TCP Fast Open, `TCP_FASTOPEN_CONNECT`). If the server has given this machine a cookie before,
    /// [`connect`](Self::connect) is ready at once, and the first write carries its bytes in the first packet; otherwise it connects as usual, and
    /// asks for a cookie.
    ///
    /// So a connect may succeed though nobody is there: the first write says so. **Write before you
    /// read**, or the read waits for a connection that has not begun. The network may deliver the
    /// first bytes twice; send only what may be repeated. The system must allow it
    /// (`net.ipv4.tcp_fastopen`, bit 0), and the server, too: see
    /// [`set_fastopen`](Self::set_fastopen).
    ///
    /// # Errors
    /// As setsockopt(2) has them.
    pub fn set_fastopen_connect(&self, fastopen: bool) -> io::Result<()> {
        Ok(setsockopt(&self.0, TcpFastOpenConnect, &fastopen)?)
    }

    /// Whether `TCP_FASTOPEN_CONNECT` is set.
    ///
    /// # Errors
    /// As getsockopt(2) has them.
    pub fn fastopen_connect(&self) -> io::Result<bool> {
        Ok(getsockopt(&self.0, TcpFastOpenConnect)?)
    }

    /// Whether a socket for IPv6 leaves IPv4 alone (`IPV6_V6ONLY`).
    ///
    /// # Errors
    /// As setsockopt(2) has them.
    pub fn set_only_v6(&self, only: bool) -> io::Result<()> {
        self.0.set_only_v6(only)
    }

    /// Sets the address on this side.
    ///
    /// # Errors
    /// As bind(2) has them.
    pub fn bind(&self, address: SocketAddr) -> io::Result<()> {
        self.0.bind(&address.into())
    }

    local_addr_method! {
        /// The address on this side.
        SocketAddr
    }

    /// Connects to an address.
    ///
    /// **Dropped** before it is ready, the attempt is cancelled and the socket closed.
    ///
    /// # Errors
    /// As connect(2) has them.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn connect(self, address: SocketAddr) -> Connect<TcpStream> {
        TcpStream::connect_with(self.0, address)
    }

    /// Listens for connections to the address it is bound to. `backlog` is how many may wait to be accepted.
    ///
    /// # Errors
    /// As listen(2) has them.
    pub fn listen(self, backlog: usize) -> io::Result<TcpListener> {
        listen(&self.0, backlog)?;
        Ok(TcpListener::from_owned(self.0.into()))
    }

    /// Takes over a socket that the standard library has the type of a stream for, though it is not connected, as crates that set options by
    /// themselves return it. It is made blocking, if it is not.
    pub fn from_std_stream(socket: net::TcpStream) -> Self {
        Self::from(OwnedFd::from(socket))
    }

    /// A second one for the same socket, with a descriptor of its own.
    ///
    /// # Errors
    /// As fcntl(2) has them: `EMFILE` if there are too many descriptors.
    pub fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }
}

unconnected_traits!(
    TcpSocket,
    "a TCP socket that is neither connected nor listening"
);
