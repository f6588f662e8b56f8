//! How often the kernel is entered, and what becomes of an enter that it refuses. In each completion mode, with a gate before the call.

mod support;

use reactor::buf::BufResult;
use reactor::monitor::Monitor;
use reactor::operation::{Op, ReadAt};
use reactor::{Descriptor, ShutdownError};
use std::fs::File;
use std::io::Read;
use std::iter;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use support::{
    Core, EnterGate, Nop, PATIENCE, Readable, all_features, event, in_each_mode, order_waker,
    poll_with, ready, set,
};

/// What the kernel answers when it cannot take anything up just now: no memory, or completions to be reaped first; and a signal.
const NOT_NOW: [i32; 4] = [libc::EAGAIN, libc::EBUSY, libc::ENOMEM, libc::EINTR];

/// Nothing to submit, nothing completed: turning makes no system call. Something to submit: one, however many entries there are.
#[test]
fn a_turn_enters_only_with_a_reason() {
    in_each_mode(|capabilities| {
        let gate = EnterGate::before_this_thread();
        let core = Core::new(capabilities);
        core.reactor.turn();
        assert_eq!(gate.take_enters(), 1, "the wake is armed");
        for _ in 0..100 {
            core.reactor.turn();
        }
        assert_eq!(gate.take_enters(), 0);
        let nops: Vec<Op<Nop>> = iter::repeat_with(|| core.started(Nop)).take(200).collect();
        assert_eq!(core.reactor.turn(), 200);
        assert_eq!(gate.take_enters(), 1);
        drop(nops);
        assert_eq!(core.reactor.turn(), 0);
        assert_eq!(gate.take_enters(), 0, "what had completed is not cancelled");
    });
}

/// What is to be submitted goes with the very call that waits.
#[test]
fn a_wait_submits_and_waits_in_one_enter() {
    in_each_mode(|capabilities| {
        let gate = EnterGate::before_this_thread();
        let core = Core::new(capabilities);
        let nops: Vec<Op<Nop>> = iter::repeat_with(|| core.started(Nop)).take(200).collect();
        assert_eq!(core.reactor.wait(None), 200);
        assert_eq!(gate.take_enters(), 1);
        drop(nops);
    });
}

/// Reads of a file are submitted in fours, as they are started, and a refusal only leaves them for the turn.
#[test]
fn storage_is_fed_before_the_turn() {
    in_each_mode(|capabilities| {
        let gate = EnterGate::before_this_thread();
        let core = Core::new(capabilities);
        core.reactor.turn();
        gate.take_enters();
        let path = std::env::current_exe().expect("we are a file");
        let mut file = File::open(path).expect("it can be read");
        let mut start = [0; 32];
        file.read_exact(&mut start).expect("it is longer");
        let file = Descriptor::new(OwnedFd::from(file));
        let read = |offset| core.started(ReadAt::new(file.clone(), vec![0; 16], offset));
        let reads = |offsets: std::ops::Range<u64>| offsets.map(read).collect::<Vec<_>>();

        let mut all = reads(0..3);
        assert_eq!(gate.take_enters(), 0);
        all.extend(reads(3..4));
        assert_eq!(gate.take_enters(), 1);
        gate.refuse([libc::EAGAIN]);
        all.extend(reads(4..8));
        assert_eq!((gate.take_enters(), gate.refusals_left()), (1, 0));
        all.extend(reads(8..9));
        assert_eq!(gate.take_enters(), 1, "the five");
        // Others are in no hurry, but go along.
        let nops: Vec<Op<Nop>> = iter::repeat_with(|| core.started(Nop)).take(4).collect();
        assert_eq!(gate.take_enters(), 0);
        all.extend(reads(9..10));
        assert_eq!(gate.take_enters(), 1);
        core.turn_until_idle();
        drop(nops);
        for (offset, read) in all.into_iter().enumerate() {
            let BufResult(count, bytes) = ready(read);
            assert_eq!(count.expect("it is readable"), 16);
            assert!(bytes == start[offset..offset + 16]);
        }
    });
}

