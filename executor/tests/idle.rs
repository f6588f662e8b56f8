//! What a core with nothing to do is told to do, and what it says that it did.

mod common;
#[path = "support/log.rs"]
mod log;

use common::start_with;
use executor::time::sleep;
use executor::{Builder, IdlePolicy, Waits, Wakes, spawn, spawn_on};
use futures::channel::oneshot;
use log::{logged, observed};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;
use tracing::{Event, Level};

/// The macros hand a policy on: this one, which is not the default, never blocks.
#[executor::test(idle = IdlePolicy::block().spin(Duration::from_secs(3_600)))]
async fn the_macros_take_a_policy() {
    sleep(Duration::from_millis(1)).await;
    let stats = executor::stats()[0];
    assert!(stats.spun.begun > 0);
    assert_eq!(stats.blocked.begun, 0);
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
        let from_outside = handle.spawn_on(0, async {});
        runtime.block_on(async {
            from_outside.await.unwrap();
            for _ in 0..100 {
                spawn_on(1, async {}).await.unwrap();
                sleep(Duration::from_micros(100)).await;
            }
        });
        handle.stats()[0]
    });
    let waits = |what, expected: Waits| {
        assert_eq!(sum(&lines, what, "times"), expected.begun, "{what}");
        let found_work = sum(&lines, what, "found_work");
        assert_eq!(found_work, expected.found_work, "{what}");
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
                let task = spawn_on(core, async move { sender.send(()).unwrap() });
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
                spawn_on(1, async {}).detach();
            }
        }
    };
    observed(start_tasks, || {
        runtime.block_on(async {
            while started.load(SeqCst) < 1_000 {
                spawn_on(1, async {}).await.unwrap();
                sleep(Duration::from_micros(1)).await;
            }
        });
    });
}
