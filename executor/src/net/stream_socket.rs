//! What TCP, Unix and vsock streams have in common: a connected socket, with a lane for each direction.
//!
//! The public types are made of it; their methods, with the promises, are in `stream_methods`.

use super::readiness::{Ready, expect_core, io_at_once};
use super::{
    BufPool, Read, ReadVectored, ReadWithDescriptors, Receive, ShutdownStream, Write,
    WriteVectored, WriteWithDescriptors, WriteZeroCopy, current_reactor,
};
use crate::buf::{BufResult, IntoInner, IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use crate::io::{AsyncRead, AsyncWrite, Interest, closing};
use reactor::operation::{
    self, InTurn, KeptBytes, Op, Ordered, Recv, RecvMsg, Send, SendMsg, SendZeroCopy, Shutdown,
    SpliceEnd,
};
use reactor::{Descriptor, Lane};
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::net;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

/// Fewer bytes are copied: to make the pages known to the network card, and to wait for its word that it is done with them, costs more.
/// The kernel's documentation of `MSG_ZEROCOPY` has this threshold.
const ZERO_COPY_BYTES_MIN: usize = 10 * 1024;

/// A connected stream socket.
#[derive(Debug)]
#[expect(unnameable_types, reason = "a trait that is sealed has it")]
pub struct StreamSocket {
    socket: Descriptor,
    inbound: Rc<Lane<KeptBytes>>,
    outbound: Rc<Lane<()>>,
}

/// The streams that are made of it: what only this crate can implement [`SocketStream`] with.
#[expect(unnameable_types, reason = "it seals a trait")]
pub trait HasStreamSocket {
    fn stream_socket(&self) -> &StreamSocket;
}

/// A stream over a socket: [`TcpStream`](super::TcpStream), [`UnixStream`](super::UnixStream) or [`VsockStream`](super::VsockStream). It is the bound of their halves, for code that
/// is generic over them. Only this crate implements it.
///
/// # Examples
/// ```
/// use executor::buf::BufResult;
/// use executor::net::{OwnedReadHalf, OwnedWriteHalf, SocketStream, UnixStream};
///
/// struct Connection<S: SocketStream> {
///     reading: OwnedReadHalf<S>,
///     writing: OwnedWriteHalf<S>,
/// }
///
/// impl<S: SocketStream> Connection<S> {
///     async fn echo(&self) -> std::io::Result<()> {
///         let BufResult(read, buffer) = self.reading.read(Vec::with_capacity(64)).await;
///         read?;
///         self.writing.write_all(buffer).await.0
///     }
/// }
///
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let (one, other) = UnixStream::pair()?;
/// let (reading, writing) = one.into_split();
/// other.write_all("hello").await.0?;
/// Connection { reading, writing }.echo().await?;
/// assert_eq!(&other.read_exact([0; 5]).await.1, b"hello");
/// # Ok(())
/// # }
/// ```
pub trait SocketStream:
    HasStreamSocket + AsyncRead + AsyncWrite + AsFd + AsRawFd + fmt::Debug + 'static
{
}

impl StreamSocket {
    pub(super) fn new(socket: OwnedFd) -> Self {
        Self {
            socket: Descriptor::new(socket),
            inbound: Lane::new(),
            outbound: Lane::new(),
        }
    }

    pub(crate) fn descriptor(&self) -> &Descriptor {
        &self.socket
    }

    /// Its receiving side, for a splice.
    pub(crate) fn source(&self) -> SpliceEnd<KeptBytes> {
        SpliceEnd::new(self.socket.clone(), Rc::clone(&self.inbound))
    }

    /// Its sending side, for a splice.
    pub(crate) fn target(&self) -> SpliceEnd<()> {
        SpliceEnd::new(self.socket.clone(), Rc::clone(&self.outbound))
    }

    #[track_caller]
    fn inbound<O: Ordered<Kept = KeptBytes>>(&self, what: &str, operation: O) -> InTurn<O> {
        InTurn::new(current_reactor(what), Rc::clone(&self.inbound), operation)
    }

    #[track_caller]
    fn outbound<O: Ordered<Kept = ()>>(&self, what: &str, operation: O) -> InTurn<O> {
        InTurn::new(current_reactor(what), Rc::clone(&self.outbound), operation)
    }

    #[track_caller]
    pub(super) fn read<B: IoBufMut>(&self, buffer: B) -> Read<B> {
        Read(self.inbound("read", Recv::new(self.socket.clone(), buffer)))
    }

    #[track_caller]
    pub(super) fn peek<B: IoBufMut>(&self, buffer: B) -> Read<B> {
        Read(self.inbound("peek", Recv::peeking(self.socket.clone(), buffer)))
    }

    #[track_caller]
    pub(super) fn read_vectored<V: IoVectoredBufMut>(&self, buffers: V) -> ReadVectored<V> {
        let read = RecvMsg::new(self.socket.clone(), buffers);
        ReadVectored(self.inbound("read_vectored", read))
    }

    #[track_caller]
    pub(super) fn read_with_descriptors<B: IoBufMut>(
        &self,
        buffer: B,
        max: usize,
    ) -> ReadWithDescriptors<B> {
        let read = RecvMsg::new(self.socket.clone(), (buffer,)).with_descriptors(max);
        ReadWithDescriptors(self.inbound("read_with_descriptors", read))
    }

    pub(super) async fn read_exact<B: IoBufMut>(&self, mut buffer: B) -> BufResult<(), B> {
        buffer.clear();
        let length = buffer.buf_capacity();
        let mut filled = 0;
        while filled < length {
            let BufResult(result, rest) = self.read(buffer.slice(filled..)).await;
            buffer = rest.into_inner();
            match result {
                Ok(0) => return BufResult(Err(io::ErrorKind::UnexpectedEof.into()), buffer),
                Ok(count) => filled += count,
                Err(error) => return BufResult(Err(error), buffer),
            }
        }
        BufResult(Ok(()), buffer)
    }

    pub(super) async fn write_vectored_all<V: IoVectoredBuf>(
        &self,
        mut buffers: V,
    ) -> BufResult<(), V> {
        let length = buffers.total_len();
        let mut written = 0;
        while written < length {
            let BufResult(result, rest) = self.write_vectored(buffers.slice(written)).await;
            buffers = rest.into_inner();
            match result {
                Ok(0) => return BufResult(Err(io::ErrorKind::WriteZero.into()), buffers),
                Ok(count) => written += count,
                Err(error) => return BufResult(Err(error), buffers),
            }
        }
        BufResult(Ok(()), buffers)
    }

    #[track_caller]
    pub(super) fn receive(&self, pool: &BufPool) -> Receive {
        Receive::new(self.socket.clone(), Rc::clone(&self.inbound), pool)
    }

    #[track_caller]
    pub(super) fn write<B: IoBuf>(&self, buffer: B) -> Write<B> {
        Write(self.outbound("write", Send::new(self.socket.clone(), buffer)))
    }

    #[track_caller]
    pub(super) fn write_vectored<V: IoVectoredBuf>(&self, buffers: V) -> WriteVectored<V> {
        let write = SendMsg::new(self.socket.clone(), buffers);
        WriteVectored(self.outbound("write_vectored", write))
    }

    #[track_caller]
    pub(super) fn write_with_descriptors<B: IoBuf>(
        &self,
        buffer: B,
        descriptors: Vec<OwnedFd>,
    ) -> WriteWithDescriptors<B> {
        let write = SendMsg::new(self.socket.clone(), (buffer,)).with_descriptors(descriptors);
        WriteWithDescriptors(self.outbound("write_with_descriptors", write))
    }

    #[track_caller]
    pub(super) fn write_zero_copy<B: IoBuf>(&self, buffer: B) -> WriteZeroCopy<B> {
        let write = SendZeroCopy::new(
            &current_reactor("write_zero_copy"),
            self.socket.clone(),
            buffer,
        );
        let write = write.copying_below(ZERO_COPY_BYTES_MIN);
        WriteZeroCopy(self.outbound("write_zero_copy", write))
    }

    pub(super) async fn write_all<B: IoBuf>(&self, mut buffer: B) -> BufResult<(), B> {
        let length = buffer.buf_len();
        let mut written = 0;
        while written < length {
            let BufResult(result, rest) = self.write(buffer.slice(written..)).await;
            buffer = rest.into_inner();
            match result {
                Ok(0) => return BufResult(Err(io::ErrorKind::WriteZero.into()), buffer),
                Ok(count) => written += count,
                Err(error) => return BufResult(Err(error), buffer),
            }
        }
        BufResult(Ok(()), buffer)
    }

    #[track_caller]
    pub(super) fn ready(&self, interest: Interest) -> Ready {
        let reactor = current_reactor("ready");
        let (inbound, outbound) = (&self.inbound, &self.outbound);
        Ready::new(&reactor, &self.socket, interest, inbound, outbound)
    }

    #[track_caller]
    pub(super) fn try_read(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        expect_core("try_read");
        operation::recv_at_once(&self.inbound, self.as_fd(), buffers)
    }

    #[track_caller]
    pub(super) fn try_write(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        expect_core("try_write");
        operation::send_at_once(&self.outbound, self.as_fd(), buffers)
    }

    #[track_caller]
    pub(super) fn try_io<R>(
        &self,
        interest: Interest,
        call: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        expect_core("try_io");
        io_at_once(self.as_fd(), interest, &self.inbound, &self.outbound, call)
    }

    #[track_caller]
    pub(super) fn shutdown(&self, how: net::Shutdown) -> ShutdownStream {
        let shutdown = Shutdown::new(self.socket.clone(), how);
        ShutdownStream(Op::new(current_reactor("shutdown"), shutdown))
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

    pub(super) async fn close(self) -> io::Result<()> {
        closing::refuse_if_used(&self.inbound)?;
        closing::refuse_if_used(&self.outbound)?;
        self.inbound.settled().await;
        self.outbound.settled().await;
        closing::close(self.socket).await
    }
}

impl AsFd for StreamSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
