//! Listening for TCP connections, with one listener or one on each core.

use super::TcpStream;
use crate::fastopen::set_fastopen;
use crate::io::conversions::{conversion_methods, shared_from};
use crate::net::ToSocketAddrs;
use crate::net::address::first_that;
use crate::net::address_group::{bind_group, unbound};
use crate::net::conversions::descriptor_traits;
use crate::net::listen_socket::{BACKLOG, ListenSocket, listen};
use crate::net::listener_methods::listener_methods;
use crate::net::socket_options::{buffer_size_options, fastopen_options, ttl_options};
use socket2::{Socket, Type};
use std::io;
use std::net::{self, SocketAddr};

/// Accepts TCP connections on the core it is used on.
///
/// [`bind`](Self::bind) makes one listener, which has its address for itself. [`bind_all`](Self::bind_all) makes one for each core of the
/// runtime, at one address: the kernel spreads connections over them. In both cases a second program that binds the same address gets
/// `AddrInUse`, and so does a second call in the same program.
///
/// **Dropping** the listener closes it, and its address is free at once, also if an accept was
/// dropped a moment before. Not so if an [`Accept`](crate::net::Accept) or
/// [`Incoming`](crate::net::Incoming) of it is alive, which keeps it listening, or if the
/// descriptor was duplicated: then the last one closes it. If the listener is dropped outside of
/// the runtime, its core closes it in its next turn. [`close`](Self::close) waits for the end, and
/// reports an error.
///
/// # Connections for other cores
///
/// With [`bind_all`](Self::bind_all) the kernel chooses the core of a connection, by a hash. To choose yourself, as by load, accept on one core, and
/// send each connection to another one as a stream of the standard library:
///
/// ```
/// use executor::net::{TcpListener, TcpStream};
///
/// async fn accept(listener: TcpListener) -> std::io::Result<()> {
///     for core in (0..executor::cores()).cycle() {
///         let (stream, _) = listener.accept().await?;
///         let stream = stream.into_std().expect("nothing is in flight on a new stream");
///         executor::spawn_on(core, move || serve(stream.into())).detach();
///     }
///     Ok(())
/// }
///
/// async fn serve(stream: TcpStream) -> std::io::Result<()> {
///     stream.write_all("hello").await.0
/// }
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// # let listener = TcpListener::bind("127.0.0.1:0")?;
/// # let address = listener.local_addr()?;
/// # executor::spawn(accept(listener)).detach();
/// # let stream = TcpStream::connect(address).await?;
/// # assert_eq!(&stream.read_exact([0; 5]).await.1, b"hello");
/// # Ok(())
/// # }
/// ```
///
/// That costs a message between cores for each connection, and an accept waits for the core that accepts.
///
/// # When the process is killed
/// After SIGKILL, [`abort`](std::process::abort) or [`exit`](std::process::exit) the address accepts connections for some milliseconds more. The accepts
/// that are in flight keep the listener open until a worker thread of the kernel has taken the ring apart, which it begins only when the process is
/// gone. Connections accepted then are reset, and a bind fails with `AddrInUse`. On Linux 6.18, on two busy CPUs, it took 6 to 42 ms until the address
/// could be bound again, 20 ms as a rule, with no connections open as with a thousand. A supervisor that starts the program again should repeat a
/// bind that fails so. A program that drops its runtime before it ends has closed its listeners by then.
///
/// # Examples
/// ```
/// use executor::net::{TcpListener, TcpStream};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let client = executor::spawn(TcpStream::connect(listener.local_addr()?));
/// let (_stream, peer) = listener.accept().await?;
/// assert_eq!(client.await.unwrap()?.local_addr()?, peer);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TcpListener(ListenSocket);

impl TcpListener {
    /// Listens on the first of `addresses` that can be bound, with the options of [`TcpListenerBuilder::new`]. Port 0 picks a free
    /// one. A name is refused: see [`ToSocketAddrs`].
    ///
    /// # Errors
    /// As bind(2) and listen(2) have them; `AddrInUse` if anybody listens there, this process included: for a listener on each core,
    /// see [`bind_all`](Self::bind_all). `InvalidInput` for a name.
    pub fn bind(addresses: impl ToSocketAddrs) -> io::Result<Self> {
        TcpListenerBuilder::new().bind(addresses)
    }

    /// Listens on the first of `addresses` that can be bound, with one listener for each core of this runtime. The kernel spreads connections
    /// over them, by a hash of the addresses of both sides. Port 0 picks a free one, the same for all.
    ///
    /// The listeners are those of the standard library, since those can be sent: send each to its core, and there turn it
    /// [into](From) a `TcpListener`. **Every one must be used, or dropped**: a connection belongs to the listener that the kernel chose, and one
    /// that nobody accepts from leaves its connections waiting. For another number of them, or outside of a runtime:
    /// [`TcpListenerBuilder::bind_many`].
    ///
    /// They keep their address from other programs as one listener does. Only a program of the same user that sets `SO_REUSEPORT` before it binds, as
    /// by [`TcpListenerBuilder::reuse_port`], shares it: it then gets a part of the connections.
    ///
    /// # Errors
    /// Those of [`bind`](Self::bind). If one of the listeners cannot be made, there is none.
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Examples
    /// ```
    /// use executor::net::{TcpListener, TcpStream};
    /// # #[executor::main(cores = 1)]
    /// # async fn main() -> std::io::Result<()> {
    /// let listeners = TcpListener::bind_all("127.0.0.1:0")?;
    /// let address = listeners[0].local_addr()?;
    /// for (core, listener) in listeners.into_iter().enumerate() {
    ///     executor::spawn_on(core, move || serve(listener.into())).detach();
    /// }
    /// let stream = TcpStream::connect(address).await?;
    /// assert_eq!(&stream.read_exact([0; 5]).await.1, b"hello");
    /// # Ok(())
    /// # }
    ///
    /// async fn serve(listener: TcpListener) -> std::io::Result<()> {
    ///     loop {
    ///         let (stream, _) = listener.accept().await?;
    ///         executor::spawn(async move { stream.write_all("hello").await.0 }).detach();
    ///     }
    /// }
    /// ```
    #[track_caller]
    pub fn bind_all(addresses: impl ToSocketAddrs) -> io::Result<Vec<net::TcpListener>> {
        TcpListenerBuilder::new().bind_many(addresses, crate::cores())
    }

