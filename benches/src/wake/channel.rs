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
use crate::machine;
use crate::peers::{self, Run};

pub(super) fn monoio(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    thread_wakes(cpus, length, peers::run_on_monoio)
}

pub(super) fn glommio(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    thread_wakes(cpus, length, peers::run_on_glommio)
}

pub(super) fn compio(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    thread_wakes(cpus, length, peers::run_on_compio)
}

async fn set_all(mut marks: UnboundedReceiver<Arc<Mark>>) {
    while let Some(mark) = marks.next().await {
        mark.set();
    }
}

fn thread_wakes(cpus: Cpus, length: Duration, run: Run) -> io::Result<Measured> {
    let (sender, marks) = unbounded();
    let host = thread::spawn(move || {
        machine::pin(cpus.woken).and_then(|()| run(Box::pin(set_all(marks))))
    });
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
