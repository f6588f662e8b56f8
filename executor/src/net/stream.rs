//! A TCP connection.

use super::address::{no_address, to_std};
use crate::buf::{BufResult, IntoInner, IoBuf, IoBufMut};
use crate::core::context;
use reactor::operation::{Connect, InTurn, KeptBytes, Op, Recv, Send, Shutdown};
use reactor::{Descriptor, Lane, Reactor};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io;
use std::net::{self, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

/// A TCP connection, bound to the core it was made on.
///
/// Reading and writing take `&self`: one task may read while another writes. **Dropping** the stream closes the connection once no
/// operation of it is in flight. To hand it to another core, turn it [into a standard one](Self::into_std) and back there.
///
/// # Examples
/// ```
/// use executor::buf::BufResult;
/// use executor::net::{TcpListener, TcpStream};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// let server = executor::spawn(async move {
///     let (stream, _) = listener.accept().await?;
///     let BufResult(read, buffer) = stream.read(Vec::with_capacity(64)).await;
///     read?;
///     stream.write_all(buffer).await.0
/// });
/// let stream = TcpStream::connect(address).await?;
/// stream.write_all("hello").await.0?;
/// let BufResult(read, buffer) = stream.read_exact([0; 5]).await;
/// read?;
/// assert_eq!(&buffer, b"hello");
/// server.await.unwrap()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TcpStream {
    socket: Descriptor,
    inbound: Rc<Lane<KeptBytes>>,
    outbound: Rc<Lane<()>>,
}

/// The current core's reactor.
fn reactor(what: &str) -> Rc<Reactor> {
    context::expect(what, |core| Rc::clone(core.reactor()))
}

impl TcpStream {
    /// Connects to the first of `addresses` that answers. Names are looked up, blocking the core: pass a [`SocketAddr`] where that
    /// matters.
    ///
    /// **Dropped** before it is ready, the attempt is cancelled and the socket closed.
    ///
    /// # Errors
    /// The last address's error, as connect(2) has them.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn connect(addresses: impl ToSocketAddrs) -> io::Result<Self> {
        let mut last = None;
        for address in addresses.to_socket_addrs()? {
            match Self::connect_one(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(no_address))
    }

    async fn connect_one(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        let stream = Self::from_owned(socket.into());
        let connect = Connect::new(stream.socket.clone(), address.into());
        Op::new(reactor("connect"), connect).await?;
        Ok(stream)
    }

    pub(super) fn from_owned(socket: OwnedFd) -> Self {
        Self {
            socket: Descriptor::new(socket),
            inbound: Lane::new(),
            outbound: Lane::new(),
        }
    }

    /// Reads what is there, at least one byte, into the buffer's capacity from its start; the buffer's length becomes the count. Zero
    /// means that the peer has finished sending, or that the buffer has no capacity.
    ///
    /// **Dropped** before it is ready, the read is cancelled, and nothing is lost: what it had read by then, the next read begins with.
    /// Only the buffer is gone; to have it back, [cancel](crate::io::InTurn::cancel) the read instead. A second read waits for the first.
    ///
    /// # Errors
    /// As recv(2) has them: `ConnectionReset`, mostly.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn read<B: IoBufMut>(&self, buffer: B) -> InTurn<Recv<B>> {
        let read = Recv::new(self.socket.clone(), buffer);
        InTurn::new(reactor("read"), Rc::clone(&self.inbound), read)
    }

    /// Writes some of the buffer's bytes and returns how many: as many as the socket has room for, at least one.
    ///
    /// **Dropped** before it is ready, the write is cancelled; some, all or none of the bytes may have been sent, and none is sent once
    /// another write has begun, which waits for that. To know how many, [cancel](crate::io::InTurn::cancel) it instead.
    ///
    /// # Errors
    /// As send(2) has them: `BrokenPipe` and `ConnectionReset`, mostly. No signal is raised.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn write<B: IoBuf>(&self, buffer: B) -> InTurn<Send<B>> {
        let write = Send::new(self.socket.clone(), buffer);
        InTurn::new(reactor("write"), Rc::clone(&self.outbound), write)
    }

    /// Writes all of the buffer's bytes, a part at a time: those of another write may come between two. Cancellation, errors and panics as
    /// for [`write`](Self::write).
    pub async fn write_all<B: IoBuf>(&self, mut buffer: B) -> BufResult<(), B> {
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

    /// Fills the buffer's whole capacity; for a part of it, pass `buffer.slice(..count)`. Panics as for [`read`](Self::read).
    ///
    /// **Dropped** before it is ready, what it had put into the buffer is lost with it: keep the future, and poll it again.
    ///
    /// # Errors
    /// Those of `read`, and `UnexpectedEof` if the peer finishes sending before. How much came by then, the length of the buffer tells, if
    /// it has one apart from its capacity, as a `Vec` has.
    pub async fn read_exact<B: IoBufMut>(&self, mut buffer: B) -> BufResult<(), B> {
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

    /// Shuts one or both directions down. After `Write` the peer reads to the end of the stream; reading here goes on.
    ///
    /// # Errors
    /// As shutdown(2) has them: `NotConnected` if the peer has gone.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn shutdown(&self, how: net::Shutdown) -> io::Result<()> {
        Op::new(reactor("shutdown"), Shutdown::new(self.socket.clone(), how)).await
    }

    /// Whether small writes go out at once (`TCP_NODELAY`).
    ///
    /// # Errors
    /// As setsockopt(2) has them.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        SockRef::from(&self.socket).set_tcp_nodelay(nodelay)
    }

    /// Whether `TCP_NODELAY` is set.
    ///
    /// # Errors
    /// As getsockopt(2) has them.
    pub fn nodelay(&self) -> io::Result<bool> {
        SockRef::from(&self.socket).tcp_nodelay()
    }

    /// The address on this side.
    ///
    /// # Errors
    /// As getsockname(2) has them.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        to_std(&SockRef::from(&self.socket).local_addr()?)
    }

    /// The address on the other side.
    ///
    /// # Errors
    /// As getpeername(2) has them: `NotConnected` if the peer has gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        to_std(&SockRef::from(&self.socket).peer_addr()?)
    }

    /// Turns it into a stream of the standard library, which may be sent to another core and turned back there.
    ///
    /// # Errors
    /// The stream itself, while an operation of it is in flight, also one that was dropped and is being cancelled, and while bytes that a
    /// dropped read has left are to be read.
    pub fn into_std(self) -> Result<net::TcpStream, Self> {
        if !self.inbound.is_idle() {
            return Err(self);
        }
        self.socket
            .try_into_owned()
            .map(net::TcpStream::from)
            .map_err(|socket| Self { socket, ..self })
    }
}

impl AsFd for TcpStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl From<net::TcpStream> for TcpStream {
    /// Takes over a stream of the standard library, as it is.
    fn from(stream: net::TcpStream) -> Self {
        Self::from_owned(stream.into())
    }
}
