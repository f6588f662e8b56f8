//! Futures that are dropped at every moment, and cores that go away under them: the kernel writes only to memory that is still there for
//! it, each operation has one outcome, and all of it is released in the end. In each completion mode, with an allocator that watches
//! what was freed.

#[path = "../../executor/tests/support/log.rs"]
mod log;
mod support;

use reactor::buf::{BufResult, IoBufMut};
use reactor::operation::{Accept, Completion, Operation, Recv};
use reactor::{Descriptor, Entry, ShutdownError};
use rustix::net::RecvFlags;
use std::any::Any;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};
use std::{hint, iter, thread};
use support::quarantine::{self, Quarantine};
use support::{
    Core, EnterGate, Listener, PATIENCE, Readable, Witness, WitnessLog, all_features,
    dropping_waker, event, in_each_mode, poll_with, set, socket_pair, spin_until,
};

#[global_allocator]
static ALLOCATOR: Quarantine = Quarantine;

/// More than any of the buffers holds, so that the kernel fills them to the end.
const FLOOD: [u8; 10_000] = [b'!'; 10_000];

/// A receive in flight whose outcome will be written down; good for nothing but being dropped.
type StartRecv = fn(&Core, &Descriptor, &WitnessLog) -> Box<dyn Any>;

fn start_with<B: IoBufMut>(
    core: &Core,
    socket: &Descriptor,
    log: &WitnessLog,
    buffer: B,
) -> Box<dyn Any> {
    let recv = Recv::new(socket.clone(), buffer);
    Box::new(core.started(Witness::new(recv, log)))
}

/// Into each kind of buffer: grown, boxed, and inside the operation.
const STARTS: [StartRecv; 3] = [
    |core, socket, log| start_with(core, socket, log, vec![0; 5_000]),
    |core, socket, log| start_with(core, socket, log, vec![0; 300].into_boxed_slice()),
    |core, socket, log| start_with(core, socket, log, [0; 1_000]),
];

/// Plays `scenario` in each mode with each kind of buffer; afterwards nothing that was freed has been written to.
fn nothing_freed_is_written_to(scenario: impl Fn(Core, StartRecv) + Sync) {
    in_each_mode(|capabilities| {
        for start in STARTS {
            scenario(Core::new(capabilities), start);
        }
    });
    quarantine::check();
}

/// The future is dropped before its first poll: the bytes are still in the socket for the next.
#[test]
fn dropped_before_the_first_poll() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (socket, mut peer) = socket_pair();
        drop(core.op(Recv::new(socket.clone(), vec![0; 64])));
        drop(core.op(Recv::new(socket.clone(), [0; 64])));
        peer.write_all(b"untouched").expect("it is open");
        let result = core.block_on(core.op(Recv::new(socket, vec![0; 64])));
        assert_eq!(result.1, b"untouched");
    });
    quarantine::check();
}

/// The future is dropped in flight, known to the kernel or not yet, and then the peer floods the socket, before the cancel gets there.
#[test]
fn dropped_in_flight_and_then_the_peer_sends() {
    nothing_freed_is_written_to(|core, start| {
        for is_submitted in [false, true] {
            let (socket, mut peer) = socket_pair();
            let log = WitnessLog::default();
            let op = start(&core, &socket, &log);
            if is_submitted {
                core.submit_all(1);
            }
            drop(op);
            assert_eq!(core.reactor.in_flight(), 1);
            peer.write_all(&FLOOD).expect("it is open");
            core.turn_until_idle();
            assert_eq!(log.borrow().len(), 1);
        }
    });
}

/// The future is dropped, and cancelled, and only then the peer floods the socket.
#[test]
fn cancelled_and_then_the_peer_sends() {
    nothing_freed_is_written_to(|core, start| {
        let (socket, mut peer) = socket_pair();
        let log = WitnessLog::default();
        let op = start(&core, &socket, &log);
        core.submit_all(1);
        drop(op);
        core.turn_until_idle();
        assert_eq!(log.borrow()[..], [Err(libc::ECANCELED)]);
        peer.write_all(&FLOOD).expect("it is open");
        core.submit_all(1);
        let mut rest = vec![0; FLOOD.len() + 1];
        let left = rustix::net::recv(&socket, &mut rest, RecvFlags::DONTWAIT);
        assert_eq!(left.expect("all of it").0, FLOOD.len());
    });
}

