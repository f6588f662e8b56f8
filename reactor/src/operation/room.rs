//! Waiting for room for a datagram.
//!
//! Left to itself, io_uring tries a send, waits until the socket is writable, and tries again. For a
//! Unix datagram that goes wrong: the first try has copied the bytes by the time it finds the
//! receiver's queue full (`unix_dgram_sendmsg` in net/unix/af_unix.c), the next one goes on behind
//! them, and an empty datagram is sent (seen on Linux 6.18, each time). And a Unix socket that is not
//! connected is always writable, whatever room the receiver has: the tries follow each other, until a
//! worker thread of the kernel waits. So a datagram is sent without waiting, and we wait until there
//! is room: at the socket, or, for the address of a Unix socket, at one of our own that is connected
//! to it and never sends.

use super::{Completion, fd};
use crate::descriptor::Descriptor;
use io_uring::{opcode, squeue, types};
use socket2::{Domain, SockAddr, Socket, Type};
use std::io;
use std::os::fd::AsRawFd;

/// Where a send stands, if it is of a datagram.
#[derive(Debug)]
pub(super) enum Room {
    /// It is not: of a stream, the kernel waits for room.
    Unneeded,
    /// It is tried: there may be room.
    Tried,
    /// There was none. It waits for its socket, or for this one.
    Awaited(Option<Socket>),
    /// It cannot wait, for this reason.
    Refused(i32),
}

impl Room {
    /// Whether a datagram is sent.
    pub(super) fn is_needed(&self) -> bool {
        !matches!(self, Self::Unneeded)
    }

    /// For the send. A peer that has gone is an error, not a signal.
    pub(super) fn flags(&self) -> i32 {
        match self {
            Self::Unneeded => libc::MSG_NOSIGNAL,
            _ => libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT,
        }
    }

    /// What is to be submitted instead of the send.
    pub(super) fn entry(&self, socket: &Descriptor) -> Option<squeue::Entry> {
        let socket = match self {
            Self::Awaited(Some(probe)) => types::Fd(probe.as_raw_fd()),
            Self::Awaited(None) => fd(socket),
            Self::Unneeded | Self::Tried | Self::Refused(_) => return None,
        };
        Some(opcode::PollAdd::new(socket, libc::POLLOUT as u32).build())
    }

    /// Whether something is to be submitted after this completion.
    pub(super) fn goes_on(&mut self, completion: Completion, target: Option<&SockAddr>) -> bool {
        *self = match self {
            Self::Tried if has_no_room(completion) => match probe(target) {
                Ok(probe) => Self::Awaited(probe),
                Err(error) => Self::Refused(error.raw_os_error().unwrap_or(libc::EIO)),
            },
            Self::Unneeded | Self::Tried | Self::Refused(_) => return false,
            // An error of the socket is the send's to tell.
            Self::Awaited(_) => Self::Tried,
        };
        !matches!(self, Self::Refused(_))
    }

    /// What the last completion says of the send.
    pub(super) fn outcome(&self, completion: Completion) -> io::Result<usize> {
        match self {
            Self::Refused(code) => Err(io::Error::from_raw_os_error(*code)),
            _ => completion.result().map(|count| count as usize),
        }
    }
}

fn has_no_room(completion: Completion) -> bool {
    completion
        .result()
        .is_err_and(|error| error.raw_os_error() == Some(libc::EAGAIN))
}

/// A socket that is writable when there is room at `target`; `None` if the sender's own is.
fn probe(target: Option<&SockAddr>) -> io::Result<Option<Socket>> {
    let Some(target) = target.filter(|target| target.domain() == Domain::UNIX) else {
        return Ok(None);
    };
    let probe = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
    probe.connect(target)?;
    Ok(Some(probe))
}
