//! Memory at an address that a disk can transfer to by itself.
//!
//! A file opened with `O_DIRECT` is read and written past the kernel's cache, so the memory, the offset and the length must fit the
//! medium. An ordinary vector begins where it happens to.

use crate::buf::{IoBuf, IoBufMut};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::{fmt, slice};

/// The smallest page of any machine.
const PAGE_BYTES: usize = 4096;

/// Bytes that begin at a multiple of an alignment; otherwise much like a `Vec<u8>` that does not grow.
pub struct AlignedBuf {
    start: NonNull<u8>,
    layout: Layout,
    /// How many bytes, from the start, are initialised.
    length: usize,
}

impl AlignedBuf {
    /// Room for `capacity` bytes, rounded up to a multiple of `alignment` (at least one of it), and none in it yet. It lies in no more pages than it must:
    /// each is one more piece for the disk.
    ///
    /// # Panics
    /// If `alignment` is not a power of two, or so much memory cannot be had.
    pub fn new(capacity: usize, alignment: usize) -> Self {
        assert!(
            alignment.is_power_of_two(),
            "an alignment of {alignment} is no power of two"
        );
        let layout = capacity
            .max(1)
            .checked_next_multiple_of(alignment)
            .and_then(|size| {
                let to_pages = size.min(PAGE_BYTES).next_power_of_two();
                Layout::from_size_align(size, alignment.max(to_pages)).ok()
            })
            .expect("a buffer fits the address space");
        // SAFETY: the size is not zero.
        let start = unsafe { alloc(layout) };
        Self {
            start: NonNull::new(start).unwrap_or_else(|| handle_alloc_error(layout)),
            layout,
            length: 0,
        }
    }

    /// Of what its address is a multiple: at least what was asked for.
    pub fn alignment(&self) -> usize {
        self.layout.align()
    }

    /// How many bytes it has room for.
    pub fn capacity(&self) -> usize {
        self.layout.size()
    }

    /// Makes it `length` bytes long; those that are new are zero.
    ///
    /// # Panics
    /// If there is no room for so many.
    pub fn resize(&mut self, length: usize) {
        assert!(
            length <= self.capacity(),
            "{length} bytes in a buffer of {}",
            self.capacity()
        );
        let before = self.length;
        if let Some(new) = self.space().get_mut(before..length) {
            new.fill(MaybeUninit::new(0));
        }
        self.length = length;
    }

    /// Appends as many of `bytes` as there is room for, and says how many.
    pub fn append(&mut self, bytes: &[u8]) -> usize {
        let before = self.length;
        let count = bytes.len().min(self.capacity() - before);
        self.space()[before..][..count].write_copy_of_slice(&bytes[..count]);
        self.length += count;
        count
    }

    /// All of the memory.
    fn space(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: the allocation is ours, so large, and we are borrowed alone.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr().cast(), self.layout.size()) }
    }
}

impl std::ops::Deref for AlignedBuf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the allocation is ours, and so many bytes of it are initialised.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl std::ops::DerefMut for AlignedBuf {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `deref`, and we are borrowed alone.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

impl IoBuf for AlignedBuf {
    fn as_init(&self) -> &[u8] {
        self
    }
}

// SAFETY: the space is the allocation, and the bytes are the first `length` of it.
unsafe impl IoBufMut for AlignedBuf {
    unsafe fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        self.space()
    }

    unsafe fn set_len(&mut self, length: usize) {
        debug_assert!(length <= self.capacity());
        self.length = length;
    }
}

impl Drop for AlignedBuf {
    fn drop(&mut self) {
        // SAFETY: it was allocated with this layout.
        unsafe { dealloc(self.start.as_ptr(), self.layout) };
    }
}

impl fmt::Debug for AlignedBuf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AlignedBuf")
            .field("alignment", &self.alignment())
            .field("capacity", &self.capacity())
            .field("length", &self.length)
            .finish()
    }
}

// SAFETY: it owns its memory, and nothing about it belongs to a thread.
unsafe impl Send for AlignedBuf {}
// SAFETY: shared, it only lends its bytes.
unsafe impl Sync for AlignedBuf {}
