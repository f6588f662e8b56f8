//! A splice(2) or tee(2) that waits for its turn at both ends, and until both are ready.
//!
//! ```text
//! source's turn → source is readable → target's turn → target is writable → the operation
//!                         ▲                                                      │
//!                         └─────────── EAGAIN: somebody else was quicker ────────┘
//! ```
//!
//! The source comes first, always: so two of them never wait for each other. Whoever writes to the
//! target goes on while the source has nothing. No worker thread of the kernel is used before the
//! last step.

use super::splice::{Act, Job, Place, SpliceEnd, Transfer, Transferred};
use super::{Completion, Op, Ready};
use crate::budget;
use crate::descriptor::Descriptor;
use crate::lane::{Lane, Queued, Turn};
use crate::reactor::Reactor;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

const READABLE: u32 = (libc::POLLIN | libc::POLLRDHUP) as u32;
const WRITABLE: u32 = libc::POLLOUT as u32;

enum Stage<T: 'static> {
    New(Queued<T>),
    /// It has the source's turn, and waits until there is something. `None`: there always is.
    SourceReady(Turn<T>, Option<Op<Ready<Descriptor>>>),
    TargetTurn(Turn<T>, Queued<()>),
    TargetReady((Turn<T>, Turn<()>), Option<Op<Ready<Descriptor>>>),
    Moving(Op<Transfer<T>>),
    /// What it yields, without the kernel.
    Decided(io::Result<usize>),
    Over,
}

/// The future of a splice(2) or tee(2): yields how many bytes were moved, zero at the end of the
/// source.
///
/// **Dropped**, it is cancelled; what it has moved by then, and still moves before the cancel gets
/// there, is in the target. The next operation at either end begins after that.
#[must_use = "an operation does nothing unless polled"]
pub struct SpliceInTurn<T: 'static> {
    reactor: Rc<Reactor>,
    /// `None` when it is over: the descriptors can be closed though the future is still there.
    job: Option<(Job, Rc<Lane<()>>)>,
    is_cancelled: bool,
    stage: Stage<T>,
}

impl<T> Stage<T> {
    fn failed(code: i32) -> Self {
        Self::Decided(Err(io::Error::from_raw_os_error(code)))
    }
}

impl<T: 'static> SpliceInTurn<T> {
    /// Moves at most `length` bytes.
    pub fn splice(
        reactor: Rc<Reactor>,
        source: SpliceEnd<T>,
        target: SpliceEnd<()>,
        length: usize,
    ) -> Self {
        Self::new(reactor, Act::Move, source, target, length)
    }

    /// Duplicates at most `length` bytes of a pipe to another.
    pub fn tee(
        reactor: Rc<Reactor>,
        source: SpliceEnd<T>,
        target: SpliceEnd<()>,
        length: usize,
    ) -> Self {
        Self::new(reactor, Act::Duplicate, source, target, length)
    }

    fn new(
        reactor: Rc<Reactor>,
        act: Act,
        source: SpliceEnd<T>,
        target: SpliceEnd<()>,
        length: usize,
    ) -> Self {
        let job = Job {
            act,
            source: source.place,
            target: target.place,
            length,
        };
        Self {
            reactor,
            job: Some((job, target.lane)),
            is_cancelled: false,
            stage: Stage::New(Queued::new(source.lane)),
        }
    }

    fn job(&self) -> &Job {
        &self.job.as_ref().expect("it is not over").0
    }

    fn target_queue(&self) -> Queued<()> {
        let (_, lane) = self.job.as_ref().expect("it is not over");
        Queued::new(Rc::clone(lane))
    }

    /// Asks the kernel to give it up. The same future then yields what became of it, soon: how much
    /// was moved, if anything was, or else `ECANCELED`, or `EINTR` if a worker thread of the kernel
    /// was blocked in it.
    pub fn cancel(mut self) -> Self {
        self.is_cancelled = true;
        self.stage = match self.take_stage() {
            Stage::Moving(transfer) => Stage::Moving(transfer.cancel()),
            // The turns and the looks are dropped. Nothing was taken.
            Stage::New(_)
            | Stage::SourceReady(..)
            | Stage::TargetTurn(..)
            | Stage::TargetReady(..) => Stage::failed(libc::ECANCELED),
            over => over,
        };
        self
    }

    /// Whether the outcome was given out, so that it must not be polled again.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// What can be said without the kernel, before it waits for anything.
    fn known(&self) -> Option<Stage<T>> {
        let Job {
            act,
            source,
            target,
            length,
        } = self.job();
        if *length == 0 {
            return Some(Stage::Decided(Ok(0)));
        }
        let has_pipes = match act {
            Act::Move => source.is_pipe() || target.is_pipe(),
            Act::Duplicate => source.is_pipe() && target.is_pipe(),
        };
        // The kernel would say so as well, but not before both are ready.
        (!has_pipes).then(|| Stage::failed(libc::EINVAL))
    }

    /// The source's turn has come. What dropped reads have left comes before what the kernel has.
    fn with_source(&self, turn: Turn<T>) -> Stage<T> {
        let lane = turn.lane();
        if lane.with_kept(|kept| !kept.is_empty()) {
            return Stage::Decided(Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                "a dropped read of the source has left data that comes first; take it with a read",
            )));
        }
        if let Some(code) = lane.take_kept_error() {
            return Stage::failed(code);
        }
        Stage::SourceReady(turn, self.look(&self.job().source, READABLE))
    }

    /// Waits for an end, if it can make others wait.
    fn look(&self, end: &Place, events: u32) -> Option<Op<Ready<Descriptor>>> {
        let look = || {
            let ready = Ready::new(end.file.clone(), events);
            Op::new(Rc::clone(&self.reactor), ready)
        };
        end.can_wait().then(look)
    }

    fn transfer(&self, turns: (Turn<T>, Turn<()>)) -> Op<Transfer<T>> {
        let job = self.job().clone();
        let transfer = Transfer { job, turns };
        Op::new(Rc::clone(&self.reactor), transfer)
    }

    /// `None` if it has to wait again. Not if there was no worker thread: that is `EAGAIN` as well.
    fn outcome(&self, completion: Completion) -> Option<io::Result<usize>> {
        let result = completion.result().map(|count| count as usize);
        let blocks = result
            .as_ref()
            .is_err_and(|error| error.raw_os_error() == Some(libc::EAGAIN));
        if !blocks || completion.was_not_begun() {
            return Some(result);
        }
        self.is_cancelled
            .then(|| Err(io::Error::from_raw_os_error(libc::ECANCELED)))
    }

    fn take_stage(&mut self) -> Stage<T> {
        std::mem::replace(&mut self.stage, Stage::Over)
    }
}

