//! Listening for connections of processes of the same machine.

use super::UnixStream;
use crate::io::closing::close_method;
use crate::io::conversions::{conversion_methods, shared_from};
use crate::net::address::{from_unix, to_unix};
use crate::net::address_methods::local_addr_method;
use crate::net::conversions::descriptor_traits;
use crate::net::listen_socket::{BACKLOG, ListenSocket};
use crate::net::{Accept, Incoming};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use std::os::fd::OwnedFd;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;
use std::{fs, io};

/// Accepts connections to a Unix socket, on the core it is used on.
///
/// A path that was bound stays in the file system when the listener is gone, and then cannot be bound again: `AddrInUse`. Remove it, or have
/// it removed by [`unlink`](Self::unlink); it is never removed silently, since another program may listen there. An abstract name has no file:
/// it is free when the listener has been dropped, as the address of a [`TcpListener`](crate::net::TcpListener) is. What is said there of a process
/// that is killed holds here as well.
///
/// Unix sockets cannot share an address. To accept on several cores, duplicate the descriptor of one listener
/// ([`try_clone`](net::UnixListener::try_clone) of the standard one), and send each core one: then every connection goes to one of those that wait,
/// not evenly.
///
/// # Examples
/// ```
/// use executor::net::{UnixListener, UnixStream};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// # let path = std::env::temp_dir().join(format!("executor-doc-{}", std::process::id()));
/// let listener = UnixListener::bind(&path)?;
/// let client = executor::spawn(UnixStream::connect(path));
/// let (stream, _) = listener.accept().await?;
/// client.await.unwrap()?;
/// assert_eq!(stream.peer_cred()?.process, std::process::id() as i32);
/// listener.unlink()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct UnixListener(ListenSocket);

impl UnixListener {
    /// Listens at a path, where there must be nothing yet.
    ///
    /// # Errors
    /// As bind(2) and listen(2) have them: `AddrInUse` if there is something, be it a socket that nobody listens at; `InvalidInput` if the
    /// path is too long.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::bind_to(&SockAddr::unix(path)?)
    }

    /// Listens at an address: a path, or an abstract name
    /// ([`SocketAddrExt::from_abstract_name`](std::os::linux::net::SocketAddrExt::from_abstract_name)).
    ///
    /// # Errors
    /// Those of [`bind`](Self::bind).
    pub fn bind_addr(address: &SocketAddr) -> io::Result<Self> {
        Self::bind_to(&from_unix(address)?)
    }

    fn bind_to(address: &SockAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(address)?;
        socket.listen(i32::try_from(BACKLOG).unwrap_or(i32::MAX))?;
        Ok(Self::from_owned(socket.into()))
    }

    /// Waits for a connection. The new socket is close-on-exec and belongs to this core; the address, the peer's, is unnamed, mostly.
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
    #[track_caller]
    pub fn accept(&self) -> Accept<UnixStream, SocketAddr> {
        self.0
            .accept(|(socket, peer)| Ok((UnixStream::from_owned(socket), to_unix(&peer)?)))
    }

    /// All connections, one after another; see there for what it has for itself meanwhile, and what is lost when it is **dropped**:
    /// nothing.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn incoming(&self) -> Incoming<UnixStream> {
        self.0.incoming(UnixStream::from_owned)
    }

    /// Removes the path that it listens at; does nothing if that is none. From then on nobody finds it there; it goes on accepting who has
    /// connected before.
    ///
    /// By a system call, which may wait for the file system. It does not look who is at the path now.
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

    /// The error that the socket has met and nobody was told of yet, if any, and clears it (`SO_ERROR`).
    ///
    /// # Errors
    /// As getsockopt(2) has them.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        SockRef::from(self).take_error()
    }

    close_method!();
    conversion_methods!(
        net::UnixListener,
        "listener",
        "an accept",
        "a connection that a dropped accept has left is to be accepted"
    );

    pub(super) fn from_owned(socket: OwnedFd) -> Self {
        Self(ListenSocket::new(socket))
    }
}

descriptor_traits!(
    UnixListener,
    "a listening Unix stream socket, as of socket activation",
    net::UnixListener
);
shared_from!(UnixListener, "a listener");
