//! The network on the core's ring: TCP, UDP and Unix sockets, with owned buffers.
//!
//! The kernel owns a buffer from the moment an operation is submitted until it is done, so operations take buffers by value and give
//! them back with the result, as a [`BufResult`](crate::buf::BufResult). Sockets belong to the core they were made on.
//!
//! Operations of one direction of a socket take turns. One whose future is **dropped** loses nothing that has arrived: the next of that
//! direction begins with it. So `select!` in a loop is exact.
//!
//! | who | what it is made of |
//! |---|---|
//! | [`TcpStream`], [`UnixStream`], [`VsockStream`], their halves | `stream_socket`, public by the methods of `stream_methods` |
//! | [`TcpListener`], [`UnixListener`], [`VsockListener`], [`UnixSeqpacketListener`] | `listen_socket`, `incoming` |
//! | [`UdpSocket`], [`UnixDatagram`], [`UnixSeqpacket`] | `datagram_socket` |
//! | [`Receive`], [`Datagrams`] | receiving into a [`BufPool`] |

#![forbid(unsafe_code)]

mod accept;
mod address;
mod address_group;
mod buf_pool;
mod connect;
mod control_messages;
mod conversions;
mod datagram_socket;
mod datagrams;
mod halves;
mod incoming;
mod listen_socket;
mod lookup_host;
mod operations;
mod prompt_lane;
mod readiness;
mod ready_methods;
mod receive;
mod resolve;
mod socket_options;
mod stream_methods;
mod stream_socket;
mod stream_traits;
mod tcp;
mod udp;
mod udp_builder;
mod udp_messages;
mod unix;
mod vsock;

pub use crate::inherited::{ListenFd, listen_fds};
pub use accept::Accept;
pub use buf_pool::BufPool;
pub use connect::Connect;
pub use control_messages::{
    ControlIter, ControlMessage, ControlMessages, Ecn, PacketInfo, ReceivedMessage,
};
pub use datagrams::{Datagram, Datagrams};
pub use halves::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
pub use incoming::Incoming;
pub use lookup_host::{LookupHost, lookup_host};
pub use operations::{
    Read, ReadVectored, ReadWithDescriptors, Recv, RecvFrom, RecvFromVectored, RecvVectored,
    RecvWithDescriptors, SendDatagram, SendTo, SendVectored, SendWithDescriptors, ShutdownStream,
    Write, WriteVectored, WriteWithDescriptors, WriteZeroCopy,
};
#[doc(inline)]
pub use reactor::buffers::{BufPoolError, Filling, PoolBuf, PoolOptions};
pub use readiness::{Readable, Ready, Writable};
pub use receive::Receive;
pub use resolve::ToSocketAddrs;
pub use socket_options::Keepalive;
pub use stream_socket::SocketStream;
pub use tcp::{TcpListener, TcpListenerBuilder, TcpSocket, TcpStream};
pub use udp::UdpSocket;
pub use udp_builder::UdpSocketBuilder;
pub use udp_messages::{RecvMessage, SendMessage};
pub use unix::{
    PeerCredentials, UnixDatagram, UnixListener, UnixSeqpacket, UnixSeqpacketListener, UnixSocket,
    UnixStream,
};
pub use vsock::{VsockAddr, VsockListener, VsockStream};

use crate::io::ends::reactor;
use socket2::SockRef;
use std::os::fd::{AsFd, OwnedFd};

/// A socket from elsewhere may have `O_NONBLOCK` set. For such, some kernels do not wait but answer `EAGAIN`, to an accept for one (Linux
/// 6.18 waits).
fn made_blocking(socket: OwnedFd) -> OwnedFd {
    if let Err(error) = SockRef::from(&socket.as_fd()).set_nonblocking(false) {
        reactor::log!(warn, %error, "a socket may be non-blocking still: then its operations fail with EAGAIN");
    }
    socket
}
