//! Calls from one runtime to another of those that take no task from a thread: a number and its answer, through channels of the futures crate.

use futures::StreamExt;
use futures::channel::{mpsc, oneshot};

struct Question {
    x: u64,
    answer: oneshot::Sender<u64>,
}

/// The caller's end. Clones are the same.
#[derive(Clone)]
pub(crate) struct Questions(mpsc::UnboundedSender<Question>);

/// The callee's end.
pub(crate) struct Asked(mpsc::UnboundedReceiver<Question>);

pub(crate) fn channel() -> (Questions, Asked) {
    let (questions, asked) = mpsc::unbounded();
    (Questions(questions), Asked(asked))
}

impl Questions {
    pub(crate) async fn ask(&self, x: u64) -> u64 {
        let (answer, answered) = oneshot::channel();
        let sent = self.0.unbounded_send(Question { x, answer });
        sent.expect("the callee listens");
        answered.await.expect("the callee answers")
    }
}

impl Asked {
    /// Answers until nobody can ask any more.
    pub(crate) async fn answer_all(mut self) {
        while let Some(Question { x, answer }) = self.0.next().await {
            answer.send(x + 1).expect("the caller waits");
        }
    }
}
