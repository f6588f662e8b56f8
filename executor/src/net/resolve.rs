//! Which addresses a name stands for, found without blocking the core.
//!
//! The system's resolver, getaddrinfo(3), blocks for as long as it takes. So a name is looked up as blocking work; what is an address
//! already needs none.

use super::address::no_address;
use crate::blocking;
use std::io;
use std::net::{self, IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// What can be turned into socket addresses: what [`std::net::ToSocketAddrs`] is implemented for in the standard library.
///
/// Nothing blocks the core to look a name up. What is awaited, as [`TcpStream::connect`](super::TcpStream::connect), has it looked up by
/// [`spawn_blocking`](crate::spawn_blocking). What is not, as [`TcpListener::bind`](super::TcpListener::bind), takes addresses only, also as text
/// (`"127.0.0.1:80"`, `("::1", 80)`), and refuses a name with `InvalidInput`.
pub trait ToSocketAddrs {
    #[doc(hidden)]
    fn lookup(&self) -> Lookup;
}

/// What it takes to know the addresses.
#[doc(hidden)]
#[derive(Debug)]
#[expect(unnameable_types, reason = "it seals a trait")]
pub enum Lookup {
    Known(Vec<SocketAddr>),
    /// A host's name, a colon and a port.
    Name(String),
    Host(String, u16),
}

impl Lookup {
    /// The addresses, if they are there without a lookup.
    pub(super) fn known(self) -> io::Result<Vec<SocketAddr>> {
        let name = match self {
            Self::Known(addresses) => return Ok(addresses),
            Self::Name(name) => name,
            Self::Host(host, port) => format!("{host}:{port}"),
        };
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "cannot bind {name:?}: it is no address but a name, or has no port, and to look a name up would block the core; \
                 pass an address such as \"127.0.0.1:80\", or those that executor::net::lookup_host finds"
            ),
        ))
    }

    fn run(self) -> io::Result<Vec<SocketAddr>> {
        let (name, found) = match &self {
            Self::Known(addresses) => return Ok(addresses.clone()),
            Self::Name(name) => (name, net::ToSocketAddrs::to_socket_addrs(&**name)),
            Self::Host(host, port) => {
                (host, net::ToSocketAddrs::to_socket_addrs(&(&**host, *port)))
            }
        };
        found
            .map(Iterator::collect)
            .map_err(|error| not_found(name, error))
    }
}

/// The error of a lookup, with the name. One of a system call keeps its number instead.
fn not_found(name: &str, error: io::Error) -> io::Error {
    if error.raw_os_error().is_some() {
        return error;
    }
    let advice = match error.kind() {
        io::ErrorKind::InvalidInput => "; pass a host and a port, such as \"localhost:80\"",
        _ => "",
    };
    io::Error::new(
        error.kind(),
        format!("cannot look {name:?} up: {error}{advice}"),
    )
}

/// All addresses that `addresses` stands for, at least one.
///
/// Dropped, the lookup goes on to its end, and nobody is told.
pub(super) async fn resolve(addresses: &impl ToSocketAddrs) -> io::Result<Vec<SocketAddr>> {
    found(addresses.lookup()).await
}

/// The same of a lookup, which borrows nothing.
pub(super) async fn found(lookup: Lookup) -> io::Result<Vec<SocketAddr>> {
    let found = match lookup {
        Lookup::Known(addresses) => addresses,
        lookup => blocking::call(move || lookup.run()).await?,
    };
    if found.is_empty() {
        return Err(no_address());
    }
    Ok(found)
}

macro_rules! known {
    ($($address:ty),*) => {
        $(
            impl ToSocketAddrs for $address {
                fn lookup(&self) -> Lookup {
                    Lookup::Known(vec![(*self).into()])
                }
            }
        )*
    };
}

known!(
    SocketAddr,
    SocketAddrV4,
    SocketAddrV6,
    (IpAddr, u16),
    (Ipv4Addr, u16),
    (Ipv6Addr, u16)
);

impl ToSocketAddrs for [SocketAddr] {
    fn lookup(&self) -> Lookup {
        Lookup::Known(self.to_vec())
    }
}

impl<const N: usize> ToSocketAddrs for [SocketAddr; N] {
    fn lookup(&self) -> Lookup {
        Lookup::Known(self.to_vec())
    }
}

impl ToSocketAddrs for Vec<SocketAddr> {
    fn lookup(&self) -> Lookup {
        Lookup::Known(self.clone())
    }
}

impl ToSocketAddrs for str {
    fn lookup(&self) -> Lookup {
        match self.parse() {
            Ok(address) => Lookup::Known(vec![address]),
            Err(_) => Lookup::Name(self.to_owned()),
        }
    }
}

impl ToSocketAddrs for String {
    fn lookup(&self) -> Lookup {
        (**self).lookup()
    }
}

impl ToSocketAddrs for (&str, u16) {
    fn lookup(&self) -> Lookup {
        let (host, port) = *self;
        match host.parse::<IpAddr>() {
            Ok(address) => Lookup::Known(vec![(address, port).into()]),
            Err(_) => Lookup::Host(host.to_owned(), port),
        }
    }
}

impl ToSocketAddrs for (String, u16) {
    fn lookup(&self) -> Lookup {
        (&*self.0, self.1).lookup()
    }
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {
    fn lookup(&self) -> Lookup {
        (**self).lookup()
    }
}
