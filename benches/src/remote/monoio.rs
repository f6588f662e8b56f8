//! monoio with its `sync` feature, without which nothing may be woken from another thread. It has neither a remote spawn nor
//! channels, so a call is a message through channels of the futures crate, and the number itself is what is sent: less than a future.

use std::future::Future;
use std::io;
use std::thread;
use std::time::Duration;

use monoio::{IoUringDriver, RuntimeBuilder};

use super::Cpus;
use super::workload::{Caller, Measured, workload};
use crate::machine;
use crate::questions::{self, Questions};

#[derive(Clone)]
struct Monoio {
    questions: Questions,
}

pub(super) fn measure(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    let (questions, asked) = questions::channel();
    let answering = thread::spawn(move || {
        machine::pin(cpus.callee)?;
        let mut runtime = RuntimeBuilder::<IoUringDriver>::new().build()?;
        runtime.block_on(async { monoio::spawn(asked.answer_all()).await });
        io::Result::Ok(())
    });
    machine::pin(cpus.caller)?;
    let mut runtime = RuntimeBuilder::<IoUringDriver>::new().build()?;
    let measured =
        runtime.block_on(async { monoio::spawn(workload(Monoio { questions }, length)).await });
    answering.join().expect("the callee does not panic")?;
    Ok(measured)
}

impl Caller for Monoio {
    async fn call(&self, x: u64) -> u64 {
        self.questions.ask(x).await
    }

    fn spawn<F: Future<Output = ()> + 'static>(&self, future: F) -> impl Future<Output = ()> {
        monoio::spawn(future)
    }
}
