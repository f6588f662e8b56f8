//! From what people write to what the kernel takes, and back.

use super::ToSocketAddrs;
use socket2::SockAddr;
use std::ffi::OsStr;
use std::io;
use std::net::SocketAddr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net;

/// Tries each address that `addresses` stands for until one succeeds; the last failure is the error.
pub(super) fn first_that<T>(
    addresses: impl ToSocketAddrs,
    mut attempt: impl FnMut(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut last = None;
    for address in addresses.lookup().known()? {
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

/// An address in the form that users see.
pub(super) trait Address: Sized {
    /// Of what the kernel gave.
    fn of(address: &SockAddr) -> io::Result<Self>;
}

impl Address for SocketAddr {
    fn of(address: &SockAddr) -> io::Result<Self> {
        to_std(address)
    }
}

impl Address for net::SocketAddr {
    fn of(address: &SockAddr) -> io::Result<Self> {
        to_unix(address)
    }
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

/// The Unix address the kernel gave; unnamed where it gave none.
pub(super) fn to_unix(address: &SockAddr) -> io::Result<net::SocketAddr> {
    if let Some(path) = address.as_pathname() {
        return net::SocketAddr::from_pathname(path);
    }
    if let Some(name) = address.as_abstract_namespace() {
        return net::SocketAddr::from_abstract_name(name);
    }
    // Of a sender without a name the kernel says nothing at all, not even the family.
    if address.is_unnamed() || address.len() == 0 {
        return net::SocketAddr::from_pathname("");
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        "the socket is not a Unix socket",
    ))
}

/// A Unix address for the kernel.
pub(super) fn from_unix(address: &net::SocketAddr) -> io::Result<SockAddr> {
    if let Some(path) = address.as_pathname() {
        return SockAddr::unix(path);
    }
    match address.as_abstract_name() {
        Some(name) => SockAddr::unix(OsStr::from_bytes(&[&[0], name].concat())),
        None => SockAddr::unix(""),
    }
}
