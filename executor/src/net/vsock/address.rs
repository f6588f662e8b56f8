//! The addresses of machines and their host.

use crate::net::address::Address;
use socket2::SockAddr;
use std::{fmt, io};

/// An address between a host and its virtual machines: the number of one of them, its context identifier (CID), and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VsockAddr {
    /// Which machine.
    pub cid: u32,
    /// Which of its ports. Those below 1024 are for privileged programs.
    pub port: u32,
}

impl VsockAddr {
    /// To bind: whatever number this machine has (`VMADDR_CID_ANY`).
    pub const CID_ANY: u32 = libc::VMADDR_CID_ANY;
    /// This machine itself (`VMADDR_CID_LOCAL`), where the kernel has the loopback (`vsock_loopback`).
    pub const CID_LOCAL: u32 = libc::VMADDR_CID_LOCAL;
    /// The host (`VMADDR_CID_HOST`).
    pub const CID_HOST: u32 = libc::VMADDR_CID_HOST;
    /// To bind: any free port (`VMADDR_PORT_ANY`).
    pub const PORT_ANY: u32 = libc::VMADDR_PORT_ANY;

    /// The address of a port of a machine.
    pub const fn new(cid: u32, port: u32) -> Self {
        Self { cid, port }
    }

    pub(super) fn for_kernel(self) -> SockAddr {
        SockAddr::vsock(self.cid, self.port)
    }
}

impl fmt::Display for VsockAddr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.cid, self.port)
    }
}

impl Address for VsockAddr {
    fn of(address: &SockAddr) -> io::Result<Self> {
        let (cid, port) = address.as_vsock_address().ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "the socket is not a vsock socket",
            )
        })?;
        Ok(Self { cid, port })
    }
}
