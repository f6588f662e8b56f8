//! The memory of a pool, and the ring through which the kernel is offered its buffers.
//!
//! The layout of the ring is that of `struct io_uring_buf_ring`: entries of 16 bytes, with the tail in the unused end of the first. We
//! write entries and the tail, the kernel reads them; with incremental filling it writes to an entry that it has begun. Called by
//! `pool` alone, from the reactor's thread. It does not know which buffers are free: see `ledger`.

use super::Filling;
use super::memory::Memory;
use io_uring::Submitter;
use io_uring::types::BufRingEntry;
use std::alloc::Layout;
use std::cell::Cell;
use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

/// `IOU_PBUF_RING_INC`: the kernel fills a buffer bit by bit.
const INCREMENTAL: u16 = 2;

/// `count` buffers of equal size, and the ring to offer them by. To be unregistered, or leaked, before it is dropped.
pub(super) struct BufferRing {
    entries: Memory,
    buffers: Memory,
    count: u16,
    buffer_bytes: u32,
    tail: Cell<u16>,
}

impl BufferRing {
    /// Allocates. `count` is a power of two; nothing is zero.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn new(count: u16, buffer_bytes: u32) -> io::Result<Self> {
        assert!(count.is_power_of_two() && buffer_bytes > 0);
        let size = usize::from(count) * size_of::<BufRingEntry>();
        let entries = Layout::from_size_align(size, rustix::param::page_size());
        // Aligned like anything, so that the allocator can leave it to the kernel to zero what is used.
        let buffers = usize::from(count)
            .checked_mul(buffer_bytes as usize)
            .and_then(|size| Layout::from_size_align(size, 16).ok())
            .ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self {
            entries: Memory::new(entries.expect("half a megabyte at most"))?,
            buffers: Memory::new(buffers)?,
            count,
            buffer_bytes,
            tail: Cell::new(0),
        })
    }

    /// Makes the ring known to the kernel as `group`.
    ///
    /// # Errors
    /// As io_uring_register(2) has them: `InvalidInput` where the kernel does not know of such rings.
    pub(super) fn register(
        &self,
        submitter: &Submitter<'_>,
        group: u16,
        filling: Filling,
    ) -> io::Result<()> {
        let flags = match filling {
            Filling::Whole => 0,
            Filling::Incremental => INCREMENTAL,
        };
        let address = self.entries.start().as_ptr() as u64;
        // SAFETY: the memory has `count` entries, and stays until `unregister` has succeeded, or for ever.
        unsafe { submitter.register_buf_ring_with_flags(address, self.count, group, flags) }
    }

    /// Makes the kernel forget the ring. No operation in flight may name it.
    ///
    /// # Errors
    /// As io_uring_register(2) has them. The ring is leaked then.
    pub(super) fn unregister(self, submitter: &Submitter<'_>, group: u16) -> io::Result<()> {
        let unregistered = submitter.unregister_buf_ring(group);
        if unregistered.is_err() {
            self.leak();
        }
        unregistered
    }

    /// Leaves the memory to a kernel that may still use it.
    pub(super) fn leak(self) {
        std::mem::forget(self);
    }

    /// Where in the memory the byte `start` of a buffer is.
    pub(super) fn at(&self, index: u16, start: u32) -> NonNull<u8> {
        assert!(index < self.count && start <= self.buffer_bytes);
        let offset = usize::from(index) * self.buffer_bytes as usize + start as usize;
        // SAFETY: by the assertion it is within the allocation, or at its end.
        unsafe { self.buffers.start().add(offset) }
    }

    /// Offers a buffer, under that number. It must not have been offered already and not be in use.
    pub(super) fn offer(&self, index: u16, number: u16) {
        let place = usize::from(self.tail.get() & (self.count - 1));
        let address = self.at(index, 0).as_ptr() as u64;
        // SAFETY: the place is one of the entries. The kernel does not look at it before the tail has moved past it, and does not look at what
        // it held before any more: each buffer is offered once at a time, so fewer than `count` entries are before the tail. The last
        // two bytes, in the first entry the tail, are not touched.
        unsafe {
            let entry = self
                .entries
                .start()
                .cast::<BufRingEntry>()
                .add(place)
                .as_mut();
            entry.set_addr(address);
            entry.set_len(self.buffer_bytes);
            entry.set_bid(number);
        }
        self.tail.set(self.tail.get().wrapping_add(1));
        // SAFETY: the pointer is to the tail in the first entry, aligned, and nobody accesses it but the kernel, atomically.
        let tail = unsafe {
            let tail = BufRingEntry::tail(self.entries.start().cast().as_ptr());
            AtomicU16::from_ptr(tail.cast_mut())
        };
        // Pairs with the kernel's load in io_buffer_select: it sees the entry.
        tail.store(self.tail.get(), Ordering::Release);
    }
}
