//! A TCP connection.

use crate::buf::IoBuf;
use crate::io::conversions::conversion_methods;
use crate::net::address::no_address;
use crate::net::address_methods::{local_addr_method, peer_addr_method};
use crate::net::conversions::descriptor_traits;
use crate::net::resolve::resolve;
use crate::net::socket_options::{buffer_options, tcp_options, tos_options, ttl_options};
use crate::net::stream_methods::{reading_methods, stream_methods, stream_traits, writing_methods};
use crate::net::stream_socket::{HasStreamSocket, StreamSocket};
use crate::net::{Connect, OwnedWriteHalf, ToSocketAddrs, WriteHalf, WriteZeroCopy};
use crate::time::timeout;
use socket2::Socket;
use std::io;
use std::net::{self, SocketAddr};
use std::time::Duration;

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
pub struct TcpStream(StreamSocket);

impl TcpStream {
    /// Connects to the first of `addresses` that answers. A name is looked up by [`spawn_blocking`](crate::spawn_blocking).
    ///
    /// **Dropped** before it is ready, the attempt is cancelled and the socket closed.
    ///
    /// # Errors
    /// The last address's error, as connect(2) has them, or the lookup's.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn connect(addresses: impl ToSocketAddrs) -> Connect<Self> {
        Connect::to_any(addresses.lookup(), Self)
    }

    /// The same, with so much time for each address. The lookup of a name has as much as the system gives it.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect), and `TimedOut`.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn connect_timeout(
        addresses: impl ToSocketAddrs,
        limit: Duration,
    ) -> io::Result<Self> {
        let mut last = None;
        for address in resolve(&addresses).await? {
            match timeout(limit, Self::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = Some(error),
                Err(_) => last = Some(io::ErrorKind::TimedOut.into()),
            }
        }
        Err(last.unwrap_or_else(no_address))
    }

    #[track_caller]
    pub(super) fn connect_with(socket: Socket, address: SocketAddr) -> Connect<Self> {
        Connect::to_one(Ok(socket), Ok(address.into()), Self)
    }

    reading_methods!();
    writing_methods!();
    stream_methods!();

    /// Writes as [`write`](Self::write) does, but lets the network card read the buffer where it is; the buffer comes back when the peer
    /// has acknowledged its bytes. Worth it for large buffers that are not needed again soon: fewer than 10 KiB are copied all the same,
    /// and so is everything by a device that cannot (as loopback), or a kernel ([`Feature::ZeroCopySend`](crate::Feature)).
    ///
    /// **Dropped** before it is ready, what is said of `write` holds, and the buffer is freed when the kernel is done with it. That may take
    /// as long as the peer takes to acknowledge, also for a cancelled one; until then another write waits.
    ///
    /// # Errors
    /// Those of `write`, and `ENOBUFS` if too much of the process's memory is under way (`net.core.optmem_max`).
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn write_zero_copy<B: IoBuf>(&self, buffer: B) -> WriteZeroCopy<B> {
        self.0.write_zero_copy(buffer)
    }

    buffer_options!();
    ttl_options!();
    tcp_options!();
    tos_options!();

    local_addr_method! {
        /// The address on this side.
        SocketAddr
    }

    peer_addr_method! {
        /// The address on the other side.
        SocketAddr
    }

    conversion_methods!(
        net::TcpStream,
        "stream",
        "an operation",
        "bytes that a dropped read has left are to be read"
    );
}

/// Writing without a copy, by the halves that write.
macro_rules! write_zero_copy {
    ($($half:ty),+) => {$(
        impl $half {
            /// Writes as [`TcpStream::write_zero_copy`] does.
            ///
            /// # Errors
            /// As there.
            ///
            /// # Panics
            /// Outside of a runtime.
            #[track_caller]
            pub fn write_zero_copy<B: IoBuf>(&self, buffer: B) -> WriteZeroCopy<B> {
                self.stream_socket().write_zero_copy(buffer)
            }
        }
    )+};
}

write_zero_copy!(WriteHalf<'_, TcpStream>, OwnedWriteHalf<TcpStream>);

stream_traits!(TcpStream);
descriptor_traits!(TcpStream, "a connected TCP socket", net::TcpStream);
