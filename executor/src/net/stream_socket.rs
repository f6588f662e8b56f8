//! What TCP, Unix and vsock streams have in common: a connected socket, with a lane for each direction.
//!
//! The public types are made of it; their methods, with the promises, are in `stream_methods`.

use super::duplex_socket::DuplexSocket;
use super::readiness::expect_core;
use super::{
    BufPool, Read, ReadVectored, ReadWithDescriptors, Receive, Write, WriteVectored,
    WriteWithDescriptors, WriteZeroCopy, current_reactor,
};
use crate::buf::{BufResult, IntoInner, IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use crate::io::{AsyncRead, AsyncWrite};
use reactor::Lane;
use reactor::operation::{self, KeptBytes, Recv, RecvMsg, Send, SendMsg, SendZeroCopy, SpliceEnd};
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::rc::Rc;

/// Fewer bytes are copied: to make the pages known to the network card, and to wait for its word that it is done with them, costs more.
/// The kernel's documentation of `MSG_ZEROCOPY` has this threshold.
const ZERO_COPY_BYTES_MIN: usize = 10 * 1024;

/// A connected stream socket.
pub(super) type StreamSocket = DuplexSocket<Rc<Lane<KeptBytes>>, Rc<Lane<()>>>;

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
    /// Its receiving side, for a splice.
    pub(crate) fn source(&self) -> SpliceEnd<KeptBytes> {
        SpliceEnd::new(self.socket(), Rc::clone(self.inbound()))
    }

    /// Its sending side, for a splice.
    pub(crate) fn target(&self) -> SpliceEnd<()> {
        SpliceEnd::new(self.socket(), Rc::clone(self.outbound()))
    }

    #[track_caller]
    pub(super) fn read<B: IoBufMut>(&self, buffer: B) -> Read<B> {
        Read(self.receiving("read", Recv::new(self.socket(), buffer)))
    }

    #[track_caller]
    pub(super) fn peek<B: IoBufMut>(&self, buffer: B) -> Read<B> {
        Read(self.receiving("peek", Recv::peeking(self.socket(), buffer)))
    }

    #[track_caller]
    pub(super) fn read_vectored<V: IoVectoredBufMut>(&self, buffers: V) -> ReadVectored<V> {
        let read = RecvMsg::new(self.socket(), buffers);
        ReadVectored(self.receiving("read_vectored", read))
    }

    #[track_caller]
    pub(super) fn read_with_descriptors<B: IoBufMut>(
        &self,
        buffer: B,
        max: usize,
    ) -> ReadWithDescriptors<B> {
        let read = RecvMsg::new(self.socket(), (buffer,)).with_descriptors(max);
        ReadWithDescriptors(self.receiving("read_with_descriptors", read))
    }

    // `io` has these loops for its traits, around closures. With a `Vec`, such a future takes 272
    // bytes, and one of these 160; every connection that waits in one has it.

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
        Receive::new(self.socket(), Rc::clone(self.inbound()), pool)
    }

    #[track_caller]
    pub(super) fn write<B: IoBuf>(&self, buffer: B) -> Write<B> {
        Write(self.sending("write", Send::new(self.socket(), buffer)))
    }

    #[track_caller]
    pub(super) fn write_vectored<V: IoVectoredBuf>(&self, buffers: V) -> WriteVectored<V> {
        let write = SendMsg::new(self.socket(), buffers);
        WriteVectored(self.sending("write_vectored", write))
    }

    #[track_caller]
    pub(super) fn write_with_descriptors<B: IoBuf>(
        &self,
        buffer: B,
        descriptors: Vec<OwnedFd>,
    ) -> WriteWithDescriptors<B> {
        let write = SendMsg::new(self.socket(), (buffer,)).with_descriptors(descriptors);
        WriteWithDescriptors(self.sending("write_with_descriptors", write))
    }

    #[track_caller]
    pub(super) fn write_zero_copy<B: IoBuf>(&self, buffer: B) -> WriteZeroCopy<B> {
        let write = SendZeroCopy::new(&current_reactor("write_zero_copy"), self.socket(), buffer);
        let write = write.copying_below(ZERO_COPY_BYTES_MIN);
        WriteZeroCopy(self.sending("write_zero_copy", write))
    }

    #[track_caller]
    pub(super) fn try_read(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        expect_core("try_read");
        operation::recv_at_once(self.inbound(), self.as_fd(), buffers)
    }

    #[track_caller]
    pub(super) fn try_write(&self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        expect_core("try_write");
        operation::send_at_once(self.outbound(), self.as_fd(), buffers)
    }
}
