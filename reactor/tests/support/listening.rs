//! Listeners that need no file and no port, and clients that can tell what became of them.

use reactor::Descriptor;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) struct Listener {
    pub(crate) descriptor: Descriptor,
    address: SocketAddr,
}

impl Listener {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("reactor-test-{}-{number}", process::id());
        let address = SocketAddr::from_abstract_name(name).expect("a short name");
        let listener = UnixListener::bind_addr(&address).expect("a name nobody else has");
        Self {
            descriptor: Descriptor::new(listener.into()),
            address,
        }
    }

    /// A client that has connected; whether or not it was accepted, this does not block.
    pub(crate) fn connect(&self) -> Client {
        Client::connect(&self.address)
    }

    /// For clients on other threads.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address.clone()
    }
}

pub(crate) struct Client(UnixStream);

impl Client {
    pub(crate) fn connect(address: &SocketAddr) -> Self {
        Self(UnixStream::connect_addr(address).expect("room among those not accepted yet"))
    }

    /// Whether `accepted` is the other end of this client.
    pub(crate) fn is_peer_of(&mut self, accepted: OwnedFd) -> bool {
        let mut accepted = UnixStream::from(accepted);
        accepted.set_nonblocking(true).expect("a socket");
        self.0.write_all(b"!").expect("somebody has accepted");
        let mut byte = [0];
        accepted.read_exact(&mut byte).is_ok() && byte == *b"!"
    }

    /// Whether the other end has been closed: by whoever had accepted it, or with the listener.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.0.set_nonblocking(true).expect("a socket");
        match self.0.read(&mut [0]) {
            Ok(count) => count == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }
}
