//! The socket operations.

use super::{Completion, Multishot, Operation};
use crate::descriptor::Descriptor;
use compio_buf::{BufResult, IoBuf, IoBufMut};
use io_uring::{opcode, squeue, types};
use socket2::{SockAddr, SockAddrStorage};
use std::io;
use std::net;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// What the kernel moves at once at most (`MAX_RW_COUNT`); some operations take more for an error, or, its sign bit set, for nothing.
const TRANSFER_BYTES_MAX: u32 = 0x7fff_f000;

/// The length of a transfer from or to that many bytes; of a larger buffer it is a part.
pub(super) fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).map_or(TRANSFER_BYTES_MAX, |bytes| bytes.min(TRANSFER_BYTES_MAX))
}

pub(super) fn fd(descriptor: &Descriptor) -> types::Fd {
    types::Fd(descriptor.as_raw_fd())
}

fn owned(descriptor: u32) -> OwnedFd {
    // SAFETY: the kernel has just made this descriptor for our operation, and nobody else knows it.
    unsafe { OwnedFd::from_raw_fd(descriptor as RawFd) }
}

/// recv(2) into the whole capacity of a buffer; yields the count, and the buffer with that many bytes set.
pub struct Recv<B> {
    socket: Descriptor,
    buffer: B,
}

impl<B: IoBufMut> Recv<B> {
    /// Reads from `socket` into `buffer`, from its start.
    pub fn new(socket: Descriptor, buffer: B) -> Self {
        Self { socket, buffer }
    }
}

// SAFETY: the entry points into `buffer`, which is ours and is not touched before `complete`.
unsafe impl<B: IoBufMut> Operation for Recv<B> {
    type Output = BufResult<usize, B>;

    fn entry(&mut self) -> squeue::Entry {
        let space = self.buffer.as_uninit();
        opcode::Recv::new(
            fd(&self.socket),
            space.as_mut_ptr().cast(),
            length(space.len()),
        )
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

/// send(2) of a buffer's bytes; yields how many went.
pub struct Send<B> {
    socket: Descriptor,
    buffer: B,
}

impl<B: IoBuf> Send<B> {
    /// Writes the bytes of `buffer` to `socket`. A peer that has gone is an error (`EPIPE`), not a signal.
    pub fn new(socket: Descriptor, buffer: B) -> Self {
        Self { socket, buffer }
    }
}

// SAFETY: the entry points into `buffer`, which is ours; the kernel only reads it.
unsafe impl<B: IoBuf> Operation for Send<B> {
    type Output = BufResult<usize, B>;

    fn entry(&mut self) -> squeue::Entry {
        let bytes = self.buffer.as_init();
        opcode::Send::new(fd(&self.socket), bytes.as_ptr(), length(bytes.len()))
            .flags(libc::MSG_NOSIGNAL)
            .build()
    }

    fn complete(self, completion: Completion) -> Self::Output {
        BufResult(completion.result().map(|count| count as usize), self.buffer)
    }
}

/// accept4(2): yields the new socket, close-on-exec, and its peer.
pub struct Accept {
    listener: Descriptor,
    peer: SockAddrStorage,
    peer_length: libc::socklen_t,
}

impl Accept {
    /// Accepts one connection from `listener`.
    pub fn new(listener: Descriptor) -> Self {
        let peer = SockAddrStorage::zeroed();
        Self {
            listener,
            peer_length: peer.size_of(),
            peer,
        }
    }
}

// SAFETY: the entry points to `peer` and `peer_length`, which are ours and are not touched before `complete`.
unsafe impl Operation for Accept {
    type Output = io::Result<(OwnedFd, SockAddr)>;

    fn entry(&mut self) -> squeue::Entry {
        // SAFETY: the pointer is only handed to the kernel, which fills in a sockaddr of its kind.
        let peer = unsafe { self.peer.view_as::<libc::sockaddr>() };
        opcode::Accept::new(fd(&self.listener), peer, &raw mut self.peer_length)
            .flags(libc::SOCK_CLOEXEC)
            .build()
    }

    fn complete(self, completion: Completion) -> Self::Output {
        let socket = owned(completion.result()?);
        // SAFETY: the kernel has filled in an address of this length.
        let peer = unsafe { SockAddr::new(self.peer, self.peer_length) };
        Ok((socket, peer))
    }
}

/// accept4(2), again and again with one submission: yields each new socket.
pub struct MultishotAccept {
    listener: Descriptor,
}

impl MultishotAccept {
    /// Accepts connections from `listener` until it fails or the kernel ends it.
    pub fn new(listener: Descriptor) -> Self {
        Self { listener }
    }
}

// SAFETY: the entry points to nothing.
unsafe impl Multishot for MultishotAccept {
    type Item = io::Result<OwnedFd>;

    fn entry(&mut self) -> squeue::Entry {
        opcode::AcceptMulti::new(fd(&self.listener))
            .flags(libc::SOCK_CLOEXEC)
            .build()
    }

    /// As many as come with a few enters: each is a descriptor that nobody uses yet.
    fn unfetched_max(&self) -> usize {
        64
    }

    fn item(&mut self, completion: Completion) -> Self::Item {
        completion.result().map(owned)
    }
}

/// connect(2).
pub struct Connect {
    socket: Descriptor,
    address: SockAddr,
}

impl Connect {
    /// Connects `socket` to `address`.
    pub fn new(socket: Descriptor, address: SockAddr) -> Self {
        Self { socket, address }
    }
}

// SAFETY: the entry points into `address`, which is ours and never changes.
unsafe impl Operation for Connect {
    type Output = io::Result<()>;

    fn entry(&mut self) -> squeue::Entry {
        opcode::Connect::new(
            fd(&self.socket),
            self.address.as_ptr().cast(),
            self.address.len(),
        )
        .build()
    }

    fn complete(self, completion: Completion) -> Self::Output {
        completion.result().map(|_| ())
    }
}

/// shutdown(2).
pub struct Shutdown {
    socket: Descriptor,
    how: net::Shutdown,
}

impl Shutdown {
    /// Shuts one or both directions of `socket` down.
    pub fn new(socket: Descriptor, how: net::Shutdown) -> Self {
        Self { socket, how }
    }
}

// SAFETY: the entry points to nothing.
unsafe impl Operation for Shutdown {
    type Output = io::Result<()>;

    fn entry(&mut self) -> squeue::Entry {
        let how = match self.how {
            net::Shutdown::Read => libc::SHUT_RD,
            net::Shutdown::Write => libc::SHUT_WR,
            net::Shutdown::Both => libc::SHUT_RDWR,
        };
        opcode::Shutdown::new(fd(&self.socket), how).build()
    }

    fn complete(self, completion: Completion) -> Self::Output {
        completion.result().map(|_| ())
    }
}
