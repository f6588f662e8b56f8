//! What UDP and Unix datagram sockets have in common: a socket with a lane for each direction.

use super::prompt_lane::PromptLane;
use super::readiness::{Ready, expect_core, io_at_once};
use super::{InTurnAs, Receiving, Sending, reactor};
use crate::buf::{BufResult, IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use crate::io::{Interest, closing};
use reactor::Descriptor;
use reactor::operation::{
    self, InTurn, KeptDatagram, Message, Ordered, RecvDatagram, Send, SendMsg,
};
use socket2::SockAddr;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

/// What has been received, and from whom, once somebody has said how to read that.
type Received<B> = BufResult<Message, B>;

/// A datagram socket.
#[derive(Debug)]
pub(super) struct DatagramSocket {
    socket: Descriptor,
    // After the descriptor: see there.
    inbound: PromptLane<KeptDatagram>,
    outbound: PromptLane<()>,
}

impl DatagramSocket {
    pub(super) fn new(socket: OwnedFd) -> Self {
        Self {
            socket: Descriptor::new(socket),
            inbound: PromptLane::new(),
            outbound: PromptLane::new(),
        }
    }

    pub(super) fn descriptor(&self) -> &Descriptor {
        &self.socket
    }

    pub(super) fn inbound_lane(&self) -> &PromptLane<KeptDatagram> {
        &self.inbound
    }

    #[track_caller]
    fn inbound<O: Ordered<Kept = KeptDatagram>, T>(
        &self,
        what: &str,
        operation: O,
        form: fn(O::Output) -> T,
    ) -> InTurnAs<O, T> {
        let in_turn = InTurn::new(reactor(what), Rc::clone(self.inbound.lane()), operation);
        InTurnAs::new(in_turn, form)
    }

    #[track_caller]
    fn outbound<O: Ordered<Kept = ()>>(&self, what: &str, operation: O) -> InTurn<O> {
        InTurn::new(reactor(what), Rc::clone(self.outbound.lane()), operation)
    }

    /// Receives a datagram; `form` makes of it what the caller wants.
    #[track_caller]
    pub(super) fn recv<B: IoBufMut, T>(
        &self,
        what: &str,
        buffer: B,
        form: fn(Received<(B,)>) -> T,
    ) -> InTurnAs<RecvDatagram<(B,)>, T> {
        let recv = RecvDatagram::new(self.socket.clone(), (buffer,));
        self.inbound(what, recv, form)
    }

    #[track_caller]
    pub(super) fn peek<B: IoBufMut, T>(
        &self,
        what: &str,
        buffer: B,
        form: fn(Received<(B,)>) -> T,
    ) -> InTurnAs<RecvDatagram<(B,)>, T> {
        let recv = RecvDatagram::peeking(self.socket.clone(), (buffer,));
        self.inbound(what, recv, form)
    }

    #[track_caller]
    pub(super) fn recv_vectored<V: IoVectoredBufMut, T>(
        &self,
        what: &str,
        buffers: V,
        form: fn(Received<V>) -> T,
    ) -> InTurnAs<RecvDatagram<V>, T> {
        self.inbound(what, RecvDatagram::new(self.socket.clone(), buffers), form)
    }

    #[track_caller]
    pub(super) fn recv_with_descriptors<B: IoBufMut>(
        &self,
        buffer: B,
        max: usize,
    ) -> Receiving<B, (usize, Vec<OwnedFd>)> {
        let recv = RecvDatagram::new(self.socket.clone(), (buffer,)).with_descriptors(max);
        self.inbound(
            "recv_with_descriptors",
            recv,
            |BufResult(result, (buffer,))| {
                let result = result.map(|message| (message.count, message.descriptors));
                BufResult(result, buffer)
            },
        )
    }

    #[track_caller]
    pub(super) fn send<B: IoBuf>(&self, buffer: B) -> InTurn<Send<B>> {
        self.outbound("send", Send::new(self.socket.clone(), buffer))
    }

    #[track_caller]
    pub(super) fn send_to<B: IoBuf>(
        &self,
        buffer: B,
        target: Option<SockAddr>,
        descriptors: Vec<OwnedFd>,
    ) -> Sending<B> {
        let send = SendMsg::datagram(self.socket.clone(), (buffer,), target);
        let send = self.outbound("send_to", send.with_descriptors(descriptors));
        InTurnAs::new(send, |BufResult(result, (buffer,))| {
            BufResult(result, buffer)
        })
    }

    #[track_caller]
    pub(super) fn send_vectored<V: IoVectoredBuf>(
        &self,
        buffers: V,
        target: Option<SockAddr>,
    ) -> InTurn<SendMsg<V>> {
        let send = SendMsg::datagram(self.socket.clone(), buffers, target);
        self.outbound("send_vectored", send)
    }

    #[track_caller]
    pub(super) fn ready(&self, interest: Interest) -> Ready {
        let reactor = reactor("ready");
        let (inbound, outbound) = (self.inbound.lane(), self.outbound.lane());
        Ready::new(&reactor, &self.socket, interest, inbound, outbound)
    }

    #[track_caller]
    pub(super) fn try_recv(&self, buffer: &mut [u8]) -> io::Result<(usize, SockAddr)> {
        expect_core("try_recv");
        operation::recv_from_at_once(self.inbound.lane(), self.as_fd(), buffer)
    }

    #[track_caller]
    pub(super) fn try_send(&self, buffer: &[u8], target: Option<&SockAddr>) -> io::Result<usize> {
        expect_core("try_send");
        let lane = self.outbound.lane();
        match target {
            Some(target) => operation::send_to_at_once(lane, self.as_fd(), buffer, target),
            None => operation::send_at_once(lane, self.as_fd(), &[IoSlice::new(buffer)]),
        }
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

impl AsFd for DatagramSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// How many bytes came, into one buffer.
pub(super) fn count<B>(BufResult(result, (buffer,)): Received<(B,)>) -> BufResult<usize, B> {
    BufResult(result.map(|message| message.count), buffer)
}

/// How many bytes came, into several buffers.
pub(super) fn count_vectored<V>(BufResult(result, buffers): Received<V>) -> BufResult<usize, V> {
    BufResult(result.map(|message| message.count), buffers)
}

/// How many bytes came, and from whom, as `read` reads the address.
pub(super) fn with_sender<A>(
    result: io::Result<Message>,
    read: fn(&SockAddr) -> io::Result<A>,
) -> io::Result<(usize, A)> {
    result.and_then(|message| Ok((message.count, read(&message.sender)?)))
}
