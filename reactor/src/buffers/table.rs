//! The table of memory that the kernel has looked up and pinned, and which of its places are taken.
//!
//! One for each reactor, with a fixed number of places, made when the first is asked for; a group of buffers takes one. Called by
//! `registered` alone, from the reactor's thread. The kernel uses a place for operations that name it, and does nothing with it by itself.

use super::memory::Memory;
use io_uring::Submitter;
use std::cell::RefCell;
use std::io;

/// Eight bytes of the kernel's memory each. A core has a few groups, not one for each file.
const PLACES: u16 = 256;

/// Whether the kernel has a table whose places are filled later.
pub(crate) fn can_be_registered(submitter: &Submitter<'_>) -> bool {
    // The ring, made to find out, is closed at once.
    submitter.register_buffers_sparse(1).is_ok()
}

/// Which places are free.
#[derive(Default)]
pub(crate) struct Table {
    /// `None`: there is no table yet.
    free: RefCell<Option<Vec<u16>>>,
}

impl Table {
    /// Gives `memory` a place, by whose number operations can name it.
    ///
    /// # Errors
    /// As io_uring_register(2) has them: `OutOfMemory` also if a limit stands in the way. `QuotaExceeded` if all places are taken.
    ///
    /// # Safety
    /// The memory stays until the place was [given up](Self::unregister), or the ring is closed.
    pub(super) unsafe fn register(
        &self,
        submitter: &Submitter<'_>,
        memory: &Memory,
    ) -> io::Result<u16> {
        let place = self.claim(submitter)?;
        let start = memory.start().as_ptr().cast();
        // SAFETY: the memory is there, and stays, by the caller's word.
        let registered = unsafe { fill(submitter, place, start, memory.bytes()) };
        if registered.is_err() {
            self.release(place);
        }
        registered.map(|()| place)
    }

    /// Gives a place up. No operation in flight may name it.
    ///
    /// # Errors
    /// As io_uring_register(2) has them. The place stays taken then, and nobody will name it.
    pub(super) fn unregister(&self, submitter: &Submitter<'_>, place: u16) -> io::Result<()> {
        // SAFETY: nothing has no life to outlive.
        unsafe { fill(submitter, place, std::ptr::null_mut(), 0) }?;
        self.release(place);
        Ok(())
    }

    fn claim(&self, submitter: &Submitter<'_>) -> io::Result<u16> {
        let mut free = self.free.borrow_mut();
        if free.is_none() {
            submitter.register_buffers_sparse(PLACES.into())?;
        }
        let free = free.get_or_insert_with(|| (0..PLACES).rev().collect());
        free.pop().ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::QuotaExceeded,
                format!("a core registers {PLACES} groups at most: make fewer, and larger ones"),
            )
        })
    }

    fn release(&self, place: u16) {
        if let Some(free) = self.free.borrow_mut().as_mut() {
            free.push(place);
        }
    }
}

/// Puts memory, or nothing, into a place. One at a time: of several, the kernel may take some and call that a success.
///
/// # Safety
/// The memory stays as long as it is there.
unsafe fn fill(
    submitter: &Submitter<'_>,
    place: u16,
    start: *mut libc::c_void,
    bytes: usize,
) -> io::Result<()> {
    let memory = libc::iovec {
        iov_base: start,
        iov_len: bytes,
    };
    // SAFETY: the description is there for the length of the call, and the memory stays, by the caller's word.
    unsafe { submitter.register_buffers_update(place.into(), &[memory], None) }
}
