//! The two sides of a stream, apart: borrowed, for one task, or owned, for two.

use super::stream_methods::{
    read_half_methods, reading_methods, write_half_methods, writing_methods,
};
use super::stream_socket::{SocketStream, StreamSocket};
use super::{TcpStream, UnixStream};
use crate::io::Splittable;
use reactor::Origin;
use socket2::SockRef;
use std::net::{Shutdown, SocketAddr};
use std::os::unix;
use std::rc::Rc;
use std::{error, fmt, io};

/// The receiving side of a stream, borrowed from it.
#[derive(Debug)]
pub struct ReadHalf<'a, S = TcpStream>(&'a S);

/// The sending side of a stream, borrowed from it.
#[derive(Debug)]
pub struct WriteHalf<'a, S = TcpStream>(&'a S);

/// The receiving side of a stream. What the whole has beside reading and writing is there by `as_ref`. The stream is closed when both halves have been
/// dropped; to wait for that, [reunite](Self::reunite) them and close the whole.
///
/// Both halves stay on the core of the stream. To read lines, give this one to a
/// [`BufReader`](crate::io::BufReader).
///
/// # Examples
/// A struct names the halves without the stream, if that is a [`TcpStream`]; those of a
/// `UnixStream` are `OwnedReadHalf<UnixStream>` and `OwnedWriteHalf<UnixStream>`.
/// ```
/// use executor::io::{BufReader, Lines};
/// use executor::net::{OwnedReadHalf, OwnedWriteHalf, TcpListener, TcpStream};
///
/// struct Client {
///     lines: Lines<OwnedReadHalf>,
///     writer: OwnedWriteHalf,
/// }
///
/// impl Client {
///     fn new(stream: TcpStream) -> Self {
///         let (reader, writer) = stream.into_split();
///         let lines = BufReader::new(reader).lines();
///         Self { lines, writer }
///     }
///
///     async fn greet(&mut self) -> std::io::Result<()> {
///         while let Some(name) = self.lines.next_line().await? {
///             self.writer.write_all(format!("hello {name}\n")).await.0?;
///         }
///         Ok(())
///     }
/// }
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// # let listener = TcpListener::bind("127.0.0.1:0")?;
/// # let stream = TcpStream::connect(listener.local_addr()?).await?;
/// # let mut client = Client::new(listener.accept().await?.0);
/// # executor::spawn(async move { client.greet().await }).detach();
/// # stream.write_all("you\n").await.0?;
/// # assert_eq!(&stream.read_exact([0; 10]).await.1, b"hello you\n");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct OwnedReadHalf<S = TcpStream>(Rc<S>);

/// The sending side of a stream. What the whole has beside reading and writing is there by `as_ref`.
///
/// **Dropped**, it shuts the sending side down: the peer reads to the end, and the other half goes on receiving. To drop it and leave
/// the stream as it is, [`forget`](Self::forget) it. To close the stream and wait for that, [reunite](Self::reunite) the halves and close the
/// whole.
///
/// # Examples
/// ```
/// use executor::net::UnixStream;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let (one, other) = UnixStream::pair()?;
/// let (reading, writing) = one.into_split();
/// executor::spawn(async move { writing.write_all("all there is").await.0 }).detach();
/// assert_eq!(&other.read_exact([0; 12]).await.1, b"all there is");
/// assert_eq!(other.read([0; 1]).await.0?, 0);
/// other.write_all("thanks").await.0?;
/// assert_eq!(&reading.read_exact([0; 6]).await.1, b"thanks");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct OwnedWriteHalf<S: SocketStream = TcpStream> {
    stream: Rc<S>,
    shuts_down: bool,
    origin: Origin,
}

pub(super) fn borrowed<S>(stream: &S) -> (ReadHalf<'_, S>, WriteHalf<'_, S>) {
    (ReadHalf(stream), WriteHalf(stream))
}

pub(super) fn owned<S: SocketStream>(stream: S) -> (OwnedReadHalf<S>, OwnedWriteHalf<S>) {
    let stream = Rc::new(stream);
    let read = OwnedReadHalf(Rc::clone(&stream));
    let write = OwnedWriteHalf {
        stream,
        shuts_down: true,
        origin: Origin::here(),
    };
    (read, write)
}

impl<S: SocketStream> ReadHalf<'_, S> {
    pub(crate) fn stream_socket(&self) -> &StreamSocket {
        self.0.stream_socket()
    }

    reading_methods!();
    read_half_methods!();
}

