//! A file descriptor that no operation outlives, and what has to be known of it.
//!
//! Each operation in flight holds a clone of its [`Descriptor`], so the number cannot be closed, and given to another file,
//! between the moment an entry names it and the moment the kernel takes the entry up. The last clone closes it, by close(2).

use crate::attempt::{Attempt, find};
use rustix::fs::FileType;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::rc::Rc;

#[derive(Debug)]
struct Inner {
    fd: OwnedFd,
    file_type: FileType,
    attempt: Attempt,
}

/// A shared, core-local file descriptor; the last clone to be dropped closes it.
#[derive(Clone, Debug)]
pub struct Descriptor(Rc<Inner>);

impl Descriptor {
    /// Takes over a socket. The system is not asked what it is.
    pub fn new(fd: OwnedFd) -> Self {
        Self(Rc::new(Inner {
            fd,
            file_type: FileType::Socket,
            attempt: Attempt::Here,
        }))
    }

    /// Takes over a descriptor that may be of anything, and finds out, once, what it is and where its reads and writes are tried: some
    /// system calls that do not block.
    pub fn of_file(fd: OwnedFd) -> Self {
        let (file_type, attempt) = find(fd.as_fd());
        Self(Rc::new(Inner {
            fd,
            file_type,
            attempt,
        }))
    }

    /// What kind of file it is.
    pub fn file_type(&self) -> FileType {
        self.0.file_type
    }

    /// Where reads and writes of it are tried.
    pub(crate) fn attempt(&self) -> Attempt {
        self.0.attempt
    }

    /// Gives the descriptor back if nobody else holds it: no clone, and no operation in flight.
    ///
    /// # Errors
    /// Returns `self` unchanged while there are other holders.
    pub fn try_into_owned(self) -> Result<OwnedFd, Self> {
        Rc::try_unwrap(self.0).map(|inner| inner.fd).map_err(Self)
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.fd.as_fd()
    }
}

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.0.fd.as_raw_fd()
    }
}
