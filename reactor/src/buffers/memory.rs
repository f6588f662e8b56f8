//! Memory that buffers are cut from. The kernel may know of it: who makes it sees to it that it lives as long as that.

use rustix::mm::{Advice, madvise};
use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::io;
use std::ptr::NonNull;

/// A large page of x86-64, and of aarch64 with small ones of 4 KiB.
const LARGE_PAGE_BYTES: usize = 2 << 20;

/// Memory from the allocator, zeroed, freed when dropped.
pub(super) struct Memory {
    start: NonNull<u8>,
    layout: Layout,
}

impl Memory {
    /// The size must not be zero.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn new(layout: Layout) -> io::Result<Self> {
        assert!(layout.size() > 0, "no memory for buffers");
        // SAFETY: the size is not zero.
        let start = unsafe { alloc_zeroed(layout) };
        let start = NonNull::new(start).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, layout })
    }

    /// The same for what a device will transfer to, all of it: in large pages, as far as it fills some and the kernel has them. What is in one
    /// piece in memory is one piece for the device too.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn for_device(layout: Layout) -> io::Result<Self> {
        if layout.size() < LARGE_PAGE_BYTES {
            return Self::new(layout);
        }
        let layout = layout.align_to(LARGE_PAGE_BYTES);
        let layout = layout.map_err(|_| io::ErrorKind::OutOfMemory)?;
        // SAFETY: the size is not zero.
        let start = unsafe { alloc(layout) };
        let start = NonNull::new(start).ok_or(io::ErrorKind::OutOfMemory)?;
        let memory = Self { start, layout };
        // Before it is touched. A kernel that takes no such advice gives small pages.
        // SAFETY: the memory is ours, and the advice changes nothing that is in it.
        let _ = unsafe { madvise(start.as_ptr().cast(), layout.size(), Advice::LinuxHugepage) };
        // SAFETY: it is so large, and nobody else has it yet.
        unsafe { start.as_ptr().write_bytes(0, layout.size()) };
        Ok(memory)
    }

    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }

    pub(super) fn bytes(&self) -> usize {
        self.layout.size()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: it came from the allocator with this layout, and its owner is going away.
        unsafe { dealloc(self.start.as_ptr(), self.layout) }
    }
}