impl<S: SocketStream> WriteHalf<'_, S> {
    pub(crate) fn stream_socket(&self) -> &StreamSocket {
        self.0.stream_socket()
    }

    writing_methods!();
    write_half_methods!();
}

impl<S: SocketStream> OwnedReadHalf<S> {
    fn stream_socket(&self) -> &StreamSocket {
        self.0.stream_socket()
    }

    reading_methods!();
    read_half_methods!();

    /// Puts the halves together again.
    ///
    /// # Errors
    /// Both halves, if they are not of one stream.
    pub fn reunite(self, other: OwnedWriteHalf<S>) -> Result<S, ReuniteError<S>> {
        if !Rc::ptr_eq(&self.0, &other.stream) {
            return Err(ReuniteError(self, other));
        }
        other.forget();
        Ok(Rc::into_inner(self.0).expect("there are two halves, and the other has gone"))
    }
}

impl<S: SocketStream> OwnedWriteHalf<S> {
    pub(super) fn stream_socket(&self) -> &StreamSocket {
        self.stream.stream_socket()
    }

    writing_methods!();
    write_half_methods!();

    /// Puts the halves together again.
    ///
    /// # Errors
    /// Both halves, if they are not of one stream.
    pub fn reunite(self, other: OwnedReadHalf<S>) -> Result<S, ReuniteError<S>> {
        other.reunite(self)
    }

    /// Drops the half without shutting the sending side down.
    pub fn forget(mut self) {
        self.shuts_down = false;
    }
}

impl<S: SocketStream> Drop for OwnedWriteHalf<S> {
    fn drop(&mut self) {
        // The socket of a forked child is its parent's as well, who may go on with it.
        if self.shuts_down && self.origin.is_here() {
            // By a system call, which does not wait for anything. An error: the peer has gone already.
            let _ = SockRef::from(self.stream_socket()).shutdown(Shutdown::Write);
        }
    }
}

impl<S> AsRef<S> for ReadHalf<'_, S> {
    fn as_ref(&self) -> &S {
        self.0
    }
}

impl<S> AsRef<S> for WriteHalf<'_, S> {
    fn as_ref(&self) -> &S {
        self.0
    }
}

impl<S> AsRef<S> for OwnedReadHalf<S> {
    fn as_ref(&self) -> &S {
        &self.0
    }
}

impl<S: SocketStream> AsRef<S> for OwnedWriteHalf<S> {
    fn as_ref(&self) -> &S {
        &self.stream
    }
}

/// The addresses, by either half, for those who have no other by the time they log.
macro_rules! addresses {
    ($($half:ty, $address:ty);* $(;)?) => {
        $(
            impl $half {
                /// The address on this side.
                ///
                /// # Errors
                /// As for the whole stream.
                pub fn local_addr(&self) -> io::Result<$address> {
                    self.as_ref().local_addr()
                }

                /// The address on the other side.
                ///
                /// # Errors
                /// As for the whole stream.
                pub fn peer_addr(&self) -> io::Result<$address> {
                    self.as_ref().peer_addr()
                }
            }
        )*
    };
}

addresses! {
    OwnedReadHalf<TcpStream>, SocketAddr;
    OwnedWriteHalf<TcpStream>, SocketAddr;
    OwnedReadHalf<UnixStream>, unix::net::SocketAddr;
    OwnedWriteHalf<UnixStream>, unix::net::SocketAddr;
}

/// These halves are not of one stream.
pub struct ReuniteError<S: SocketStream = TcpStream>(pub OwnedReadHalf<S>, pub OwnedWriteHalf<S>);

impl<S: SocketStream> fmt::Debug for ReuniteError<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ReuniteError")
            .finish_non_exhaustive()
    }
}

impl<S: SocketStream> fmt::Display for ReuniteError<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the halves are not of one stream")
    }
}

impl<S: SocketStream> error::Error for ReuniteError<S> {}

macro_rules! splittable {
    ($($stream:ty),*) => {
        $(
            impl Splittable for $stream {
                type ReadHalf = OwnedReadHalf<Self>;
                type WriteHalf = OwnedWriteHalf<Self>;

                fn split(self) -> (Self::ReadHalf, Self::WriteHalf) {
                    owned(self)
                }
            }

            impl<'a> Splittable for &'a $stream {
                type ReadHalf = ReadHalf<'a, $stream>;
                type WriteHalf = WriteHalf<'a, $stream>;

                fn split(self) -> (Self::ReadHalf, Self::WriteHalf) {
                    borrowed(self)
                }
            }
        )*
    };
}

splittable!(TcpStream, UnixStream, super::VsockStream);
