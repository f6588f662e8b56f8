//! A connection between processes of one machine.

use super::methods::{connect_methods, pair_method, peer_cred_method};
use crate::buf::{IoBuf, IoBufMut};
use crate::io::conversions::conversion_methods;
use crate::net::address_methods::{local_addr_method, peer_addr_method};
use crate::net::conversions::descriptor_traits;
use crate::net::socket_options::buffer_options;
use crate::net::stream_methods::{reading_methods, stream_methods, stream_traits, writing_methods};
use crate::net::stream_socket::{HasStreamSocket, StreamSocket};
use crate::net::{Connect, ReadWithDescriptors, WriteWithDescriptors};
use socket2::{SockAddr, Socket, Type};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::{self, SocketAddr};

/// A connected Unix stream socket, bound to the core it was made on.
///
/// As [`TcpStream`](crate::net::TcpStream) in everything; and it can carry descriptors.
///
/// # Examples
/// ```
/// use executor::buf::BufResult;
/// use executor::net::UnixStream;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let (one, other) = UnixStream::pair()?;
/// let null = std::fs::File::open("/dev/null")?;
/// one.write_with_descriptors("have this", vec![null.into()]).await.0?;
/// let BufResult(read, buffer) = other.read_with_descriptors(Vec::with_capacity(64), 1).await;
/// let (count, descriptors) = read?;
/// assert_eq!((count, descriptors.len()), (9, 1));
/// assert_eq!(buffer, b"have this");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct UnixStream(StreamSocket);

impl UnixStream {
    connect_methods!(Type::STREAM, "socket that listens", Self);
    pair_method!(Type::STREAM);

    #[track_caller]
    pub(super) fn connect_with(socket: Socket, address: io::Result<SockAddr>) -> Connect<Self> {
        Connect::to_one(Ok(socket), address, Self)
    }

    reading_methods!();
    writing_methods!();
    stream_methods!();

    /// Reads as [`read`](Self::read) does, and takes descriptors that came with the bytes, `max` at most; further ones are closed, and so
    /// are all that a plain read finds. They are close-on-exec. It reads no further than to where other descriptors are.
    ///
    /// **Dropped** before it is ready, nothing is lost: bytes and descriptors that had come are what the next read with descriptors begins
    /// with, descriptors up to the `max` of the dropped one.
    ///
    /// # Errors
    /// Those of `read`.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn read_with_descriptors<B: IoBufMut>(
        &self,
        buffer: B,
        max: usize,
    ) -> ReadWithDescriptors<B> {
        self.0.read_with_descriptors(buffer, max)
    }

    /// Writes as [`write`](Self::write) does, and sends descriptors, 253 at most, with the first byte, so there must be one. If not all
    /// bytes went, go on with a plain write. The peer gets descriptors of its own for the same open files; these here are closed, whatever
    /// the outcome: pass clones to keep some.
    ///
    /// **Dropped** before it is ready, what is said of `write` holds; the descriptors went if the first byte did.
    ///
    /// # Errors
    /// Those of `write`; `InvalidInput` without a byte; `EINVAL` for too many descriptors, `ETOOMANYREFS` if too many of this user's are
    /// under way.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn write_with_descriptors<B: IoBuf>(
        &self,
        buffer: B,
        descriptors: Vec<OwnedFd>,
    ) -> WriteWithDescriptors<B> {
        self.0.write_with_descriptors(buffer, descriptors)
    }

    buffer_options!();

    local_addr_method! {
        /// The address on this side; unnamed, mostly, if it is the one that connected.
        SocketAddr
    }

    peer_addr_method! {
        /// The address on the other side.
        SocketAddr
    }

    peer_cred_method! {
        /// Who is on the other side (`SO_PEERCRED`).
    }

    conversion_methods!(
        net::UnixStream,
        "stream",
        "an operation",
        "bytes that a dropped read has left are to be read"
    );
}

stream_traits!(UnixStream);
descriptor_traits!(
    UnixStream,
    "a connected Unix stream socket",
    net::UnixStream
);
