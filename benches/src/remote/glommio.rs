//! glommio, by its own channels between executors: one there, one back, of the numbers themselves, which is less than a future. The
//! answers come in the order of the questions, and a task on the caller's side hands them out.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use futures::channel::oneshot;
use glommio::channels::shared_channel::{self, ConnectedSender};
use glommio::{LocalExecutorBuilder, Placement, spawn_local};

use super::Cpus;
use super::workload::{Caller, Measured, workload};

/// More than are ever in flight: no sender waits for room.
const ROOM: usize = 1024;
/// Longer than any answer takes. What its documentation calls useful when latency is all that counts.
const SPIN: Duration = Duration::from_millis(1);

#[derive(Clone)]
struct Glommio {
    questions: Rc<ConnectedSender<u64>>,
    /// Who has asked, the first one first.
    asked: Rc<RefCell<VecDeque<oneshot::Sender<u64>>>>,
}

/// As it starts by default: an idle executor blocks at once.
pub(super) fn blocking(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    measure(cpus, length, |builder| builder)
}

/// With `spin_before_park`, on both sides.
pub(super) fn spinning(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    measure(cpus, length, |builder| builder.spin_before_park(SPIN))
}

fn measure(
    cpus: Cpus,
    length: Duration,
    configure: fn(LocalExecutorBuilder) -> LocalExecutorBuilder,
) -> io::Result<Measured> {
    let builder = |cpu| configure(LocalExecutorBuilder::new(Placement::Fixed(cpu)));
    let (questions, asked) = shared_channel::new_bounded::<u64>(ROOM);
    let (answers, answered) = shared_channel::new_bounded::<u64>(ROOM);
    let answering = builder(cpus.callee)
        .spawn(move || async move {
            let (asked, answers) = (asked.connect().await, answers.connect().await);
            while let Some(x) = asked.recv().await {
                answers.try_send(x + 1).expect("there is room");
            }
        })
        .map_err(failed)?;
    let executor = builder(cpus.caller).make().map_err(failed)?;
    let measured = executor.run(async move {
        let (questions, answered) = (questions.connect().await, answered.connect().await);
        let caller = Glommio {
            questions: Rc::new(questions),
            asked: Rc::default(),
        };
        let asked = Rc::clone(&caller.asked);
        let handing_out = spawn_local(async move {
            while let Some(answer) = answered.recv().await {
                let first = asked.borrow_mut().pop_front();
                let first = first.expect("nothing is answered that was not asked");
                first.send(answer).expect("the caller waits");
            }
        });
        let measured = spawn_local(workload(caller, length)).await;
        // The callee has gone when the last sender of questions has, and so have its answers then.
        handing_out.await;
        measured
    });
    answering.join().map_err(failed)?;
    Ok(measured)
}

fn failed(error: glommio::GlommioError<()>) -> io::Error {
    io::Error::other(error.to_string())
}

impl Caller for Glommio {
    async fn call(&self, x: u64) -> u64 {
        let (sender, answer) = oneshot::channel();
        self.asked.borrow_mut().push_back(sender);
        self.questions.try_send(x).expect("there is room");
        answer.await.expect("the callee answers")
    }

    fn spawn<F: Future<Output = ()> + 'static>(&self, future: F) -> impl Future<Output = ()> {
        spawn_local(future)
    }
}
