//! What belongs to one thread cannot leave it. This is checked by the compiler, and so by this file's being compiled. What belongs to one process
//! can be had by its forked children, and cannot be used there.

mod support;

use reactor::operation::{MultishotAccept, Op, OpStream};
use reactor::{Descriptor, Reactor};
use rustix::event::{PollFd, PollFlags, poll};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::Waker;
use support::{Core, Nop, PATIENCE, Readable, calling_waker, event, in_each_mode, poll_with, set};

/// Whoever is `Send` has this twice, and which is meant is ambiguous.
trait NotSend<Marker> {
    fn check() {}
}

impl<T> NotSend<()> for T {}
impl<T: Send> NotSend<u8> for T {}

/// The same for `Sync`.
trait NotSync<Marker> {
    fn check() {}
}

impl<T> NotSync<()> for T {}
impl<T: Sync> NotSync<u8> for T {}

/// A reactor, its futures and its descriptors are used without locks, and the kernel takes one thread alone for the ring's owner.
#[test]
fn nothing_of_a_core_is_send_or_sync() {
    <Reactor as NotSend<_>>::check();
    <Reactor as NotSync<_>>::check();
    <Op<Nop> as NotSend<_>>::check();
    <Op<Nop> as NotSync<_>>::check();
    <OpStream<MultishotAccept> as NotSend<_>>::check();
    <OpStream<MultishotAccept> as NotSync<_>>::check();
    <Descriptor as NotSend<_>>::check();
    <Descriptor as NotSync<_>>::check();
}

/// A waker forks, while completions are delivered and others stand in the queue, with a cancel and an operation that are not submitted. The child goes on
/// where it came from: turns, waits and shutdowns return, polls and new operations panic, drops and wakes do nothing. To the parent it is as if nobody
/// had forked: what stands in the queue is there for it, and each operation has its own end.
#[test]
fn a_forked_child_leaves_the_ring_to_its_parent() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (first, other) = (Rc::new(event()), Rc::new(event()));
        let child = Rc::new(Cell::new(-1));
        let forks = calling_waker({
            let child = Rc::clone(&child);
            // SAFETY: the child uses this thread's own things, and leaves.
            move || child.set(unsafe { libc::fork() })
        });
        let mut forking = core.op(Readable::new(&first));
        assert!(poll_with(&mut forking, &forks).is_pending());
        let mut others = [(); 100]
            .map(|()| core.started(Readable::new(&first)))
            .into_iter()
            .collect::<Vec<_>>();
        let stays = core.started(Readable::new(&other));
        let dropped = core.started(Readable::new(&other));
        core.submit_all(1);
        drop(dropped);
        let unsubmitted = core.started(Readable::new(&other));
        set(&first);
        core.turn_until(|| child.get() != -1);
        if child.get() == 0 {
            // SAFETY: a child that hangs is ended.
            unsafe { libc::alarm(20) };
            let is_refused = |call: &mut dyn FnMut()| {
                let payload = catch_unwind(AssertUnwindSafe(call));
                let payload = payload.err().and_then(|payload| payload.downcast().ok());
                payload.is_some_and(|text: Box<String>| text.contains("forked"))
            };
            let mut stays = stays;
            let mut new = core.op(Nop);
            let is_right = !core.reactor.is_here()
                && core.reactor.turn() == 0
                && core.reactor.wait(None) == 0
                && is_refused(&mut || drop(poll_with(&mut stays, Waker::noop())))
                && is_refused(&mut || drop(poll_with(&mut new, Waker::noop())))
                && core.reactor.shutdown(PATIENCE).is_ok();
            core.wake.wake();
            drop((stays, unsubmitted, others));
            drop(core);
            // SAFETY: it only ends the process.
            unsafe { libc::_exit(i32::from(!is_right)) };
        }
        let mut status = -1;
        // SAFETY: the place is there, and the child is ours.
        let waited = unsafe { libc::waitpid(child.get(), &raw mut status, 0) };
        assert_eq!((waited, status), (child.get(), 0), "14: it hung");
        let is_woken = &mut [PollFd::new(&core.wake, PollFlags::IN)];
        assert_eq!(
            poll(is_woken, Some(&rustix::event::Timespec::default())),
            Ok(0)
        );
        core.turn_until(|| core.reactor.in_flight() == 2);
        for op in others.drain(..) {
            assert!(support::ready(op).is_ok());
        }
        set(&other);
        core.turn_until_idle();
        assert!(support::ready(stays).is_ok() && support::ready(unsubmitted).is_ok());
        assert_eq!(core.reactor.shutdown(PATIENCE), Ok(()));
    });
}
