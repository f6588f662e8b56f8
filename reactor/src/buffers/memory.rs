//! Memory that buffers are cut from. The kernel may know of it: who makes it sees to it that it lives as long as that.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::io;
use std::ptr::NonNull;

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
