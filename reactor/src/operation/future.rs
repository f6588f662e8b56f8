//! The futures of operations: they own what the kernel reads and writes, and see to it when they are dropped.

use super::{Completion, Multishot, Operation, Orphan};
use crate::budget;
use crate::reactor::Reactor;
use crate::slots::{Abandoned, Awaits, Key};
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::ptr::NonNull;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

/// An operation on the heap, at the place the kernel knows. A raw pointer, because the kernel shares it while it is in flight.
struct Placed<O>(NonNull<O>);

impl<O> Placed<O> {
    fn new(operation: O) -> Self {
        Self(NonNull::from(Box::leak(Box::new(operation))))
    }

    /// # Safety
    /// The kernel does not have the operation, and nobody takes it a second time.
    unsafe fn take(&mut self) -> O {
        // SAFETY: it came from a box; by the caller's word it is ours alone, and this is its last use.
        *unsafe { Box::from_raw(self.0.as_ptr()) }
    }
}

/// Where a future of either kind stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Not polled yet: the kernel knows nothing of it.
    New,
    /// Cancelled before the kernel knew of it.
    Withdrawn,
    /// The slot `Key` is ours.
    Started(Key),
    /// The same, and it was cancelled.
    GivenUp(Key),
    /// The outcome was given out, and the operation with it.
    Over,
}

/// The future of a one-shot operation.
///
/// It is submitted when first polled, on the core it was made on. **Dropped** before that, nothing has happened. Dropped later, the
/// operation is cancelled in the background: it may still take place, its outcome is released, and what it points to is kept until
/// the kernel is done with it. Who wants to know, and have the buffer back, [cancels](Self::cancel) it instead.
#[must_use = "an operation does nothing unless polled"]
pub struct Op<O: Operation> {
    reactor: Rc<Reactor>,
    operation: Placed<O>,
    stage: Stage,
    owns: PhantomData<O>,
}

// The future holds a pointer to the operation, never the operation itself.
impl<O: Operation> Unpin for Op<O> {}

impl<O: Operation> Op<O> {
    /// Prepares the operation; polling it submits it to `reactor`.
    pub fn new(reactor: Rc<Reactor>, operation: O) -> Self {
        Self {
            reactor,
            operation: Placed::new(operation),
            stage: Stage::New,
            owns: PhantomData,
        }
    }

    /// Submits the operation; ready if the reactor takes none any more.
    fn start(&mut self, waker: &Waker) -> Poll<Completion> {
        // SAFETY: the kernel does not have it, so nobody else has.
        let operation = unsafe { self.operation.0.as_mut() };
        let entry = operation.entry();
        let is_for_storage = operation.is_for_storage();
        let awaits = match (operation.is_queued(), operation.ends_by_itself()) {
            (false, _) => Awaits::Descriptor,
            (true, true) => Awaits::Worker,
            (true, false) => Awaits::WorkerAndOthers,
        };
        // SAFETY: the operation stays where it is, and is not touched, until its completion: it is owned by this future,
        // and by the slot when the future is dropped. `Operation` promises that the entry points to nothing else.
        match unsafe { self.reactor.start(entry, awaits, waker) } {
            Ok(key) => {
                self.stage = Stage::Started(key);
                if is_for_storage {
                    self.reactor.feed_storage();
                }
                Poll::Pending
            }
            Err(completion) => Poll::Ready(completion),
        }
    }

    /// The same again, for the kernel has ended the operation before it had done anything.
    fn repeat(&mut self, waker: &Waker) -> Poll<Completion> {
        // If that panics, there is nothing in flight.
        self.stage = Stage::New;
        // SAFETY: its final completion has come.
        if unsafe { self.operation.0.as_ref() }.is_repeatable() {
            self.start(waker)
        } else {
            Poll::Ready(Completion::failed(libc::EIO))
        }
    }

    /// Whether there is more to it than what this completion ends.
    fn goes_on(&mut self, completion: Completion) -> bool {
        // SAFETY: its final completion has come.
        unsafe { self.operation.0.as_mut() }.goes_on(completion)
    }

