//! This project's executor: one core woken by a thread, or one of two woken by the other. What it does while it is idle
//! is chosen so that it is in one state only: for a second, which no gap between two calls lasts.

use std::io;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use executor::{Builder, Handle, IdlePolicy, Runtime, Wakes};
use futures::channel::oneshot;

use super::mark::Mark;
use super::{Cpus, Measured, let_it_idle};
use crate::latency::Latencies;
use crate::machine;

const LONG: Duration = Duration::from_secs(1);
const BLOCKED: IdlePolicy = IdlePolicy::block();
const SPINNING: IdlePolicy = IdlePolicy::block().spin(LONG);
const MONITORING: IdlePolicy = IdlePolicy::block().monitor(LONG);

pub(super) fn thread_wakes_blocked(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    thread_wakes(BLOCKED, cpus, length)
}

pub(super) fn thread_wakes_spinning(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    thread_wakes(SPINNING, cpus, length)
}

pub(super) fn thread_wakes_monitoring(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    thread_wakes(MONITORING, cpus, length)
}

pub(super) fn core_wakes_blocked(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    core_wakes(BLOCKED, cpus, length)
}

pub(super) fn core_wakes_spinning(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    core_wakes(SPINNING, cpus, length)
}

pub(super) fn core_wakes_monitoring(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    core_wakes(MONITORING, cpus, length)
}

fn build(cores: usize, policy: IdlePolicy) -> io::Result<Runtime> {
    let builder = Builder::new().cores(cores).idle(policy);
    builder.build().map_err(io::Error::other)
}

/// This thread wakes the only core of a runtime.
fn thread_wakes(policy: IdlePolicy, cpus: Cpus, length: Duration) -> io::Result<Measured> {
    let (end, ended) = oneshot::channel::<()>();
    let (handles, handle) = mpsc::channel();
    let host = thread::spawn(move || {
        // The core takes the first CPU that its thread may run on.
        machine::pin(cpus.woken)?;
        let runtime = build(1, policy)?;
        handles
            .send(runtime.handle())
            .expect("it is being waited for");
        let _ = runtime.block_on(ended);
        io::Result::Ok(())
    });
    machine::pin(cpus.waker)?;
    let measured = handle.recv().ok().map(|handle: Handle| {
        let before = handle.stats()[0].foreign;
        let mark = Mark::new();
        let latencies = mark.time_wakes(length, |mark| {
            let mark = Arc::clone(mark);
            handle.spawn_on(0, async move || mark.set()).detach();
        });
        Measured {
            latencies,
            told: Some(told(before, handle.stats()[0].foreign)),
        }
    });
    drop(end);
    host.join().expect("the runtime does not panic")?;
    Ok(measured.expect("a runtime that started has sent its handle"))
}

/// Core 0 wakes core 1.
fn core_wakes(policy: IdlePolicy, cpus: Cpus, length: Duration) -> io::Result<Measured> {
    let runtime = build(2, policy)?;
    assert_eq!(runtime.handle().cpus(), [cpus.waker, cpus.woken]);
    Ok(runtime.block_on(async move {
        let before = executor::stats()[0].sent;
        let mut latencies = Latencies::new();
        let start = Instant::now();
        while start.elapsed() < length {
            let_it_idle();
            let called = Instant::now();
            let polled = executor::spawn_on(1, async || Instant::now()).await;
            let polled = polled.expect("the task does not panic");
            latencies.record(polled.saturating_duration_since(called));
        }
        Measured {
            latencies,
            told: Some(told(before, executor::stats()[0].sent)),
        }
    }))
}

fn told(before: Wakes, after: Wakes) -> [u64; 3] {
    [
        after.nothing - before.nothing,
        after.store - before.store,
        after.kernel - before.kernel,
    ]
}
