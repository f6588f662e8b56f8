//! From what people write to what the kernel takes.

use socket2::SockAddr;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

/// Tries each address that `addresses` stands for until one succeeds; the last failure is the error.
pub(super) fn first_that<T>(
    addresses: impl ToSocketAddrs,
    mut attempt: impl FnMut(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut last = None;
    for address in addresses.to_socket_addrs()? {
        match attempt(address) {
            Ok(value) => return Ok(value),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(no_address))
}

pub(super) fn no_address() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "the name stands for no address",
    )
}

/// The Internet address the kernel gave.
pub(super) fn to_std(address: &SockAddr) -> io::Result<SocketAddr> {
    address.as_socket().ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "the socket is not an Internet socket",
        )
    })
}
