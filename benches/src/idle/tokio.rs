//! tokio's multi-thread runtime with two workers. It has no call to a certain worker: a call is a `spawn` from a task, and
//! whoever has time takes it.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use futures::channel::oneshot;
use rustix::thread::gettid;
use tokio::runtime::Builder;

use super::threads::Thread;
use super::{Running, THREADS};

pub(super) fn start() -> io::Result<Running> {
    let (end, ended) = oneshot::channel();
    let (numbers, number) = mpsc::channel();
    let runtime = Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        // Two of them while we listen; a thread for blocking calls would come later, and nobody makes any.
        .on_thread_start(move || {
            let _ = numbers.send(gettid());
        })
        .build()?;
    let handle = runtime.handle().clone();
    // A thread of its own, which does nothing but wait: its time is not a worker's.
    let host = thread::spawn(move || {
        let _ = runtime.block_on(ended);
        Ok(())
    });
    let thread = || number.recv().map(Thread::of).map_err(io::Error::other);
    Ok(Running {
        threads: [thread()?, thread()?],
        burst: Box::new(move |calls, ends| {
            drop(handle.spawn(async move {
                for x in 0..calls {
                    let answer = tokio::spawn(async move { x + 1 }).await;
                    assert_eq!(answer.expect("the task does not panic"), x + 1);
                }
                ends.send(Instant::now()).expect("it is being waited for");
            }));
        }),
        end,
        host,
    })
}
