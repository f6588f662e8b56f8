//! What the tests of the ring share: a core to test, the modes it can run in, operations that need no peer, and ways to wait for
//! something that end in a failure rather than never.
#![allow(
    dead_code,
    unused_imports,
    reason = "each test binary uses a part of this"
)]

mod enter_gate;
mod lines;
mod listening;
mod meddling;
mod modes;
mod operations;
pub(crate) mod quarantine;
mod signals;
mod threads;
mod wakers;

pub(crate) use enter_gate::EnterGate;
pub(crate) use lines::Lines;
pub(crate) use listening::{Client, Listener};
pub(crate) use meddling::{calling_waker, cloning_waker, dropping_waker};
pub(crate) use modes::{all_features, in_each_mode};
pub(crate) use operations::{Nop, Readable, Refused, Scripted, Witness, WitnessLog};
pub(crate) use signals::{interrupt, on_signal};
pub(crate) use threads::{spin_until, thread_id};
pub(crate) use wakers::{Woken, counting_waker, order_waker};

use reactor::operation::{InTurn, Multishot, Op, OpStream, Operation, Ordered};
use reactor::{Capabilities, Descriptor, KernelWake, Lane, Reactor};
use rustix::event::{EventfdFlags, eventfd};
use std::future::Future;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// After so long a test fails instead of waiting on; nothing passes because of it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A reactor, with what wakes it from elsewhere.
pub(crate) struct Core {
    pub(crate) reactor: Rc<Reactor>,
    pub(crate) wake: Arc<KernelWake>,
}

impl Core {
    /// With queues of the usual sizes.
    pub(crate) fn new(capabilities: Capabilities) -> Self {
        Self::make(|wake| Reactor::new(capabilities, wake))
    }

    /// With queues so small that they are full at once: 4 submissions, 8 completions.
    pub(crate) fn tiny(capabilities: Capabilities) -> Self {
        Self::with_entries(capabilities, 4, 8)
    }

    pub(crate) fn with_entries(capabilities: Capabilities, sq: u32, cq: u32) -> Self {
        Self::make(|wake| Reactor::with_entries(capabilities, wake, sq, cq))
    }

    fn make(reactor: impl FnOnce(Arc<KernelWake>) -> Result<Reactor, reactor::SetupError>) -> Self {
        let wake = Arc::new(KernelWake::new().expect("an eventfd"));
        let reactor = reactor(Arc::clone(&wake)).expect("a ring");
        Self {
            reactor: Rc::new(reactor),
            wake,
        }
    }

    pub(crate) fn op<O: Operation>(&self, operation: O) -> Op<O> {
        Op::new(Rc::clone(&self.reactor), operation)
    }

    pub(crate) fn stream<M: Multishot>(&self, operation: M) -> OpStream<M> {
        OpStream::new(Rc::clone(&self.reactor), operation)
    }

    pub(crate) fn in_turn<O: Ordered>(&self, lane: &Rc<Lane<O::Kept>>, operation: O) -> InTurn<O> {
        InTurn::new(Rc::clone(&self.reactor), Rc::clone(lane), operation)
    }

    /// Starts `operation` and leaves it in flight, with nobody to be woken.
    pub(crate) fn started<O: Operation>(&self, operation: O) -> Op<O> {
        let mut op = self.op(operation);
        assert!(
            poll(&mut op).is_pending(),
            "nothing completes in its first poll"
        );
        op
    }

    /// Hands everything that was started, `count` entries at most, to the kernel.
    pub(crate) fn submit_all(&self, count: usize) {
        // A turn takes up at least one entry while there are any.
        for _ in 0..count {
            self.reactor.turn();
        }
    }

    /// Turns, never waiting, until `done`.
    pub(crate) fn turn_until(&self, mut done: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done() {
            self.reactor.turn();
            assert!(
                Instant::now() < deadline,
                "this turns for ever: a completion is lost"
            );
        }
    }

    /// Waits, never turning, until `done`.
    pub(crate) fn wait_until(&self, mut done: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done() {
            self.reactor.wait(Some(PATIENCE));
            assert!(
                Instant::now() < deadline,
                "this waits for ever: a completion or a wake is lost"
            );
        }
    }

    /// Until the kernel has let go of every operation, orphans included.
    pub(crate) fn turn_until_idle(&self) {
        self.turn_until(|| self.reactor.in_flight() == 0);
    }

    /// The outcome of `future`, turning meanwhile.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let (woken, waker) = counting_waker();
        let mut context = Context::from_waker(&waker);
        loop {
            let seen = woken.count();
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return output;
            }
            self.turn_until(|| woken.count() > seen);
        }
    }

    /// The next item of `stream`, turning meanwhile.
    pub(crate) fn next<M: Multishot>(&self, stream: &mut OpStream<M>) -> Option<M::Item> {
        self.block_on(std::future::poll_fn(|context| stream.poll_next(context)))
    }
}

/// One poll, by nobody.
pub(crate) fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_with(future, Waker::noop())
}

/// One poll; `waker` is to be woken.
pub(crate) fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(waker))
}

/// One look at a stream, by nobody.
pub(crate) fn poll_next<M: Multishot>(stream: &mut OpStream<M>) -> Poll<Option<M::Item>> {
    stream.poll_next(&mut Context::from_waker(Waker::noop()))
}

/// What a future that must be done by now yields.
pub(crate) fn ready<F: Future + Unpin>(mut future: F) -> F::Output {
    match poll(&mut future) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the operation has not completed"),
    }
}

/// A connected pair: our end as a descriptor, and the peer.
pub(crate) fn socket_pair() -> (Descriptor, UnixStream) {
    let (ours, peer) = UnixStream::pair().expect("a socket pair");
    (Descriptor::new(ours.into()), peer)
}

/// Readable once it has been written to: a completion for all who poll it.
pub(crate) fn event() -> OwnedFd {
    eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).expect("an eventfd")
}

/// Makes an [`event`] readable.
pub(crate) fn set(event: &OwnedFd) {
    rustix::io::write(event, &1u64.to_ne_bytes()).expect("the counter has room");
}
