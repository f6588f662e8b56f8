//! Signals: none is lost, each is told to all who wait, and they disturb nothing. Each test has a signal of its own: they are the process's.

mod common;

use common::{run, settle, start, start_with, until};
use executor::io::pipe;
use executor::signal::{Signal, SignalKind, ctrl_c};
use executor::time::{Duration, sleep, timeout};
use executor::{Builder, IdlePolicy, spawn, spawn_on};
use futures::StreamExt;
use futures::future::poll_immediate;
use signal_hook::low_level::raise;
use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// A signal comes before anybody waits, and while somebody does.
#[test]
fn a_signal_is_received() {
    run(1, async {
        let mut signal = Signal::new(SignalKind::USER_DEFINED_1).unwrap();
        raise(libc::SIGUSR1).unwrap();
        signal.recv().await.unwrap();
        let waiting = spawn(async move { signal.recv().await });
        settle().await;
        assert!(!waiting.is_finished());
        raise(libc::SIGUSR1).unwrap();
        waiting.await.unwrap().unwrap();
    });
}

/// A signal is the next item of a stream; a wait that was dropped leaves it to the next one, whatever form that has.
#[test]
fn a_signal_is_a_stream() {
    run(1, async {
        let mut signal = Signal::new(SignalKind::from_raw(libc::SIGURG)).unwrap();
        assert!(poll_immediate(signal.next()).await.is_none());
        raise(libc::SIGURG).unwrap();
        signal.recv().await.unwrap();
        assert!(poll_immediate(signal.recv()).await.is_none());
        raise(libc::SIGURG).unwrap();
        signal.next().await.unwrap().unwrap();
        assert!(poll_immediate(signal.next()).await.is_none());
    });
}

/// Until then, what the ring was asked for before has been answered, if it could be.
async fn ring_has_answered() {
    let (reader, writer) = pipe().unwrap();
    writer.write("x").await.0.unwrap();
    reader.read([0; 1]).await.0.unwrap();
}

/// Many come while nobody waits, or while one waits who then gives up: they are told once, and then there is nothing to tell.
#[test]
fn signals_that_nobody_waits_for_are_one() {
    run(1, async {
        let mut signal = Signal::new(SignalKind::WINDOW_CHANGE).unwrap();
        // 1024 are read at a time; the last are more than the pipe holds.
        for count in [1, 50, 1023, 1024, 1025, 70_000] {
            {
                let mut given_up = pin!(signal.recv());
                assert!(poll_immediate(&mut given_up).await.is_none());
                raise(libc::SIGWINCH).unwrap();
                ring_has_answered().await;
            }
            for _ in 1..count {
                raise(libc::SIGWINCH).unwrap();
            }
            signal.recv().await.unwrap();
            let mut another = pin!(signal.recv());
            assert!(poll_immediate(&mut another).await.is_none());
            ring_has_answered().await;
            assert!(poll_immediate(&mut another).await.is_none(), "{count}");
        }
    });
}

/// Two on one core and one on another wait for the same signal: each is told.
#[test]
fn all_who_wait_are_told() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let ready = Arc::new(AtomicBool::new(false));
        let other = spawn_on(1, {
            let ready = Arc::clone(&ready);
            move || async move {
                let mut signal = Signal::new(SignalKind::USER_DEFINED_2).unwrap();
                ready.store(true, SeqCst);
                signal.recv().await
            }
        });
        let mut signals = [(); 2].map(|()| Signal::new(SignalKind::USER_DEFINED_2).unwrap());
        until(|| ready.load(SeqCst)).await;
        raise(libc::SIGUSR2).unwrap();
        for signal in &mut signals {
            signal.recv().await.unwrap();
        }
        other.await.unwrap().unwrap();
    });
}

/// `recv` is given up again and again while signals come, one after the other: each is received.
#[test]
fn a_dropped_recv_loses_no_signal() {
    run(1, async {
        let mut signal = Signal::new(SignalKind::HANGUP).unwrap();
        for round in 0..100 {
            let mut received = false;
            {
                let mut given_up = pin!(signal.recv());
                assert!(poll_immediate(&mut given_up).await.is_none());
                if round % 2 == 0 {
                    settle().await;
                }
                raise(libc::SIGHUP).unwrap();
                if round % 3 == 0 {
                    settle().await;
                }
                if let Some(result) = poll_immediate(given_up).await {
                    result.unwrap();
                    received = true;
                }
            }
            if !received {
                signal.recv().await.unwrap();
            }
        }
    });
}

/// What cannot be caught, and what tells of a fault, is refused.
#[test]
fn some_signals_cannot_be_waited_for() {
    run(1, async {
        for number in [libc::SIGKILL, libc::SIGSTOP, libc::SIGSEGV] {
            let error = Signal::new(SignalKind::from_raw(number)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
    });
}

/// Ctrl-C is pressed.
#[test]
fn ctrl_c_is_received() {
    run(1, async {
        let waiting = spawn(ctrl_c());
        settle().await;
        raise(libc::SIGINT).unwrap();
        waiting.await.unwrap().unwrap();
    });
}

fn this_thread() -> usize {
    // SAFETY: it only asks.
    let thread = unsafe { libc::pthread_self() };
    thread as usize
}

/// Both cores' threads are hit by signals without end, in each state in which a core can wait: timers fire, calls are answered.
#[test]
fn signals_disturb_no_core_however_it_waits() {
    let policies = [
        IdlePolicy::block(),
        IdlePolicy::block().spin(Duration::from_millis(5)),
        IdlePolicy::block().monitor(Duration::from_millis(5)),
    ];
    for policy in policies {
        let Some(runtime) = start_with(Builder::new().idle(policy), 2) else {
            return;
        };
        runtime.block_on(async {
            let _signal = Signal::new(SignalKind::ALARM).unwrap();
            let threads = [
                this_thread(),
                spawn_on(1, async || this_thread()).await.unwrap(),
            ];
            let stop = Arc::new(AtomicBool::new(false));
            let storm = std::thread::spawn({
                let stop = Arc::clone(&stop);
                move || {
                    while !stop.load(SeqCst) {
                        for thread in threads {
                            let thread = thread as libc::pthread_t;
                            // SAFETY: both threads live until the storm is over.
                            unsafe { libc::pthread_kill(thread, libc::SIGALRM) };
                        }
                        std::thread::yield_now();
                    }
                }
            });
            for round in 0..200 {
                let answer = spawn_on(1, async move || {
                    sleep(Duration::from_micros(round * 3)).await;
                    round
                });
                let answer = timeout(Duration::from_secs(30), answer)
                    .await
                    .expect("no wake is lost");
                assert_eq!(answer.unwrap(), round);
            }
            stop.store(true, SeqCst);
            storm.join().unwrap();
        });
    }
}
