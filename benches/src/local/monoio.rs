//! monoio on io_uring, with its timers. It has no `yield_now`, so a task that wakes itself stands in for it.

use std::io;
use std::time::Duration;

use monoio::{IoUringDriver, RuntimeBuilder};

use super::workloads::{Runtime, WakeSelf};

pub(super) struct Monoio;

impl Runtime for Monoio {
    fn run<F>(future: F) -> io::Result<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let mut runtime = RuntimeBuilder::<IoUringDriver>::new()
            .enable_timer()
            .build()?;
        Ok(runtime.block_on(async { monoio::spawn(future).await }))
    }

    fn spawn<F>(future: F) -> impl Future<Output = F::Output> + 'static
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        monoio::spawn(future)
    }

    fn yield_now() -> impl Future<Output = ()> + 'static {
        WakeSelf::default()
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> + 'static {
        monoio::time::sleep(duration)
    }
}
