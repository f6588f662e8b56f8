//! tokio: a current-thread runtime on each CPU. A call is `Handle::spawn` on the other one. The caller's is a `LocalRuntime`, so that
//! it can have the same tasks as everybody else, which are not `Send`.

use std::future::Future;
use std::io;
use std::thread;
use std::time::Duration;

use futures::channel::oneshot;
use tokio::runtime::{Builder, Handle, LocalOptions};
use tokio::task::spawn_local;

use super::Cpus;
use super::workload::{Caller, Measured, workload};
use crate::machine;

#[derive(Clone)]
struct Tokio {
    callee: Handle,
}

pub(super) fn measure(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let callee = runtime.handle().clone();
    let (end, ended) = oneshot::channel::<()>();
    let answering = thread::spawn(move || {
        machine::pin(cpus.callee)?;
        // Nothing is ever sent: it ends with an error, when the caller has dropped its end.
        runtime.block_on(ended).expect_err("the caller drops it");
        io::Result::Ok(())
    });
    machine::pin(cpus.caller)?;
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    let measured =
        runtime.block_on(async { spawn_local(workload(Tokio { callee }, length)).await })?;
    drop(end);
    answering.join().expect("the callee does not panic")?;
    Ok(measured)
}

impl Caller for Tokio {
    async fn call(&self, x: u64) -> u64 {
        let answer = self.callee.spawn(async move { x + 1 });
        answer.await.expect("the task does not panic")
    }

    fn spawn<F: Future<Output = ()> + 'static>(&self, future: F) -> impl Future<Output = ()> {
        let task = spawn_local(future);
        async { task.await.expect("no answer is wrong") }
    }
}