/// The kernel refuses again and again, while an owner that only turns has far more to submit than fits into the queue. It is never
/// stuck in one turn, and everything is taken up in the end, once, in order.
#[test]
fn a_turn_that_is_refused_is_made_up_for() {
    in_each_mode(|capabilities| {
        let gate = EnterGate::before_this_thread();
        let core = Core::tiny(capabilities);
        let order = Arc::default();
        let nops: Vec<Op<Nop>> = (0..500)
            .map(|number| {
                let mut op = core.op(Nop);
                assert!(poll_with(&mut op, &order_waker(number, &order)).is_pending());
                op
            })
            .collect();
        for error in NOT_NOW {
            // One enter to submit; where the kernel is out of memory, one for completions alone; and no more.
            let enters = if error == libc::EINTR { 1 } else { 2 };
            gate.refuse(iter::repeat_n(error, 3 * enters));
            for turns_left in [2, 1, 0] {
                assert_eq!(core.reactor.turn(), 0);
                assert_eq!(gate.refusals_left(), turns_left * enters);
            }
            assert!(core.reactor.has_work());
            assert!(core.reactor.turn() > 0);
        }
        core.turn_until_idle();
        assert!(order.lock().unwrap().iter().copied().eq(0..500));
        for op in nops {
            assert_eq!(ready(op).expect("a nop"), 0);
        }
    });
}

/// The same for an owner that only waits: it comes back, or asks again, and does not fall asleep on what was not taken up.
#[test]
fn a_wait_that_is_refused_is_made_up_for() {
    in_each_mode(|capabilities| {
        let gate = EnterGate::before_this_thread();
        for count in [1, 4, 100] {
            let core = Core::tiny(capabilities);
            let nops: Vec<Op<Nop>> = iter::repeat_with(|| core.started(Nop))
                .take(count)
                .collect();
            gate.refuse(NOT_NOW.into_iter().cycle().take(50));
            core.wait_until(|| core.reactor.in_flight() == 0);
            for op in nops {
                assert_eq!(ready(op).expect("a nop"), 0);
            }
        }
    });
}

/// What a shutdown says of operations whose futures are alive.
fn still_held(count: usize) -> ShutdownError {
    ShutdownError {
        in_flight: vec![("of futures that were not dropped", count)],
    }
}

/// The kernel takes nothing up for a long time, whether or not all that is to be submitted fits into the queue: a wait comes back all the
/// same, and so does a shutdown when its time is over. When the kernel gives in, nothing is lost.
#[test]
fn a_kernel_that_goes_on_refusing_does_not_hold_the_owner() {
    in_each_mode(|capabilities| {
        let gate = EnterGate::before_this_thread();
        for count in [3, 100] {
            let core = Core::tiny(capabilities);
            let nops: Vec<Op<Nop>> = iter::repeat_with(|| core.started(Nop))
                .take(count)
                .collect();
            // As good as for ever, and yet no test that never ends.
            gate.refuse(iter::repeat_n(libc::EAGAIN, 100_000));
            assert_eq!(core.reactor.wait(None), 0);
            assert!(gate.refusals_left() > 99_000, "it insisted");
            let result = core.reactor.shutdown(Duration::from_millis(5));
            assert_eq!(result, Err(still_held(count)));
            assert!(gate.refusals_left() > 0, "it insisted");
            gate.relent();
            assert_eq!(core.reactor.shutdown(PATIENCE), Ok(()));
            for op in nops {
                assert_eq!(ready(op).expect("a nop"), 0);
            }
        }
    });
}

/// A shutdown is given less time than it takes until cancels are made again: it does not ask the
/// kernel to wait for longer than that.
#[test]
fn a_shutdown_does_not_wait_beyond_its_limit() {
    const LIMIT: Duration = Duration::from_millis(5);
    in_each_mode(|capabilities| {
        let gate = EnterGate::before_this_thread();
        let core = Core::new(capabilities);
        let nop = core.started(Nop);
        gate.refuse(iter::repeat_n(libc::EAGAIN, 100_000));
        assert_eq!(core.reactor.shutdown(LIMIT), Err(still_held(1)));
        let limits = gate.take_limits();
        let longest = limits.iter().max().expect("it waited");
        assert!(*longest <= LIMIT, "{longest:?}");
        gate.relent();
        assert_eq!(core.reactor.shutdown(PATIENCE), Ok(()));
        assert_eq!(ready(nop).expect("a nop"), 0);
    });
}

