//! tokio: a current-thread runtime on the CPU that is woken, blocked in epoll; a thread wakes it with `Handle::spawn`.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures::channel::oneshot;
use tokio::runtime::Builder;

use super::mark::Mark;
use super::{Cpus, Measured};
use crate::machine;

pub(super) fn thread_wakes(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    let (end, ended) = oneshot::channel::<()>();
    let host = thread::spawn(move || {
        machine::pin(cpus.woken)?;
        let _ = runtime.block_on(ended);
        io::Result::Ok(())
    });
    machine::pin(cpus.waker)?;
    let latencies = Mark::new().time_wakes(length, |mark| {
        let mark = Arc::clone(mark);
        drop(handle.spawn(async move { mark.set() }));
    });
    drop(end);
    host.join().expect("the runtime does not panic")?;
    Ok(Measured {
        latencies,
        told: None,
    })
}
