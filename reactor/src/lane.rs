//! One direction of a descriptor, in which operations go one after another, and what those that were dropped have left behind.
//!
//! A future that is dropped leaves its operation to the kernel for a moment longer: the cancel may come too late, and then it has read
//! bytes, or accepted a connection, for nobody. Two rules make dropping it harmless. The next operation of the same direction
//! does not start before that one has ended, so nothing overtakes anything. And what that one brought is kept here, for the next to
//! begin with. [`InTurn`](crate::operation::InTurn) and [`StreamInTurn`](crate::operation::StreamInTurn) are the futures that follow
//! them; sockets, listeners and pipes have a lane for each direction.
//!
//! | holder    | meaning                                                        | another operation             |
//! |-----------|----------------------------------------------------------------|-------------------------------|
//! | `Nobody`  | free, and nobody waits                                         | takes its turn                |
//! | `Granted` | the turn was given to the first that waited, which was woken   | waits behind the others       |
//! | `Future`  | a one-shot operation whose future is alive                     | waits behind the others       |
//! | `Stream`  | a multishot operation whose stream is alive                    | is refused, `EBUSY`: it would wait for as long as that lives |
//! | `Orphan`  | an operation whose future or stream was dropped                | waits behind the others       |
//!
//! The turn is handed over, not up for grabs: so operations begin in the order in which they were first polled, and a task that never stops
//! writing does not keep the others from it.

use crate::waiters::{Left, Place, Waiters};
use std::cell::{Cell, OnceCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::{fmt, io};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Nobody,
    Granted,
    Future,
    Stream,
    Orphan,
}

/// What becomes of one that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grant {
    Turn,
    /// A stream was before it, and has the lane for itself.
    Refusal,
}

/// Where an operation without a turn gets its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtOnce {
    /// From what dropped operations have left.
    TakeKept,
    AskKernel,
}

/// One direction of a descriptor. `T` is what is kept of dropped operations: bytes, datagrams, connections; nothing (`()`) of writes.
pub struct Lane<T> {
    holder: Cell<Holder>,
    /// How many watches of the descriptor were dropped in flight: see [`Watcher`].
    dropped_watches: Cell<u32>,
    /// On the heap when somebody first waits, for mostly nobody does.
    queues: OnceCell<Box<Queues>>,
    /// On the heap when there is something, for mostly there is nothing.
    remains: Cell<Option<Box<Remains<T>>>>,
}

/// Those that wait.
#[derive(Default)]
struct Queues {
    /// For their turn.
    turns: Waiters<(), Grant>,
    /// For something to be kept. They have no turn: see [`Watch`](crate::operation::Watch).
    watchers: Waiters<(), ()>,
}

/// What dropped operations have left.
struct Remains<T> {
    kept: VecDeque<T>,
    /// An error that one was told of: the kernel tells it once. It comes after what was kept.
    error: Option<i32>,
}

impl<T> Lane<T> {
    /// A lane that nobody is in.
    pub fn new() -> Rc<Self> {
        Rc::new(Self {
            holder: Cell::new(Holder::Nobody),
            dropped_watches: Cell::new(0),
            queues: OnceCell::new(),
            remains: Cell::default(),
        })
    }

    /// Whether nothing is in flight, and nothing is kept that would be lost with the lane.
    pub fn is_idle(&self) -> bool {
        self.holder.get() == Holder::Nobody && !self.has_remains()
    }

    /// Whether the operation in flight, if there is one, was dropped, and no other future or stream can begin one. To be asked by the owner of
    /// the descriptor, who has the one reference that is not theirs.
    pub fn is_abandoned(self: &Rc<Self>) -> bool {
        let orphans = usize::from(self.holder.get() == Holder::Orphan);
        Rc::strong_count(self) == 1 + orphans + self.dropped_watches.get() as usize
    }

    /// Whether an operation that was dropped is in flight.
    pub fn has_orphan(&self) -> bool {
        self.holder.get() == Holder::Orphan || self.dropped_watches.get() > 0
    }

