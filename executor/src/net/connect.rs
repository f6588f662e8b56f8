//! Connecting: to the first address that answers, after a lookup if there is a name.

use super::address::no_address;
use super::current_reactor;
use super::resolve::{Lookup, found};
use super::stream_socket::StreamSocket;
use futures_core::FusedFuture;
use reactor::operation::{self, Op, Ready};
use reactor::{Descriptor, Reactor};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::{fmt, io, mem, vec};

/// The future of connecting. It yields the connection: `S` is [`TcpStream`](super::TcpStream) or [`UnixStream`](super::UnixStream).
///
/// **Dropped**, the attempt is cancelled and the socket closed. A lookup goes on to its end, and nobody is told.
#[must_use = "futures do nothing unless polled"]
pub struct Connect<S> {
    reactor: Rc<Reactor>,
    stage: Stage,
    /// What is tried if this attempt fails.
    rest: vec::IntoIter<SocketAddr>,
    make: fn(StreamSocket) -> S,
}

type LookingUp = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>>>>;

enum Stage {
    LookingUp(LookingUp),
    Connecting(Op<operation::Connect>, StreamSocket),
    /// The kernel has said too early that it can go on, and goes on by itself.
    Settling(Op<Ready<Descriptor>>, StreamSocket),
    /// To be told at the next poll.
    Failed(io::Error),
    Over,
}

impl<S> Connect<S> {
    /// Connects a new TCP socket to one of the addresses.
    #[track_caller]
    pub(super) fn to_any(addresses: Lookup, make: fn(StreamSocket) -> S) -> Self {
        let mut this = Self::new(make);
        this.stage = match addresses {
            Lookup::Known(addresses) => {
                this.rest = addresses.into_iter();
                this.next(no_address())
            }
            name => Stage::LookingUp(Box::pin(found(name))),
        };
        this
    }

    /// Connects this socket, which may have failed to be made, or the address.
    #[track_caller]
    pub(super) fn to_one(
        socket: io::Result<Socket>,
        address: io::Result<SockAddr>,
        make: fn(StreamSocket) -> S,
    ) -> Self {
        let mut this = Self::new(make);
        let begun = socket.and_then(|socket| Ok(this.begin(socket, address?)));
        this.stage = begun.unwrap_or_else(Stage::Failed);
        this
    }

    #[track_caller]
    fn new(make: fn(StreamSocket) -> S) -> Self {
        Self {
            reactor: current_reactor("connect"),
            stage: Stage::Over,
            rest: Vec::new().into_iter(),
            make,
        }
    }

    fn begin(&self, socket: Socket, address: SockAddr) -> Stage {
        let socket = StreamSocket::new(socket.into());
        let connect = operation::Connect::new(socket.descriptor().clone(), address);
        Stage::Connecting(Op::new(Rc::clone(&self.reactor), connect), socket)
    }

    /// Waits until the connection is made, or has failed.
    fn settle(&mut self, writable: Op<Ready<Descriptor>>) {
        self.stage = match mem::replace(&mut self.stage, Stage::Over) {
            Stage::Connecting(_, socket) | Stage::Settling(_, socket) => {
                Stage::Settling(writable, socket)
            }
            Stage::LookingUp(_) | Stage::Failed(_) | Stage::Over => {
                unreachable!("it is connecting")
            }
        };
    }

    /// Begins with the next address that there is a socket for. If there is none, `last` is the error.
    fn next(&mut self, mut last: io::Error) -> Stage {
        while let Some(address) = self.rest.next() {
            let domain = Domain::for_address(address);
            match Socket::new(domain, Type::STREAM, Some(Protocol::TCP)) {
                Ok(socket) => return self.begin(socket, address.into()),
                Err(error) => last = error,
            }
        }
        Stage::Failed(last)
    }
}

/// A connect is tried again when the socket can be written to. The kernel takes the word of whoever wakes the socket for it (`io_poll_wake`). That of
/// vsock is woken when its request has been sent, long before the answer, and then the second try fails with `EALREADY` (`vsock_connect`).
fn until_writable(reactor: &Rc<Reactor>, socket: &StreamSocket) -> Op<Ready<Descriptor>> {
    let writable = u32::from(libc::POLLOUT as u16);
    let ready = Ready::new(socket.descriptor().clone(), writable);
    Op::new(Rc::clone(reactor), ready)
}

/// What has become of a connection: `NotConnected` as long as it is being made.
fn outcome(socket: &StreamSocket) -> io::Result<()> {
    let socket = SockRef::from(socket);
    match socket.take_error()? {
        Some(error) => Err(error),
        None => socket.peer_addr().map(drop),
    }
}

impl<S> Future for Connect<S> {
    type Output = io::Result<S>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<S>> {
        let this = &mut *self;
        loop {
            match &mut this.stage {
                Stage::LookingUp(lookup) => {
                    let looked_up = ready!(lookup.as_mut().poll(context));
                    let found = looked_up.map(|addresses| this.rest = addresses.into_iter());
                    this.stage = this.next(found.err().unwrap_or_else(no_address));
                    continue;
                }
                Stage::Connecting(connect, socket) => {
                    let connected = ready!(Pin::new(connect).poll(context));
                    if let Err(error) = connected {
                        if error.raw_os_error() == Some(libc::EALREADY) {
                            let ready = until_writable(&this.reactor, socket);
                            this.settle(ready);
                            continue;
                        }
                        this.stage = this.next(error);
                        continue;
                    }
                }
                Stage::Settling(writable, socket) => {
                    ready!(Pin::new(writable).poll(context))?;
                    if let Err(error) = outcome(socket) {
                        if error.kind() == io::ErrorKind::NotConnected {
                            let ready = until_writable(&this.reactor, socket);
                            this.settle(ready);
                            continue;
                        }
                        this.stage = this.next(error);
                        continue;
                    }
                }
                Stage::Failed(_) => {}
                Stage::Over => panic!("a connect was polled after it was ready"),
            }
            return match mem::replace(&mut this.stage, Stage::Over) {
                Stage::Connecting(_, socket) | Stage::Settling(_, socket) => {
                    Poll::Ready(Ok((this.make)(socket)))
                }
                Stage::Failed(error) => Poll::Ready(Err(error)),
                Stage::LookingUp(_) | Stage::Over => unreachable!("it goes on, or has panicked"),
            };
        }
    }
}

impl<S> FusedFuture for Connect<S> {
    fn is_terminated(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }
}

impl<S> fmt::Debug for Connect<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connect").finish_non_exhaustive()
    }
}
