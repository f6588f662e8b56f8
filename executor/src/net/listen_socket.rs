//! What TCP and Unix listeners have in common: a listening socket with its lane.

use super::accept::Make;
use super::prompt_lane::PromptLane;
use super::{Accept, Incoming, current_reactor};
use crate::io::closing;
use reactor::Descriptor;
use reactor::operation::{self, Accepted, InTurn};
use socket2::Socket;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

/// Connections that may wait to be accepted. The kernel cuts it to `net.core.somaxconn`, 4096 by default.
pub(super) const BACKLOG: usize = 4096;

/// Has a bound socket listen. More than the kernel can count is as much as it can.
pub(super) fn listen(socket: &Socket, backlog: usize) -> io::Result<()> {
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))
}

/// A listening socket.
#[derive(Debug)]
pub(super) struct ListenSocket {
    socket: Descriptor,
    // After the descriptor: see there.
    inbound: PromptLane<Accepted>,
}

impl ListenSocket {
    pub(super) fn new(socket: OwnedFd) -> Self {
        Self {
            socket: Descriptor::new(socket),
            inbound: PromptLane::new(),
        }
    }

    pub(super) fn descriptor(&self) -> &Descriptor {
        &self.socket
    }

    #[track_caller]
    pub(super) fn accept<S, A>(&self, make: Make<S, A>) -> Accept<S, A> {
        let accept = operation::Accept::new(self.socket.clone());
        let accept = InTurn::new(
            current_reactor("accept"),
            Rc::clone(self.inbound.lane()),
            accept,
        );
        Accept::new(accept, self.inbound.clone(), make)
    }

    /// `make` makes the stream of a new socket.
    #[track_caller]
    pub(super) fn incoming<S>(&self, make: fn(OwnedFd) -> S) -> Incoming<S> {
        Incoming::new(self.socket.clone(), self.inbound.clone(), make)
    }

    /// The bare socket, if nothing is in flight on it, and nothing would be lost with it.
    pub(super) fn into_owned(self) -> Result<OwnedFd, Self> {
        if !self.inbound.lane().is_idle() {
            return Err(self);
        }
        self.socket
            .try_into_owned()
            .map_err(|socket| Self { socket, ..self })
    }

    pub(super) async fn close(self) -> io::Result<()> {
        closing::refuse_if_used(self.inbound.lane())?;
        self.inbound.lane().settled().await;
        closing::close(self.socket).await
    }
}

impl AsFd for ListenSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
