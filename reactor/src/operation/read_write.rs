//! read(2) and write(2): pipes, terminals and files, at the current position or at one that is given.

use super::{Completion, Operation, Ordered, fd, length};
use crate::buf::{BufResult, IoBuf, IoBufMut, written};
use crate::descriptor::Descriptor;
use io_uring::{opcode, squeue};
use std::collections::VecDeque;
use std::mem::MaybeUninit;

/// What the kernel takes for "where the file stands", and moves on.
pub(super) const CURRENT: u64 = u64::MAX;

/// An offset as the kernel takes it. One that no file can have is none that could be mistaken for [`CURRENT`]: `EINVAL`.
pub(super) fn checked(offset: u64) -> u64 {
    const REFUSED: u64 = 1 << 63;
    offset.min(REFUSED)
}

/// What a read that was dropped has left: a byte, or the end of the input, which a terminal tells of once.
pub type KeptInput = Option<u8>;

/// Moves the oldest bytes, as many as there is room for, or takes the end, if that is next; returns how many bytes.
pub(super) fn hand_out<'a>(
    kept: &mut VecDeque<KeptInput>,
    spaces: impl Iterator<Item = &'a mut [MaybeUninit<u8>]>,
) -> usize {
    let mut count = 0;
    for place in spaces.flatten() {
        match kept.front() {
            Some(Some(byte)) => place.write(*byte),
            // Behind bytes, it is for the next.
            Some(None) if count > 0 => break,
            Some(None) => {
                kept.pop_front();
                break;
            }
            None => break,
        };
        kept.pop_front();
        count += 1;
    }
    count
}

/// Keeps what came: nothing is the end, for only a read with room for something is begun.
pub(super) fn keep_input<'a>(kept: &mut VecDeque<KeptInput>, bytes: impl Iterator<Item = &'a u8>) {
    let before = kept.len();
    kept.extend(bytes.copied().map(Some));
    if kept.len() == before {
        kept.push_back(None);
    }
}

pub(super) fn read_entry<B: IoBufMut>(
    file: &Descriptor,
    buffer: &mut B,
    offset: u64,
) -> squeue::Entry {
    // SAFETY: the kernel writes only bytes.
    let space = unsafe { buffer.as_uninit() };
    let read = opcode::Read::new(fd(file), space.as_mut_ptr().cast(), length(space.len()))
        .offset(offset)
        .build();
    file.attempt().of(read)
}

pub(super) fn read_done<B: IoBufMut>(mut buffer: B, completion: Completion) -> BufResult<usize, B> {
    let result = completion.result().map(|count| count as usize);
    if let Ok(count) = result {
        // SAFETY: the kernel has written `count` bytes at the start of the space it was given.
        unsafe { buffer.set_len(count) };
    }
    BufResult(result, buffer)
}

pub(super) fn write_entry<B: IoBuf>(file: &Descriptor, buffer: &B, offset: u64) -> squeue::Entry {
    let bytes = buffer.as_init();
    let write = opcode::Write::new(fd(file), bytes.as_ptr(), length(bytes.len()))
        .offset(offset)
        .build();
    file.attempt().of(write)
}

/// read(2) where the file stands, into the whole capacity of a buffer; yields the count, and the buffer with that many bytes set.
/// Nothing, at once, if it has no capacity.
pub struct Read<B> {
    file: Descriptor,
    buffer: B,
}

impl<B: IoBufMut> Read<B> {
    /// Reads from `file` into `buffer`, from its start.
    pub fn new(file: Descriptor, buffer: B) -> Self {
        Self { file, buffer }
    }
}

// SAFETY: the entry points into `buffer`, which is ours and is not touched before `complete`.
unsafe impl<B: IoBufMut> Operation for Read<B> {
    type Output = BufResult<usize, B>;

    fn entry(&mut self) -> squeue::Entry {
        read_entry(&self.file, &mut self.buffer, CURRENT)
    }

    fn complete(self, completion: Completion) -> Self::Output {
        read_done(self.buffer, completion)
    }
}

impl<B: IoBufMut> Ordered for Read<B> {
    type Kept = KeptInput;

    fn keeps_error(&self) -> bool {
        true
    }

    fn has_answer(&mut self, kept: &VecDeque<KeptInput>) -> bool {
        !kept.is_empty() || self.buffer.buf_capacity() == 0
    }

    fn answer(mut self, kept: &mut VecDeque<KeptInput>) -> Self::Output {
        // SAFETY: only bytes are copied.
        let space = unsafe { self.buffer.as_uninit() };
        let count = hand_out(kept, std::iter::once(space));
        // SAFETY: so many bytes were just written at the start of the space.
        unsafe { self.buffer.set_len(count) };
        BufResult(Ok(count), self.buffer)
    }

    fn keep(mut self, completion: Completion, kept: &mut VecDeque<KeptInput>) {
        // SAFETY: nothing is written.
        let space = std::iter::once(unsafe { self.buffer.as_uninit() });
        // SAFETY: the kernel has written so many bytes at the start of the space.
        let bytes = unsafe { written(space, completion.bytes() as usize) };
        keep_input(kept, bytes.flatten());
    }
}

/// pread(2), into the whole capacity of a buffer; yields the count, and the buffer with that many bytes set. It moves no position, so
/// what a dropped one has read is there to be read again.
pub struct ReadAt<B> {
    file: Descriptor,
    buffer: B,
    offset: u64,
}

impl<B: IoBufMut> ReadAt<B> {
    /// Reads from `file` at `offset` bytes into `buffer`, from its start.
    pub fn new(file: Descriptor, buffer: B, offset: u64) -> Self {
        Self {
            file,
            buffer,
            offset: checked(offset),
        }
    }
}

// SAFETY: as for `Read`.
unsafe impl<B: IoBufMut> Operation for ReadAt<B> {
    type Output = BufResult<usize, B>;

    fn entry(&mut self) -> squeue::Entry {
        read_entry(&self.file, &mut self.buffer, self.offset)
    }

    fn complete(self, completion: Completion) -> Self::Output {
        read_done(self.buffer, completion)
    }

    fn is_for_storage(&self) -> bool {
        true
    }
}

impl<B: IoBufMut> Ordered for ReadAt<B> {
    type Kept = ();
}

/// write(2) or pwrite(2) of a buffer's bytes; yields how many went.
pub struct Write<B> {
    file: Descriptor,
    buffer: B,
    offset: u64,
}

impl<B: IoBuf> Write<B> {
    /// Writes the bytes of `buffer` where `file` stands.
    pub fn new(file: Descriptor, buffer: B) -> Self {
        let offset = CURRENT;
        Self {
            file,
            buffer,
            offset,
        }
    }

    /// Writes the bytes of `buffer` at `offset` bytes, and moves no position.
    pub fn at(file: Descriptor, buffer: B, offset: u64) -> Self {
        Self {
            file,
            buffer,
            offset: checked(offset),
        }
    }
}

// SAFETY: the entry points into `buffer`, which is ours; the kernel only reads it.
unsafe impl<B: IoBuf> Operation for Write<B> {
    type Output = BufResult<usize, B>;

    fn entry(&mut self) -> squeue::Entry {
        write_entry(&self.file, &self.buffer, self.offset)
    }

    fn complete(self, completion: Completion) -> Self::Output {
        BufResult(completion.result().map(|count| count as usize), self.buffer)
    }

    fn is_for_storage(&self) -> bool {
        self.offset != CURRENT
    }
}

impl<B: IoBuf> Ordered for Write<B> {
    type Kept = ();
}
