//! The network on the core's ring: TCP, UDP, Unix and vsock sockets, with owned buffers.
//!
//! | | connects, reads, writes | accepts | datagrams |
//! |---|---|---|---|
//! | Internet | [`TcpStream`] | [`TcpListener`] | [`UdpSocket`] |
//! | this machine | [`UnixStream`] | [`UnixListener`], [`UnixSeqpacketListener`] | [`UnixDatagram`], [`UnixSeqpacket`] |
//! | virtual machines | [`VsockStream`] | [`VsockListener`] | |
//!
//! [`TcpSocket`], [`TcpListenerBuilder`], [`UdpSocketBuilder`] and [`UnixSocket`] set options
//! before a socket is bound or connected. [`Receive`] and [`Datagrams`] receive into a [`BufPool`],
//! so that a connection that waits holds no buffer. [`lookup_host`](lookup_host()) looks a name up, and
//! [`listen_fds`] finds sockets that the process was started with.
//!
//! The kernel owns a buffer from the moment an operation is submitted until it is done, so operations take buffers by value and give
//! them back with the result, as a [`BufResult`](crate::buf::BufResult). Sockets belong to the core they were made on.
//!
//! Operations of one direction of a socket take turns. One whose future is **dropped** loses
//! nothing that has arrived: the next of that direction begins with it. So `select!` in a loop
//! loses no data.
//!
//! # Coming from tokio
//!
//! - **`read(&mut buffer)`** is `let BufResult(result, buffer) = stream.read(buffer).await`: see
//!   [`buf`](crate::buf). The methods take `&self`, so one task may read while another writes.
//! - **`bind`** is not async, and takes addresses only: `"localhost:80"` is refused, because
//!   looking a name up could block the core.
//! - **A listener on each core** comes from [`TcpListener::bind_all`]. To call `bind` on each core
//!   is an error from the second on (`AddrInUse`).
//! - **A stream in two tasks**: [`into_split`](TcpStream::into_split), or an `Rc<TcpStream>` with a
//!   clone for each. Both tasks are on the stream's core; to move it to another, see
//!   [`TcpListener`](TcpListener#connections-for-other-cores).
//! - **`shutdown()`** takes the direction: `stream.shutdown(std::net::Shutdown::Write)`.
//! - **Errors** of `bind` and `connect` are the system's, with their
//!   [`raw_os_error`](std::io::Error::raw_os_error), and name no address: add it where you print
//!   them. Those of a name that cannot be looked up have the name.
//!
//! # Examples
//! An echo server on every core:
//! ```
//! use executor::buf::BufResult;
//! use executor::net::{TcpListener, TcpStream};
//! use std::io;
//!
//! async fn serve(listener: TcpListener) -> io::Result<()> {
//!     loop {
//!         let (stream, peer) = listener.accept().await?;
//!         executor::spawn(async move {
//!             if let Err(error) = echo(stream).await {
//!                 eprintln!("{peer}: {error}");
//!             }
//!         })
//!         .detach();
//!     }
//! }
//!
//! async fn echo(stream: TcpStream) -> io::Result<()> {
//!     let mut buffer = Vec::with_capacity(4096);
//!     loop {
//!         let BufResult(count, received) = stream.read(buffer).await;
//!         if count? == 0 {
//!             return Ok(());
//!         }
//!         let BufResult(written, received) = stream.write_all(received).await;
//!         written?;
//!         buffer = received;
//!     }
//! }
//! # #[executor::main]
//! # async fn main() -> io::Result<()> {
//! let listeners = TcpListener::bind_all("127.0.0.1:0")?;
//! # let address = listeners[0].local_addr()?;
//! for (core, listener) in listeners.into_iter().enumerate() {
//!     executor::spawn_on(core, move || serve(listener.into())).detach();
//! }
//! # let client = TcpStream::connect(address).await?;
//! # client.write_all("hello").await.0?;
//! # assert_eq!(&client.read_exact([0; 5]).await.1, b"hello");
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod accept;
mod address;
mod address_group;
mod address_methods;
mod buf_pool;
mod connect;
mod control_messages;
mod conversions;
mod datagram_methods;
mod datagram_socket;
mod datagrams;
mod duplex_socket;
mod halves;
mod incoming;
mod listen_socket;
mod listener_methods;
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

use crate::io::ends::current_reactor;
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
