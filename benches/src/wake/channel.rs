//! Peers that a thread cannot give a task to: one of their tasks waits for what the thread sends through a channel of the futures crate. monoio and
//! compio have nothing else for it, and glommio only between two of its executors.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};

use super::mark::Mark;
use super::{Cpus, Measured};
use crate::{machine, peers};

pub(super) fn monoio(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    thread_wakes(cpus, length, |marks| {
        peers::monoio()?.block_on(set_all(marks));
        Ok(())
    })
}

pub(super) fn glommio(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    thread_wakes(cpus, length, |marks| {
        peers::glommio()?.run(set_all(marks));
        Ok(())
    })
}

pub(super) fn compio(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    thread_wakes(cpus, length, |marks| {
        peers::compio()?.block_on(set_all(marks));
        Ok(())
    })
}

type Marks = UnboundedReceiver<Arc<Mark>>;

async fn set_all(mut marks: Marks) {
    while let Some(mark) = marks.next().await {
        mark.set();
    }
}

fn thread_wakes(
    cpus: Cpus,
    length: Duration,
    run: fn(Marks) -> io::Result<()>,
) -> io::Result<Measured> {
    let (sender, marks) = unbounded();
    let host = thread::spawn(move || machine::pin(cpus.woken).and_then(|()| run(marks)));
    machine::pin(cpus.waker)?;
    let latencies = Mark::new().time_wakes(length, |mark| {
        let sent = sender.unbounded_send(Arc::clone(mark));
        sent.expect("it is being waited for");
    });
    drop(sender);
    host.join().expect("the runtime does not panic")?;
    Ok(Measured {
        latencies,
        told: None,
    })
}