/// Completions are there, but the calls that would bring them are refused first: none is lost.
#[test]
fn refused_calls_lose_no_completions() {
    in_each_mode(|capabilities| {
        let gate = EnterGate::before_this_thread();
        let core = Core::tiny(capabilities);
        let event = Rc::new(event());
        let polls: Vec<Op<Readable>> = iter::repeat_with(|| core.started(Readable::new(&event)))
            .take(100)
            .collect();
        core.submit_all(100);
        set(&event);
        gate.refuse(NOT_NOW.into_iter().cycle().take(20));
        core.turn_until_idle();
        for op in polls {
            assert_eq!(ready(op).expect("a poll"), libc::POLLIN as u32);
        }
    });
}

/// Futures are dropped, and a core shuts down, while the kernel takes no cancels: it hears of them later.
#[test]
fn a_refused_cancel_is_made_up_for() {
    in_each_mode(|capabilities| {
        let gate = EnterGate::before_this_thread();
        let core = Core::tiny(capabilities);
        let event = Rc::new(event());
        let polls: Vec<Op<Readable>> = iter::repeat_with(|| core.started(Readable::new(&event)))
            .take(100)
            .collect();
        core.submit_all(100);
        gate.refuse(NOT_NOW.into_iter().cycle().take(20));
        drop(polls);
        assert_eq!(core.reactor.shutdown(PATIENCE), Ok(()));
        assert_eq!(gate.refusals_left(), 0, "the scenario was played");
    });
}

/// The kernel refuses everything while a reactor ends, for longer than it takes until cancels are made again: they do not pile up.
#[test]
fn cancels_that_are_refused_are_not_made_again() {
    in_each_mode(|capabilities| {
        let gate = EnterGate::before_this_thread();
        let core = Core::tiny(capabilities);
        let event = Rc::new(event());
        let polls = [(); 3].map(|()| core.started(Readable::new(&event)));
        core.submit_all(3);
        gate.refuse(iter::repeat_n(libc::EAGAIN, 10_000_000));
        let result = core.reactor.shutdown(Duration::from_millis(60));
        assert_eq!(result, Err(still_held(3)));
        assert!(gate.refusals_left() > 0, "it insisted");
        gate.relent();
        gate.take_enters();
        core.reactor.turn();
        // One submits the three cancels, another may bring what came of them.
        assert!(gate.take_enters() <= 2 && !core.reactor.has_work());
        assert_eq!(core.reactor.shutdown(PATIENCE), Ok(()));
        drop(polls);
    });
}

/// The kernel says that it has dropped completions (EBADR): somebody would wait for ever, so the owner is told, loudly.
#[test]
fn dropped_completions_are_not_passed_over() {
    let gate = EnterGate::before_this_thread();
    let core = Core::new(all_features());
    let op = core.started(Nop);
    gate.refuse([libc::EBADR]);
    let panic = catch_unwind(AssertUnwindSafe(|| core.reactor.turn())).expect_err("EBADR is fatal");
    let message = panic.downcast_ref::<&str>().expect("a message");
    assert!(message.contains("EBADR"), "{message}");
    // The core is still whole.
    core.reactor.wait(Some(Duration::ZERO));
    assert_eq!(ready(op).expect("a nop"), 0);
}

/// An entry waits to be submitted: then there is work, so a core that looks at that before it watches, or blocks, does not go to sleep over it. One
/// that watches all the same is caught.
#[test]
fn an_unsubmitted_entry_is_not_slept_over() {
    let core = Core::tiny(all_features());
    core.submit_all(1);
    assert!(!core.reactor.has_work());
    // One for the queue, and more than it has room for.
    for entries in [1, 9] {
        let ops: Vec<_> = (0..entries).map(|_| core.started(Nop)).collect();
        assert!(core.reactor.has_work());
        if let Some(monitor) = Monitor::detect()
            && cfg!(debug_assertions)
        {
            let watch = || core.reactor.watch(monitor, Duration::ZERO);
            assert!(catch_unwind(AssertUnwindSafe(watch)).is_err());
        }
        core.turn_until_idle();
        ops.into_iter()
            .for_each(|op| assert_eq!(ready(op).expect("a nop"), 0));
        assert!(!core.reactor.has_work());
    }
}
