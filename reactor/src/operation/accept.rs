//! Accepting connections, one or all.

use super::{Completion, Multishot, Operation, Ordered, OrderedMultishot, fd};
use crate::descriptor::Descriptor;
use io_uring::{opcode, squeue};
use socket2::{SockAddr, SockAddrStorage, SockRef};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

fn owned(descriptor: u32) -> OwnedFd {
    // SAFETY: the kernel has just made this descriptor for our operation, and nobody else knows it.
    unsafe { OwnedFd::from_raw_fd(descriptor as RawFd) }
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

/// A connection that was accepted for a future that had gone.
pub struct Accepted {
    socket: OwnedFd,
    /// Unknown where the kernel did not say.
    peer: Option<SockAddr>,
}

impl Ordered for Accept {
    type Kept = Accepted;

    fn has_answer(&mut self, kept: &VecDeque<Accepted>) -> bool {
        !kept.is_empty()
    }

    fn answer(self, kept: &mut VecDeque<Accepted>) -> Self::Output {
        let Accepted { socket, peer } = kept.pop_front().expect("it has an answer");
        // Who has gone meanwhile has no address any more: to accept(2), too, a connection may be aborted.
        let aborted = |_| io::Error::from_raw_os_error(libc::ECONNABORTED);
        let ask = || SockRef::from(&socket).peer_addr().map_err(aborted);
        let peer = peer.map_or_else(ask, Ok);
        peer.map(|peer| (socket, peer))
    }

    fn keep(self, completion: Completion, kept: &mut VecDeque<Accepted>) {
        if let Ok((socket, peer)) = self.complete(completion) {
            let peer = Some(peer);
            kept.push_back(Accepted { socket, peer });
        }
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

impl OrderedMultishot for MultishotAccept {
    type Kept = Accepted;

    fn answer(&mut self, kept: &mut VecDeque<Accepted>) -> Option<Self::Item> {
        kept.pop_front().map(|accepted| Ok(accepted.socket))
    }

    fn keep(&mut self, completion: Completion, kept: &mut VecDeque<Accepted>) {
        if let Ok(socket) = self.item(completion) {
            kept.push_back(Accepted { socket, peer: None });
        }
    }
}
