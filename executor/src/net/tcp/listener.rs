//! Listening for TCP connections, one listener on each core.

use super::TcpStream;
use crate::net::address::{first_that, to_std};
use crate::net::listen_socket::{BACKLOG, ListenSocket};
use crate::net::socket_options::{buffer_options, ttl_options};
use crate::net::{Incoming, made_blocking};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io;
use std::net::{self, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// Accepts TCP connections on the core it is used on.
///
/// Listeners are made with `SO_REUSEPORT`: bind one on each core to the same address, and the kernel spreads connections over them.
/// Be sure that every one accepts: a connection that was given to a listener stays with it.
///
/// # Examples
/// ```
/// use executor::net::{TcpListener, TcpStream};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let client = executor::spawn(TcpStream::connect(listener.local_addr()?));
/// let (_stream, peer) = listener.accept().await?;
/// assert_eq!(client.await.unwrap()?.local_addr()?, peer);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TcpListener(ListenSocket);

impl TcpListener {
    /// Listens on the first of `addresses` that can be bound, with the options of [`TcpListenerBuilder::new`]. Port 0 picks a free
    /// one. Names are looked up, blocking the core: pass a [`SocketAddr`] where that matters.
    ///
    /// # Errors
    /// As bind(2) and listen(2) have them; `AddrInUse` if somebody listens there without `SO_REUSEPORT`, or as another user.
    pub fn bind(addresses: impl ToSocketAddrs) -> io::Result<Self> {
        TcpListenerBuilder::new().bind(addresses)
    }

    /// Waits for a connection. The new socket is close-on-exec and belongs to this core.
    ///
    /// **Dropped** before it is ready, the operation is cancelled. A connection that was being handed over at that moment is kept, and the
    /// next accept yields it. A second accept waits for the first.
    ///
    /// # Errors
    /// As accept(2) has them. When descriptors run out (`EMFILE`, `ENFILE`) the connection stays in the backlog: wait until some are
    /// free and accept again.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (socket, peer) = self.0.accept().await?;
        Ok((TcpStream::from_owned(socket), to_std(&peer)?))
    }

    /// All connections, one after another; see there for what it has for itself meanwhile, and what is lost when it is **dropped**:
    /// nothing. Who a connection is from, its [`peer_addr`](TcpStream::peer_addr) says.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn incoming(&self) -> Incoming<TcpStream> {
        self.0.incoming(TcpStream::from_owned)
    }

    buffer_options!();
    ttl_options!();

    /// The address it listens on.
    ///
    /// # Errors
    /// As getsockname(2) has them.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        to_std(&SockRef::from(self).local_addr()?)
    }

    /// Turns it into a listener of the standard library, which may be sent to another core and turned back there.
    ///
    /// # Errors
    /// The listener itself, while an accept is in flight on it, also one that was dropped and is being cancelled, and while a connection
    /// that a dropped accept has left is to be accepted.
    pub fn into_std(self) -> Result<net::TcpListener, Self> {
        self.0
            .into_owned()
            .map(net::TcpListener::from)
            .map_err(Self)
    }

    pub(super) fn from_owned(socket: OwnedFd) -> Self {
        Self(ListenSocket::new(socket))
    }
}

impl AsFd for TcpListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for TcpListener {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl From<net::TcpListener> for TcpListener {
    /// Takes over a listener of the standard library. It is made blocking, if it is not: the ring waits by itself.
    fn from(listener: net::TcpListener) -> Self {
        Self::from(OwnedFd::from(listener))
    }
}

impl From<OwnedFd> for TcpListener {
    /// Takes over a listening TCP socket, as of socket activation. It is made blocking, if it is not.
    fn from(socket: OwnedFd) -> Self {
        Self::from_owned(made_blocking(socket))
    }
}

/// The options of a [`TcpListener`].
///
/// # Examples
/// ```
/// use executor::net::TcpListenerBuilder;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let listener = TcpListenerBuilder::new().reuse_port(false).backlog(16).bind("127.0.0.1:0")?;
/// # drop(listener);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TcpListenerBuilder {
    backlog: u32,
    reuse_address: bool,
    reuse_port: bool,
    only_v6: Option<bool>,
}

impl Default for TcpListenerBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl TcpListenerBuilder {
    /// A backlog of 4096, `SO_REUSEADDR` and `SO_REUSEPORT` on, and `IPV6_V6ONLY` as the system has it.
    pub fn new() -> Self {
        Self {
            backlog: BACKLOG,
            reuse_address: true,
            reuse_port: true,
            only_v6: None,
        }
    }

    /// How many connections may wait to be accepted.
    #[must_use]
    pub fn backlog(mut self, backlog: u32) -> Self {
        self.backlog = backlog;
        self
    }

    /// Whether the address may be bound while old connections of it linger (`SO_REUSEADDR`).
    #[must_use]
    pub fn reuse_address(mut self, reuse: bool) -> Self {
        self.reuse_address = reuse;
        self
    }

    /// Whether other listeners of the same user may share the address (`SO_REUSEPORT`), as one on each core does.
    #[must_use]
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.reuse_port = reuse;
        self
    }

    /// Whether a listener on an IPv6 address leaves IPv4 alone (`IPV6_V6ONLY`).
    #[must_use]
    pub fn only_v6(mut self, only: bool) -> Self {
        self.only_v6 = Some(only);
        self
    }

    /// Listens on the first of `addresses` that can be bound.
    ///
    /// # Errors
    /// As for [`TcpListener::bind`].
    pub fn bind(&self, addresses: impl ToSocketAddrs) -> io::Result<TcpListener> {
        first_that(addresses, |address| self.bind_one(address))
    }

    fn bind_one(&self, address: SocketAddr) -> io::Result<TcpListener> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        socket.set_reuse_address(self.reuse_address)?;
        socket.set_reuse_port(self.reuse_port)?;
        if let (Some(only_v6), true) = (self.only_v6, address.is_ipv6()) {
            socket.set_only_v6(only_v6)?;
        }
        socket.bind(&address.into())?;
        socket.listen(i32::try_from(self.backlog).unwrap_or(i32::MAX))?;
        Ok(TcpListener::from_owned(socket.into()))
    }
}
