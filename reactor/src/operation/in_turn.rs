//! Operations that go one after another in a [`Lane`], and lose nothing when their futures are dropped.

use super::{Completion, Op, Operation};
use crate::budget;
use crate::lane::{Lane, Queued, Turn, abandoned};
use crate::reactor::Reactor;
use io_uring::squeue;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::ptr::NonNull;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// An operation of one direction of a descriptor. By default one that nothing is kept of, as of writes.
pub trait Ordered: Operation + Sized {
    /// What is kept of an outcome that came for nobody.
    type Kept: 'static;

    /// Whether the kernel need not be asked: what earlier operations have left is enough, or the operation is over before it begins.
    fn has_answer(&mut self, _: &VecDeque<Self::Kept>) -> bool {
        false
    }

    /// Answers from what earlier operations have left, since it [has an answer](Self::has_answer).
    fn answer(self, _: &mut VecDeque<Self::Kept>) -> Self::Output {
        unreachable!("it said that it has no answer")
    }

    /// Whether an error that came for nobody is kept for the next such operation, for the kernel tells it once: the reset of a connection, a
    /// write that a disk has failed. No other operation of the lane is told of it.
    fn keeps_error(&self) -> bool {
        false
    }

    /// The outcome came for nobody: keeps what must not be lost. The completion is a success.
    fn keep(self, _: Completion, _: &mut VecDeque<Self::Kept>) {}
}

/// An operation with its turn, which ends when the kernel has let go of the one and so the other is dropped.
struct WithTurn<O: Ordered> {
    operation: O,
    seat: Seat<O::Kept>,
}

enum Seat<T> {
    Queued(Queued<T>),
    Turn(Turn<T>),
    /// The turn is over: only memory of the operation is left to the kernel, and nobody waits for it.
    Left,
}

impl<T> Seat<T> {
    fn lane(&self) -> Option<&Rc<Lane<T>>> {
        match self {
            Self::Queued(queued) => Some(queued.lane()),
            Self::Turn(turn) => Some(turn.lane()),
            Self::Left => None,
        }
    }
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

    fn goes_on(&mut self, completion: Completion) -> bool {
        self.operation.goes_on(completion)
    }

    fn is_repeatable(&self) -> bool {
        self.operation.is_repeatable()
    }

    fn is_for_storage(&self) -> bool {
        self.operation.is_for_storage()
    }

    unsafe fn abandoned(this: NonNull<Self>) {
        // SAFETY: the caller says that it is there. The entry points into `operation`, which is not borrowed with the seat.
        let seat = unsafe { &(*this.as_ptr()).seat };
        if let Some(lane) = seat.lane() {
            abandoned(lane);
        }
    }

    fn is_queued(&self) -> bool {
        self.operation.is_queued()
    }

    fn ends_by_itself(&self) -> bool {
        self.operation.ends_by_itself()
    }

    fn only_memory_is_left(&mut self) {
        self.operation.only_memory_is_left();
        self.seat = Seat::Left;
    }

    fn kind() -> &'static str {
        O::kind()
    }

    fn release(self, completion: Completion) {
        let Some(lane) = self.seat.lane() else {
            // There was an outcome before, which nobody wanted.
            return drop(self.operation.complete(completion));
        };
        match completion.result() {
            Ok(_) => lane.keep(|kept| self.operation.keep(completion, kept)),
            Err(error) => {
                if self.operation.keeps_error() {
                    keep_error(lane, &error);
                }
                // For what it releases: the buffer, the descriptor.
                drop(self.operation.complete(completion));
            }
        }
    }
}

/// Keeps an error for the next operation, unless it only says that this one was cancelled, interrupted, or not begun.
pub(super) fn keep_error<T>(lane: &Lane<T>, error: &std::io::Error) {
    if let Some(code) = error.raw_os_error()
        && !matches!(
            code,
            libc::ECANCELED | libc::EINTR | libc::ERESTART | libc::EAGAIN
        )
    {
        lane.keep_error(code);
    }
}

