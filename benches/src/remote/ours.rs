//! This project's executor with two cores, as it starts by default. A call is `spawn_on`.

use std::future::Future;
use std::io;
use std::time::Duration;

use super::Cpus;
use super::workload::{Caller, Measured, workload};

#[derive(Clone, Copy)]
struct Ours;

/// The cores take the first two CPUs, in this order.
pub(super) fn measure(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    let runtime = executor::Builder::new()
        .cores(2)
        .build()
        .map_err(io::Error::other)?;
    assert_eq!(runtime.handle().cpus(), [cpus.caller, cpus.callee]);
    runtime
        .block_on(async { executor::spawn(workload(Ours, length)).await })
        .map_err(io::Error::other)
}

impl Caller for Ours {
    async fn call(&self, x: u64) -> u64 {
        let answer = executor::spawn_on(1, async move { x + 1 });
        answer.await.expect("the task does not panic")
    }

    fn spawn<F: Future<Output = ()> + 'static>(&self, future: F) -> impl Future<Output = ()> {
        let task = executor::spawn(future);
        async { task.await.expect("no answer is wrong") }
    }
}