    listener_methods!(TcpStream, SocketAddr);
    buffer_size_options!();
    ttl_options!();
    fastopen_options!();
    conversion_methods!(
        net::TcpListener,
        "listener",
        "an accept",
        "a connection that a dropped accept has left is to be accepted"
    );
}

descriptor_traits!(
    TcpListener,
    "a listening TCP socket, as of socket activation",
    net::TcpListener
);
shared_from!(TcpListener, "a listener");

/// The options of a [`TcpListener`].
///
/// # Examples
/// ```
/// use executor::net::TcpListenerBuilder;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let listener = TcpListenerBuilder::new().backlog(16).bind("127.0.0.1:0")?;
/// # drop(listener);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TcpListenerBuilder {
    backlog: usize,
    reuse_address: bool,
    reuse_port: bool,
    only_v6: Option<bool>,
    fastopen: usize,
}

impl Default for TcpListenerBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl TcpListenerBuilder {
    /// A backlog of 4096, `SO_REUSEADDR` on, `SO_REUSEPORT` and TCP Fast Open off, and
    /// `IPV6_V6ONLY` as the system has it.
    pub fn new() -> Self {
        Self {
            backlog: BACKLOG,
            reuse_address: true,
            reuse_port: false,
            only_v6: None,
            fastopen: 0,
        }
    }

    /// How many connections may wait to be accepted.
    #[must_use]
    pub fn backlog(mut self, backlog: usize) -> Self {
        self.backlog = backlog;
        self
    }

    /// Whether the address may be bound while old connections of it linger (`SO_REUSEADDR`).
    #[must_use]
    pub fn reuse_address(mut self, reuse: bool) -> Self {
        self.reuse_address = reuse;
        self
    }

    /// Whether the address is shared with other listeners of the same user (`SO_REUSEPORT`), of which each gets a part of the connections. They must
    /// have set the option as well; those of [`TcpListener::bind_all`] have.
    ///
    /// It is for restarts without a gap: the new process binds and accepts while the old one still does. When the old one closes its listeners,
    /// connections that wait in their backlogs are reset, unless `net.ipv4.tcp_migrate_req` is set. Without such a plan leave it off: two programs that
    /// share an address by mistake go unnoticed.
    #[must_use]
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.reuse_port = reuse;
        self
    }

    /// Whether a listener on an IPv6 address leaves IPv4 alone (`IPV6_V6ONLY`).
    #[must_use]
    pub fn only_v6(mut self, only: bool) -> Self {
        self.only_v6 = Some(only);
        self
    }

    /// Lets clients send data in the first packet of a connection (TCP Fast Open). `queue` is how
    /// many such connections may wait for the rest of the handshake; zero, the default, turns it
    /// off. What that takes is said at [`TcpListener::set_fastopen`].
    #[must_use]
    pub fn fastopen(mut self, queue: usize) -> Self {
        self.fastopen = queue;
        self
    }

    /// Listens on the first of `addresses` that can be bound.
    ///
    /// # Errors
    /// As for [`TcpListener::bind`].
    pub fn bind(&self, addresses: impl ToSocketAddrs) -> io::Result<TcpListener> {
        let socket = first_that(addresses, |address| self.listen(address, self.reuse_port))?;
        Ok(TcpListener::from_owned(socket.into()))
    }

    /// Listens with `count` listeners on the first of `addresses` that can be bound, as [`TcpListener::bind_all`] does, in a runtime or outside.
    ///
    /// # Errors
    /// As for [`TcpListener::bind_all`], and `InvalidInput` if `count` is zero.
    pub fn bind_many(
        &self,
        addresses: impl ToSocketAddrs,
        count: usize,
    ) -> io::Result<Vec<net::TcpListener>> {
        let listen = |address, reuse_port| self.listen(address, reuse_port);
        let bind = |address| bind_group(address, count, self.reuse_port, listen);
        let sockets = first_that(addresses, bind)?;
        Ok(sockets.into_iter().map(Into::into).collect())
    }

    fn listen(&self, address: SocketAddr, reuse_port: bool) -> io::Result<Socket> {
        let (reuse_address, only_v6) = (self.reuse_address, self.only_v6);
        let socket = unbound(Type::STREAM, address, reuse_address, reuse_port, only_v6)?;
        if self.fastopen > 0 {
            set_fastopen(&socket, self.fastopen)?;
        }
        socket.bind(&address.into())?;
        listen(&socket, self.backlog)?;
        Ok(socket)
    }
}
