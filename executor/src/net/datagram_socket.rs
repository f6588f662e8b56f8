//! What UDP, Unix datagram and Unix seqpacket sockets have in common: a socket with a lane for each direction.

use super::address::Address;
use super::duplex_socket::DuplexSocket;
use super::operations::{one, one_with_sender, with_sender};
use super::prompt_lane::PromptLane;
use super::readiness::expect_core;
use super::{
    Recv, RecvFrom, RecvFromVectored, RecvVectored, RecvWithDescriptors, SendDatagram, SendTo,
    SendVectored, SendWithDescriptors,
};
use crate::buf::{IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use crate::operation::{Checked, Formed};
use reactor::operation::{self, KeptDatagram, RecvDatagram, SendMsg};
use socket2::SockAddr;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, OwnedFd};

/// A datagram socket. Its address may be wanted by others as soon as it is dropped.
pub(super) type DatagramSocket = DuplexSocket<PromptLane<KeptDatagram>, PromptLane<()>>;

impl DatagramSocket {
    #[track_caller]
    pub(super) fn recv<B: IoBufMut>(&self, buffer: B) -> Recv<B> {
        let recv = RecvDatagram::new(self.socket(), (buffer,));
        Recv(self.receiving("recv", recv))
    }

    #[track_caller]
    pub(super) fn peek<B: IoBufMut>(&self, buffer: B) -> Recv<B> {
        let peek = RecvDatagram::peeking(self.socket(), (buffer,));
        Recv(self.receiving("peek", peek))
    }

    #[track_caller]
    pub(super) fn recv_vectored<V: IoVectoredBufMut>(&self, buffers: V) -> RecvVectored<V> {
        let recv = RecvDatagram::new(self.socket(), buffers);
        RecvVectored(self.receiving("recv_vectored", recv))
    }

    #[track_caller]
    pub(super) fn recv_from<A: Address, B: IoBufMut>(&self, buffer: B) -> RecvFrom<B, A> {
        let recv = RecvDatagram::new(self.socket(), (buffer,));
        RecvFrom(Formed {
            operation: self.receiving("recv_from", recv),
            form: one_with_sender,
        })
    }

    #[track_caller]
    pub(super) fn peek_from<A: Address, B: IoBufMut>(&self, buffer: B) -> RecvFrom<B, A> {
        let peek = RecvDatagram::peeking(self.socket(), (buffer,));
        RecvFrom(Formed {
            operation: self.receiving("peek_from", peek),
            form: one_with_sender,
        })
    }

    #[track_caller]
    pub(super) fn recv_from_vectored<A: Address, V: IoVectoredBufMut>(
        &self,
        buffers: V,
    ) -> RecvFromVectored<V, A> {
        let recv = RecvDatagram::new(self.socket(), buffers);
        RecvFromVectored(Formed {
            operation: self.receiving("recv_from_vectored", recv),
            form: with_sender,
        })
    }

    #[track_caller]
    pub(super) fn recv_with_descriptors<B: IoBufMut>(
        &self,
        buffer: B,
        max: usize,
    ) -> RecvWithDescriptors<B> {
        let recv = RecvDatagram::new(self.socket(), (buffer,)).with_descriptors(max);
        RecvWithDescriptors(self.receiving("recv_with_descriptors", recv))
    }

    #[track_caller]
    pub(super) fn send<B: IoBuf>(&self, buffer: B) -> SendDatagram<B> {
        let send = operation::Send::datagram(self.socket(), buffer);
        SendDatagram(self.sending("send", send))
    }

    /// To `target`, if that is an address that can be sent to.
    #[track_caller]
    pub(super) fn send_to<B: IoBuf>(&self, buffer: B, target: io::Result<SockAddr>) -> SendTo<B> {
        SendTo(match target {
            Ok(target) => {
                let send = SendMsg::datagram(self.socket(), (buffer,), Some(target));
                Checked::Begun(Formed {
                    operation: self.sending("send_to", send),
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
        let send = SendMsg::datagram(self.socket(), (buffer,), None);
        let send = send.with_descriptors(descriptors);
        SendWithDescriptors(self.sending("send_with_descriptors", send))
    }

    #[track_caller]
    pub(super) fn send_vectored<V: IoVectoredBuf>(
        &self,
        buffers: V,
        target: Option<SockAddr>,
    ) -> SendVectored<V> {
        let send = SendMsg::datagram(self.socket(), buffers, target);
        SendVectored(self.sending("send_vectored", send))
    }

    #[track_caller]
    pub(super) fn try_recv(&self, buffer: &mut [u8]) -> io::Result<(usize, SockAddr)> {
        expect_core("try_recv");
        operation::recv_from_at_once(self.inbound().lane(), self.as_fd(), buffer)
    }

    #[track_caller]
    pub(super) fn try_send(&self, buffer: &[u8], target: Option<&SockAddr>) -> io::Result<usize> {
        expect_core("try_send");
        let lane = self.outbound().lane();
        match target {
            Some(target) => operation::send_to_at_once(lane, self.as_fd(), buffer, target),
            None => operation::send_at_once(lane, self.as_fd(), &[IoSlice::new(buffer)]),
        }
    }
}
