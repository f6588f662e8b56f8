//! Memory that buffers are cut from. The kernel may know of it: who makes it sees to it that it lives as long as that.

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::io;
use std::ptr::{self, NonNull};

/// A large page of x86-64, and of aarch64 with small ones of 4 KiB.
const LARGE_PAGE_BYTES: usize = 2 << 20;

/// Zeroed memory, freed when dropped.
pub(super) struct Memory {
    start: NonNull<u8>,
    bytes: usize,
    source: Source,
}

enum Source {
    Allocator(Layout),
    /// The mapping that it is a part of.
    Kernel {
        base: NonNull<u8>,
        bytes: usize,
    },
}

impl Memory {
    /// From the allocator. The size must not be zero.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn new(layout: Layout) -> io::Result<Self> {
        assert!(layout.size() > 0, "no memory for buffers");
        // SAFETY: the size is not zero.
        let start = unsafe { alloc_zeroed(layout) };
        Ok(Self {
            start: NonNull::new(start).ok_or(io::ErrorKind::OutOfMemory)?,
            bytes: layout.size(),
            source: Source::Allocator(layout),
        })
    }

    /// The same for what a device will transfer to, all of it: in large pages, as far as it fills some and the kernel has them. What is in one
    /// piece in memory is one piece for the device too.
    ///
    /// That needs a mapping of its own: what the allocator gives may have been touched, and then it is in small pages, whatever is asked later.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn for_device(layout: Layout) -> io::Result<Self> {
        if layout.size() < LARGE_PAGE_BYTES {
            return Self::new(layout);
        }
        assert!(layout.align() <= LARGE_PAGE_BYTES, "a page at most");
        // Room to begin where a large page may. Nobody touches the rest, so it is no memory.
        let bytes = layout.size() + LARGE_PAGE_BYTES;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping, at a place that the kernel chooses.
        let base = unsafe { mmap_anonymous(ptr::null_mut(), bytes, access, MapFlags::PRIVATE) }?;
        let base = NonNull::new(base.cast::<u8>()).ok_or(io::ErrorKind::OutOfMemory)?;
        let skipped = base.as_ptr().align_offset(LARGE_PAGE_BYTES);
        let memory = Self {
            // SAFETY: less than a large page, and so much more was mapped.
            start: unsafe { base.add(skipped) },
            bytes: layout.size(),
            source: Source::Kernel { base, bytes },
        };
        // A kernel that takes no such advice gives small pages.
        // SAFETY: the memory is ours, and the advice changes nothing that is in it.
        let _ = unsafe {
            madvise(
                memory.start.as_ptr().cast(),
                memory.bytes,
                Advice::LinuxHugepage,
            )
        };
        Ok(memory)
    }

    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        match self.source {
            // SAFETY: it came from the allocator with this layout, and its owner is going away.
            Source::Allocator(layout) => unsafe { dealloc(self.start.as_ptr(), layout) },
            Source::Kernel { base, bytes } => {
                // SAFETY: it was mapped so, and its owner is going away.
                let unmapped = unsafe { munmap(base.as_ptr().cast(), bytes) };
                debug_assert!(unmapped.is_ok(), "it was mapped");
            }
        }
    }
}
