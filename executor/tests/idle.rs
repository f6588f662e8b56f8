//! What a core with nothing to do is told to do, and what it says that it did.

mod common;
#[path = "support/log.rs"]
mod log;

use common::start_with;
use executor::net::TcpStream;
use executor::time::sleep;
use executor::{Builder, CoreStats, IdlePolicy, Waits, Wakes, spawn, spawn_on};
use futures::channel::oneshot;
use log::{logged, observed};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::hint::spin_loop;
use std::io::{Read, Write};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{self, TryRecvError};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};
use tracing::{Event, Level};

/// The macros hand a policy on: this one, which is not the default, never blocks.
#[executor::test(idle = IdlePolicy::block().spin(Duration::from_secs(3_600)))]
async fn the_macros_take_a_policy() {
    sleep(Duration::from_millis(1)).await;
    let stats = executor::stats()[0];
    assert!(stats.spun.begun > 0);
    assert_eq!(stats.blocked.begun, 0);
}

fn pin_to_last_cpu() {
    let allowed = sched_getaffinity(None).expect("a thread may ask for its own mask");
    let mut last = CpuSet::new();
    last.set(
        (0..CpuSet::MAX_CPU)
            .rfind(|cpu| allowed.is_set(*cpu))
            .expect("there is one"),
    );
    sched_setaffinity(None, &last).expect("it is allowed");
}

/// A thread answers a core each time some 18 µs after it was asked, so spinning for 20 µs would find the answer. But the core has learnt not to
/// spin from waiting for long, and then each answer takes a kernel wake, for longer than 20 µs in all: it spins again nevertheless.
#[test]
fn a_core_that_had_gone_quiet_spins_again() {
    const ANSWER: Duration = Duration::from_micros(18);
    if common::cpus_allowed() < 2 {
        println!("skipped: it needs 2 CPUs");
        return;
    }
    let (questions, asked) = mpsc::channel::<oneshot::Sender<()>>();
    // It spins as well: between two questions are microseconds. So not on the core's CPU, which is the first.
    let answering = thread::spawn(move || {
        pin_to_last_cpu();
        loop {
            match asked.try_recv() {
                Ok(question) => {
                    let start = Instant::now();
                    while start.elapsed() < ANSWER {
                        spin_loop();
                    }
                    question.send(()).expect("the core waits for it");
                }
                Err(TryRecvError::Empty) => spin_loop(),
                Err(TryRecvError::Disconnected) => return,
            }
        }
    });
    let policy = IdlePolicy::block().spin_adaptively(Duration::from_micros(20));
    let runtime = start_with(Builder::new().idle(policy), 1).expect("one CPU");
    runtime.block_on(async {
        for _ in 0..10 {
            sleep(Duration::from_millis(1)).await;
        }
        let before = executor::stats()[0];
        loop {
            let stats = executor::stats()[0];
            if stats.spun.found_work() >= before.spun.found_work() + 200 {
                break;
            }
            // Some 60 do; now and then somebody else has one of the CPUs.
            let blocked = stats.blocked.begun - before.blocked.begun;
            assert!(blocked < 5_000, "it does not try: {stats}");
            let (question, answer) = oneshot::channel();
            questions.send(question).expect("the thread is there");
            answer.await.expect("it answers");
        }
    });
    drop(questions);
    answering.join().expect("it does not panic");
}

/// The sum of a field over all of core 0's events that say `what`.
fn sum(lines: &[String], what: &str, field: &str) -> u64 {
    let start = format!("message={what} core=0 ");
    let value = |fields: &str| -> u64 {
        let mut fields = fields
            .split(' ')
            .filter_map(|part| part.strip_prefix(field));
        let value = fields.find_map(|rest| rest.strip_prefix('='));
        value.expect("it has the field").parse().expect("a number")
    };
    let events = lines.iter().filter_map(|line| line.strip_prefix(&start));
    events.map(value).sum()
}

/// Whatever core 0 counts it tells by events.
#[test]
fn what_is_counted_is_traced() {
    let policy = IdlePolicy::block().spin(Duration::from_micros(20));
    let policy = policy.monitor(Duration::from_micros(20));
    let Some(runtime) = start_with(Builder::new().idle(policy), 2) else {
        return;
    };
    let (stats, lines) = logged(|| {
        let handle = runtime.handle();
        let from_outside = handle.spawn_on(0, async || {});
        runtime.block_on(async {
            from_outside.await.unwrap();
            for _ in 0..100 {
                spawn_on(1, async || {}).await.unwrap();
                sleep(Duration::from_micros(100)).await;
            }
        });
        handle.stats()[0]
    });
    let waits = |what, expected: Waits| {
        assert_eq!(sum(&lines, what, "times"), expected.begun, "{what}");
        let message = sum(&lines, what, "message");
        assert_eq!(message, expected.message, "{what}");
        let completion = sum(&lines, what, "completion");
        assert_eq!(completion, expected.completion, "{what}");
        assert_eq!(sum(&lines, what, "timer"), expected.timer, "{what}");
    };
    waits("spun", stats.spun);
    waits("monitored", stats.monitored);
    waits("blocked", stats.blocked);
    let given_up = sum(&lines, "did not block", "times");
    assert_eq!(given_up, stats.block_given_up);
    assert!(stats.spun.begun > 0 && stats.blocked.begun > 0);

    let wakes = |what, expected: Wakes| {
        assert_eq!(sum(&lines, what, "nothing"), expected.nothing, "{what}");
        assert_eq!(sum(&lines, what, "store"), expected.store, "{what}");
        assert_eq!(sum(&lines, what, "kernel"), expected.kernel, "{what}");
        expected.nothing + expected.store + expected.kernel
    };
    assert!(wakes("told others", stats.sent) >= 100);
    assert_eq!(wakes("was told by foreign threads", stats.foreign), 1);
}

