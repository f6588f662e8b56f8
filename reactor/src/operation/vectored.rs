//! readv(2) and writev(2): several buffers at once, in order.

use super::read_write::{CURRENT, KeptInput, checked, hand_out, keep_input};
use super::{Completion, Operation, Ordered, fd};
use crate::buf::{BufResult, IoVectoredBuf, IoVectoredBufMut, written};
use crate::descriptor::Descriptor;
use io_uring::{opcode, squeue};
use std::collections::VecDeque;
use std::ptr;

/// How many buffers the kernel takes at once (`UIO_MAXIOV`). Of more, the first so many are used, as of a buffer that is too long.
pub(super) const BUFFERS_MAX: usize = 1024;

/// The places of some buffers, for the kernel; valid as long as the buffers stay where they are.
#[derive(Default)]
pub(super) struct Places(Vec<libc::iovec>);

impl Places {
    fn of(buffers: impl Iterator<Item = (*mut u8, usize)>, max: usize) -> Self {
        let place = |(start, length): (*mut u8, usize)| libc::iovec {
            iov_base: start.cast(),
            iov_len: length,
        };
        // Of buffers without room, which might be all that the kernel takes, nothing can come.
        let rooms = buffers.filter(|(_, length)| *length > 0);
        Self(rooms.map(place).take(max).collect())
    }

    /// The capacities of `max` buffers at most.
    pub(super) fn to_fill(buffers: &mut impl IoVectoredBufMut, max: usize) -> Self {
        // SAFETY: the kernel writes only bytes.
        let spaces = unsafe { buffers.iter_uninit_slice() };
        let places = spaces.map(|space| (space.as_mut_ptr().cast(), space.len()));
        Self::of(places, max)
    }

    /// The bytes of `max` buffers at most.
    pub(super) fn to_drain(buffers: &impl IoVectoredBuf, max: usize) -> Self {
        let filled = buffers.iter_slice();
        // The kernel does not write there.
        let places = filled.map(|bytes| (bytes.as_ptr().cast_mut(), bytes.len()));
        Self::of(places, max)
    }

    /// Makes them those of a message.
    pub(super) fn point_from(&mut self, header: &mut libc::msghdr) {
        header.msg_iov = self.0.as_mut_ptr();
        header.msg_iovlen = self.0.len();
    }

    fn start(&self) -> *const libc::iovec {
        if self.0.is_empty() {
            ptr::null()
        } else {
            self.0.as_ptr()
        }
    }

    fn count(&self) -> u32 {
        // At most BUFFERS_MAX.
        self.0.len() as u32
    }
}

fn read_entry(file: &Descriptor, places: &Places, offset: u64) -> squeue::Entry {
    let read = opcode::Readv::new(fd(file), places.start(), places.count())
        .offset(offset)
        .build();
    file.attempt().of(read)
}

fn read_done<B: IoVectoredBufMut>(mut buffers: B, completion: Completion) -> BufResult<usize, B> {
    let result = completion.result().map(|count| count as usize);
    if let Ok(count) = result {
        // SAFETY: the kernel has filled so many bytes of the spaces, in order.
        unsafe { buffers.set_len(count) };
    }
    BufResult(result, buffers)
}

/// readv(2) where the file stands, into the capacity of each buffer in order; yields the count, and the buffers with that many bytes set.
/// Buffers that nothing came for stay as they were.
pub struct ReadVectored<B> {
    file: Descriptor,
    buffers: B,
    places: Places,
}

impl<B: IoVectoredBufMut> ReadVectored<B> {
    /// Reads from `file` into `buffers`.
    pub fn new(file: Descriptor, buffers: B) -> Self {
        let places = Places::default();
        Self {
            file,
            buffers,
            places,
        }
    }
}

// SAFETY: the entry points to `places`, on the heap, and they into `buffers`; both are ours and are not touched before `complete`.
unsafe impl<B: IoVectoredBufMut> Operation for ReadVectored<B> {
    type Output = BufResult<usize, B>;

    fn entry(&mut self) -> squeue::Entry {
        self.places = Places::to_fill(&mut self.buffers, BUFFERS_MAX);
        read_entry(&self.file, &self.places, CURRENT)
    }

    fn complete(self, completion: Completion) -> Self::Output {
        read_done(self.buffers, completion)
    }
}