/// Whether an end is ready. Its events do not matter: the operation finds the errors.
fn poll_look(
    look: &mut Option<Op<Ready<Descriptor>>>,
    context: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    match look {
        Some(look) => Pin::new(look).poll(context).map_ok(drop),
        None => Poll::Ready(Ok(())),
    }
}

impl<T: 'static> Future for SpliceInTurn<T> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if matches!(this.stage, Stage::New(_))
            && let Some(known) = this.known()
        {
            this.stage = known;
        }
        loop {
            // Each arm leaves the stage as it is while it is pending.
            match &mut this.stage {
                Stage::New(queued) => {
                    this.stage = match ready!(queued.poll(false, context)) {
                        Some(turn) => this.with_source(turn),
                        None => Stage::failed(libc::EBUSY),
                    };
                }
                Stage::SourceReady(_, look) => {
                    let looked = ready!(poll_look(look, context));
                    let Stage::SourceReady(turn, _) = this.take_stage() else {
                        unreachable!("it was matched")
                    };
                    this.stage = match looked {
                        Ok(()) => Stage::TargetTurn(turn, this.target_queue()),
                        Err(error) => Stage::Decided(Err(error)),
                    };
                }
                Stage::TargetTurn(_, queued) => {
                    let target = ready!(queued.poll(false, context));
                    let Stage::TargetTurn(source, _) = this.take_stage() else {
                        unreachable!("it was matched")
                    };
                    this.stage = match target {
                        Some(target) => Stage::TargetReady(
                            (source, target),
                            this.look(&this.job().target, WRITABLE),
                        ),
                        None => Stage::failed(libc::EBUSY),
                    };
                }
                Stage::TargetReady(_, look) => {
                    let looked = ready!(poll_look(look, context));
                    let Stage::TargetReady(turns, _) = this.take_stage() else {
                        unreachable!("it was matched")
                    };
                    this.stage = match looked {
                        Ok(()) => Stage::Moving(this.transfer(turns)),
                        Err(error) => Stage::Decided(Err(error)),
                    };
                }
                Stage::Moving(transfer) => {
                    let Transferred { completion, turns } =
                        ready!(Pin::new(transfer).poll(context));
                    if let Some(result) = this.outcome(completion) {
                        this.stage = Stage::Over;
                        this.job = None;
                        return Poll::Ready(result);
                    }
                    this.stage =
                        Stage::SourceReady(turns.0, this.look(&this.job().source, READABLE));
                }
                Stage::Decided(_) => {
                    ready!(budget::spend(context));
                    let Stage::Decided(result) = this.take_stage() else {
                        unreachable!("it was matched")
                    };
                    this.job = None;
                    return Poll::Ready(result);
                }
                Stage::Over => panic!("an operation was polled after it had completed"),
            }
        }
    }
}
