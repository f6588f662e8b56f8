//! Sockets that the process was started with, by systemd or a supervisor of one's own: the protocol of sd_listen_fds(3).
//!
//! `LISTEN_FDS` descriptors from 3 on are meant for the process `LISTEN_PID`, and `LISTEN_FDNAMES` has their names.

use crate::net::{TcpListener, UdpSocket, UnixDatagram, UnixListener};
use rustix::io::{FdFlags, fcntl_setfd};
use socket2::{Domain, SockRef, Type};
use std::env;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

/// The first of them.
const FIRST: RawFd = 3;

/// Whether they were given out: they have one owner. Locked while they are looked at.
static IS_TAKEN: Mutex<bool> = Mutex::new(false);

/// A descriptor that the process was started with, a socket mostly: see [`listen_fds`]. It can be sent to the core that is to use it.
///
/// The conversions consume it. One that does not fit **closes** the descriptor: if it may be one of
/// several kinds, ask the `is_` methods first.
#[derive(Debug)]
pub struct ListenFd {
    name: String,
    fd: OwnedFd,
}

/// The sockets that whoever started the process has passed on to it (socket activation), in their order; none, if it was started otherwise.
/// systemd passes those of a `.socket` unit. While the process is started again, connections wait in the backlog of the socket, and
/// none is refused.
///
/// They are given out once: a second call yields none. Each is marked close-on-exec, so that
/// programs which this one starts do not get it. The environment stays as it is; those programs do
/// not take the variables for theirs, since `LISTEN_PID` is not their number.
///
/// A descriptor that is marked close-on-exec already is refused. Whoever started the process cannot
/// have passed it on: this program has opened it, or another library has taken it over.
///
/// The example `restart` is a supervisor that passes its socket on, and restarts its server without a lost connection.
///
/// # Errors
/// `InvalidInput` if `LISTEN_PID` or `LISTEN_FDS` is not a number, and if one of the descriptors is
/// not open, or was not passed on. Then none is given out, and none is changed or closed.
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
    if number::<u32>("LISTEN_PID")? != Some(std::process::id()) {
        return Ok(Vec::new());
    }
    let Some(count) = number::<u16>("LISTEN_FDS")? else {
        return Ok(Vec::new());
    };
    let mut is_taken = IS_TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    if *is_taken {
        return Ok(Vec::new());
    }
    let numbers = FIRST..FIRST + RawFd::from(count);
    numbers.clone().try_for_each(expect_passed_on)?;
    *is_taken = true;
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let names = names.split(':').chain(std::iter::repeat(""));
    let take = |(number, name): (RawFd, &str)| {
        // SAFETY: it is open, and whoever set `LISTEN_PID` to our number says that it was passed to
        // this process, for it to own; what the process itself opens is close-on-exec, as a rule.
        // `IS_TAKEN` says that it is taken once.
        let fd = unsafe { OwnedFd::from_raw_fd(number) };
        fcntl_setfd(&fd, FdFlags::CLOEXEC)?;
        let name = name.to_owned();
        Ok(ListenFd { name, fd })
    };
    numbers.zip(names).map(take).collect()
}

/// The number in a variable, if that is set.
fn number<N: FromStr>(variable: &str) -> io::Result<Option<N>> {
    let Some(value) = env::var_os(variable) else {
        return Ok(None);
    };
    match value.to_str().and_then(|value| value.parse().ok()) {
        Some(number) => Ok(Some(number)),
        None => Err(invalid(format!(
            "{variable} is {value:?}, and should be a number"
        ))),
    }
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

/// # Errors
/// If it is not open, or if it is of this process.
fn expect_passed_on(number: RawFd) -> io::Result<()> {
    // SAFETY: it only asks; a number that is no open descriptor is answered with `EBADF`.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    let lack = if flags < 0 {
        "it is not open"
    } else if flags & libc::FD_CLOEXEC != 0 {
        "this process has opened it, or taken it over already: it is close-on-exec"
    } else {
        return Ok(());
    };
    Err(invalid(format!(
        "descriptor {number} should have been passed on, according to LISTEN_FDS, but {lack}"
    )))
}

