//! Who is at the other end.
//!
//! By nix: rustix takes a process number of zero for impossible.

use nix::sys::socket::{getsockopt, sockopt};
use std::io;
use std::os::fd::AsFd;

/// The process that connected, or listened, or made the pair, as it was then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerCredentials {
    /// Its number. Zero if it is in a namespace of processes that this one cannot see.
    pub process: i32,
    /// Its effective user.
    pub user: u32,
    /// Its effective group.
    pub group: u32,
}

/// `SO_PEERCRED`.
pub(super) fn of_peer(socket: impl AsFd) -> io::Result<PeerCredentials> {
    let credentials = getsockopt(&socket, sockopt::PeerCredentials)?;
    Ok(PeerCredentials {
        process: credentials.pid(),
        user: credentials.uid(),
        group: credentials.gid(),
    })
}