impl<B: IoVectoredBufMut> Ordered for ReadVectored<B> {
    type Kept = KeptInput;

    fn keeps_error(&self) -> bool {
        true
    }

    fn has_answer(&mut self, kept: &VecDeque<KeptInput>) -> bool {
        !kept.is_empty() || self.buffers.total_capacity() == 0
    }

    fn answer(mut self, kept: &mut VecDeque<KeptInput>) -> Self::Output {
        // SAFETY: only bytes are copied.
        let spaces = unsafe { self.buffers.iter_uninit_slice() };
        let count = hand_out(kept, spaces);
        // SAFETY: so many bytes were just written to the spaces, in order.
        unsafe { self.buffers.set_len(count) };
        BufResult(Ok(count), self.buffers)
    }

    fn keep(mut self, completion: Completion, kept: &mut VecDeque<KeptInput>) {
        // SAFETY: nothing is written.
        let spaces = unsafe { self.buffers.iter_uninit_slice() };
        // SAFETY: the kernel has filled so many bytes of the spaces, in order.
        let bytes = unsafe { written(spaces, completion.bytes() as usize) };
        keep_input(kept, bytes.flatten());
    }
}

/// preadv(2), into the capacity of each buffer in order; yields the count, and the buffers with that many bytes set. Buffers that nothing
/// came for stay as they were. It moves no position.
pub struct ReadVectoredAt<B> {
    file: Descriptor,
    buffers: B,
    places: Places,
    offset: u64,
}

impl<B: IoVectoredBufMut> ReadVectoredAt<B> {
    /// Reads from `file` at `offset` bytes into `buffers`.
    pub fn new(file: Descriptor, buffers: B, offset: u64) -> Self {
        Self {
            file,
            buffers,
            places: Places::default(),
            offset: checked(offset),
        }
    }
}

// SAFETY: as for `ReadVectored`.
unsafe impl<B: IoVectoredBufMut> Operation for ReadVectoredAt<B> {
    type Output = BufResult<usize, B>;

    fn entry(&mut self) -> squeue::Entry {
        self.places = Places::to_fill(&mut self.buffers, BUFFERS_MAX);
        read_entry(&self.file, &self.places, self.offset)
    }

    fn complete(self, completion: Completion) -> Self::Output {
        read_done(self.buffers, completion)
    }

    fn is_for_storage(&self) -> bool {
        true
    }
}

impl<B: IoVectoredBufMut> Ordered for ReadVectoredAt<B> {
    type Kept = ();
}

/// writev(2) or pwritev(2) of the buffers' bytes in order; yields how many went.
pub struct WriteVectored<B> {
    file: Descriptor,
    buffers: B,
    places: Places,
    offset: u64,
}

impl<B: IoVectoredBuf> WriteVectored<B> {
    /// Writes the bytes of `buffers` where `file` stands.
    pub fn new(file: Descriptor, buffers: B) -> Self {
        Self {
            file,
            buffers,
            places: Places::default(),
            offset: CURRENT,
        }
    }

    /// Writes the bytes of `buffers` at `offset` bytes, and moves no position.
    pub fn at(file: Descriptor, buffers: B, offset: u64) -> Self {
        Self {
            file,
            buffers,
            places: Places::default(),
            offset: checked(offset),
        }
    }
}

// SAFETY: the entry points to `places`, on the heap, and they into `buffers`; both are ours, and the kernel only reads them.
unsafe impl<B: IoVectoredBuf> Operation for WriteVectored<B> {
    type Output = BufResult<usize, B>;

    fn entry(&mut self) -> squeue::Entry {
        self.places = Places::to_drain(&self.buffers, BUFFERS_MAX);
        let (start, count) = (self.places.start(), self.places.count());
        let write = opcode::Writev::new(fd(&self.file), start, count)
            .offset(self.offset)
            .build();
        self.file.attempt().of(write)
    }

    fn complete(self, completion: Completion) -> Self::Output {
        BufResult(
            completion.result().map(|count| count as usize),
            self.buffers,
        )
    }

    fn is_for_storage(&self) -> bool {
        self.offset != CURRENT
    }
}

impl<B: IoVectoredBuf> Ordered for WriteVectored<B> {
    type Kept = ();
}