/// The bytes have come, the owner was woken, and then the future is dropped without another poll.
#[test]
fn dropped_after_completion_without_a_poll() {
    nothing_freed_is_written_to(|core, start| {
        let (socket, mut peer) = socket_pair();
        let log = WitnessLog::default();
        let op = start(&core, &socket, &log);
        peer.write_all(&FLOOD).expect("it is open");
        core.turn_until_idle();
        assert!(log.borrow().is_empty(), "the outcome waits for a poll");
        drop(op);
        assert!(matches!(log.borrow()[..], [Ok(300..)]));
        assert!(!core.reactor.has_work(), "there is nothing to cancel");
    });
}

/// The kernel has written, and its completion stands in the queue, when a waker that is delivered before it drops the future.
#[test]
fn dropped_by_a_waker_with_its_completion_in_the_queue() {
    nothing_freed_is_written_to(|core, start| {
        let (socket, mut peer) = socket_pair();
        let log = WitnessLog::default();
        let op = start(&core, &socket, &log);
        let event = Rc::new(event());
        let mut first = core.op(Readable::new(&event));
        assert!(poll_with(&mut first, &dropping_waker(op)).is_pending());
        core.submit_all(2);
        set(&event);
        peer.write_all(&FLOOD).expect("it is open");
        core.turn_until_idle();
        assert!(matches!(log.borrow()[..], [Ok(300..)]));
    });
}

/// A byte is sent from another thread at the moment the future is dropped, a little before or a little after, thousands of times. Either
/// the operation has it or the socket; never both, and never neither.
#[test]
fn a_cancel_races_the_completion() {
    const ROUNDS: usize = 500;
    nothing_freed_is_written_to(|core, start| {
        let (socket, mut peer) = socket_pair();
        let (round, sent) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let delay = |steps: usize| (0..steps).for_each(|_| hint::spin_loop());
        thread::scope(|scope| {
            scope.spawn(|| {
                for current in 1..=ROUNDS {
                    spin_until(|| round.load(Ordering::Acquire) == current);
                    delay(current % 97);
                    peer.write_all(b"!").expect("it is open");
                    sent.store(current, Ordering::Release);
                }
            });
            for current in 1..=ROUNDS {
                let log = WitnessLog::default();
                let op = start(&core, &socket, &log);
                core.submit_all(1);
                round.store(current, Ordering::Release);
                delay(current % 89);
                drop(op);
                core.turn_until_idle();
                spin_until(|| sent.load(Ordering::Acquire) == current);
                let left = rustix::net::recv(&socket, &mut [0; 8], RecvFlags::DONTWAIT);
                let left = left.map_or(0, |(count, _)| count);
                match log.borrow()[..] {
                    [Ok(1)] => assert_eq!(left, 0),
                    [Err(libc::ECANCELED)] => assert_eq!(left, 1),
                    ref outcomes => panic!("one outcome, not {outcomes:?}"),
                }
            }
        });
    });
}

/// The same race with a future that is kept, and a core that shuts down: what the future says is what happened.
#[test]
fn a_shutdown_races_the_completion() {
    in_each_mode(|capabilities| {
        for _ in 0..50 {
            let core = Core::new(capabilities);
            let pairs: Vec<_> = iter::repeat_with(socket_pair).take(10).collect();
            let (sockets, peers): (Vec<Descriptor>, Vec<UnixStream>) = pairs.into_iter().unzip();
            let ops: Vec<_> = sockets
                .iter()
                .map(|socket| core.started(Recv::new(socket.clone(), vec![0; 100])))
                .collect();
            core.submit_all(1);
            let begin = Barrier::new(2);
            thread::scope(|scope| {
                scope.spawn(|| {
                    begin.wait();
                    for mut peer in &peers {
                        peer.write_all(b"!").expect("it is open");
                    }
                });
                begin.wait();
                assert_eq!(core.reactor.shutdown(PATIENCE), Ok(()));
            });
            for (op, socket) in ops.into_iter().zip(&sockets) {
                let result = support::ready(op);
                let left = rustix::net::recv(socket, &mut [0; 8], RecvFlags::DONTWAIT);
                match result.0 {
                    Ok(count) => {
                        assert_eq!((count, &result.1[..]), (1, &b"!"[..]));
                        assert!(left.is_err(), "nothing is left");
                    }
                    Err(error) => {
                        assert_eq!(error.raw_os_error(), Some(libc::ECANCELED));
                        assert_eq!(result.1, [0; 100]);
                        assert_eq!(left.expect("the byte").0, 1);
                    }
                }
            }
        }
    });
    quarantine::check();
}

