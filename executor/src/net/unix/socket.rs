//! A Unix socket before it is connected or listens, for those that need an address of their own, or a backlog.

use super::{UnixDatagram, UnixListener, UnixStream};
use crate::net::Connect;
use crate::net::address::from_unix;
use crate::net::address_methods::local_addr_method;
use crate::net::conversions::unconnected_traits;
use crate::net::listen_socket::listen;
use crate::net::socket_options::buffer_options;
use socket2::{Domain, SockAddr, Socket, Type};
use std::io;
use std::os::unix::net::SocketAddr;
use std::path::Path;

/// A Unix socket that is not connected yet.
///
/// # Examples
/// ```
/// use executor::net::UnixSocket;
/// use std::os::linux::net::SocketAddrExt;
/// use std::os::unix::net::SocketAddr;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// # let name = format!("executor-doc-socket-{}", std::process::id());
/// let server = SocketAddr::from_abstract_name(&name)?;
/// let socket = UnixSocket::new_stream()?;
/// socket.bind_addr(&server)?;
/// let listener = socket.listen(16)?;
///
/// let socket = UnixSocket::new_stream()?;
/// # let name = format!("executor-doc-client-{}", std::process::id());
/// socket.bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
/// let _stream = socket.connect_addr(&server).await?;
/// let (_, peer) = listener.accept().await?;
/// assert_eq!(peer.as_abstract_name(), Some(name.as_bytes()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct UnixSocket(Socket);

impl UnixSocket {
    /// A socket for a [`UnixStream`] or a [`UnixListener`].
    ///
    /// # Errors
    /// As socket(2) has them.
    pub fn new_stream() -> io::Result<Self> {
        Socket::new(Domain::UNIX, Type::STREAM, None).map(Self)
    }

    /// A socket for a [`UnixDatagram`].
    ///
    /// # Errors
    /// As socket(2) has them.
    pub fn new_datagram() -> io::Result<Self> {
        Socket::new(Domain::UNIX, Type::DGRAM, None).map(Self)
    }

    buffer_options!();

    /// Gives the socket a path, where there must be nothing yet.
    ///
    /// # Errors
    /// As bind(2) has them: `AddrInUse`; `InvalidInput` if the path is too long.
    pub fn bind(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.0.bind(&SockAddr::unix(path)?)
    }

    /// Gives the socket an address: a path, or an abstract name
    /// ([`SocketAddrExt::from_abstract_name`](std::os::linux::net::SocketAddrExt::from_abstract_name)).
    ///
    /// # Errors
    /// Those of [`bind`](Self::bind).
    pub fn bind_addr(&self, address: &SocketAddr) -> io::Result<()> {
        self.0.bind(&from_unix(address)?)
    }

    local_addr_method! {
        /// The address on this side.
        SocketAddr
    }

    /// Connects to the stream socket that listens at a path.
    ///
    /// **Dropped** before it is ready, the attempt is cancelled and the socket closed.
    ///
    /// # Errors
    /// Those of [`UnixStream::connect`], and `EPROTOTYPE` if either is not a stream socket.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn connect(self, path: impl AsRef<Path>) -> Connect<UnixStream> {
        UnixStream::connect_with(self.0, SockAddr::unix(path))
    }

    /// Connects to the stream socket that listens at an address. The rest is as for [`connect`](Self::connect).
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn connect_addr(self, address: &SocketAddr) -> Connect<UnixStream> {
        UnixStream::connect_with(self.0, from_unix(address))
    }

    /// Listens for connections to the address it is bound to. `backlog` is how many may wait to be accepted.
    ///
    /// # Errors
    /// As listen(2) has them: `EOPNOTSUPP` for a datagram socket.
    pub fn listen(self, backlog: usize) -> io::Result<UnixListener> {
        listen(&self.0, backlog)?;
        Ok(UnixListener::from_owned(self.0.into()))
    }

    /// A datagram socket, with the address that it has been bound to.
    ///
    /// # Errors
    /// `InvalidInput` if it is a stream socket.
    pub fn datagram(self) -> io::Result<UnixDatagram> {
        if self.0.r#type()? != Type::DGRAM {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is a stream socket; make it with UnixSocket::new_datagram",
            ));
        }
        Ok(UnixDatagram::from_owned(self.0.into()))
    }
}

unconnected_traits!(
    UnixSocket,
    "a Unix socket that is neither connected nor listening"
);
