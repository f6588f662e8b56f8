//! Waiting in the kernel, and all that ends a wait: completions, the wake, the limit, signals. In each completion mode.

mod support;

use io_uring::IoUring;
use reactor::operation::Recv;
use std::io::Write;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use support::{
    Core, Nop, PATIENCE, Readable, all_features, event, in_each_mode, interrupt, on_signal, ready,
    set, socket_pair, spin_until, thread_id,
};

/// An operation whose event another thread sets while the owner sleeps: the wait ends, and has delivered it.
#[test]
fn a_completion_ends_a_wait() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let event = Rc::new(event());
        let op = core.started(Readable::new(&event));
        let descriptor = &*event;
        assert_eq!(core.wait_until_acted(None, || set(descriptor)), 1);
        assert_eq!(ready(op).expect("a poll"), libc::POLLIN as u32);
    });
}

/// Nothing happens: the wait ends when its limit is over and not before, and what is in flight stays there.
#[test]
fn a_wait_ends_at_its_limit() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let event = Rc::new(event());
        let op = core.started(Readable::new(&event));
        core.submit_all(1);
        for limit in [Duration::ZERO, Duration::from_millis(3)] {
            let start = Instant::now();
            assert_eq!(core.reactor.wait(Some(limit)), 0);
            assert!(start.elapsed() >= limit);
        }
        assert_eq!(core.reactor.in_flight(), 1);
        set(&event);
        core.wait_until(|| core.reactor.in_flight() == 0);
        assert_eq!(ready(op).expect("a poll"), libc::POLLIN as u32);
    });
}

/// A limit that is over at once does not keep new entries from being submitted.
#[test]
fn a_wait_with_no_time_submits() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let op = core.started(Nop);
        core.reactor.wait(Some(Duration::ZERO));
        assert_eq!(ready(op).expect("a nop"), 0);
    });
}

/// Limits near and beyond what the kernel's clock can count, as the deadline of a timer that never fires has: the wait is not over at
/// once.
#[test]
fn a_limit_in_the_far_future_is_not_over_at_once() {
    for limit in [
        Duration::from_secs(3_600),
        Duration::from_nanos(i64::MAX as u64),
        Duration::from_nanos(u64::MAX),
        Duration::from_secs(i64::MAX as u64),
        Duration::MAX,
    ] {
        let core = Core::new(all_features());
        let wake = &core.wake;
        let completions = core.wait_until_acted(Some(limit), || wake.wake());
        assert_eq!(completions, 1, "{limit:?}");
    }
}

/// Another thread wakes the sleeping owner, a hundred times: every wake ends a wait, and one wait only.
#[test]
fn each_wake_ends_a_wait() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let wake = &core.wake;
        for _ in 0..100 {
            assert_eq!(core.wait_until_acted(Some(PATIENCE), || wake.wake()), 1);
        }
        assert_eq!(core.reactor.wait(Some(Duration::ZERO)), 0);
    });
}

/// The wake comes before the wait: before the very first, when its poll has not even been submitted, and before later ones. It is not lost.
#[test]
fn a_wake_before_the_wait_is_not_lost() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        for _ in 0..100 {
            core.wake.wake();
            assert_eq!(core.reactor.wait(Some(PATIENCE)), 1);
        }
        assert_eq!(core.reactor.wait(Some(Duration::ZERO)), 0);
    });
}

/// The other thread wakes at any moment, before, in and after the wait, and only once for each time it was asked to: none is lost.
#[test]
fn a_wake_at_any_moment_is_not_lost() {
    const ROUNDS: usize = 2_000;
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (asked, rung) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let wake = &core.wake;
        thread::scope(|scope| {
            scope.spawn(|| {
                for round in 1..=ROUNDS {
                    spin_until(|| asked.load(Ordering::Acquire) == round);
                    rung.store(round, Ordering::Release);
                    wake.wake();
                }
            });
            for round in 1..=ROUNDS {
                asked.store(round, Ordering::Release);
                // The wake of this round ends the wait, or one of those before whose completion was still on its way.
                core.wait_until(|| rung.load(Ordering::Acquire) == round);
            }
        });
    });
}

static SIGNALS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count_signal(_: libc::c_int) {
    SIGNALS.fetch_add(1, Ordering::SeqCst);
}

/// Signals of this kind only count from now on, and interrupt system calls.
fn count_signals() {
    // SAFETY: an atomic addition is what a handler may do.
    unsafe { on_signal(libc::SIGUSR1, count_signal) };
}

/// A signal handler runs on the owner while it sleeps (EINTR): the wait ends with nothing, and what is in flight, or came with the
/// interrupted call, is not lost.
#[test]
fn a_signal_ends_a_wait_and_loses_nothing() {
    count_signals();
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let owner = thread_id();
        let (socket, mut peer) = socket_pair();
        // Not submitted before the wait that is interrupted.
        let op = core.started(Recv::new(socket, vec![0; 8]));
        let before = SIGNALS.load(Ordering::SeqCst);
        assert_eq!(
            core.wait_until_acted(Some(PATIENCE), || interrupt(owner, libc::SIGUSR1)),
            0
        );
        assert!(SIGNALS.load(Ordering::SeqCst) > before);
        assert_eq!(core.reactor.in_flight(), 1);
        // Nothing to submit this time, so that the call fails.
        assert_eq!(
            core.wait_until_acted(Some(PATIENCE), || interrupt(owner, libc::SIGUSR1)),
            0
        );
        assert_eq!(core.reactor.in_flight(), 1);
        assert_eq!(
            core.wait_until_acted(Some(PATIENCE), || peer
                .write_all(b"later")
                .expect("we live")),
            1
        );
        let result = ready(op);
        assert_eq!(result.0.expect("five bytes"), 5);
        assert_eq!(result.1, b"later");
    });
}

/// One byte at a time is received while signals come as fast as another thread can send them: the bytes are exact.
#[test]
fn a_storm_of_signals_loses_nothing() {
    const BYTES: usize = 2_000;
    count_signals();
    in_each_mode(|capabilities| {
        let core = Core::tiny(capabilities);
        let owner = thread_id();
        let (socket, peer) = socket_pair();
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..BYTES {
                    (&peer).write_all(&[number as u8]).expect("we live");
                    interrupt(owner, libc::SIGUSR1);
                }
                while !is_over.load(Ordering::SeqCst) {
                    interrupt(owner, libc::SIGUSR1);
                }
            });
            for number in 0..BYTES {
                let mut op = core.started(Recv::new(socket.clone(), [0; 1]));
                core.wait_until(|| core.reactor.in_flight() == 0);
                let result = ready(&mut op);
                assert_eq!(result.0.expect("a byte"), 1);
                assert_eq!(result.1, [number as u8]);
            }
            is_over.store(true, Ordering::SeqCst);
        });
    });
}

/// Twenty cores come and go on one thread, which has sixteen places for registered rings: none of them keeps one.
#[test]
fn a_core_that_is_gone_keeps_no_registered_ring() {
    let capabilities = all_features();
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..20 {
                drop(Core::new(capabilities));
            }
            let mut rings: Vec<IoUring> =
                (0..16).map(|_| IoUring::new(2).expect("a ring")).collect();
            for ring in &mut rings {
                ring.submitter().register_ring_fd().expect("a place");
            }
        });
    });
}
