//! Streams and their halves as what is read and written by the traits of `io`, so that what is
//! written against those works on a socket. To shut down is to shut the sending side down.

use super::stream_socket::HasStreamSocket;
use super::{
    OwnedReadHalf, OwnedWriteHalf, ReadHalf, SocketStream, TcpStream, UnixStream, VsockStream,
    WriteHalf,
};
use crate::io::by_methods::{async_read, async_write};
use std::net::Shutdown;

async_read!(
    [] TcpStream,
    [] UnixStream,
    [] VsockStream,
    [S: SocketStream] ReadHalf<'_, S>,
    [S: SocketStream] OwnedReadHalf<S>,
);

async_write!(
    |stream| stream.stream_socket().shutdown(Shutdown::Write).await;
    [] TcpStream,
    [] UnixStream,
    [] VsockStream,
    [S: SocketStream] WriteHalf<'_, S>,
    [S: SocketStream] OwnedWriteHalf<S>,
);