/// Ten thousand receives, and a thousand accepts, are in flight in cores that go away, a few hundred in each, while other threads send and
/// connect: each is over when its core is, and none is written to after that.
#[test]
fn cores_go_away_with_hundreds_in_flight() {
    const CORES: usize = 40;
    const PAIRS: usize = 50;
    in_each_mode(|capabilities| {
        for round in 0..CORES {
            let core = Core::new(capabilities);
            let log = WitnessLog::default();
            let listener = Listener::new();
            let accept = || Witness::new(Accept::new(listener.descriptor.clone()), &log);
            let mut ops: Vec<Box<dyn Any>> = Vec::new();
            for _ in 0..25 {
                ops.push(Box::new(core.started(accept())));
            }
            let mut peers = Vec::new();
            for _ in 0..PAIRS {
                let (socket, peer) = socket_pair();
                peers.push(peer);
                for number in 0..5 {
                    ops.push(STARTS[number % STARTS.len()](&core, &socket, &log));
                }
            }
            // Sometimes the kernel knows of them, sometimes it does not yet.
            if round % 2 == 0 {
                core.submit_all(1);
            }
            drop(ops);
            assert_eq!(core.reactor.in_flight(), 25 + PAIRS * 5);
            let begin = Barrier::new(2);
            let address = listener.address();
            let clients: Vec<support::Client> = thread::scope(|scope| {
                let meddling = scope.spawn(|| {
                    begin.wait();
                    peers
                        .iter()
                        .map(|mut peer| {
                            // It may find nobody.
                            let _ = peer.write(&FLOOD);
                            support::Client::connect(&address)
                        })
                        .collect()
                });
                begin.wait();
                drop(core);
                meddling.join().expect("it panics not")
            });
            assert_eq!(log.borrow().len(), 25 + PAIRS * 5, "each has one outcome");
            for mut peer in &peers {
                let error = peer.write(&FLOOD).expect_err("its socket is closed");
                assert_eq!(error.raw_os_error(), Some(libc::EPIPE));
            }
            drop(clients);
        }
    });
    quarantine::check();
}

/// The kernel takes no cancel for as long as the owner is ready to wait: what is in flight is leaked, and not freed, for the kernel may
/// still write there. The core, when it goes away, does not wait a second time.
#[test]
fn what_the_kernel_does_not_let_go_of_is_leaked() {
    /// Where the leaked operations are, so that a leak checker does not take them for forgotten.
    static LEAKED: Mutex<Vec<usize>> = Mutex::new(Vec::new());

    struct Leaked(Recv<Vec<u8>>, WitnessLog);

    // SAFETY: as for `Recv`, which is a part of us and moves only when we do.
    unsafe impl Operation for Leaked {
        type Output = ();

        fn entry(&mut self) -> Entry {
            LEAKED.lock().unwrap().push(std::ptr::from_ref(self).addr());
            self.0.entry()
        }

        fn complete(self, completion: Completion) {
            self.1.borrow_mut().push(Ok(0));
            drop(self.0.complete(completion));
        }
    }

    thread::scope(|scope| {
        scope.spawn(|| {
            let gate = EnterGate::before_this_thread();
            let core = Core::tiny(all_features());
            let (socket, mut peer) = socket_pair();
            let log = WitnessLog::default();
            let leaked = || Leaked(Recv::new(socket.clone(), vec![0; 1_000]), Rc::clone(&log));
            let ops: Vec<_> = iter::repeat_with(|| core.started(leaked()))
                .take(10)
                .collect();
            core.submit_all(10);
            drop(ops);
            // As good as for ever, and yet no test that never ends.
            gate.refuse(iter::repeat_n(libc::EAGAIN, 100_000));
            assert_eq!(Rc::strong_count(&log), 11);
            let error = core.reactor.shutdown(Duration::from_millis(20));
            let in_flight = vec![("Leaked", 10)];
            let text = error.as_ref().map_err(ToString::to_string);
            let text = text.expect_err("the kernel takes nothing up");
            assert!(
                text.starts_with("10 operations did not end when cancelled: 10 Leaked."),
                "{text}"
            );
            assert_eq!(error, Err(ShutdownError { in_flight }));
            let start = Instant::now();
            drop(core);
            let waited = start.elapsed();
            assert!(waited < Duration::from_secs(2), "{waited:?}");
            assert!(gate.refusals_left() > 0, "it took no cancel");
            peer.write_all(&FLOOD)
                .expect("the leaked operations hold its socket");
            assert_eq!(Rc::strong_count(&log), 11, "nothing was freed");
            assert!(log.borrow().is_empty(), "nothing has completed");
        });
    });
    quarantine::check();
}

