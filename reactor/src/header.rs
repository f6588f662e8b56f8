//! The header line: where the kernel says that there is something to do, read without entering it.
//!
//! A second mapping of the ring's first page (the same physical memory as the io-uring crate's own), viewed at the offsets the
//! kernel reported. From 6.6 on `cq.tail`, `sq_flags` and `cq_flags` share one 64-byte line; before, they do not, and
//! [`HeaderLine::is_one_line`] tells. This view never writes.
//!
//! With `DEFER_TASKRUN` the tail does not move by itself: completions show as `IORING_SQ_TASKRUN` in `sq_flags`, and the tail moves
//! in the owner's next enter. So both have to be watched.

use crate::sys::{self, Params};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

const LINE_BYTES: usize = 64;

/// A read-only view of the words by which a ring announces completions.
#[derive(Debug)]
pub struct HeaderLine {
    mapping: NonNull<u8>,
    mapping_bytes: usize,
    cq_head: u32,
    cq_tail: u32,
    sq_flags: u32,
    cq_flags: u32,
}

impl HeaderLine {
    /// Maps the header of the ring `fd`, which the kernel described by `params`.
    pub(crate) fn map(fd: &OwnedFd, params: &Params) -> io::Result<Self> {
        let offsets = [
            params.cq_off.head,
            params.cq_off.tail,
            params.sq_off.flags,
            params.cq_off.flags,
        ];
        let last = offsets.into_iter().max().unwrap_or(0) as usize;
        let mapping_bytes = last + size_of::<u32>();
        // SAFETY: a fresh shared mapping at an address of the kernel's choice; IORING_OFF_SQ_RING is 0.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                mapping_bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_POPULATE,
                fd.as_raw_fd(),
                0,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let mapping = NonNull::new(address.cast::<u8>()).expect("mmap never returns null");
        Ok(Self {
            mapping,
            mapping_bytes,
            cq_head: params.cq_off.head,
            cq_tail: params.cq_off.tail,
            sq_flags: params.sq_off.flags,
            cq_flags: params.cq_off.flags,
        })
    }

    fn word(&self, offset: u32) -> &AtomicU32 {
        // SAFETY: `map` made the mapping long enough for each offset the kernel gave, which are multiples of four; it lives as
        // long as `self`, and kernel and user change these words by atomic accesses only.
        unsafe {
            self.mapping
                .add(offset as usize)
                .cast::<AtomicU32>()
                .as_ref()
        }
    }

    /// Where the kernel will write the next completion.
    pub fn cq_tail(&self) -> u32 {
        // Acquire: pairs with the kernel's store-release after it wrote the entry.
        self.word(self.cq_tail).load(Ordering::Acquire)
    }

    /// The kernel's flags: `IORING_SQ_TASKRUN`, `IORING_SQ_CQ_OVERFLOW` and others.
    pub fn sq_flags(&self) -> u32 {
        // Relaxed: a hint to enter the kernel, which does the ordering.
        self.word(self.sq_flags).load(Ordering::Relaxed)
    }

    /// The application's flags, which the kernel reads only where an eventfd is registered.
    pub fn cq_flags(&self) -> u32 {
        // Relaxed: nothing is ordered by it.
        self.word(self.cq_flags).load(Ordering::Relaxed)
    }

    /// Whether completions stand in the queue.
    pub fn has_completions(&self) -> bool {
        // Relaxed: only the owner, who asks, moves the head.
        self.word(self.cq_head).load(Ordering::Relaxed) != self.cq_tail()
    }

    /// Whether the kernel asks to be entered: completions wait to be prepared, or did not fit into the queue.
    pub fn wants_enter(&self) -> bool {
        self.sq_flags() & (sys::SQ_TASKRUN | sys::SQ_CQ_OVERFLOW) != 0
    }

    /// Whether one monitored cache line shows all of `cq.tail`, `sq_flags` and `cq_flags`.
    pub fn is_one_line(&self) -> bool {
        let line = |offset: u32| offset as usize / LINE_BYTES;
        line(self.cq_tail) == line(self.sq_flags) && line(self.cq_tail) == line(self.cq_flags)
    }
}

impl Drop for HeaderLine {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `map` with this length, and no reference into it outlives `self`.
        unsafe { libc::munmap(self.mapping.as_ptr().cast(), self.mapping_bytes) };
    }
}
