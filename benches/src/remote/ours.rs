//! This project's executor with two cores, as it starts by default. A call is `spawn_on`, or a `call_on` that it is behind.

use std::future::Future;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use executor::JoinError;

use super::Cpus;
use super::workload::{Caller, Measured, workload};

#[derive(Clone, Copy)]
struct Ours;

/// A call that goes to a value of the other core.
#[derive(Clone)]
struct Sharded(Rc<executor::Sharded<u64>>);

pub(super) fn measure(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    let runtime = build(cpus)?;
    runtime
        .block_on(async { executor::spawn(workload(Ours, length)).await })
        .map_err(io::Error::other)
}

/// By `Sharded::call_on`, where the one to be added is the core's own value.
pub(super) fn measure_call_on(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    let measuring = async move {
        let ones = executor::Sharded::new(|| 1).await?;
        let ones = Rc::new(ones);
        let measured = workload(Sharded(Rc::clone(&ones)), length).await;
        ones.stop().await?;
        Ok(measured)
    };
    let runtime = build(cpus)?;
    let measured: Result<_, JoinError> =
        runtime.block_on(async { executor::spawn(measuring).await? });
    measured.map_err(io::Error::other)
}

/// The cores take the first two CPUs, in this order.
fn build(cpus: Cpus) -> io::Result<executor::Runtime> {
    let builder = executor::Builder::new().cores(2);
    let runtime = builder.build().map_err(io::Error::other)?;
    assert_eq!(runtime.handle().cpus(), [cpus.caller, cpus.callee]);
    Ok(runtime)
}

impl Caller for Ours {
    async fn call(&self, x: u64) -> u64 {
        let answer = executor::spawn_on(1, async move || x + 1);
        answer.await.expect("the task does not panic")
    }

    fn spawn<F: Future<Output = ()> + 'static>(&self, future: F) -> impl Future<Output = ()> {
        let task = executor::spawn(future);
        async { task.await.expect("no answer is wrong") }
    }
}

impl Caller for Sharded {
    async fn call(&self, x: u64) -> u64 {
        let answer = self.0.call_on(1, move |one| x + *one);
        answer.await.expect("the closure does not panic")
    }

    fn spawn<F: Future<Output = ()> + 'static>(&self, future: F) -> impl Future<Output = ()> {
        Ours.spawn(future)
    }
}
