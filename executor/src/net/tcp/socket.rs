//! A TCP socket before it is connected or listens, for options that must be set by then.

use super::{TcpListener, TcpStream};
use crate::io::conversions::as_raw_fd;
use crate::net::Connect;
use crate::net::socket_options::{buffer_options, tcp_options, ttl_options};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

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

    /// Whether the address may be bound while old connections of it linger (`SO_REUSEADDR`).
    ///
    /// # Errors
    /// As setsockopt(2) has them.
    pub fn set_reuse_address(&self, reuse: bool) -> io::Result<()> {
        self.0.set_reuse_address(reuse)
    }

    /// Whether sockets of the same user may share the address (`SO_REUSEPORT`).
    ///
    /// # Errors
    /// As setsockopt(2) has them.
    pub fn set_reuse_port(&self, reuse: bool) -> io::Result<()> {
        self.0.set_reuse_port(reuse)
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

    /// The address on this side.
    ///
    /// # Errors
    /// As getsockname(2) has them.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        crate::net::address::to_std(&self.0.local_addr()?)
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
        SockRef::from(&self.0).listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
        Ok(TcpListener::from_owned(self.0.into()))
    }
}

impl AsFd for TcpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

as_raw_fd!([] TcpSocket);

impl From<OwnedFd> for TcpSocket {
    /// Takes over a TCP socket that is neither connected nor listens.
    fn from(socket: OwnedFd) -> Self {
        Self(socket.into())
    }
}

impl From<TcpSocket> for OwnedFd {
    fn from(socket: TcpSocket) -> Self {
        socket.0.into()
    }
}
