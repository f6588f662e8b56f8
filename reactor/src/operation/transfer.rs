//! Moving bytes between a socket and a buffer.

use super::kept::KeptBytes;
use super::room::Room;
use super::{Completion, Operation, Ordered, fd, length};
use crate::buf::{BufResult, IoBuf, IoBufMut, written};
use crate::descriptor::Descriptor;
use io_uring::{opcode, squeue};
use std::collections::VecDeque;

/// recv(2) into the whole capacity of a buffer; yields the count, and the buffer with that many bytes set. Nothing, at once, if it has no
/// capacity.
pub struct Recv<B> {
    socket: Descriptor,
    buffer: B,
    /// `MSG_PEEK`, or nothing.
    flags: i32,
}

impl<B: IoBufMut> Recv<B> {
    /// Reads from `socket` into `buffer`, from its start.
    pub fn new(socket: Descriptor, buffer: B) -> Self {
        let flags = 0;
        Self {
            socket,
            buffer,
            flags,
        }
    }

    /// The same, and leaves what it reads to be read again.
    pub fn peeking(socket: Descriptor, buffer: B) -> Self {
        let flags = libc::MSG_PEEK;
        Self {
            socket,
            buffer,
            flags,
        }
    }

    fn peeks(&self) -> bool {
        self.flags & libc::MSG_PEEK != 0
    }
}

// SAFETY: the entry points into `buffer`, which is ours and is not touched before `complete`.
unsafe impl<B: IoBufMut> Operation for Recv<B> {
    type Output = BufResult<usize, B>;

    fn entry(&mut self) -> squeue::Entry {
        // SAFETY: the kernel writes only bytes.
        let space = unsafe { self.buffer.as_uninit() };
        opcode::Recv::new(
            fd(&self.socket),
            space.as_mut_ptr().cast(),
            length(space.len()),
        )
        .flags(self.flags)
        .build()
    }

    fn complete(mut self, completion: Completion) -> Self::Output {
        let result = completion.result().map(|count| count as usize);
        if let Ok(count) = result {
            // SAFETY: the kernel has written `count` bytes at the start of the space it was given.
            unsafe { self.buffer.set_len(count) };
        }
        BufResult(result, self.buffer)
    }
}

impl<B: IoBufMut> Ordered for Recv<B> {
    type Kept = KeptBytes;

    fn keeps_error(&self) -> bool {
        !self.peeks()
    }

    fn has_answer(&mut self, kept: &VecDeque<KeptBytes>) -> bool {
        !kept.is_empty() || self.buffer.buf_capacity() == 0
    }

    fn answer(mut self, kept: &mut VecDeque<KeptBytes>) -> Self::Output {
        // SAFETY: only bytes are copied.
        let space = unsafe { self.buffer.as_uninit() };
        let count = KeptBytes::copy(kept, std::iter::once(space));
        if !self.peeks() {
            // Descriptors that came with the bytes were not asked for.
            drop(KeptBytes::consume(kept, count));
        }
        // SAFETY: so many bytes were just written at the start of the space.
        unsafe { self.buffer.set_len(count) };
        BufResult(Ok(count), self.buffer)
    }

    fn keep(mut self, completion: Completion, kept: &mut VecDeque<KeptBytes>) {
        if !self.peeks() {
            // SAFETY: nothing is written.
            let space = std::iter::once(unsafe { self.buffer.as_uninit() });
            // SAFETY: the kernel has written so many bytes at the start of the space.
            let bytes = unsafe { written(space, completion.bytes() as usize) };
            KeptBytes::keep(kept, bytes, Vec::new());
        }
    }
}

/// send(2) of a buffer's bytes; yields how many went.
pub struct Send<B> {
    socket: Descriptor,
    buffer: B,
    room: Room,
}

impl<B: IoBuf> Send<B> {
    /// Writes the bytes of `buffer` to `socket`. A peer that has gone is an error (`EPIPE`), not a signal.
    pub fn new(socket: Descriptor, buffer: B) -> Self {
        Self {
            socket,
            buffer,
            room: Room::Unneeded,
        }
    }

    /// Sends the bytes of `buffer` as one datagram, to whom `socket` is connected to.
    pub fn datagram(socket: Descriptor, buffer: B) -> Self {
        Self {
            room: Room::Tried,
            ..Self::new(socket, buffer)
        }
    }
}

// SAFETY: the entry points into `buffer`, which is ours; the kernel only reads it.
unsafe impl<B: IoBuf> Operation for Send<B> {
    type Output = BufResult<usize, B>;

    fn entry(&mut self) -> squeue::Entry {
        if let Some(waiting) = self.room.entry(&self.socket) {
            return waiting;
        }
        let bytes = self.buffer.as_init();
        opcode::Send::new(fd(&self.socket), bytes.as_ptr(), length(bytes.len()))
            .flags(self.room.flags())
            .build()
    }

    fn goes_on(&mut self, completion: Completion) -> bool {
        self.room.goes_on(completion, None)
    }

    fn complete(self, completion: Completion) -> Self::Output {
        BufResult(self.room.outcome(completion), self.buffer)
    }
}

impl<B: IoBuf> Ordered for Send<B> {
    type Kept = ();
}
