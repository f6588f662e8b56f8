//! Datagrams with control messages.

use super::UdpSocket;
use super::address::to_std;
use super::control_messages::{ControlMessages, ReceivedMessage};
use super::operations::one;
use crate::buf::{BufResult, IoBuf, IoBufMut};
use crate::operation::operations;
use nix::sys::socket::sockopt::{
    Ipv4PacketInfo, Ipv6RecvPacketInfo, Ipv6RecvTClass, UdpGroSegment,
};
use nix::sys::socket::{getsockopt, setsockopt};
use reactor::operation::{InTurn, Message, RecvDatagram, SendMsg};
use socket2::{Domain, SockRef};
use std::io;
use std::net::SocketAddr;

/// Room for control messages: enough for all that there are methods for, and time stamps, several times over.
const CONTROL_BYTES: usize = 512;

operations! {
    /// The future of receiving a datagram with its control messages. It yields what was received, and the buffer.
    ///
    /// **Dropped**, no datagram is lost: one that was already received goes to the next receive, with its control messages, and as much of it as
    /// fitted the buffer of the dropped one. To have the buffer back, [`cancel`](Self::cancel) it instead.
    pub struct RecvMessage<B: IoBufMut>(InTurn<RecvDatagram<(B,)>>) -> BufResult<ReceivedMessage, B> = received;

    /// The future of sending a datagram with control messages. It yields the number of bytes and the buffer.
    ///
    /// **Dropped**, the send is cancelled: the datagram may have been sent or not, and is not sent any more once the next send has begun.
    /// To know, [`cancel`](Self::cancel) it instead.
    pub struct SendMessage<B: IoBuf>(InTurn<SendMsg<(B,)>>) -> BufResult<usize, B> = one;
}

fn received<B>(
    BufResult(result, (buffer,)): BufResult<Message, (B,)>,
) -> BufResult<ReceivedMessage, B> {
    let result = result.and_then(|message| {
        Ok(ReceivedMessage {
            count: message.count,
            sender: to_std(&message.sender)?,
            is_truncated: message.is_truncated,
            control: ControlMessages::of(message.control),
            is_control_truncated: message.is_control_truncated,
        })
    });
    BufResult(result, buffer)
}

impl UdpSocket {
    /// Receives a datagram as [`recv_from`](Self::recv_from) does, with its control messages, up to 512 bytes of them. Which there are is decided by
    /// the options of the socket: [`set_recv_ecn`](Self::set_recv_ecn), [`set_recv_packet_info`](Self::set_recv_packet_info),
    /// [`set_gro`](Self::set_gro), and others that you set by system calls.
    ///
    /// A datagram that a dropped receive of another kind has taken comes without them: use this one alone where they matter.
    ///
    /// Cancellation, errors and panics as for [`recv_from`](Self::recv_from).
    ///
    /// # Examples
    /// ```
    /// use executor::buf::BufResult;
    /// use executor::net::{ControlMessages, Ecn, UdpSocket};
    /// # #[executor::main(cores = 1)]
    /// # async fn main() -> std::io::Result<()> {
    /// let socket = UdpSocket::bind("127.0.0.1:0")?;
    /// socket.set_recv_ecn(true)?;
    /// let client = UdpSocket::bind("127.0.0.1:0")?;
    /// let control = ControlMessages::new().with_ecn(Ecn::Ect0);
    /// client.send_msg("hello", Some(socket.local_addr()?), control).await.0?;
    /// let BufResult(received, buffer) = socket.recv_msg(Vec::with_capacity(1500)).await;
    /// assert_eq!(received?.control.ecn(), Some(Ecn::Ect0));
    /// assert_eq!(buffer, b"hello");
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn recv_msg<B: IoBufMut>(&self, buffer: B) -> RecvMessage<B> {
        let recv = RecvDatagram::new(self.0.socket(), (buffer,));
        let recv = recv.with_control(CONTROL_BYTES);
        RecvMessage(self.0.receiving("recv_msg", recv))
    }

    /// Sends the buffer's bytes as [`send_to`](Self::send_to) does, with control messages; without a target, to the address that the socket is
    /// connected to. With [`with_segment_size`](ControlMessages::with_segment_size), as several datagrams.
    ///
    /// Cancellation and panics as for [`send_to`](Self::send_to).
    ///
    /// # Errors
    /// Those of [`send_to`](Self::send_to), and `InvalidInput` for a control message that the kernel does not take.
    #[track_caller]
    pub fn send_msg<B: IoBuf>(
        &self,
        buffer: B,
        target: Option<SocketAddr>,
        control: ControlMessages,
    ) -> SendMessage<B> {
        let target = target.map(Into::into);
        let send = SendMsg::datagram(self.0.socket(), (buffer,), target);
        let send = send.with_control(control.into_data());
        SendMessage(self.0.sending("send_msg", send))
    }

    /// Whether [`recv_msg`](Self::recv_msg) says how datagrams are marked: [`ControlMessages::ecn`] (`IP_RECVTOS`, `IPV6_RECVTCLASS`).
    ///
    /// # Errors
    /// As setsockopt(2) has them.
    pub fn set_recv_ecn(&self, receive: bool) -> io::Result<()> {
        let socket = SockRef::from(self);
        if socket.domain()? == Domain::IPV6 {
            setsockopt(self, Ipv6RecvTClass, &receive)?;
        }
        // Also of a socket for IPv6, to which datagrams of IPv4 may come.
        socket.set_recv_tos_v4(receive)
    }

    /// Whether [`recv_msg`](Self::recv_msg) says by which address and interface datagrams came: [`ControlMessages::packet_info`]
    /// (`IP_PKTINFO`, `IPV6_RECVPKTINFO`). Such an address of IPv4 is a mapped one (`::ffff:127.0.0.1`) if the socket is for IPv6.
    ///
    /// # Errors
    /// As setsockopt(2) has them.
    pub fn set_recv_packet_info(&self, receive: bool) -> io::Result<()> {
        if SockRef::from(self).domain()? == Domain::IPV6 {
            return Ok(setsockopt(self, Ipv6RecvPacketInfo, &receive)?);
        }
        Ok(setsockopt(self, Ipv4PacketInfo, &receive)?)
    }

    /// Whether the kernel may join datagrams of one sender and one size that came together into one receive (GRO, `UDP_GRO`, Linux 5.0).
    /// [`recv_msg`](Self::recv_msg) says where to cut them: [`ControlMessages::segment_size`]. Buffers should have room for 64 KiB, and other
    /// receives cannot tell: do not use them then.
    ///
    /// # Errors
    /// As setsockopt(2) has them: `ENOPROTOOPT` if the kernel cannot.
    pub fn set_gro(&self, join: bool) -> io::Result<()> {
        Ok(setsockopt(self, UdpGroSegment, &join)?)
    }

    /// Whether datagrams may be joined.
    ///
    /// # Errors
    /// As getsockopt(2) has them.
    pub fn gro(&self) -> io::Result<bool> {
        Ok(getsockopt(self, UdpGroSegment)?)
    }
}