/// What ends a wait is told in the same way of each way of waiting: a timer, a message from a thread, a completion.
#[test]
fn a_wait_is_counted_by_what_ended_it() {
    type WaitsOf = fn(&CoreStats) -> Waits;
    let block = IdlePolicy::block();
    let ways: [(IdlePolicy, WaitsOf); 3] = [
        (block, |stats| stats.blocked),
        (block.spin(Duration::from_secs(3_600)), |stats| stats.spun),
        (block.monitor(Duration::from_secs(3_600)), |stats| {
            // Without the instruction it blocks.
            if stats.monitored.begun > 0 {
                stats.monitored
            } else {
                stats.blocked
            }
        }),
    ];
    for (policy, waits) in ways {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let stream = listener.accept().unwrap().0;
        let echoing = thread::spawn(move || {
            let mut byte = [0];
            while peer.read_exact(&mut byte).is_ok() && peer.write_all(&byte).is_ok() {}
        });
        let runtime = start_with(Builder::new().idle(policy), 1).expect("one CPU");
        // Each may come before the core waits for it.
        runtime.block_on(async {
            let stream = TcpStream::from(stream);
            let now = || waits(&executor::stats()[0]);
            let before = now();
            while now().timer == before.timer {
                sleep(Duration::from_micros(300)).await;
            }
            while now().message == before.message {
                common::on_thread(|| {}).await;
            }
            while now().completion == before.completion {
                stream.write_all([0]).await.0.unwrap();
                stream.read_exact([0]).await.0.unwrap();
            }
        });
        echoing.join().unwrap();
    }
}

/// A subscriber starts a task on this core, or on another, when it hears that a core has waited: the core does not go back to sleep over that.
#[test]
fn what_a_subscriber_starts_is_not_slept_over() {
    let policy = IdlePolicy::block().spin(Duration::from_micros(1));
    let policy = policy.monitor(Duration::from_micros(1));
    for core in 0..2 {
        let Some(runtime) = start_with(Builder::new().idle(policy), 2) else {
            return;
        };
        let (sender, receiver) = oneshot::channel();
        let sender = Mutex::new(Some(sender));
        let answer = move |event: &Event<'_>| {
            if event.metadata().target() != "executor::idle" {
                return;
            }
            if let Some(sender) = sender.lock().unwrap().take() {
                let task = spawn_on(core, async move || sender.send(()).unwrap());
                task.detach();
            }
        };
        let answered = observed(answer, || {
            runtime.block_on(async {
                // What it hears of. After that there is nothing but the answer.
                sleep(Duration::from_millis(1)).await;
                receiver.await
            })
        });
        answered.unwrap();
    }
}

/// A subscriber that panics is not the runtime's end, nor where it is to hear of another panic.
#[test]
fn a_subscriber_may_panic() {
    struct WakePanics;
    impl Wake for WakePanics {
        fn wake(self: Arc<Self>) {
            panic!("said by the waker");
        }
    }
    let runtime = start_with(Builder::new(), 1).expect("one CPU");
    let heard = Arc::new(AtomicUsize::new(0));
    let panics = {
        let heard = Arc::clone(&heard);
        move |event: &Event<'_>| {
            if *event.metadata().level() == Level::ERROR {
                heard.fetch_add(1, SeqCst);
            }
            panic!("said by the subscriber");
        }
    };
    observed(panics, || {
        runtime.block_on(async {
            let mut timer = pin!(sleep(Duration::from_micros(100)));
            let waker = Waker::from(Arc::new(WakePanics));
            let polled = timer.as_mut().poll(&mut Context::from_waker(&waker));
            assert!(polled.is_pending());
            for _ in 0..10 {
                sleep(Duration::from_micros(100)).await;
            }
        });
    });
    assert_eq!(heard.load(SeqCst), 1, "the waker's panic");
}

/// Events are made when nothing is borrowed: whoever gets them may start tasks, here and on other cores, as one would that writes to a socket.
#[test]
fn a_subscriber_may_use_the_runtime() {
    let Some(runtime) = start_with(Builder::new(), 2) else {
        return;
    };
    let started = Arc::new(AtomicUsize::new(0));
    let start_tasks = {
        let started = Arc::clone(&started);
        move |event: &Event<'_>| {
            let is_ours = event.metadata().target().starts_with("executor::");
            if is_ours && started.fetch_add(1, SeqCst) < 1_000 {
                spawn(async {}).detach();
                spawn_on(1, async || {}).detach();
            }
        }
    };
    observed(start_tasks, || {
        runtime.block_on(async {
            while started.load(SeqCst) < 1_000 {
                spawn_on(1, async || {}).await.unwrap();
                sleep(Duration::from_micros(1)).await;
            }
        });
    });
}
