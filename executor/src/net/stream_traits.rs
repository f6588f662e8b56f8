//! Streams and their halves as what is read and written by the traits of `io`, so that what is written against those works on a socket.

use super::stream_socket::HasStreamSocket;
use super::{
    OwnedReadHalf, OwnedWriteHalf, ReadHalf, SocketStream, TcpStream, UnixStream, VsockStream,
    WriteHalf,
};
use crate::buf::{BufResult, IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use crate::io::{AsyncRead, AsyncWrite};
use std::io;
use std::net::Shutdown;

/// Reading, by the method of the same name, which has priority.
macro_rules! read_by_methods {
    ([$($parameters:tt)*] $type:ty) => {
        impl<$($parameters)*> AsyncRead for $type {
            async fn read<B: IoBufMut>(&mut self, buffer: B) -> BufResult<usize, B> {
                <$type>::read(self, buffer).await
            }

            async fn read_vectored<V: IoVectoredBufMut>(
                &mut self,
                buffers: V,
            ) -> BufResult<usize, V> {
                <$type>::read_vectored(self, buffers).await
            }
        }
    };
}

/// Writing, likewise. There is nothing to flush; to shut down is to shut the sending side down.
macro_rules! write_by_methods {
    ([$($parameters:tt)*] $type:ty) => {
        impl<$($parameters)*> AsyncWrite for $type {
            async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
                <$type>::write(self, buffer).await
            }

            async fn write_vectored<V: IoVectoredBuf>(
                &mut self,
                buffers: V,
            ) -> BufResult<usize, V> {
                <$type>::write_vectored(self, buffers).await
            }

            async fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }

            async fn shutdown(&mut self) -> io::Result<()> {
                self.stream_socket().shutdown(Shutdown::Write).await
            }
        }
    };
}

/// A reference does what the stream does.
macro_rules! by_reference {
    ($type:ty) => {
        impl AsyncRead for &$type {
            async fn read<B: IoBufMut>(&mut self, buffer: B) -> BufResult<usize, B> {
                <$type>::read(*self, buffer).await
            }

            async fn read_vectored<V: IoVectoredBufMut>(
                &mut self,
                buffers: V,
            ) -> BufResult<usize, V> {
                <$type>::read_vectored(*self, buffers).await
            }
        }

        impl AsyncWrite for &$type {
            async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
                <$type>::write(*self, buffer).await
            }

            async fn write_vectored<V: IoVectoredBuf>(
                &mut self,
                buffers: V,
            ) -> BufResult<usize, V> {
                <$type>::write_vectored(*self, buffers).await
            }

            async fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }

            async fn shutdown(&mut self) -> io::Result<()> {
                self.stream_socket().shutdown(Shutdown::Write).await
            }
        }
    };
}

read_by_methods!([] TcpStream);
write_by_methods!([] TcpStream);
by_reference!(TcpStream);
read_by_methods!([] UnixStream);
write_by_methods!([] UnixStream);
by_reference!(UnixStream);
read_by_methods!([] VsockStream);
write_by_methods!([] VsockStream);
by_reference!(VsockStream);
read_by_methods!([S: SocketStream] ReadHalf<'_, S>);
write_by_methods!([S: SocketStream] WriteHalf<'_, S>);
read_by_methods!([S: SocketStream] OwnedReadHalf<S>);
write_by_methods!([S: SocketStream] OwnedWriteHalf<S>);
