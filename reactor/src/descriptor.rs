//! A file descriptor that no operation outlives.
//!
//! Each operation in flight holds a clone of its [`Descriptor`], so the number cannot be closed, and given to another file,
//! between the moment an entry names it and the moment the kernel takes the entry up. The last clone closes it, by close(2).

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::rc::Rc;

/// A shared, core-local file descriptor; the last clone to be dropped closes it.
#[derive(Clone, Debug)]
pub struct Descriptor(Rc<OwnedFd>);

impl Descriptor {
    /// Takes the descriptor over.
    pub fn new(fd: OwnedFd) -> Self {
        Self(Rc::new(fd))
    }

    /// Gives the descriptor back if nobody else holds it: no clone, and no operation in flight.
    ///
    /// # Errors
    /// Returns `self` unchanged while there are other holders.
    pub fn try_into_owned(self) -> Result<OwnedFd, Self> {
        Rc::try_unwrap(self.0).map_err(Self)
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