    /// The operation, if it has not begun and was not cancelled.
    pub(super) fn before_start(&mut self) -> Option<&mut O> {
        match self.stage {
            // SAFETY: not submitted yet, so nobody else has it.
            Stage::New => Some(unsafe { self.operation.0.as_mut() }),
            _ => None,
        }
    }

    /// The same, for good: the future is over.
    pub(super) fn take_back(&mut self) -> Option<O> {
        if self.stage != Stage::New {
            return None;
        }
        self.stage = Stage::Over;
        // SAFETY: not submitted; `Over` keeps it from being taken again.
        Some(unsafe { self.operation.take() })
    }

    /// Lets the operation take place with nobody waiting for it. Its outcome is released. It is cancelled at the reactor's end, if it has not ended by
    /// then.
    pub fn detach(mut self) {
        if self.stage == Stage::New {
            // If the reactor takes none any more, it is dropped.
            let _ = self.start(Waker::noop());
        }
        self.let_go(Reactor::adopt_uncancelled);
    }

    /// The future is over. `adopt` takes the operation over, if it is in flight.
    fn let_go(&mut self, adopt: fn(&Reactor, Key, Orphan)) {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Over => {}
            // SAFETY: the kernel never got it, and the future is over.
            Stage::New | Stage::Withdrawn => drop(unsafe { self.operation.take() }),
            Stage::Started(key) | Stage::GivenUp(key) => match self.reactor.abandon(key) {
                Abandoned::InFlight(came) => {
                    // SAFETY: it is where it was when it was started, and is freed by the orphan only.
                    unsafe { O::abandoned(self.operation.0) };
                    // SAFETY: it came from a box, and the future, which owned it, is over.
                    let mut orphan = unsafe { Orphan::one_shot(self.operation.0) };
                    // The first of two.
                    for completion in came {
                        orphan.discard(completion);
                    }
                    adopt(&self.reactor, key, orphan);
                }
                Abandoned::Ended(completions) => {
                    // SAFETY: its final completion has come, and the future is over.
                    let operation = unsafe { self.operation.take() };
                    if let Some(completion) = completions.into_iter().next() {
                        operation.release(completion);
                    }
                }
            },
        }
    }

    /// Asks the kernel to give the operation up. The same future then yields what became of it, soon: the buffer, and how much was
    /// transferred if the operation was done before the cancel got there, or else `ECANCELED`
    /// ([`raw_os_error`](std::io::Error::raw_os_error); the standard library has no kind for it), or `EINTR` if a worker thread of the kernel
    /// was blocked in it.
    ///
    /// An operation that was never polled has not begun, and will not.
    pub fn cancel(mut self) -> Self {
        match self.stage {
            Stage::New => self.stage = Stage::Withdrawn,
            Stage::Started(key) => {
                self.reactor.cancel(key);
                self.stage = Stage::GivenUp(key);
            }
            Stage::GivenUp(_) | Stage::Withdrawn | Stage::Over => {}
        }
        self
    }

    /// Whether the outcome was given out, so that it must not be polled again.
    pub fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }
}

impl<O: Operation> Future for Op<O> {
    type Output = O::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<O::Output> {
        let this = &mut *self;
        let completion = match this.stage {
            Stage::New => ready!(this.start(context.waker())),
            Stage::Started(key) => {
                let completion = ready!(this.reactor.poll(key, context.waker()));
                if completion.is_to_be_repeated() {
                    ready!(this.repeat(context.waker()))
                } else if this.goes_on(completion) {
                    this.stage = Stage::New;
                    ready!(this.start(context.waker()))
                } else {
                    completion
                }
            }
            Stage::GivenUp(key) => {
                let completion = ready!(this.reactor.poll(key, context.waker()));
                if this.goes_on(completion) {
                    Completion::cancelled()
                } else {
                    completion
                }
            }
            Stage::Withdrawn => {
                ready!(budget::spend(context));
                Completion::cancelled()
            }
            Stage::Over => panic!("an operation was polled after it had completed"),
        };
        this.stage = Stage::Over;
        // SAFETY: the final completion has come, or the kernel never got the entry; `Over` keeps it from being taken again.
        let operation = unsafe { this.operation.take() };
        Poll::Ready(operation.complete(completion))
    }
}

