//! Listening for connections of the host, or of virtual machines.

use super::{VsockAddr, VsockStream};
use crate::io::closing::close_method;
use crate::io::conversions::{conversion_methods, shared_from};
use crate::net::address::Address;
use crate::net::address_methods::local_addr_method;
use crate::net::conversions::descriptor_traits;
use crate::net::listen_socket::{BACKLOG, ListenSocket};
use crate::net::{Accept, Incoming};
use socket2::{Domain, Socket, Type};
use std::io;
use std::os::fd::OwnedFd;

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
        socket.listen(i32::try_from(BACKLOG).unwrap_or(i32::MAX))?;
        Ok(Self::from_owned(socket.into()))
    }

    fn from_owned(socket: OwnedFd) -> Self {
        Self(ListenSocket::new(socket))
    }

    /// Waits for a connection. The new socket is close-on-exec and belongs to this core.
    ///
    /// **Dropped** before it is ready, the operation is cancelled. A connection that was being handed over at that moment goes to the next
    /// accept. A second accept waits for the first.
    ///
    /// # Errors
    /// As accept(2) has them. When descriptors run out (`EMFILE`, `ENFILE`) the connection stays in the backlog: wait until some are
    /// free and accept again.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn accept(&self) -> Accept<VsockStream, VsockAddr> {
        self.0
            .accept(|(socket, peer)| Ok((VsockStream::from_owned(socket), VsockAddr::of(&peer)?)))
    }

    /// All connections, one after another; see there for what it has for itself meanwhile. **Dropped**, it loses none.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn incoming(&self) -> Incoming<VsockStream> {
        self.0.incoming(VsockStream::from_owned)
    }

    local_addr_method! {
        /// The address it listens at.
        VsockAddr
    }

    close_method!();
    conversion_methods!();
}

descriptor_traits!(VsockListener, "a listening vsock stream socket");
shared_from!(VsockListener, "a listener");
