//! compio (io_uring): its dispatcher with one thread, on the callee's CPU. A call is `dispatch`.

use std::collections::HashSet;
use std::future::Future;
use std::io;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Duration;

use compio::dispatcher::Dispatcher;
use compio::runtime::Runtime;

use super::Cpus;
use super::workload::{Caller, Measured, workload};
use crate::machine;

#[derive(Clone)]
struct Compio {
    dispatcher: Rc<Dispatcher>,
}

pub(super) fn measure(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    let dispatcher = Dispatcher::builder()
        .worker_threads(NonZeroUsize::MIN)
        .thread_affinity(move |_| HashSet::from([cpus.callee]))
        .build()?;
    machine::pin(cpus.caller)?;
    let dispatcher = Rc::new(dispatcher);
    Runtime::new()?.block_on(async {
        let caller = Compio {
            dispatcher: Rc::clone(&dispatcher),
        };
        let measured = compio::runtime::spawn(workload(caller, length))
            .await
            .expect("no answer is wrong");
        let dispatcher = Rc::into_inner(dispatcher).expect("no task is left that calls");
        dispatcher.join().await?;
        Ok(measured)
    })
}

impl Caller for Compio {
    async fn call(&self, x: u64) -> u64 {
        let answer = self.dispatcher.dispatch(move || async move { x + 1 });
        let answer = answer.expect("the dispatcher's thread lives");
        answer.await.expect("the task does not panic")
    }

    fn spawn<F: Future<Output = ()> + 'static>(&self, future: F) -> impl Future<Output = ()> {
        let task = compio::runtime::spawn(future);
        async { task.await.expect("no answer is wrong") }
    }
}