impl<O: Operation> Drop for Op<O> {
    fn drop(&mut self) {
        self.let_go(Reactor::adopt);
    }
}

/// The stream of a multishot operation.
///
/// It is submitted when first polled. After its last item, the one that the kernel said has nothing behind it, it yields `None`, and
/// so it does after it was paused (see [`Multishot::unfetched_max`]); make a new one to go on. **Dropped**, it is cancelled in the background, and what arrives meanwhile is released.
#[must_use = "an operation does nothing unless polled"]
pub struct OpStream<M: Multishot> {
    reactor: Rc<Reactor>,
    operation: Placed<M>,
    stage: Stage,
    owns: PhantomData<M>,
}

// As for `Op`.
impl<M: Multishot> Unpin for OpStream<M> {}

impl<M: Multishot> OpStream<M> {
    /// Prepares the operation; polling it submits it to `reactor`.
    pub fn new(reactor: Rc<Reactor>, operation: M) -> Self {
        Self {
            reactor,
            operation: Placed::new(operation),
            stage: Stage::New,
            owns: PhantomData,
        }
    }

    /// Whether `None` was given out.
    pub fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// The next item, or `None` when the kernel has ended the operation.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<M::Item>> {
        match self.stage {
            Stage::New => {
                // SAFETY: not submitted yet, so nobody else has it.
                let operation = unsafe { self.operation.0.as_mut() };
                let unfetched_max = operation.unfetched_max();
                let entry = operation.entry();
                let start = || {
                    // SAFETY: as in `Op::poll`, until the final completion.
                    unsafe {
                        self.reactor
                            .start_streaming(entry, unfetched_max, context.waker())
                    }
                };
                match start() {
                    Ok(key) => {
                        self.stage = Stage::Started(key);
                        Poll::Pending
                    }
                    Err(completion) => {
                        self.stage = Stage::Over;
                        // SAFETY: the kernel never got the entry; `Over` keeps it from being taken again.
                        let mut operation = unsafe { self.operation.take() };
                        Poll::Ready(Some(operation.item(completion)))
                    }
                }
            }
            Stage::Started(key) => {
                let next = budget::limit(context, |context| {
                    self.reactor.poll_next(key, context.waker())
                });
                match ready!(next) {
                    // It ends, as it may at any time; a new one goes on.
                    Some(completion) if completion.is_to_be_repeated() => self.poll_next(context),
                    Some(completion) => {
                        // SAFETY: the kernel may use what the operation points to, but not its bookkeeping, which `item` works on.
                        Poll::Ready(Some(unsafe { self.operation.0.as_mut() }.item(completion)))
                    }
                    None => {
                        self.stage = Stage::Over;
                        // SAFETY: the final completion has come; `Over` keeps it from being taken again.
                        drop(unsafe { self.operation.take() });
                        Poll::Ready(None)
                    }
                }
            }
            Stage::Withdrawn | Stage::GivenUp(_) => {
                unreachable!("streams are dropped, not cancelled")
            }
            Stage::Over => Poll::Ready(None),
        }
    }
}

impl<M: Multishot> Drop for OpStream<M> {
    fn drop(&mut self) {
        match self.stage {
            Stage::Over => {}
            // SAFETY: the kernel never got it, and the stream is going away.
            Stage::New | Stage::Withdrawn => drop(unsafe { self.operation.take() }),
            Stage::Started(key) | Stage::GivenUp(key) => match self.reactor.abandon(key) {
                Abandoned::InFlight(arrived) => {
                    for completion in arrived {
                        // SAFETY: as in `poll_next`.
                        unsafe { self.operation.0.as_mut() }.release_item(completion);
                    }
                    // SAFETY: it came from a box, and the stream, which owned it, is going away.
                    let orphan = unsafe { Orphan::multishot(self.operation.0) };
                    self.reactor.adopt(key, orphan);
                }
                Abandoned::Ended(arrived) => {
                    // SAFETY: the final completion has come, and the stream is going away.
                    let mut operation = unsafe { self.operation.take() };
                    for completion in arrived {
                        operation.release_item(completion);
                    }
                }
            },
        }
    }
}
