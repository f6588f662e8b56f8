//! A buffer of a group that is registered with the ring, and what can stand for one.
//!
//! Made by `registered`, to which it goes back when it is dropped. It stays on the reactor's thread, and keeps its group alive.

use super::registered::Group;
use crate::buf::{IoBuf, IoBufMut, Slice};
use crate::reactor::Reactor;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::{fmt, slice};

/// A buffer of [`RegisteredBufs`](super::RegisteredBufs): much like a `Vec<u8>` that does not grow, and begins where a page does. Any
/// operation takes it; those that are made for it spare the kernel a look-up. Dropped, it goes back to its group.
pub struct RegisteredBuf {
    group: Rc<Group>,
    index: usize,
    /// How many bytes, from the start, it shows.
    length: usize,
}

impl RegisteredBuf {
    /// A buffer that nobody else has, empty.
    pub(super) fn new(group: Rc<Group>, index: usize) -> Self {
        Self {
            group,
            index,
            length: 0,
        }
    }

    /// How many bytes it has room for.
    pub fn capacity(&self) -> usize {
        self.group.buffer_bytes()
    }

    /// Makes it `length` bytes long; those that are new are zero.
    ///
    /// # Panics
    /// If there is no room for so many.
    pub fn resize(&mut self, length: usize) {
        let capacity = self.capacity();
        assert!(
            length <= capacity,
            "{length} bytes in a buffer of {capacity}"
        );
        let before = self.length.min(length);
        self.length = length;
        self[before..].fill(0);
    }

    /// Appends as many of `bytes` as there is room for, and says how many.
    pub fn append(&mut self, bytes: &[u8]) -> usize {
        let before = self.length;
        let count = bytes.len().min(self.capacity() - before);
        self.length += count;
        self[before..].copy_from_slice(&bytes[..count]);
        count
    }

    /// The number by which operations on `reactor` can name its memory.
    pub(crate) fn place(&self, reactor: &Rc<Reactor>) -> Option<u16> {
        self.group.place(reactor)
    }
}

impl Deref for RegisteredBuf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the buffer's memory, initialised from the start, belongs to this until it is dropped, and no length exceeds it.
        unsafe { slice::from_raw_parts(self.group.at(self.index).as_ptr(), self.length) }
    }
}

impl DerefMut for RegisteredBuf {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `deref`, and we are borrowed alone.
        unsafe { slice::from_raw_parts_mut(self.group.at(self.index).as_ptr(), self.length) }
    }
}

impl AsRef<[u8]> for RegisteredBuf {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl IoBuf for RegisteredBuf {
    fn as_init(&self) -> &[u8] {
        self
    }
}

// SAFETY: the space is the buffer's memory, and the bytes are the first `length` of it; all of it is initialised from the start.
unsafe impl IoBufMut for RegisteredBuf {
    unsafe fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        let start = self.group.at(self.index).as_ptr().cast();
        // SAFETY: as for `deref_mut`; all of the buffer belongs to this.
        unsafe { slice::from_raw_parts_mut(start, self.capacity()) }
    }

    unsafe fn set_len(&mut self, length: usize) {
        assert!(length <= self.capacity(), "beyond the buffer");
        self.length = length;
    }
}

impl fmt::Debug for RegisteredBuf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RegisteredBuf")
            .field("capacity", &self.capacity())
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl Drop for RegisteredBuf {
    fn drop(&mut self) {
        self.group.release(self.index);
    }
}

/// A buffer, or a part of one, of [`RegisteredBufs`](super::RegisteredBufs).
pub trait Registered: IoBuf {
    /// The whole buffer. An operation whose bytes are not in its group's memory fails (`EFAULT`).
    fn whole(&self) -> &RegisteredBuf;
}

impl Registered for RegisteredBuf {
    fn whole(&self) -> &RegisteredBuf {
        self
    }
}

impl<B: Registered> Registered for Slice<B> {
    fn whole(&self) -> &RegisteredBuf {
        self.as_inner().whole()
    }
}
