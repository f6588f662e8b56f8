//! What is done with the calls, written once for every runtime.
//!
//! The caller is a task, and with 256 calls in flight it is 256 tasks, each with one of its own: that is where a program
//! calls from. Every answer is checked.

use std::future::Future;
use std::time::{Duration, Instant};

use crate::clock::{Stopwatch, ns_each};
use crate::latency::Latencies;

const IN_FLIGHT: usize = 256;
const WARM_UP_CALLS: u64 = 1_000;

/// What a runtime is asked for, on the core that calls.
pub(super) trait Caller: Clone + 'static {
    /// Makes the other core add one to `x`.
    fn call(&self, x: u64) -> impl Future<Output = u64>;

    /// Starts a task on this core; the future returned is its join.
    fn spawn<F: Future<Output = ()> + 'static>(&self, future: F) -> impl Future<Output = ()>;
}

/// One round of one runtime.
pub(super) struct Measured {
    pub(super) one: One,
    /// The yardsticks have none.
    pub(super) many: Option<Many>,
}

/// One call in flight.
pub(super) struct One {
    pub(super) latencies: Latencies,
    /// Of calls that were not timed one by one: without the clock.
    pub(super) mean_ns: f64,
    /// Of both threads, for a call of those.
    pub(super) cpu_ns: f64,
}

/// 256 calls in flight: what one of them takes, of the wall's time and of both threads'.
pub(super) struct Many {
    pub(super) each_ns: f64,
    pub(super) cpu_ns: f64,
}

pub(super) async fn workload<C: Caller>(caller: C, length: Duration) -> Measured {
    let one = one(&caller, length).await;
    let many = Some(many(&caller, length).await);
    Measured { one, many }
}

async fn one<C: Caller>(caller: &C, length: Duration) -> One {
    let mut latencies = Latencies::new();
    ask(caller, WARM_UP_CALLS).await;
    let start = Instant::now();
    let mut before = start;
    while before - start < length {
        let x = latencies.len() as u64;
        assert_eq!(caller.call(x).await, x + 1);
        let now = Instant::now();
        latencies.record(now - before);
        before = now;
    }
    let stopwatch = Stopwatch::of_process();
    ask(caller, latencies.len() as u64).await;
    One::of(latencies, stopwatch)
}

impl One {
    /// `stopwatch` has timed as many calls as there are latencies.
    pub(super) fn of(latencies: Latencies, stopwatch: Stopwatch) -> Self {
        let elapsed = stopwatch.stop();
        One {
            mean_ns: ns_each(elapsed.wall, latencies.len()),
            cpu_ns: ns_each(elapsed.cpu, latencies.len()),
            latencies,
        }
    }
}

async fn ask<C: Caller>(caller: &C, calls: u64) {
    for x in 0..calls {
        assert_eq!(caller.call(x).await, x + 1);
    }
}

async fn many<C: Caller>(caller: &C, length: Duration) -> Many {
    // The warm-up says how many calls fit.
    let mut calls = WARM_UP_CALLS / 10;
    let warm_up = Stopwatch::of_process();
    ask_from_tasks(caller, calls).await;
    let fit = length.as_secs_f64() / warm_up.stop().wall.as_secs_f64();
    calls = ((calls as f64 * fit) as u64).clamp(calls, 1 << 20);

    let stopwatch = Stopwatch::of_process();
    ask_from_tasks(caller, calls).await;
    let elapsed = stopwatch.stop();
    let all = calls as usize * IN_FLIGHT;
    Many {
        each_ns: ns_each(elapsed.wall, all),
        cpu_ns: ns_each(elapsed.cpu, all),
    }
}

async fn ask_from_tasks<C: Caller>(caller: &C, calls: u64) {
    let task = |_| {
        let caller_there = caller.clone();
        caller.spawn(async move { ask(&caller_there, calls).await })
    };
    let tasks: Vec<_> = (0..IN_FLIGHT).map(task).collect();
    for task in tasks {
        task.await;
    }
}
