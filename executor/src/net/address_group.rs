//! Several sockets at one address, among which the kernel spreads what comes (`SO_REUSEPORT`), and which keep it from others.
//!
//! With the option set from the start, a second program that does the same would share the address, and nobody would notice. So the first socket
//! takes the address without it, as any other, which fails if somebody has it. Only then is the option switched on, and the others join.
//! The kernel looks at the option as it is when another socket is bound (`inet_csk_bind_conflict`, `udp_lib_lport_inuse`), and makes the group
//! when the second member comes (`reuseport_add_sock`); so do all kernels that this crate runs on.

use super::address::to_std;
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::SocketAddr;

/// A TCP or UDP socket for `address`, by the type, with what must be set before it is bound.
/// `only_v6` is as the system has it if it is `None`.
pub(super) fn unbound(
    kind: Type,
    address: SocketAddr,
    reuse_address: bool,
    reuse_port: bool,
    only_v6: Option<bool>,
) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, None)?;
    socket.set_reuse_address(reuse_address)?;
    socket.set_reuse_port(reuse_port)?;
    if let (Some(only_v6), true) = (only_v6, address.is_ipv6()) {
        socket.set_only_v6(only_v6)?;
    }
    Ok(socket)
}

/// `count` sockets at `address`; if its port is zero, all at the one that the first is given. `make` binds one, with `SO_REUSEPORT` or without, and,
/// if it is to listen, has it listen: for TCP the address is taken only then, since `SO_REUSEADDR` lets two be bound. `shares` says that
/// sockets of others may be there already, and that is wanted.
///
/// # Errors
/// Those of `make`, and `InvalidInput` if `count` is zero. What was made by then is closed.
pub(super) fn bind_group(
    address: SocketAddr,
    count: usize,
    shares: bool,
    make: impl Fn(SocketAddr, bool) -> io::Result<Socket>,
) -> io::Result<Vec<Socket>> {
    if count == 0 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "zero sockets were asked for; at least one is needed to bind the address",
        ));
    }
    let first = make(address, shares)?;
    if count > 1 {
        first.set_reuse_port(true)?;
    }
    let address = to_std(&first.local_addr()?)?;
    let others = (1..count).map(|_| make(address, true));
    std::iter::once(Ok(first)).chain(others).collect()
}
