//! Listening for connections of processes of the same machine.

use super::UnixStream;
use super::methods::unix_listener_methods;
use crate::io::conversions::{conversion_methods, shared_from};
use crate::net::conversions::descriptor_traits;
use crate::net::listen_socket::ListenSocket;
use socket2::Type;
use std::os::unix::net;

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
    unix_listener_methods!(Type::STREAM, UnixStream);
    conversion_methods!(
        net::UnixListener,
        "listener",
        "an accept",
        "a connection that a dropped accept has left is to be accepted"
    );
}

descriptor_traits!(
    UnixListener,
    "a listening Unix stream socket, as of socket activation",
    net::UnixListener
);
shared_from!(UnixListener, "a listener");
