//! Listening for connections of the host, or of virtual machines.

use super::{VsockAddr, VsockStream};
use crate::io::conversions::{conversion_methods, shared_from};
use crate::net::conversions::descriptor_traits;
use crate::net::listen_socket::{BACKLOG, ListenSocket, listen};
use crate::net::listener_methods::listener_methods;
use socket2::{Domain, Socket, Type};
use std::io;

/// Accepts connections between a virtual machine and its host, on the core it is used on.
///
/// # Examples
/// ```no_run
/// use executor::net::{VsockAddr, VsockListener};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let listener = VsockListener::bind(VsockAddr::new(VsockAddr::CID_ANY, 5000))?;
/// let (stream, peer) = listener.accept().await?;
/// println!("{peer}: {:?}", stream.read(Vec::with_capacity(64)).await);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct VsockListener(ListenSocket);

impl VsockListener {
    /// Listens at a port: of this machine, with [`VsockAddr::CID_ANY`]. [`VsockAddr::PORT_ANY`] picks a free one.
    ///
    /// # Errors
    /// As bind(2) and listen(2) have them: `AddrInUse`; `EAFNOSUPPORT` where the kernel has no such sockets.
    pub fn bind(address: VsockAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::VSOCK, Type::STREAM, None)?;
        socket.bind(&address.for_kernel())?;
        listen(&socket, BACKLOG)?;
        Ok(Self::from_owned(socket.into()))
    }

    listener_methods!(VsockStream, VsockAddr);
    conversion_methods!();
}

descriptor_traits!(VsockListener, "a listening vsock stream socket");
shared_from!(VsockListener, "a listener");
