//! Sockets that the process was started with, by systemd or a supervisor of one's own: the protocol of sd_listen_fds(3).
//!
//! `LISTEN_FDS` descriptors from 3 on are meant for the process `LISTEN_PID`, and `LISTEN_FDNAMES` has their names.

use crate::net::{TcpListener, UdpSocket, UnixDatagram, UnixListener};
use socket2::{Domain, SockRef, Type};
use std::env;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The first of them.
const FIRST: RawFd = 3;

/// Whether they were given out: they have one owner.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// A descriptor that the process was started with, a socket mostly: see [`listen_fds`]. It can be sent to the core that is to use it.
#[derive(Debug)]
pub struct ListenFd {
    name: String,
    fd: OwnedFd,
}

/// The sockets that whoever started the process has passed on to it (socket activation), in their order; none, if it was started otherwise.
/// systemd passes those of a `.socket` unit. While the process is started again, connections wait in the backlog of the socket, and
/// none is refused.
///
/// They are given out once: a second call yields none. The environment is believed: if it promises descriptors that were not passed on, those that
/// have their numbers by now are taken. The environment
/// stays as it is; programs that this one starts do not take the variables for theirs, since `LISTEN_PID` is not their number.
///
/// The example `restart` is a supervisor that passes its socket on, and restarts its server without a lost connection.
///
/// # Errors
/// `InvalidInput` if `LISTEN_FDS` is not a number; `EBADF` if a descriptor is not open.
///
/// # Examples
/// One listener, which all cores accept from:
/// ```no_run
/// use executor::net::{self, TcpListener};
///
/// #[executor::main]
/// async fn main() -> std::io::Result<()> {
///     for socket in net::listen_fds()? {
///         for core in 0..executor::cores() {
///             let socket = socket.try_clone()?;
///             executor::spawn_on(core, async move || serve(socket.into_tcp_listener()?).await).detach();
///         }
///     }
///     std::future::pending().await
/// }
///
/// async fn serve(listener: TcpListener) -> std::io::Result<()> {
///     loop {
///         let (stream, _) = listener.accept().await?;
///         executor::spawn(async move { stream.write_all("hello").await.0 }).detach();
///     }
/// }
/// ```
pub fn listen_fds() -> io::Result<Vec<ListenFd>> {
    let own = std::process::id().to_string();
    if env::var("LISTEN_PID").ok() != Some(own) {
        return Ok(Vec::new());
    }
    let count = env::var("LISTEN_FDS").unwrap_or_default();
    let count = count.parse::<u16>().map_err(|_| {
        let text = format!("LISTEN_FDS is {count:?}, and should be a number of descriptors");
        io::Error::new(io::ErrorKind::InvalidInput, text)
    })?;
    // Only one may have them, and nothing else is published by that.
    if TAKEN.swap(true, Relaxed) {
        return Ok(Vec::new());
    }
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let names = names.split(':').chain(std::iter::repeat(""));
    let take = |(number, name): (RawFd, &str)| {
        // SAFETY: the variables say that the descriptor was passed to this process, for it to own, and `TAKEN` that it is taken once.
        let fd = unsafe { take(number)? };
        let name = name.to_owned();
        Ok(ListenFd { name, fd })
    };
    (FIRST..FIRST + RawFd::from(count))
        .zip(names)
        .map(take)
        .collect()
}

/// Takes a descriptor over, if it is open. It is not passed on to further programs.
///
/// # Safety
/// Nobody else owns it.
unsafe fn take(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: fcntl(2) refuses a descriptor that is not open. That this one may be owned the caller promises.
    unsafe {
        if libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(OwnedFd::from_raw_fd(number))
    }
}

impl ListenFd {
    /// The name that the starter has given it, such as `FileDescriptorName=` of a systemd unit. Empty if there is none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Another descriptor of the same socket, for another core.
    ///
    /// # Errors
    /// As dup(2) has them: `EMFILE` if there are too many descriptors.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            name: self.name.clone(),
            fd: self.fd.try_clone()?,
        })
    }

    /// A listener of the current core.
    ///
    /// # Errors
    /// `InvalidInput`, which says what it is, if it is no listening TCP socket.
    pub fn into_tcp_listener(self) -> io::Result<TcpListener> {
        let is_tcp = |domain| domain == Domain::IPV4 || domain == Domain::IPV6;
        self.expect("a listening TCP socket", Type::STREAM, true, is_tcp)
            .map(TcpListener::from)
    }

    /// A listener of the current core.
    ///
    /// # Errors
    /// `InvalidInput`, which says what it is, if it is no listening Unix stream socket.
    pub fn into_unix_listener(self) -> io::Result<UnixListener> {
        let is_unix = |domain| domain == Domain::UNIX;
        self.expect("a listening Unix socket", Type::STREAM, true, is_unix)
            .map(UnixListener::from)
    }

    /// A UDP socket of the current core.
    ///
    /// # Errors
    /// `InvalidInput`, which says what it is, if it is no UDP socket.
    pub fn into_udp_socket(self) -> io::Result<UdpSocket> {
        let is_udp = |domain| domain == Domain::IPV4 || domain == Domain::IPV6;
        self.expect("a UDP socket", Type::DGRAM, false, is_udp)
            .map(UdpSocket::from)
    }

    /// A Unix datagram socket of the current core.
    ///
    /// # Errors
    /// `InvalidInput`, which says what it is, if it is no Unix datagram socket.
    pub fn into_unix_datagram(self) -> io::Result<UnixDatagram> {
        let is_unix = |domain| domain == Domain::UNIX;
        self.expect("a Unix datagram socket", Type::DGRAM, false, is_unix)
            .map(UnixDatagram::from)
    }

    fn expect(
        self,
        what: &str,
        socket_type: Type,
        listens: bool,
        fits: impl Fn(Domain) -> bool,
    ) -> io::Result<OwnedFd> {
        let socket = SockRef::from(&self.fd);
        let found = socket
            .domain()
            .and_then(|domain| Ok((domain, socket.r#type()?, socket.is_listener()?)));
        match found {
            Ok((domain, is, is_listener))
                if fits(domain) && is == socket_type && is_listener == listens =>
            {
                Ok(self.fd)
            }
            found => {
                let (number, name) = (self.fd.as_raw_fd(), &self.name);
                let found =
                    found.map_or_else(|error| error.to_string(), |found| format!("{found:?}"));
                let text = format!("descriptor {number} {name:?} is not {what}: {found}");
                Err(io::Error::new(io::ErrorKind::InvalidInput, text))
            }
        }
    }
}

impl AsFd for ListenFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl From<ListenFd> for OwnedFd {
    /// The descriptor, for what has no method here.
    fn from(passed: ListenFd) -> Self {
        passed.fd
    }
}
