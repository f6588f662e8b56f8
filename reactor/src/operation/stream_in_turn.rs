//! Multishot operations that have a [`Lane`] for themselves, and lose nothing when their streams are dropped.

use super::in_turn::keep_error;
use super::{Completion, Multishot, OpStream};
use crate::budget;
use crate::lane::{Lane, Queued, Turn, abandoned};
use crate::reactor::Reactor;
use io_uring::squeue;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// A multishot operation of one direction of a descriptor.
pub trait OrderedMultishot: Multishot {
    /// What is kept of completions that came for nobody.
    type Kept: 'static;

    /// An item of what earlier operations have left, `None` if there is nothing.
    fn answer(&mut self, kept: &mut VecDeque<Self::Kept>) -> Option<Self::Item>;

    /// A completion came for nobody: keeps what must not be lost. It is a success.
    fn keep(&mut self, completion: Completion, kept: &mut VecDeque<Self::Kept>);
}

/// An operation with its turn, which ends with the final completion.
struct WithTurn<M: OrderedMultishot> {
    operation: M,
    turn: Turn<M::Kept>,
}

// SAFETY: as for `operation`, which is a part of us and moves only when we do.
unsafe impl<M: OrderedMultishot> Multishot for WithTurn<M> {
    type Item = M::Item;

    fn entry(&mut self) -> squeue::Entry {
        self.operation.entry()
    }

    fn unfetched_max(&self) -> usize {
        self.operation.unfetched_max()
    }

    fn item(&mut self, completion: Completion) -> M::Item {
        self.operation.item(completion)
    }

    fn kind() -> &'static str {
        M::kind()
    }

    fn release_item(&mut self, completion: Completion) {
        let lane = self.turn.lane();
        match completion.result() {
            Ok(_) => lane.keep(|kept| self.operation.keep(completion, kept)),
            Err(error) => {
                // The pool's, not the socket's: a later receive finds out for itself.
                if error.raw_os_error() != Some(libc::ENOBUFS) {
                    keep_error(lane, &error);
                }
                drop(self.operation.item(completion));
            }
        }
    }
}

enum Stage<M: OrderedMultishot> {
    /// It was not its turn yet.
    Waiting(M, Queued<M::Kept>),
    /// It has its turn, and begins with what was kept.
    Answering(WithTurn<M>),
    Started(OpStream<WithTurn<M>>),
    Over,
}

/// The stream of a multishot operation that waits for its turn and then has the lane for itself, until it ends or is dropped.
///
/// It ends as an [`OpStream`] does; make a new one to go on. While it lives, other operations of the same direction are refused with
/// `EBUSY`. **Dropped**, what it had brought and nobody had fetched, or still brings before the cancel gets there, is kept for the
/// next operation of the same direction.
#[must_use = "an operation does nothing unless polled"]
pub struct StreamInTurn<M: OrderedMultishot> {
    reactor: Rc<Reactor>,
    lane: Rc<Lane<M::Kept>>,
    stage: Stage<M>,
}

// As for `InTurn`.
impl<M: OrderedMultishot> Unpin for StreamInTurn<M> {}

impl<M: OrderedMultishot> StreamInTurn<M> {
    /// Prepares the operation; polling it begins it on `reactor`.
    pub fn new(reactor: Rc<Reactor>, lane: Rc<Lane<M::Kept>>, operation: M) -> Self {
        Self {
            reactor,
            stage: Stage::Waiting(operation, Queued::new(Rc::clone(&lane))),
            lane,
        }
    }

    /// The next item, or `None` when the operation has ended.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<M::Item>> {
        loop {
            match &mut self.stage {
                Stage::Over => return Poll::Ready(None),
                Stage::Started(stream) => {
                    let item = ready!(stream.poll_next(context));
                    if item.is_none() {
                        self.stage = Stage::Over;
                    }
                    return Poll::Ready(item);
                }
                Stage::Waiting(_, queued) => match ready!(queued.poll(true, context)) {
                    Some(turn) => self.have(turn),
                    None => {
                        ready!(budget::spend(context));
                        return self.refuse(libc::EBUSY);
                    }
                },
                Stage::Answering(WithTurn { operation, turn }) => {
                    if turn.lane().with_kept(|kept| !kept.is_empty()) {
                        ready!(budget::spend(context));
                    }
                    if let Some(item) = turn.lane().with_kept(|kept| operation.answer(kept)) {
                        return Poll::Ready(Some(item));
                    }
                    if let Some(code) = self.lane.take_kept_error() {
                        return self.refuse(code);
                    }
                    self.start();
                }
            }
        }
    }

    fn have(&mut self, turn: Turn<M::Kept>) {
        if let Stage::Waiting(operation, _) = std::mem::replace(&mut self.stage, Stage::Over) {
            self.stage = Stage::Answering(WithTurn { operation, turn });
        }
    }

    fn start(&mut self) {
        if let Stage::Answering(operation) = std::mem::replace(&mut self.stage, Stage::Over) {
            let stream = OpStream::new(Rc::clone(&self.reactor), operation);
            self.stage = Stage::Started(stream);
        }
    }

    /// Ends an operation that the kernel does not know of, with an item that says why.
    fn refuse(&mut self, code: i32) -> Poll<Option<M::Item>> {
        let completion = Completion::failed(code);
        Poll::Ready(match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Waiting(mut operation, _) => Some(operation.item(completion)),
            Stage::Answering(mut with_turn) => Some(with_turn.operation.item(completion)),
            Stage::Started(_) | Stage::Over => unreachable!("the kernel does not know of it"),
        })
    }
}

impl<M: OrderedMultishot> Drop for StreamInTurn<M> {
    fn drop(&mut self) {
        if matches!(self.stage, Stage::Started(_)) {
            abandoned(&self.lane);
        }
    }
}
