//! Sending from our memory without a copy.

use super::{Completion, Operation, Ordered, fd, length};
use crate::buf::{BufResult, IoBuf};
use crate::capabilities::Feature;
use crate::descriptor::Descriptor;
use crate::reactor::Reactor;
use io_uring::{opcode, squeue};

/// send(2) of a buffer's bytes, which the network card reads where they are, if it can; yields how many went, and the buffer when the
/// kernel is done with it: for TCP, when the peer has acknowledged them. Where the kernel lacks [`Feature::ZeroCopySend`], a plain send.
pub struct SendZeroCopy<B> {
    /// `None` when only the memory is left to the kernel, and nobody waits for it.
    socket: Option<Descriptor>,
    buffer: B,
    copies: bool,
}

impl<B: IoBuf> SendZeroCopy<B> {
    /// Writes the bytes of `buffer` to `socket`; to be started on `reactor`. A peer that has gone is an error (`EPIPE`), not a signal.
    pub fn new(reactor: &Reactor, socket: Descriptor, buffer: B) -> Self {
        Self {
            socket: Some(socket),
            buffer,
            copies: !reactor.capabilities().has(Feature::ZeroCopySend),
        }
    }

    /// The same, and by copying if the buffer has fewer bytes than that.
    #[must_use]
    pub fn copying_below(mut self, bytes: usize) -> Self {
        self.copies |= self.buffer.buf_len() < bytes;
        self
    }
}

// SAFETY: the entry points into `buffer`, which is ours; the kernel only reads it. Of its two completions the first brings a count.
unsafe impl<B: IoBuf> Operation for SendZeroCopy<B> {
    type Output = BufResult<usize, B>;

    fn entry(&mut self) -> squeue::Entry {
        let bytes = self.buffer.as_init();
        let socket = self.socket.as_ref().expect("it has not begun");
        let (socket, start, count) = (fd(socket), bytes.as_ptr(), length(bytes.len()));
        if self.copies {
            return opcode::Send::new(socket, start, count)
                .flags(libc::MSG_NOSIGNAL)
                .build();
        }
        opcode::SendZc::new(socket, start, count)
            .flags(libc::MSG_NOSIGNAL)
            .build()
    }

    fn complete(self, completion: Completion) -> Self::Output {
        BufResult(completion.result().map(|count| count as usize), self.buffer)
    }

    fn only_memory_is_left(&mut self) {
        self.socket = None;
    }
}

impl<B: IoBuf> Ordered for SendZeroCopy<B> {
    type Kept = ();
}
