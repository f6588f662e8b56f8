//! poll(2): whether a descriptor is ready, for whoever does the rest with system calls of their own.

use super::{Completion, Operation};
use io_uring::{opcode, squeue, types};
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// poll(2) of one descriptor; yields its events once there are any. `H` holds the descriptor open until the kernel has answered.
pub struct Ready<H> {
    holder: H,
    events: u32,
}

impl<H: AsFd> Ready<H> {
    /// Waits for any of `events` (`POLLIN` and so on). Errors and the end of a connection come unasked.
    pub fn new(holder: H, events: u32) -> Self {
        Self { holder, events }
    }
}

// SAFETY: the entry points to nothing.
unsafe impl<H: AsFd + 'static> Operation for Ready<H> {
    type Output = io::Result<u32>;

    fn entry(&mut self) -> squeue::Entry {
        let fd = types::Fd(self.holder.as_fd().as_raw_fd());
        opcode::PollAdd::new(fd, self.events).build()
    }

    fn complete(self, completion: Completion) -> Self::Output {
        completion.result()
    }
}