/// The future of an operation that waits for its turn.
///
/// It begins when first polled, on the core it was made on. **Dropped**, what it had brought by then, or still brings before the cancel
/// gets there, is kept for the next operation of the same direction, errors included: reading and accepting lose nothing. A write
/// that was dropped may have sent some, all or none of its bytes, and sends none when the next has begun. To know, and have the buffer
/// back, [cancel](Self::cancel) it.
///
/// It is small, whatever the operation: that is on the heap from the start.
#[must_use = "an operation does nothing unless polled"]
pub struct InTurn<O: Ordered>(Op<WithTurn<O>>);

impl<O: Ordered> InTurn<O> {
    /// Prepares the operation; polling it begins it on `reactor`.
    pub fn new(reactor: Rc<Reactor>, lane: Rc<Lane<O::Kept>>, operation: O) -> Self {
        let seat = Seat::Queued(Queued::new(lane));
        Self(Op::new(reactor, WithTurn { operation, seat }))
    }

    /// Asks the kernel to give the operation up. The same future then yields what became of it, soon: the buffer, and how much was
    /// transferred if the operation was done before the cancel got there, or else `ECANCELED`
    /// ([`raw_os_error`](std::io::Error::raw_os_error); the standard library has no kind for it), or `EINTR` if a worker thread of the kernel
    /// was blocked in it.
    ///
    /// An operation that was never polled has not begun, and will not.
    pub fn cancel(mut self) -> Self {
        if let Some(WithTurn { seat, .. }) = self.0.before_start() {
            // It leaves the queue, so that nobody waits until it is polled.
            let lane = seat.lane().expect("its future is alive");
            *seat = Seat::Queued(Queued::new(Rc::clone(lane)));
        }
        Self(self.0.cancel())
    }

    /// Whether the outcome was given out, so that it must not be polled again.
    pub fn is_over(&self) -> bool {
        self.0.is_over()
    }

    /// The outcome of an operation that has its turn and need not ask the kernel. Pending if it has one and the budget is spent.
    fn answer(&mut self, context: &mut Context<'_>) -> Poll<Option<O::Output>> {
        let Some(WithTurn { operation, seat }) = self.0.before_start() else {
            return Poll::Ready(None);
        };
        let lane = Rc::clone(seat.lane().expect("its future is alive"));
        if lane.with_kept(|kept| operation.has_answer(kept)) {
            ready!(budget::spend(context));
            let taken = self.0.take_back();
            return Poll::Ready(taken.map(|WithTurn { operation, seat }| {
                let output = lane.with_kept(|kept| operation.answer(kept));
                drop(seat);
                output
            }));
        }
        // It is told once: the next operation asks the kernel.
        let takes_error = operation.keeps_error();
        let code = takes_error.then(|| lane.take_kept_error()).flatten();
        Poll::Ready(code.and_then(|code| self.refuse(code)))
    }

    /// Ends an operation that the kernel does not know of.
    fn refuse(&mut self, code: i32) -> Option<O::Output> {
        let WithTurn { operation, .. } = self.0.take_back()?;
        Some(operation.complete(Completion::failed(code)))
    }
}

impl<O: Ordered> Future for InTurn<O> {
    type Output = O::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<O::Output> {
        if let Some(WithTurn { seat, .. }) = self.0.before_start() {
            if let Seat::Queued(queued) = seat {
                match ready!(queued.poll(false, context)) {
                    Some(turn) => *seat = Seat::Turn(turn),
                    None => {
                        ready!(budget::spend(context));
                        let refused = self.refuse(libc::EBUSY);
                        return Poll::Ready(refused.expect("it has not begun"));
                    }
                }
            }
            if let Some(output) = ready!(self.answer(context)) {
                return Poll::Ready(output);
            }
        }
        Pin::new(&mut self.0).poll(context)
    }
}