    /// What an operation without a turn has to do, if it must not wait. Nothing may run between this and what it says.
    ///
    /// # Errors
    /// `WouldBlock` while an operation is in flight or waits for its turn, since what that receives comes first; `EBUSY` while a stream has the
    /// lane for itself; an error that a dropped operation was told of.
    pub(crate) fn at_once(&self) -> io::Result<AtOnce> {
        let holder = self.holder.get();
        if holder == Holder::Stream {
            return Err(io::Error::from_raw_os_error(libc::EBUSY));
        }
        if self.with_kept(|kept| !kept.is_empty()) {
            return Ok(AtOnce::TakeKept);
        }
        if holder != Holder::Nobody {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        match self.take_kept_error() {
            Some(code) => Err(io::Error::from_raw_os_error(code)),
            None => Ok(AtOnce::AskKernel),
        }
    }

    /// Whether dropped operations have left something, or an error.
    pub(crate) fn has_remains(&self) -> bool {
        self.with_remains(|remains| !remains.kept.is_empty() || remains.error.is_some())
    }

    /// Waits until nothing is in flight, and nobody who asked before waits. Dropped, it has changed nothing.
    pub async fn settled(self: &Rc<Self>) {
        let mut queued = Queued::new(Rc::clone(self));
        // `None`: a stream has it for as long as it likes.
        drop(poll_fn(|context| queued.poll(false, context)).await);
    }

    /// What dropped operations have left, oldest first. Only for whose turn it is.
    pub(crate) fn with_kept<U>(&self, look: impl FnOnce(&mut VecDeque<T>) -> U) -> U {
        self.with_remains(|remains| look(&mut remains.kept))
    }

    pub(crate) fn take_kept_error(&self) -> Option<i32> {
        self.with_remains(|remains| remains.error.take())
    }

    /// A dropped operation has ended: `keep` adds what it has brought.
    pub(crate) fn keep(&self, keep: impl FnOnce(&mut VecDeque<T>)) {
        self.with_kept(keep);
        self.tell_watchers();
    }

    pub(crate) fn keep_error(&self, code: i32) {
        self.with_remains(|remains| remains.error = Some(code));
        self.tell_watchers();
    }

    fn tell_watchers(&self) {
        if let Some(queues) = self.queues.get() {
            queues.watchers.grant_all(());
        }
    }

    /// They are taken out meanwhile: `look` may run foreign code, which may look at the lane.
    fn with_remains<U>(&self, look: impl FnOnce(&mut Remains<T>) -> U) -> U {
        /// Puts them back, whatever the foreign code does.
        struct Taken<'a, T>(&'a Lane<T>, Remains<T>);

        impl<T> Drop for Taken<'_, T> {
            fn drop(&mut self) {
                let error = self.1.error.take();
                if !self.1.kept.is_empty() || error.is_some() {
                    let kept = std::mem::take(&mut self.1.kept);
                    self.0.remains.set(Some(Box::new(Remains { kept, error })));
                }
            }
        }

        let none = || Remains {
            kept: VecDeque::new(),
            error: None,
        };
        let remains = self.remains.take().map_or_else(none, |remains| *remains);
        look(&mut Taken(self, remains).1)
    }

    fn queues(&self) -> &Queues {
        self.queues.get_or_init(Box::default)
    }

    /// A turn is over: it is the next one's.
    fn pass_on(&self) {
        match self.queues.get() {
            Some(queues) if !queues.turns.is_empty() => {
                // Before it is woken: whoever its waker runs waits behind it.
                self.holder.set(Holder::Granted);
                queues.turns.grant_first(Grant::Turn);
            }
            _ => self.holder.set(Holder::Nobody),
        }
    }
}

impl<T> fmt::Debug for Lane<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Lane")
            .field("holder", &self.holder.get())
            .finish_non_exhaustive()
    }
}

/// The right to have an operation in flight in this lane; its drop ends the turn.
pub(crate) struct Turn<T>(Rc<Lane<T>>);

impl<T> Turn<T> {
    fn begin(lane: &Rc<Lane<T>>, for_stream: bool) -> Self {
        let turn = Self(Rc::clone(lane));
        if for_stream {
            lane.holder.set(Holder::Stream);
            if let Some(queues) = lane.queues.get() {
                queues.turns.grant_all(Grant::Refusal);
            }
        } else {
            lane.holder.set(Holder::Future);
        }
        turn
    }

