//! What TCP and Unix listeners have in common: a listening socket with its lane.

use super::{Incoming, reactor};
use reactor::operation::{Accept, Accepted, InTurn};
use reactor::{Descriptor, Lane};
use socket2::SockAddr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

/// Connections that may wait to be accepted. The kernel cuts it to `net.core.somaxconn`, 4096 by default.
pub(super) const BACKLOG: u32 = 4096;

/// A listening socket.
#[derive(Debug)]
pub(super) struct ListenSocket {
    socket: Descriptor,
    inbound: Rc<Lane<Accepted>>,
}

impl ListenSocket {
    pub(super) fn new(socket: OwnedFd) -> Self {
        Self {
            socket: Descriptor::new(socket),
            inbound: Lane::new(),
        }
    }

    pub(super) async fn accept(&self) -> io::Result<(OwnedFd, SockAddr)> {
        let accept = Accept::new(self.socket.clone());
        InTurn::new(reactor("accept"), Rc::clone(&self.inbound), accept).await
    }

    /// `make` makes the stream of a new socket.
    #[track_caller]
    pub(super) fn incoming<S>(&self, make: fn(OwnedFd) -> S) -> Incoming<S> {
        Incoming::new(self.socket.clone(), Rc::clone(&self.inbound), make)
    }

    /// The bare socket, if nothing is in flight on it, and nothing would be lost with it.
    pub(super) fn into_owned(self) -> Result<OwnedFd, Self> {
        if !self.inbound.is_idle() {
            return Err(self);
        }
        self.socket
            .try_into_owned()
            .map_err(|socket| Self { socket, ..self })
    }
}

impl AsFd for ListenSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
