//! This project's executor with two cores, as it starts by default. A call is `spawn_on` the other core.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use futures::channel::oneshot;
use rustix::thread::gettid;

use super::Running;
use super::threads::Thread;

pub(super) fn start() -> io::Result<Running> {
    let (end, ended) = oneshot::channel();
    let (handles, handle) = mpsc::channel();
    let host = thread::spawn(move || {
        let built = executor::Builder::new().cores(2).build();
        let runtime = built.map_err(io::Error::other)?;
        handles
            .send(runtime.handle())
            .expect("it is being waited for");
        // Nothing is ever sent: it ends when the other end is dropped.
        let _ = runtime.block_on(ended);
        Ok(())
    });
    let Ok(handle) = handle.recv() else {
        host.join().expect("the runtime does not panic")?;
        unreachable!("it has sent its handle, or failed");
    };
    let thread = |core| {
        let (numbers, number) = mpsc::channel();
        let send = async move { numbers.send(gettid()).expect("it is being waited for") };
        handle.spawn_future_on(core, send).detach();
        number.recv().map(Thread::of).map_err(io::Error::other)
    };
    Ok(Running {
        threads: [thread(0)?, thread(1)?],
        burst: Box::new(move |calls, ends| {
            let burst = async move {
                for x in 0..calls {
                    let answer = executor::spawn_on(1, async move || x + 1).await;
                    assert_eq!(answer.expect("the task does not panic"), x + 1);
                }
                ends.send(Instant::now()).expect("it is being waited for");
            };
            handle.spawn_future_on(0, burst).detach();
        }),
        end,
        host,
    })
}
