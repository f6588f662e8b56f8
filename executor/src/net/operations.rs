//! The futures of reading and writing streams, and of receiving and sending datagrams.

use super::address::Address;
use crate::buf::{BufResult, IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use crate::operation::{Checked, Formed, operations};
use reactor::operation::{self as op, InTurn, Message, Op, RecvDatagram, RecvMsg, SendMsg};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

operations! {
    /// The future of a read from a stream or a half of one, or of a peek. It yields the number of bytes and the buffer.
    ///
    /// **Dropped**, the read is cancelled, and no data is lost: what it has read goes to the next read. The buffer is freed when the kernel
    /// is done with it; to have it back, [`cancel`](Self::cancel) the read instead.
    pub struct Read<B: IoBufMut>(InTurn<op::Recv<B>>) -> BufResult<usize, B>;

    /// The future of a read into several buffers. It yields the number of bytes and the buffers.
    ///
    /// **Dropped**, it loses no data, as [`Read`].
    pub struct ReadVectored<V: IoVectoredBufMut>(InTurn<RecvMsg<V>>) -> BufResult<usize, V> = count;

    /// The future of a read that takes descriptors. It yields the number of bytes, the descriptors, and the buffer.
    ///
    /// **Dropped**, it loses neither data nor descriptors: the next read with descriptors gets them.
    pub struct ReadWithDescriptors<B: IoBufMut>(InTurn<RecvMsg<(B,)>>)
        -> BufResult<(usize, Vec<OwnedFd>), B> = descriptors;

    /// The future of a write to a stream or a half of one. It yields the number of bytes and the buffer.
    ///
    /// **Dropped**, the write is cancelled: some, all or none of the bytes may have been sent, and no more are sent once the next write has
    /// begun. To know how many, [`cancel`](Self::cancel) the write instead.
    pub struct Write<B: IoBuf>(InTurn<op::Send<B>>) -> BufResult<usize, B>;

    /// The future of a write of several buffers. It yields the number of bytes and the buffers.
    ///
    /// **Dropped**, it is as [`Write`].
    pub struct WriteVectored<V: IoVectoredBuf>(InTurn<SendMsg<V>>) -> BufResult<usize, V>;

    /// The future of a write that does not copy. It yields the number of bytes and the buffer.
    ///
    /// **Dropped**, it is as [`Write`]. The buffer is freed when the kernel is done with it, which may take as long as the peer takes to
    /// acknowledge.
    pub struct WriteZeroCopy<B: IoBuf>(InTurn<op::SendZeroCopy<B>>) -> BufResult<usize, B>;

    /// The future of a write that sends descriptors. It yields the number of bytes and the buffer.
    ///
    /// **Dropped**, it is as [`Write`]; the descriptors were sent if the first byte was.
    pub struct WriteWithDescriptors<B: IoBuf>(InTurn<SendMsg<(B,)>>) -> BufResult<usize, B> = one;

    /// The future of shutting a stream down.
    ///
    /// **Dropped**, the shutdown may take place or not. If it was never polled, it does not.
    pub struct ShutdownStream(Op<op::Shutdown>) -> io::Result<()>;

    /// The future of receiving a datagram, or of peeking at it. It yields the number of bytes and the buffer.
    ///
    /// **Dropped**, no datagram is lost: one that was already received goes to the next receive, as much of it as fitted the buffer of the
    /// dropped one. To have the buffer back, [`cancel`](Self::cancel) it instead.
    pub struct Recv<B: IoBufMut>(InTurn<RecvDatagram<(B,)>>) -> BufResult<usize, B> = count_one;

    /// The future of receiving a datagram into several buffers. It yields the number of bytes and the buffers.
    ///
    /// **Dropped**, it loses no datagram, as [`Recv`].
    pub struct RecvVectored<V: IoVectoredBufMut>(InTurn<RecvDatagram<V>>) -> BufResult<usize, V> = count;

    /// The future of receiving a datagram and the sender's address, or of peeking at them. It yields the number of bytes, the address, and
    /// the buffer. `A` is [`std::net::SocketAddr`], or [`std::os::unix::net::SocketAddr`] for a [`UnixDatagram`](super::UnixDatagram).
    ///
    /// **Dropped**, it loses no datagram, as [`Recv`].
    pub struct RecvFrom<B: IoBufMut, A = SocketAddr>(Formed<InTurn<RecvDatagram<(B,)>>, BufResult<(usize, A), B>>)
        -> BufResult<(usize, A), B>;

    /// The future of receiving a datagram into several buffers, and the sender's address. It yields the number of bytes, the address, and
    /// the buffers.
    ///
    /// **Dropped**, it loses no datagram, as [`Recv`].
    pub struct RecvFromVectored<V: IoVectoredBufMut, A = SocketAddr>(Formed<InTurn<RecvDatagram<V>>, BufResult<(usize, A), V>>)
        -> BufResult<(usize, A), V>;

    /// The future of receiving a datagram with descriptors. It yields the number of bytes, the descriptors, and the buffer.
    ///
    /// **Dropped**, it loses neither the datagram nor descriptors: the next receive gets them.
    pub struct RecvWithDescriptors<B: IoBufMut>(InTurn<RecvDatagram<(B,)>>)
        -> BufResult<(usize, Vec<OwnedFd>), B> = descriptors;

    /// The future of sending a datagram to the connected address. It yields the number of bytes and the buffer.
    ///
    /// **Dropped**, the send is cancelled: the datagram may have been sent or not, and is not sent any more once the next send has begun.
    /// To know, [`cancel`](Self::cancel) it instead.
    pub struct SendDatagram<B: IoBuf>(InTurn<op::Send<B>>) -> BufResult<usize, B>;

    /// The future of sending several buffers as one datagram. It yields the number of bytes and the buffers.
    ///
    /// **Dropped**, it is as [`SendDatagram`].
    pub struct SendVectored<V: IoVectoredBuf>(InTurn<SendMsg<V>>) -> BufResult<usize, V>;

    /// The future of sending a datagram to an address. It yields the number of bytes and the buffer.
    ///
    /// **Dropped**, it is as [`SendDatagram`].
    pub struct SendTo<B: IoBuf>(Checked<Formed<InTurn<SendMsg<(B,)>>, BufResult<usize, B>>, B>) -> BufResult<usize, B>;

    /// The future of sending a datagram with descriptors. It yields the number of bytes and the buffer.
    ///
    /// **Dropped**, it is as [`SendDatagram`]; the descriptors are closed.
    pub struct SendWithDescriptors<B: IoBuf>(InTurn<SendMsg<(B,)>>) -> BufResult<usize, B> = one;
}

/// How many bytes came, into several buffers.
fn count<V>(BufResult(result, buffers): BufResult<Message, V>) -> BufResult<usize, V> {
    BufResult(result.map(|message| message.count), buffers)
}

/// How many bytes came, into one buffer.
fn count_one<B>(received: BufResult<Message, (B,)>) -> BufResult<usize, B> {
    one(count(received))
}

/// How many bytes came, and the descriptors with them.
fn descriptors<B>(received: BufResult<Message, (B,)>) -> BufResult<(usize, Vec<OwnedFd>), B> {
    let BufResult(result, (buffer,)) = received;
    let result = result.map(|message| (message.count, message.descriptors));
    BufResult(result, buffer)
}

/// An operation on several buffers was given one.
pub(super) fn one<B>(BufResult(result, (buffer,)): BufResult<usize, (B,)>) -> BufResult<usize, B> {
    BufResult(result, buffer)
}

/// How many bytes came, and from whom, into several buffers.
pub(super) fn with_sender<A: Address, V>(
    BufResult(result, buffers): BufResult<Message, V>,
) -> BufResult<(usize, A), V> {
    let result = result.and_then(|message| Ok((message.count, A::of(&message.sender)?)));
    BufResult(result, buffers)
}

/// How many bytes came, and from whom, into one buffer.
pub(super) fn one_with_sender<A: Address, B>(
    received: BufResult<Message, (B,)>,
) -> BufResult<(usize, A), B> {
    let BufResult(result, (buffer,)) = with_sender(received);
    BufResult(result, buffer)
}
