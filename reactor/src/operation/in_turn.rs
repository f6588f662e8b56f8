//! Operations that go one after another in a [`Lane`], and lose nothing when their futures are dropped.

use super::{Completion, Op, Operation};
use crate::lane::{Lane, NotNow, Queued, Turn};
use crate::reactor::Reactor;
use io_uring::squeue;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// An operation of one direction of a descriptor.
pub trait Ordered: Operation {
    /// What is kept of an outcome that came for nobody.
    type Kept: 'static;

    /// Answers from what earlier operations have left, without asking the kernel; gives itself back if it cannot.
    ///
    /// # Errors
    /// `self`, if there is nothing for it.
    fn answer(self, kept: &mut VecDeque<Self::Kept>) -> Result<Self::Output, Self>
    where
        Self: Sized;

    /// The outcome came for nobody: keeps what must not be lost. The completion is a success.
    fn keep(self, completion: Completion, kept: &mut VecDeque<Self::Kept>)
    where
        Self: Sized;
}

/// An operation with its turn, which ends when the kernel has let go of the one and so the other is dropped.
struct WithTurn<O: Ordered> {
    operation: O,
    turn: Turn<O::Kept>,
}

// SAFETY: as for `operation`, which is a part of us and moves only when we do.
unsafe impl<O: Ordered> Operation for WithTurn<O> {
    type Output = O::Output;

    fn entry(&mut self) -> squeue::Entry {
        self.operation.entry()
    }

    fn complete(self, completion: Completion) -> O::Output {
        self.operation.complete(completion)
    }

    fn release(self, completion: Completion) {
        let lane = self.turn.lane();
        match completion.result() {
            Ok(_) => lane.with_kept(|kept| self.operation.keep(completion, kept)),
            Err(error) => {
                keep_error(lane, &error);
                // For what it releases: the buffer, the descriptor.
                drop(self.operation.complete(completion));
            }
        }
    }
}

/// Keeps an error for the next operation, unless it only says that this one was cancelled: `EINTR`, if a worker thread of the kernel was
/// blocked in it.
pub(super) fn keep_error<T>(lane: &Lane<T>, error: &std::io::Error) {
    if let Some(code) = error.raw_os_error()
        && !matches!(code, libc::ECANCELED | libc::EINTR)
    {
        lane.keep_error(code);
    }
}

enum Stage<O: Ordered> {
    /// It was not its turn yet.
    Waiting(O, Option<Queued<O::Kept>>),
    Started(Op<WithTurn<O>>),
    /// Cancelled before the kernel knew of it.
    Withdrawn(O),
    Over,
}

/// The future of an operation that waits for its turn.
///
/// It begins when first polled, on the core it was made on. **Dropped**, what it had brought by then, or still brings before the cancel
/// gets there, is kept for the next operation of the same direction, errors included: reading and accepting lose nothing. A write
/// that was dropped may have sent some, all or none of its bytes, and sends none when the next has begun. To know, and have the buffer
/// back, [cancel](Self::cancel) it.
#[must_use = "an operation does nothing unless polled"]
pub struct InTurn<O: Ordered> {
    reactor: Rc<Reactor>,
    lane: Rc<Lane<O::Kept>>,
    stage: Stage<O>,
}

// The operation is moved, before it has begun, or on the heap.
impl<O: Ordered> Unpin for InTurn<O> {}

impl<O: Ordered> InTurn<O> {
    /// Prepares the operation; polling it begins it on `reactor`.
    pub fn new(reactor: Rc<Reactor>, lane: Rc<Lane<O::Kept>>, operation: O) -> Self {
        Self {
            reactor,
            lane,
            stage: Stage::Waiting(operation, None),
        }
    }

    /// Asks the kernel to give the operation up. The same future then yields what became of it, soon: the buffer, and how much was
    /// transferred if the operation was done before the cancel got there, or else `ECANCELED`
    /// ([`raw_os_error`](std::io::Error::raw_os_error); the standard library has no kind for it), or `EINTR` if a worker thread of the kernel
    /// was blocked in it.
    ///
    /// An operation that was never polled has not begun, and will not.
    pub fn cancel(mut self) -> Self {
        self.stage = match self.stage {
            Stage::Waiting(operation, _) => Stage::Withdrawn(operation),
            Stage::Started(op) => Stage::Started(op.cancel()),
            other => other,
        };
        self
    }

    /// Takes the turn, and answers at once where that can be done.
    fn begin(&mut self, context: &mut Context<'_>) -> Poll<O::Output> {
        let Stage::Waiting(_, queued) = &mut self.stage else {
            unreachable!("called while it waits")
        };
        let queued = match queued {
            Some(queued) => queued,
            None => match Turn::take(&self.lane, false) {
                Ok(turn) => return self.begin_with(turn, context),
                Err(NotNow::Busy) => return Poll::Ready(self.refuse(libc::EBUSY)),
                Err(NotNow::Wait(place)) => queued.insert(place),
            },
        };
        match ready!(queued.poll(false, context)) {
            Some(turn) => self.begin_with(turn, context),
            None => Poll::Ready(self.refuse(libc::EBUSY)),
        }
    }

    fn begin_with(&mut self, turn: Turn<O::Kept>, context: &mut Context<'_>) -> Poll<O::Output> {
        let Stage::Waiting(operation, _) = std::mem::replace(&mut self.stage, Stage::Over) else {
            unreachable!("called while it waits")
        };
        let operation = match self.lane.with_kept(|kept| operation.answer(kept)) {
            Ok(output) => return Poll::Ready(output),
            Err(operation) => operation,
        };
        if let Some(code) = self.lane.take_kept_error() {
            return Poll::Ready(operation.complete(Completion::failed(code)));
        }
        let mut op = Op::new(Rc::clone(&self.reactor), WithTurn { operation, turn });
        let polled = Pin::new(&mut op).poll(context);
        if polled.is_pending() {
            self.stage = Stage::Started(op);
        }
        polled
    }

    /// Ends an operation that the kernel does not know of.
    fn refuse(&mut self, code: i32) -> O::Output {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Waiting(operation, _) | Stage::Withdrawn(operation) => {
                operation.complete(Completion::failed(code))
            }
            _ => unreachable!("the kernel does not know of it"),
        }
    }
}

impl<O: Ordered> Future for InTurn<O> {
    type Output = O::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<O::Output> {
        match &mut self.stage {
            Stage::Started(op) => {
                let output = ready!(Pin::new(op).poll(context));
                self.stage = Stage::Over;
                Poll::Ready(output)
            }
            Stage::Waiting(..) => self.begin(context),
            Stage::Withdrawn(_) => Poll::Ready(self.refuse(libc::ECANCELED)),
            Stage::Over => panic!("an operation was polled after it had completed"),
        }
    }
}