/// What a socket has to be for one of the conversions.
struct Kind {
    name: &'static str,
    domains: &'static [Domain],
    socket_type: Type,
    listens: bool,
}

const TCP_LISTENER: Kind = Kind {
    name: "a listening TCP socket",
    domains: &[Domain::IPV4, Domain::IPV6],
    socket_type: Type::STREAM,
    listens: true,
};

const UNIX_LISTENER: Kind = Kind {
    name: "a listening Unix socket",
    domains: &[Domain::UNIX],
    socket_type: Type::STREAM,
    listens: true,
};

const UDP_SOCKET: Kind = Kind {
    name: "a UDP socket",
    domains: &[Domain::IPV4, Domain::IPV6],
    socket_type: Type::DGRAM,
    listens: false,
};

const UNIX_DATAGRAM: Kind = Kind {
    name: "a Unix datagram socket",
    domains: &[Domain::UNIX],
    socket_type: Type::DGRAM,
    listens: false,
};

impl ListenFd {
    /// The name that the starter has given it, such as `FileDescriptorName=` of a systemd unit. Empty if there is none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether [`into_tcp_listener`](Self::into_tcp_listener) takes it.
    pub fn is_tcp_listener(&self) -> bool {
        self.is(&TCP_LISTENER)
    }

    /// Whether [`into_unix_listener`](Self::into_unix_listener) takes it.
    pub fn is_unix_listener(&self) -> bool {
        self.is(&UNIX_LISTENER)
    }

    /// Whether [`into_udp_socket`](Self::into_udp_socket) takes it.
    pub fn is_udp_socket(&self) -> bool {
        self.is(&UDP_SOCKET)
    }

    /// Whether [`into_unix_datagram`](Self::into_unix_datagram) takes it.
    pub fn is_unix_datagram(&self) -> bool {
        self.is(&UNIX_DATAGRAM)
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
    /// `InvalidInput`, which says what it is, if it is no listening TCP socket. It is closed then.
    pub fn into_tcp_listener(self) -> io::Result<TcpListener> {
        self.expect(&TCP_LISTENER).map(TcpListener::from)
    }

    /// A listener of the current core.
    ///
    /// # Errors
    /// `InvalidInput`, which says what it is, if it is no listening Unix stream socket. It is
    /// closed then.
    pub fn into_unix_listener(self) -> io::Result<UnixListener> {
        self.expect(&UNIX_LISTENER).map(UnixListener::from)
    }

    /// A UDP socket of the current core.
    ///
    /// # Errors
    /// `InvalidInput`, which says what it is, if it is no UDP socket. It is closed then.
    pub fn into_udp_socket(self) -> io::Result<UdpSocket> {
        self.expect(&UDP_SOCKET).map(UdpSocket::from)
    }

    /// A Unix datagram socket of the current core.
    ///
    /// # Errors
    /// `InvalidInput`, which says what it is, if it is no Unix datagram socket. It is closed then.
    pub fn into_unix_datagram(self) -> io::Result<UnixDatagram> {
        self.expect(&UNIX_DATAGRAM).map(UnixDatagram::from)
    }

    fn expect(self, kind: &Kind) -> io::Result<OwnedFd> {
        let found = self.find();
        if found.as_ref().is_ok_and(|found| kind.fits(found)) {
            return Ok(self.fd);
        }
        let found = found.map_or_else(|error| error.to_string(), |found| format!("{found:?}"));
        Err(invalid(format!(
            "descriptor {} {:?} is not {}: {found}",
            self.fd.as_raw_fd(),
            self.name,
            kind.name
        )))
    }

    fn is(&self, kind: &Kind) -> bool {
        self.find().is_ok_and(|found| kind.fits(&found))
    }

    /// Its domain and type, and whether it listens.
    fn find(&self) -> io::Result<(Domain, Type, bool)> {
        let socket = SockRef::from(&self.fd);
        Ok((socket.domain()?, socket.r#type()?, socket.is_listener()?))
    }
}

impl Kind {
    fn fits(&self, (domain, socket_type, is_listener): &(Domain, Type, bool)) -> bool {
        self.domains.contains(domain)
            && self.socket_type == *socket_type
            && self.listens == *is_listener
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
