//! A connection between a virtual machine and its host.

use super::VsockAddr;
use crate::io::conversions::conversion_methods;
use crate::net::Connect;
use crate::net::address_methods::{local_addr_method, peer_addr_method};
use crate::net::conversions::descriptor_traits;
use crate::net::socket_options::buffer_options;
use crate::net::stream_methods::{reading_methods, stream_methods, stream_traits, writing_methods};
use crate::net::stream_socket::{HasStreamSocket, StreamSocket};
use socket2::{Domain, Socket, Type};

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

    reading_methods!();
    writing_methods!();
    stream_methods!();
    buffer_options!();

    local_addr_method! {
        /// The address on this side.
        VsockAddr
    }

    peer_addr_method! {
        /// The address on the other side.
        VsockAddr
    }

    conversion_methods!();
}

stream_traits!(VsockStream);
descriptor_traits!(VsockStream, "a connected vsock stream socket");
