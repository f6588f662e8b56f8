//! A socket with a lane for each direction: what stream and datagram sockets are made of.

use super::prompt_lane::PromptLane;
use super::readiness::{Kept, Ready, expect_core, io_at_once};
use super::{ShutdownStream, current_reactor};
use crate::io::{Interest, closing};
use reactor::operation::{self, InTurn, Op, Ordered};
use reactor::{Descriptor, Lane};
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

/// The lane of one direction, in a form that may do more when it is dropped.
pub(super) trait Direction {
    /// What dropped operations leave.
    type Kept;

    fn unused() -> Self;

    fn lane(&self) -> &Rc<Lane<Self::Kept>>;
}

impl<T> Direction for Rc<Lane<T>> {
    type Kept = T;

    fn unused() -> Self {
        Lane::new()
    }

    fn lane(&self) -> &Self {
        self
    }
}

impl<T> Direction for PromptLane<T> {
    type Kept = T;

    fn unused() -> Self {
        Self::new()
    }

    fn lane(&self) -> &Rc<Lane<T>> {
        Self::lane(self)
    }
}

#[derive(Debug)]
#[expect(unnameable_types, reason = "a trait that is sealed has it")]
pub struct DuplexSocket<I, O> {
    socket: Descriptor,
    // After the descriptor: see `PromptLane`.
    inbound: I,
    outbound: O,
}

#[expect(
    private_bounds,
    reason = "users reach the type, by a sealed trait, but none of these methods"
)]
impl<I: Direction<Kept: Kept>, O: Direction<Kept = ()>> DuplexSocket<I, O> {
    pub(super) fn new(socket: OwnedFd) -> Self {
        Self {
            socket: Descriptor::new(socket),
            inbound: I::unused(),
            outbound: O::unused(),
        }
    }

    pub(crate) fn descriptor(&self) -> &Descriptor {
        &self.socket
    }

    /// The descriptor, for an operation to hold.
    pub(super) fn socket(&self) -> Descriptor {
        self.socket.clone()
    }

    pub(super) fn inbound(&self) -> &I {
        &self.inbound
    }

    pub(super) fn outbound(&self) -> &O {
        &self.outbound
    }

    /// An operation of the receiving side.
    #[track_caller]
    pub(super) fn receiving<R: Ordered<Kept = I::Kept>>(
        &self,
        what: &str,
        operation: R,
    ) -> InTurn<R> {
        let lane = Rc::clone(self.inbound.lane());
        InTurn::new(current_reactor(what), lane, operation)
    }

    /// An operation of the sending side.
    #[track_caller]
    pub(super) fn sending<S: Ordered<Kept = ()>>(&self, what: &str, operation: S) -> InTurn<S> {
        let lane = Rc::clone(self.outbound.lane());
        InTurn::new(current_reactor(what), lane, operation)
    }

    #[track_caller]
    pub(super) fn ready(&self, interest: Interest) -> Ready {
        let reactor = current_reactor("ready");
        let (inbound, outbound) = (self.inbound.lane(), self.outbound.lane());
        Ready::new(&reactor, &self.socket, interest, inbound, outbound)
    }

    #[track_caller]
    pub(super) fn try_io<R>(
        &self,
        interest: Interest,
        call: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        expect_core("try_io");
        let (inbound, outbound) = (self.inbound.lane(), self.outbound.lane());
        io_at_once(self.as_fd(), interest, inbound, outbound, call)
    }

    #[track_caller]
    pub(super) fn shutdown(&self, how: Shutdown) -> ShutdownStream {
        let shutdown = operation::Shutdown::new(self.socket(), how);
        ShutdownStream(Op::new(current_reactor("shutdown"), shutdown))
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
        closing::refuse_if_used(self.outbound.lane())?;
        self.inbound.lane().settled().await;
        self.outbound.lane().settled().await;
        closing::close(self.socket).await
    }
}

impl<I, O> AsFd for DuplexSocket<I, O> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
