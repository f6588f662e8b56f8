//! Socket operations that move no data.

use super::{Completion, Operation, fd};
use crate::descriptor::Descriptor;
use io_uring::{opcode, squeue};
use socket2::SockAddr;
use std::{io, net};

/// connect(2).
pub struct Connect {
    socket: Descriptor,
    address: SockAddr,
}

impl Connect {
    /// Connects `socket` to `address`.
    pub fn new(socket: Descriptor, address: SockAddr) -> Self {
        Self { socket, address }
    }
}

// SAFETY: the entry points into `address`, which is ours and never changes.
unsafe impl Operation for Connect {
    type Output = io::Result<()>;

    fn entry(&mut self) -> squeue::Entry {
        opcode::Connect::new(
            fd(&self.socket),
            self.address.as_ptr().cast(),
            self.address.len(),
        )
        .build()
    }

    fn complete(self, completion: Completion) -> Self::Output {
        completion.result().map(|_| ())
    }
}

/// shutdown(2). Where the sending side was shut down before, doing it again is no error, though the connection may have ended meanwhile.
pub struct Shutdown {
    socket: Descriptor,
    how: net::Shutdown,
}

impl Shutdown {
    /// Shuts one or both directions of `socket` down.
    pub fn new(socket: Descriptor, how: net::Shutdown) -> Self {
        Self { socket, how }
    }
}

// SAFETY: the entry points to nothing.
unsafe impl Operation for Shutdown {
    type Output = io::Result<()>;

    fn entry(&mut self) -> squeue::Entry {
        let how = match self.how {
            net::Shutdown::Read => libc::SHUT_RD,
            net::Shutdown::Write => libc::SHUT_WR,
            net::Shutdown::Both => libc::SHUT_RDWR,
        };
        opcode::Shutdown::new(fd(&self.socket), how).build()
    }

    fn complete(self, completion: Completion) -> Self::Output {
        let ends_sending = self.how != net::Shutdown::Read;
        match completion.result() {
            Ok(_) if ends_sending => self.socket.set_sending_ended(),
            Ok(_) => {}
            Err(error) => {
                let has_ended = ends_sending && self.socket.has_sending_ended();
                if !has_ended || error.kind() != io::ErrorKind::NotConnected {
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}
