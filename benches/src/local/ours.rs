//! This project's executor, with one core, which the thread that starts it runs.

use std::io;
use std::time::Duration;

use super::workloads::Runtime;

pub(super) struct Ours;

impl Runtime for Ours {
    fn run<F>(future: F) -> io::Result<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let runtime = executor::Builder::new()
            .cores(1)
            .build()
            .map_err(io::Error::other)?;
        runtime
            .block_on(async { executor::spawn(future).await })
            .map_err(io::Error::other)
    }

    fn spawn<F>(future: F) -> impl Future<Output = F::Output> + 'static
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        join(executor::spawn(future))
    }

    fn yield_now() -> impl Future<Output = ()> + 'static {
        executor::yield_now()
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> + 'static {
        executor::time::sleep(duration)
    }
}

async fn join<T>(handle: executor::JoinHandle<T>) -> T {
    handle.await.expect("no task of a workload panics")
}
