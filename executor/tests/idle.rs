//! What a core with nothing to do is told to do, and what it says that it did.

mod common;
#[path = "support/log.rs"]
mod log;

use common::start_with;
use executor::time::sleep;
use executor::{Builder, IdlePolicy, Waits, Wakes, spawn, spawn_on};
use log::{logged, observed};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tracing::Event;

/// The macros hand a policy on: this one, which is not the default, never blocks.
#[executor::test(idle = IdlePolicy::block().spin(Duration::from_secs(3_600)))]
async fn the_macros_take_a_policy() {
    sleep(Duration::from_millis(1)).await;
    let stats = executor::stats()[0];
    assert!(stats.spun.begun > 0);
    assert_eq!(stats.blocked.begun, 0);
}

/// The events with this message, as the texts of their other fields.
fn events<'a>(lines: &'a [String], message: &str) -> Vec<&'a str> {
    let start = format!("message={message} ");
    lines
        .iter()
        .filter_map(|line| line.strip_prefix(&start))
        .collect()
}

/// Waits as events have them: with the core's number, and whether they found work.
fn waits(lines: &[String], message: &str) -> Waits {
    let (mut waits, events) = (Waits::default(), events(lines, message));
    waits.begun = events.len() as u64;
    for event in events {
        match event {
            "core=0 found_work=true " => waits.found_work += 1,
            other => assert_eq!(other, "core=0 found_work=false "),
        }
    }
    waits
}

fn field(event: &str, name: &str) -> u64 {
    let value = event
        .split(' ')
        .find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
    value.expect("it has the field").parse().expect("a number")
}

/// Whatever core 0 counts it tells by an event: as many of each, with the same outcome.
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
    assert_eq!(waits(&lines, "spun"), stats.spun);
    assert_eq!(waits(&lines, "monitored"), stats.monitored);
    assert_eq!(waits(&lines, "blocked"), stats.blocked);
    let given_up = events(&lines, "did not block: work had come");
    assert_eq!(given_up.len() as u64, stats.block_given_up);
    assert!(stats.spun.begun > 0 && stats.blocked.begun > 0);

    let mut sent = Wakes::default();
    for event in events(&lines, "told other cores") {
        sent.nothing += field(event, "nothing");
        sent.store += field(event, "store");
        sent.kernel += field(event, "kernel");
    }
    assert_eq!(sent, stats.sent);
    assert!(sent.nothing + sent.store + sent.kernel >= 100);
    let told_from_outside = events(&lines, "told by a thread that is no core");
    assert_eq!(told_from_outside, ["core=0 wake=Nothing "]);
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
