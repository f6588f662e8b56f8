//! Whether a socket is ready: for those who read and write by calls that return at once, into buffers that they keep.
//!
//! A socket has a lane for each direction, and operations take turns in it. So readiness is a matter of the lane first, and of the kernel
//! second; `reactor::operation::Watch` has the rules.

use super::current_reactor;
use crate::io::{Interest, Readiness};
use futures_core::FusedFuture;
use reactor::operation::{KeptBytes, KeptDatagram, Watch, ready_at_once};
use reactor::{Descriptor, Lane, Reactor};
use std::future::Future;
use std::io;
use std::os::fd::BorrowedFd;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

const WRITABLE: u32 = Interest::WRITABLE.events();
const READABLE: u32 = Interest::READABLE.events();

/// Waits until a socket is ready for what was asked: the future of its `ready` method. It yields what the socket is ready for.
///
/// It can be stored, and polled at any time. While it waits, reads and writes of the socket go on as if it were not there. If one of them takes
/// what it waited for, it may be ready all the same: the call that follows then says `WouldBlock`, and you wait again.
///
/// **Dropped**, it is cancelled, and nothing is lost: it takes nothing. While it is alive, and for a turn of the core after its drop, the
/// socket cannot be turned into one of the standard library.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Ready {
    inbound: Option<Inbound>,
    outbound: Option<Watch<()>>,
}

/// The receiving direction of a socket.
#[derive(Debug)]
pub(super) enum Inbound {
    Stream(Watch<KeptBytes>),
    Datagram(Watch<KeptDatagram>),
}

/// What the lane of a receiving direction keeps.
pub(super) trait Kept: Sized + 'static {
    fn watched(watch: Watch<Self>) -> Inbound;
}

impl Kept for KeptBytes {
    fn watched(watch: Watch<Self>) -> Inbound {
        Inbound::Stream(watch)
    }
}

impl Kept for KeptDatagram {
    fn watched(watch: Watch<Self>) -> Inbound {
        Inbound::Datagram(watch)
    }
}

impl Inbound {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<io::Result<u32>> {
        match self {
            Self::Stream(watch) => Pin::new(watch).poll(context),
            Self::Datagram(watch) => Pin::new(watch).poll(context),
        }
    }
}

impl Ready {
    pub(super) fn new<T: Kept>(
        reactor: &Rc<Reactor>,
        socket: &Descriptor,
        interest: Interest,
        inbound: &Rc<Lane<T>>,
        outbound: &Rc<Lane<()>>,
    ) -> Self {
        // What is exceptional is read, too.
        let reads = interest.events() & !WRITABLE;
        let writes = interest.events() & WRITABLE;
        let inbound = (reads != 0).then(|| {
            let (reactor, lane) = (Rc::clone(reactor), Rc::clone(inbound));
            T::watched(Watch::new(reactor, socket.clone(), lane, reads))
        });
        let outbound = (writes != 0).then(|| {
            let (reactor, lane) = (Rc::clone(reactor), Rc::clone(outbound));
            Watch::new(reactor, socket.clone(), lane, writes)
        });
        Self { inbound, outbound }
    }
}

impl Future for Ready {
    type Output = io::Result<Readiness>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut events = None;
        if let Some(inbound) = &mut self.inbound
            && let Poll::Ready(ready) = inbound.poll(context)
        {
            self.inbound = None;
            events = Some(ready?);
        }
        if let Some(outbound) = &mut self.outbound
            && let Poll::Ready(ready) = Pin::new(outbound).poll(context)
        {
            self.outbound = None;
            events = Some(events.unwrap_or(0) | ready?);
        }
        match events {
            Some(events) => {
                // What has not answered is not wanted any more.
                (self.inbound, self.outbound) = (None, None);
                Poll::Ready(Ok(Readiness::of(events)))
            }
            None => Poll::Pending,
        }
    }
}

impl FusedFuture for Ready {
    fn is_terminated(&self) -> bool {
        self.inbound.is_none() && self.outbound.is_none()
    }
}

/// Waits until a socket can be read from: the future of its `readable` method. Cancellation as for [`Ready`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Readable(pub(super) Ready);

/// Waits until a socket can be written to: the future of its `writable` method. Cancellation as for [`Ready`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Writable(pub(super) Ready);

impl FusedFuture for Readable {
    fn is_terminated(&self) -> bool {
        self.0.is_terminated()
    }
}

impl Future for Readable {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.0).poll(context))?;
        Poll::Ready(Ok(()))
    }
}

impl FusedFuture for Writable {
    fn is_terminated(&self) -> bool {
        self.0.is_terminated()
    }
}

impl Future for Writable {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.0).poll(context))?;
        Poll::Ready(Ok(()))
    }
}

/// A call that returns at once needs no reactor. But a socket is used on a core, and never in a forked child.
#[track_caller]
pub(super) fn expect_core(what: &str) {
    drop(current_reactor(what));
}

/// Calls `call` if the socket is ready for any of `interest`, and no operation comes first.
pub(super) fn io_at_once<T, R>(
    socket: BorrowedFd<'_>,
    interest: Interest,
    inbound: &Lane<T>,
    outbound: &Lane<()>,
    call: impl FnOnce() -> io::Result<R>,
) -> io::Result<R> {
    let reads = interest.events() & READABLE;
    let writes = interest.events() & WRITABLE;
    let mut ready = Err(io::ErrorKind::WouldBlock.into());
    if reads != 0 {
        ready = ready_at_once(inbound, socket, reads);
    }
    if writes != 0 && is_would_block(&ready) {
        ready = ready_at_once(outbound, socket, writes);
    }
    ready?;
    call()
}

fn is_would_block(result: &io::Result<()>) -> bool {
    matches!(result, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}
