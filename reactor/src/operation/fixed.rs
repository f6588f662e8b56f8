//! pread(2) and pwrite(2) with registered buffers, whose pages the kernel need not look up each time.

use super::read_write::{checked, read_done, read_entry, write_entry};
use super::{Completion, Operation, fd, length};
use crate::buf::{BufResult, IoBufMut};
use crate::buffers::Registered;
use crate::descriptor::Descriptor;
use crate::reactor::Reactor;
use io_uring::{opcode, squeue};
use std::rc::Rc;

/// pread(2), into the whole capacity of a registered buffer or of a part of one; yields the count, and the buffer with that many bytes set. It moves
/// no position. A plain read where the buffer is not registered with the reactor.
pub struct ReadFixed<B> {
    file: Descriptor,
    buffer: B,
    offset: u64,
    place: Option<u16>,
}

impl<B: Registered + IoBufMut> ReadFixed<B> {
    /// Reads from `file` at `offset` bytes into `buffer`, from its start; to be started on `reactor`. On another it may fail, with `EFAULT`.
    pub fn new(reactor: &Rc<Reactor>, file: Descriptor, buffer: B, offset: u64) -> Self {
        Self {
            file,
            place: buffer.whole().place(reactor),
            buffer,
            offset: checked(offset),
        }
    }
}

// SAFETY: the entry points into `buffer`, which is ours and is not touched before `complete`. The kernel finds the memory by the place, if it
// has one, and refuses what is not in what is registered there: that is the buffer's own group, which it holds, or another's, whose
// memory lies elsewhere.
unsafe impl<B: Registered + IoBufMut> Operation for ReadFixed<B> {
    type Output = BufResult<usize, B>;

    fn entry(&mut self) -> squeue::Entry {
        let Some(place) = self.place else {
            return read_entry(&self.file, &mut self.buffer, self.offset);
        };
        // SAFETY: the kernel writes only bytes.
        let space = unsafe { self.buffer.as_uninit() };
        let (start, count) = (space.as_mut_ptr().cast(), length(space.len()));
        let read = opcode::ReadFixed::new(fd(&self.file), start, count, place)
            .offset(self.offset)
            .build();
        self.file.attempt().of(read)
    }

    fn complete(self, completion: Completion) -> Self::Output {
        read_done(self.buffer, completion)
    }

    fn is_for_storage(&self) -> bool {
        true
    }
}

/// pwrite(2) of the bytes of a registered buffer or of a part of one; yields how many went. It moves no position. A plain write where the buffer is
/// not registered with the reactor.
pub struct WriteFixed<B> {
    file: Descriptor,
    buffer: B,
    offset: u64,
    place: Option<u16>,
}

impl<B: Registered> WriteFixed<B> {
    /// Writes the bytes of `buffer` to `file` at `offset` bytes; to be started on `reactor`. On another it may fail, with `EFAULT`.
    pub fn new(reactor: &Rc<Reactor>, file: Descriptor, buffer: B, offset: u64) -> Self {
        Self {
            file,
            place: buffer.whole().place(reactor),
            buffer,
            offset: checked(offset),
        }
    }
}

// SAFETY: the entry points into `buffer`, which is ours; the kernel only reads it. For the place, as for `ReadFixed`.
unsafe impl<B: Registered> Operation for WriteFixed<B> {
    type Output = BufResult<usize, B>;

    fn entry(&mut self) -> squeue::Entry {
        let Some(place) = self.place else {
            return write_entry(&self.file, &self.buffer, self.offset);
        };
        let bytes = self.buffer.as_init();
        let (start, count) = (bytes.as_ptr(), length(bytes.len()));
        let write = opcode::WriteFixed::new(fd(&self.file), start, count, place)
            .offset(self.offset)
            .build();
        self.file.attempt().of(write)
    }

    fn complete(self, completion: Completion) -> Self::Output {
        BufResult(completion.result().map(|count| count as usize), self.buffer)
    }

    fn is_for_storage(&self) -> bool {
        true
    }
}
