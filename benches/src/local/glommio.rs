//! glommio, as it starts by default. It has no `yield_now` that always yields, so a task that wakes itself stands in for it.

use std::io;
use std::time::Duration;

use glommio::spawn_local;

use super::workloads::{Runtime, WakeSelf};
use crate::peers;

pub(super) struct Glommio;

impl Runtime for Glommio {
    fn run<F>(future: F) -> io::Result<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Ok(peers::glommio()?.run(async { spawn_local(future).await }))
    }

    fn spawn<F>(future: F) -> impl Future<Output = F::Output> + 'static
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        spawn_local(future)
    }

    fn yield_now() -> impl Future<Output = ()> + 'static {
        WakeSelf::default()
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> + 'static {
        glommio::timer::sleep(duration)
    }
}
