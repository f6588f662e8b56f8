//! tokio, twice: its current-thread runtime with a `LocalSet`, and its `LocalRuntime`, which needs none.
//!
//! The main task is `unconstrained`: otherwise its cooperative budget would end it every 128 timers, and what a sleep
//! that is over budget does is not what a sleep does.

use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, LocalOptions};
use tokio::task::{LocalSet as Set, coop::unconstrained, spawn_local};

use super::workloads::Runtime;

pub(super) struct LocalSet;
pub(super) struct LocalRuntime;

impl Runtime for LocalSet {
    fn run<F>(future: F) -> io::Result<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let main = async { spawn_local(unconstrained(future)).await };
        Set::new()
            .block_on(&runtime, main)
            .map_err(io::Error::other)
    }

    fn spawn<F>(future: F) -> impl Future<Output = F::Output> + 'static
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        spawn(future)
    }

    fn yield_now() -> impl Future<Output = ()> + 'static {
        tokio::task::yield_now()
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> + 'static {
        tokio::time::sleep(duration)
    }
}

impl Runtime for LocalRuntime {
    fn run<F>(future: F) -> io::Result<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default())?;
        let main = async { spawn_local(unconstrained(future)).await };
        runtime.block_on(main).map_err(io::Error::other)
    }

    fn spawn<F>(future: F) -> impl Future<Output = F::Output> + 'static
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        spawn(future)
    }

    fn yield_now() -> impl Future<Output = ()> + 'static {
        tokio::task::yield_now()
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> + 'static {
        tokio::time::sleep(duration)
    }
}

async fn join<T>(handle: tokio::task::JoinHandle<T>) -> T {
    handle.await.expect("no task of a workload panics")
}

fn spawn<F>(future: F) -> impl Future<Output = F::Output> + 'static
where
    F: Future + 'static,
    F::Output: 'static,
{
    join(spawn_local(future))
}