    pub(crate) fn lane(&self) -> &Rc<Lane<T>> {
        &self.0
    }
}

impl<T> Drop for Turn<T> {
    fn drop(&mut self) {
        self.0.pass_on();
    }
}

/// The future or stream of the operation in flight is gone; the kernel may not know yet.
pub(crate) fn abandoned<T>(lane: &Lane<T>) {
    if matches!(lane.holder.get(), Holder::Future | Holder::Stream) {
        lane.holder.set(Holder::Orphan);
    }
}

/// One that wants its turn, and waits for it from its first poll on; its drop gives that up.
pub(crate) struct Queued<T> {
    lane: Rc<Lane<T>>,
    place: Place,
}

impl<T> Queued<T> {
    pub(crate) fn new(lane: Rc<Lane<T>>) -> Self {
        Self { lane, place: None }
    }

    pub(crate) fn lane(&self) -> &Rc<Lane<T>> {
        &self.lane
    }

    /// The turn, when it has come; `None` if a stream has the lane for itself. `for_stream` says for how long it is to be: see the table above.
    pub(crate) fn poll(
        &mut self,
        for_stream: bool,
        context: &mut Context<'_>,
    ) -> Poll<Option<Turn<T>>> {
        if self.place.is_none() {
            match self.lane.holder.get() {
                Holder::Nobody => return Poll::Ready(Some(Turn::begin(&self.lane, for_stream))),
                Holder::Stream => return Poll::Ready(None),
                Holder::Granted | Holder::Future | Holder::Orphan => {}
            }
        }
        let waiters = &self.lane.queues().turns;
        let mut waited = waiters.wait(&mut self.place, (), context);
        if waited.is_pending() && self.lane.holder.get() == Holder::Nobody {
            // It came free while the waker was cloned, and nobody was there to be granted it.
            self.lane.pass_on();
            waited = waiters.wait(&mut self.place, (), context);
        }
        match ready!(waited) {
            Grant::Turn => Poll::Ready(Some(Turn::begin(&self.lane, for_stream))),
            Grant::Refusal => Poll::Ready(None),
        }
    }
}

impl<T> Drop for Queued<T> {
    fn drop(&mut self) {
        if self.place.is_some()
            && self.lane.queues().turns.leave(&mut self.place) == Left::Granted(Grant::Turn)
        {
            self.lane.pass_on();
        }
    }
}

/// One that watches a descriptor from beside the lane: it has no turn, holds nobody up, and is told when something is kept.
///
/// Its operation holds the lane until the kernel has answered. Once the future has gone, that is no reason to keep the lane
/// ([`Lane::is_abandoned`]), so it is counted from then on.
pub(crate) struct Watcher<T> {
    lane: Rc<Lane<T>>,
    is_dropped: Cell<bool>,
}

impl<T> Watcher<T> {
    pub(crate) fn new(lane: Rc<Lane<T>>) -> Self {
        Self {
            lane,
            is_dropped: Cell::new(false),
        }
    }

    /// The future has gone, and the kernel has the operation.
    pub(crate) fn dropped(&self) {
        self.is_dropped.set(true);
        let dropped = &self.lane.dropped_watches;
        dropped.set(dropped.get() + 1);
    }
}

impl<T> Drop for Watcher<T> {
    fn drop(&mut self) {
        if self.is_dropped.get() {
            let dropped = &self.lane.dropped_watches;
            dropped.set(dropped.get() - 1);
        }
    }
}

/// A place among those that are told when something is kept; its drop gives it up.
pub(crate) struct Watching<T> {
    lane: Rc<Lane<T>>,
    place: Place,
}

impl<T> Watching<T> {
    pub(crate) fn new(lane: Rc<Lane<T>>) -> Self {
        Self { lane, place: None }
    }

    pub(crate) fn lane(&self) -> &Rc<Lane<T>> {
        &self.lane
    }

    /// Ready when something was kept, by now or since the first poll.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let watchers = &self.lane.queues().watchers;
        ready!(watchers.wait(&mut self.place, (), context));
        Poll::Ready(())
    }
}

impl<T> Drop for Watching<T> {
    fn drop(&mut self) {
        if self.place.is_some() {
            let _ = self.lane.queues().watchers.leave(&mut self.place);
        }
    }
}
