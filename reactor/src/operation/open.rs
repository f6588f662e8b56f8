//! openat(2).

use super::{Completion, Operation};
use io_uring::{opcode, squeue, types};
use std::ffi::CString;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// openat(2), relative to the working directory: yields the new descriptor, close-on-exec.
pub struct Open {
    path: CString,
    flags: i32,
    mode: u32,
    may_wait: bool,
}

impl Open {
    /// Opens `path`, with the flags and the mode of open(2).
    pub fn new(path: CString, flags: i32, mode: u32) -> Self {
        Self {
            path,
            flags: flags | libc::O_CLOEXEC,
            mode,
            may_wait: false,
        }
    }

    /// The same, in a worker thread of the kernel: there it waits for the other end of a named pipe. Otherwise the kernel tries first as if
    /// `O_NONBLOCK` had been given.
    #[must_use]
    pub fn that_may_wait(mut self) -> Self {
        self.may_wait = true;
        self
    }
}

// SAFETY: the entry points to the text of `path`, on the heap, which is ours and never changes.
unsafe impl Operation for Open {
    type Output = io::Result<OwnedFd>;

    fn entry(&mut self) -> squeue::Entry {
        let entry = opcode::OpenAt::new(types::Fd(libc::AT_FDCWD), self.path.as_ptr())
            .flags(self.flags)
            .mode(self.mode)
            .build();
        if self.may_wait {
            entry.flags(squeue::Flags::ASYNC)
        } else {
            entry
        }
    }

    fn is_queued(&self) -> bool {
        true
    }

    fn complete(self, completion: Completion) -> Self::Output {
        let descriptor = completion.result()?;
        // SAFETY: the kernel has just made this descriptor for our operation, and nobody else knows it.
        Ok(unsafe { OwnedFd::from_raw_fd(descriptor as RawFd) })
    }
}
