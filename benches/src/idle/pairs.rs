//! Peers that are one thread each: two of their runtimes, the first of which calls the second through channels of the futures crate. A call is the
//! number itself and its answer, which is less than a future.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use futures::channel::oneshot;
use futures::future::{Either, select};
use rustix::thread::gettid;

use super::Running;
use super::threads::Thread;
use crate::machine;
use crate::peers::{self, Run};
use crate::questions::{self, Questions};

pub(super) fn monoio() -> io::Result<Running> {
    start(peers::run_on_monoio)
}

pub(super) fn glommio() -> io::Result<Running> {
    start(peers::run_on_glommio)
}

pub(super) fn compio() -> io::Result<Running> {
    start(peers::run_on_compio)
}

/// So many calls, and who wants to know when they are over.
type Burst = (u64, mpsc::Sender<Instant>);

fn start(run: Run) -> io::Result<Running> {
    let [caller, callee] = machine::two_cpus()?;
    let (end, ended) = oneshot::channel();
    let (bursts, wanted) = unbounded();
    let (questions, asked) = questions::channel();
    let (callees, callee_number) = mpsc::channel();
    let answering = thread::spawn(move || {
        machine::pin(callee)?;
        callees.send(gettid()).expect("it is being waited for");
        run(Box::pin(asked.answer_all()))
    });
    let (callers, caller_number) = mpsc::channel();
    let host = thread::spawn(move || {
        machine::pin(caller)?;
        callers.send(gettid()).expect("it is being waited for");
        run(Box::pin(call(wanted, ended, questions)))?;
        answering.join().expect("the runtime does not panic")
    });
    let thread = |number: mpsc::Receiver<_>| number.recv().map(Thread::of);
    Ok(Running {
        threads: [
            thread(caller_number).map_err(io::Error::other)?,
            thread(callee_number).map_err(io::Error::other)?,
        ],
        burst: Box::new(move |calls, ends| {
            let sent = bursts.unbounded_send((calls, ends));
            sent.expect("it is being waited for");
        }),
        end,
        host,
    })
}

/// Makes the bursts that are asked for, until the end.
async fn call(
    mut bursts: UnboundedReceiver<Burst>,
    mut ended: oneshot::Receiver<()>,
    questions: Questions,
) {
    while let Either::Left((Some((calls, ends)), _)) = select(bursts.next(), &mut ended).await {
        for x in 0..calls {
            assert_eq!(questions.ask(x).await, x + 1);
        }
        ends.send(Instant::now()).expect("it is being waited for");
    }
}
