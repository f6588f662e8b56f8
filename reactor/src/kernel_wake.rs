//! The kernel wake: an eventfd on which the owner's ring has a standing multishot poll.
//!
//! Rung by whoever wins the compare-exchange on a `Blocked` core (see [`crate::park`]), from any thread, with a ring or without.
//! The poll is armed once, before the core first parks, and never at sleep time; the counter is never read, so every write is an
//! edge that posts a completion, and a poll that had to be re-armed finds the counter non-zero and completes at once.

use crate::fork::Origin;
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Wakes a core that is blocked in the kernel. Shared by reference count; ringing it after the core has gone is harmless.
#[derive(Debug)]
pub struct KernelWake {
    eventfd: OwnedFd,
    origin: Origin,
}

impl KernelWake {
    /// Creates the eventfd.
    ///
    /// # Errors
    /// The process or the system is out of descriptors or memory.
    pub fn new() -> io::Result<Self> {
        let eventfd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self {
            eventfd,
            origin: Origin::here(),
        })
    }

    /// Wakes the core: one write(2). Callable from any thread, never blocks. In a forked child it does nothing: the core is the parent's.
    pub fn wake(&self) {
        if !self.origin.is_here() {
            return;
        }
        loop {
            match rustix::io::write(&self.eventfd, &1u64.to_ne_bytes()) {
                Ok(_) => return,
                Err(Errno::INTR) => {}
                // The counter is 2^64 - 2 and stays readable: the poll has long been triggered.
                Err(Errno::AGAIN) => return,
                Err(error) => panic!("writing to a core's eventfd failed: {error}"),
            }
        }
    }
}

impl AsFd for KernelWake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.eventfd.as_fd()
    }
}
