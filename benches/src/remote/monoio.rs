//! monoio with its `sync` feature, without which nothing may be woken from another thread. It has neither a remote spawn nor
//! channels, so a call is a message through channels of the futures crate, and the number itself is what is sent: less than a future.

use std::future::Future;
use std::io;
use std::thread;
use std::time::Duration;

use futures::StreamExt;
use futures::channel::{mpsc, oneshot};
use monoio::{IoUringDriver, RuntimeBuilder};

use super::Cpus;
use super::workload::{Caller, Measured, workload};
use crate::machine;

struct Question {
    x: u64,
    answer: oneshot::Sender<u64>,
}

#[derive(Clone)]
struct Monoio {
    questions: mpsc::UnboundedSender<Question>,
}

pub(super) fn measure(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    let (questions, mut asked) = mpsc::unbounded::<Question>();
    let answering = thread::spawn(move || {
        machine::pin(cpus.callee)?;
        let mut runtime = RuntimeBuilder::<IoUringDriver>::new().build()?;
        runtime.block_on(async {
            monoio::spawn(async move {
                while let Some(Question { x, answer }) = asked.next().await {
                    answer.send(x + 1).expect("the caller waits");
                }
            })
            .await
        });
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
        let (answer, answered) = oneshot::channel();
        let question = Question { x, answer };
        self.questions
            .unbounded_send(question)
            .expect("the callee listens");
        answered.await.expect("the callee answers")
    }

    fn spawn<F: Future<Output = ()> + 'static>(&self, future: F) -> impl Future<Output = ()> {
        monoio::spawn(future)
    }
}