/// The kernel does not take the cancels of a shutdown until that says what it waits for.
#[test]
fn a_shutdown_that_waits_for_the_kernel_says_so() {
    // The gate holds for the thread that makes it, for good.
    let shutting_down = thread::spawn(|| {
        let gate = Arc::new(EnterGate::before_this_thread());
        let core = Core::new(all_features());
        let (socket, _peer) = socket_pair();
        let recv = core.started(Recv::new(socket, [0; 8]));
        core.submit_all(1);
        // More than there is time for.
        gate.refuse(iter::repeat_n(libc::EAGAIN, 2_000_000));
        let relent = {
            let gate = Arc::clone(&gate);
            move |event: &tracing::Event<'_>| {
                let line = log::line(event);
                if line.contains("waits for the kernel") && line.contains("in_flight=1 ") {
                    gate.relent();
                }
            }
        };
        log::observed(relent, || {
            assert_eq!(core.reactor.shutdown(Duration::MAX), Ok(()));
        });
        drop(recv);
    });
    shutting_down.join().expect("it ends");
    quarantine::check();
}

/// An operation is cancelled by its owner, before its first poll, queued, and known to the kernel: it says so and gives the very buffer back, and
/// the bytes that come later are still in the socket.
#[test]
fn a_cancel_gives_the_buffer_back() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        for submissions in [None, Some(0), Some(1)] {
            let (socket, mut peer) = socket_pair();
            let buffer = Vec::with_capacity(5_000);
            let place = buffer.as_ptr();
            let mut op = core.op(Recv::new(socket.clone(), buffer));
            if let Some(submissions) = submissions {
                assert!(support::poll(&mut op).is_pending());
                core.submit_all(submissions);
            }
            let BufResult(result, buffer) = core.block_on(op.cancel());
            let error = result.expect_err("nothing has come");
            assert_eq!(error.raw_os_error(), Some(libc::ECANCELED));
            assert_eq!((buffer.as_ptr(), buffer.len()), (place, 0));
            peer.write_all(b"later").expect("it is open");
            let result = core.block_on(core.op(Recv::new(socket, buffer)));
            assert_eq!(result.1, b"later");
            assert_eq!(core.reactor.in_flight(), 0);
        }
    });
    quarantine::check();
}

/// The bytes have come when the owner cancels. If the core has seen them they are his; if not they are his, or still in the socket.
#[test]
fn a_cancel_that_comes_late_loses_nothing() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        for turns in [0, 1] {
            let (socket, mut peer) = socket_pair();
            let op = core.started(Recv::new(socket.clone(), vec![0; 64]));
            core.submit_all(1);
            peer.write_all(b"in time").expect("it is open");
            core.submit_all(turns);
            let BufResult(mut result, mut buffer) = core.block_on(op.cancel());
            if turns == 0 && result.is_err() {
                BufResult(result, buffer) = core.block_on(core.op(Recv::new(socket, buffer)));
            }
            assert_eq!(result.expect("it had come"), 7);
            assert_eq!(buffer, b"in time");
            core.turn_until_idle();
        }
    });
}
