//! compio (io_uring). It has no `yield_now`, so a task that wakes itself stands in for it.

use std::io;
use std::time::Duration;

use compio::runtime::JoinHandle;

use super::workloads::{Runtime, WakeSelf};
use crate::peers;

pub(super) struct Compio;

impl Runtime for Compio {
    fn run<F>(future: F) -> io::Result<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let main = async { join(compio::runtime::spawn(future)).await };
        Ok(peers::compio()?.block_on(main))
    }

    fn spawn<F>(future: F) -> impl Future<Output = F::Output> + 'static
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        join(compio::runtime::spawn(future))
    }

    fn yield_now() -> impl Future<Output = ()> + 'static {
        WakeSelf::default()
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> + 'static {
        compio::time::sleep(duration)
    }
}

async fn join<T>(handle: JoinHandle<T>) -> T {
    handle.await.expect("no task of a workload panics")
}
