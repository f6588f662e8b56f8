//! What UDP, Unix datagram and Unix seqpacket sockets have in common: a socket with a lane for each direction.

use super::address::Address;
use super::operations::{one, one_with_sender, with_sender};
use super::prompt_lane::PromptLane;
use super::readiness::{Ready, expect_core, io_at_once};
use super::{
    Recv, RecvFrom, RecvFromVectored, RecvVectored, RecvWithDescriptors, SendDatagram, SendTo,
    SendVectored, SendWithDescriptors, ShutdownStream, current_reactor,
};
use crate::buf::{IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use crate::io::{Interest, closing};
use crate::operation::{Checked, Formed};
use reactor::Descriptor;
use reactor::operation::{self, InTurn, KeptDatagram, Op, Ordered, RecvDatagram, SendMsg};
use socket2::SockAddr;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

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

    pub(super) fn outbound_lane(&self) -> &PromptLane<()> {
        &self.outbound
    }

    #[track_caller]
    fn inbound<O: Ordered<Kept = KeptDatagram>>(&self, what: &str, operation: O) -> InTurn<O> {
        InTurn::new(
            current_reactor(what),
            Rc::clone(self.inbound.lane()),
            operation,
        )
    }

    #[track_caller]
    fn outbound<O: Ordered<Kept = ()>>(&self, what: &str, operation: O) -> InTurn<O> {
        InTurn::new(
            current_reactor(what),
            Rc::clone(self.outbound.lane()),
            operation,
        )
    }

    #[track_caller]
    pub(super) fn recv<B: IoBufMut>(&self, buffer: B) -> Recv<B> {
        let recv = RecvDatagram::new(self.socket.clone(), (buffer,));
        Recv(self.inbound("recv", recv))
    }

    #[track_caller]
    pub(super) fn peek<B: IoBufMut>(&self, buffer: B) -> Recv<B> {
        let peek = RecvDatagram::peeking(self.socket.clone(), (buffer,));
        Recv(self.inbound("peek", peek))
    }

    #[track_caller]
    pub(super) fn recv_vectored<V: IoVectoredBufMut>(&self, buffers: V) -> RecvVectored<V> {
        let recv = RecvDatagram::new(self.socket.clone(), buffers);
        RecvVectored(self.inbound("recv_vectored", recv))
    }

    #[track_caller]
    pub(super) fn recv_from<A: Address, B: IoBufMut>(&self, buffer: B) -> RecvFrom<B, A> {
        let recv = RecvDatagram::new(self.socket.clone(), (buffer,));
        RecvFrom(Formed {
            operation: self.inbound("recv_from", recv),
            form: one_with_sender,
        })
    }

    #[track_caller]
    pub(super) fn peek_from<A: Address, B: IoBufMut>(&self, buffer: B) -> RecvFrom<B, A> {
        let peek = RecvDatagram::peeking(self.socket.clone(), (buffer,));
        RecvFrom(Formed {
            operation: self.inbound("peek_from", peek),
            form: one_with_sender,
        })
    }

    #[track_caller]
    pub(super) fn recv_from_vectored<A: Address, V: IoVectoredBufMut>(
        &self,
        buffers: V,
    ) -> RecvFromVectored<V, A> {
        let recv = RecvDatagram::new(self.socket.clone(), buffers);
        RecvFromVectored(Formed {
            operation: self.inbound("recv_from_vectored", recv),
            form: with_sender,
        })
    }

    #[track_caller]
    pub(super) fn recv_with_descriptors<B: IoBufMut>(
        &self,
        buffer: B,
        max: usize,
    ) -> RecvWithDescriptors<B> {
        let recv = RecvDatagram::new(self.socket.clone(), (buffer,)).with_descriptors(max);
        RecvWithDescriptors(self.inbound("recv_with_descriptors", recv))
    }

    #[track_caller]
    pub(super) fn send<B: IoBuf>(&self, buffer: B) -> SendDatagram<B> {
        let send = operation::Send::new(self.socket.clone(), buffer);
        SendDatagram(self.outbound("send", send))
    }

    /// To `target`, if that is an address that can be sent to.
    #[track_caller]
    pub(super) fn send_to<B: IoBuf>(&self, buffer: B, target: io::Result<SockAddr>) -> SendTo<B> {
        SendTo(match target {
            Ok(target) => {
                let send = SendMsg::datagram(self.socket.clone(), (buffer,), Some(target));
                Checked::Begun(Formed {
                    operation: self.outbound("send_to", send),
                    form: one,
                })
            }
            Err(error) => Checked::refused(error, buffer),
        })
    }

    #[track_caller]
    pub(super) fn send_with_descriptors<B: IoBuf>(
        &self,
        buffer: B,
        descriptors: Vec<OwnedFd>,
    ) -> SendWithDescriptors<B> {
        let send = SendMsg::datagram(self.socket.clone(), (buffer,), None);
        let send = send.with_descriptors(descriptors);
        SendWithDescriptors(self.outbound("send_with_descriptors", send))
    }

    #[track_caller]
    pub(super) fn send_vectored<V: IoVectoredBuf>(
        &self,
        buffers: V,
        target: Option<SockAddr>,
    ) -> SendVectored<V> {
        let send = SendMsg::datagram(self.socket.clone(), buffers, target);
        SendVectored(self.outbound("send_vectored", send))
    }

    #[track_caller]
    pub(super) fn ready(&self, interest: Interest) -> Ready {
        let reactor = current_reactor("ready");
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

    /// Of a connected one that has an end.
    #[track_caller]
    pub(super) fn shutdown(&self, how: Shutdown) -> ShutdownStream {
        let shutdown = operation::Shutdown::new(self.socket.clone(), how);
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

impl AsFd for DatagramSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
