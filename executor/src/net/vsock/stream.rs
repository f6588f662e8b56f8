//! A connection between a virtual machine and its host.

use super::VsockAddr;
use crate::io::closing::close_method;
use crate::io::conversions::conversion_methods;
use crate::net::address::Address;
use crate::net::conversions::descriptor_traits;
use crate::net::ready_methods::{read_ready_methods, ready_method, write_ready_methods};
use crate::net::socket_options::buffer_options;
use crate::net::stream_methods::{reading_methods, writing_methods};
use crate::net::stream_socket::{HasStreamSocket, StreamSocket};
use crate::net::{
    Connect, OwnedReadHalf, OwnedWriteHalf, ReadHalf, ShutdownStream, SocketStream, WriteHalf,
    halves,
};
use socket2::{Domain, SockRef, Socket, Type};
use std::io;
use std::net::Shutdown;
use std::os::fd::OwnedFd;

/// A connection between a virtual machine and its host, bound to the core it was made on. It is used as a
/// [`TcpStream`](crate::net::TcpStream).
///
/// # Examples
/// ```no_run
/// use executor::net::{VsockAddr, VsockStream};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let stream = VsockStream::connect(VsockAddr::new(VsockAddr::CID_HOST, 5000)).await?;
/// stream.write_all("hello").await.0?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct VsockStream(StreamSocket);

impl VsockStream {
    /// Connects to a port of a machine.
    ///
    /// **Dropped** before it is ready, the attempt is cancelled and the socket closed.
    ///
    /// # Errors
    /// As connect(2) has them: `ConnectionReset` if nobody listens there, `ENODEV` or `NetworkUnreachable` if there is no such machine,
    /// `TimedOut`; `EAFNOSUPPORT` where the kernel has no such sockets.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn connect(address: VsockAddr) -> Connect<Self> {
        let socket = Socket::new(Domain::VSOCK, Type::STREAM, None);
        Connect::to_one(socket, Ok(address.for_kernel()), Self)
    }

    pub(super) fn from_owned(socket: OwnedFd) -> Self {
        Self(StreamSocket::new(socket))
    }

    reading_methods!();
    writing_methods!();
    ready_method!();
    read_ready_methods!();
    write_ready_methods!();

    /// The two sides, to be used apart by one task.
    pub fn split(&self) -> (ReadHalf<'_, Self>, WriteHalf<'_, Self>) {
        halves::borrowed(self)
    }

    /// The two sides, to be used apart by two tasks of this core. Dropping the sending one shuts it down.
    pub fn into_split(self) -> (OwnedReadHalf<Self>, OwnedWriteHalf<Self>) {
        halves::owned(self)
    }

    /// Shuts one or both directions down. After `Write` the peer reads to the end of the stream; reading here goes on.
    ///
    /// # Errors
    /// As shutdown(2) has them: `NotConnected` if the connection has ended. Shutting the sending side down again is no error.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn shutdown(&self, how: Shutdown) -> ShutdownStream {
        self.0.shutdown(how)
    }

    buffer_options!();

    /// The address on this side.
    ///
    /// # Errors
    /// As getsockname(2) has them.
    pub fn local_addr(&self) -> io::Result<VsockAddr> {
        VsockAddr::of(&SockRef::from(self).local_addr()?)
    }

    /// The address on the other side.
    ///
    /// # Errors
    /// As getpeername(2) has them.
    pub fn peer_addr(&self) -> io::Result<VsockAddr> {
        VsockAddr::of(&SockRef::from(self).peer_addr()?)
    }

    close_method!();
    conversion_methods!();
}

impl HasStreamSocket for VsockStream {
    fn stream_socket(&self) -> &StreamSocket {
        &self.0
    }
}

impl SocketStream for VsockStream {}

descriptor_traits!(VsockStream, "a connected vsock stream socket");
