//! One core's reactor: operations go in, wakers come out, and the owner sleeps here when it has nothing to do.
//!
//! Owned by one thread and called from nowhere else. While foreign code runs (a waker, the drop of a buffer) nothing here is
//! borrowed, so it may start or drop operations. Nothing blocks but [`Reactor::wait`], and that never with an entry unsubmitted.

use crate::buffers::{Registry, Table};
use crate::cancels::Cancels;
use crate::capabilities::{Capabilities, Feature};
use crate::contain::contain_panic;
use crate::doorbell::{Doorbell, Word};
use crate::fork::Origin;
use crate::header::HeaderLine;
use crate::kernel_wake::KernelWake;
use crate::monitor::Monitor;
use crate::operation::{Completion, Orphan};
use crate::patience::Patience;
use crate::ring::{Entered, Ring, Wait};
use crate::setup::SetupError;
use crate::slots::{Abandoned, Awaits, Delivery, Key, Next, Slots};
use crate::workers::Workers;
use io_uring::{opcode, squeue, types};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};
use std::{error, fmt};

/// User data of the standing poll on the wake's eventfd. No [`Key`] has it: an index is below `u32::MAX`.
const WAKE: u64 = u64::MAX;
/// User data of cancels, whose outcome interests nobody.
const CANCEL: u64 = u64::MAX - (1 << 32);

/// Entries of the submission queue. More than one turn usually makes, few enough to stay in the cache (64 bytes each).
const SQ_ENTRIES: u32 = 256;
/// Entries of the completion queue (16 bytes each): sixteen turns' worth before the kernel has to keep them elsewhere.
const CQ_ENTRIES: u32 = 4096;
/// Completions copied out at a time, so that the ring is not borrowed while their wakers run.
const BATCH: usize = 32;
/// From so many unsubmitted entries on, one for storage does not wait for the turn. A core that collected a turn's worth of reads would leave
/// the device idle until the last is prepared, for the kernel passes a batch on as a whole (`blk_start_plug` in `io_submit_sqes`). With 32 reads of
/// 4 KiB in flight that was a fifth of the rate; 1, 2 and 4 made no difference, 8 cost some of it again (`benches`, files).
const STORAGE_BATCH: u32 = 4;
/// Enters in one turn. Each drains some 20 deferred items (`IO_LOCAL_TW_DEFAULT_MAX`), so this many keep up with a full batch of
/// submissions, and a flag that stays set for no reason cannot hold the core.
const ENTERS_PER_TURN_MAX: usize = 16;

/// When what was cancelled, and has not ended, is cancelled again at the end of a reactor. A worker thread of the kernel that is just taking a request
/// up forgets the signal by which a cancel means to interrupt it (Linux 6.1, `io_assign_current_work` in io-wq.c), and blocks.
const CANCELLING_AGAIN: Duration = Duration::from_millis(20);

/// How long a completion may stand in the queue unseen by a core that watches another line than the tail's: about the limit that Linux gives
/// each UMWAIT anyway. Only the kernel's worker threads complete so, and only on older kernels (see [`HeaderLine`]).
const UNSEEN_MAX: Duration = Duration::from_micros(50);

/// Asks a slot what it has for its owner: [`Slots::poll`] or [`Slots::poll_next`].
type PollSlots = fn(&mut Slots, Key, &Waker) -> Next;

/// One core's io_uring with its operations in flight. Neither `Send` nor `Sync`.
///
/// It belongs to the process that made it. In a forked child nothing of it reaches the ring, which is the parent's: to begin an operation, or to poll
/// one that is in flight, panics; [`turn`](Self::turn), [`wait`](Self::wait), [`shutdown`](Self::shutdown) and drops do nothing.
pub struct Reactor {
    origin: Origin,
    ring: RefCell<Ring>,
    slots: RefCell<Slots>,
    pools: Registry,
    table: Table,
    workers: Workers,
    capabilities: Capabilities,
    /// Entries that found the submission queue full. They are always older than what comes next, so order is kept.
    backlog: RefCell<VecDeque<squeue::Entry>>,
    cancels: RefCell<Cancels>,
    /// Whether there are any: looked at in every turn, and mostly not.
    has_cancels: Cell<bool>,
    wake: Arc<KernelWake>,
    wake_is_armed: Cell<bool>,
    is_closing: Cell<bool>,
    is_delivering: Cell<bool>,
    /// Whether `cq_flags` may be the doorbell.
    can_lend_cq_flags: bool,
}

impl fmt::Debug for Reactor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reactor").finish_non_exhaustive()
    }
}

/// The kernel did not finish these operations in the time given. What they point to was leaked, for the kernel may still write there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShutdownError {
    /// The operations that are still in flight: their kinds, and how many there are of each.
    pub in_flight: Vec<(&'static str, usize)>,
}

impl fmt::Display for ShutdownError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count: usize = self.in_flight.iter().map(|(_, count)| count).sum();
        write!(formatter, "{count} operations did not end when cancelled:")?;
        for (number, (kind, count)) in self.in_flight.iter().enumerate() {
            let separator = if number == 0 { "" } else { "," };
            write!(formatter, "{separator} {count} {kind}")?;
        }
        formatter.write_str(
            ". Their buffers were leaked, and their descriptors stay open, since the kernel may still use them",
        )
    }
}

impl error::Error for ShutdownError {}

impl Reactor {
    /// A reactor for the calling thread, which `wake` wakes from [`wait`](Self::wait).
    ///
    /// # Errors
    /// The ring could not be made; the error says what to do.
    pub fn new(capabilities: Capabilities, wake: Arc<KernelWake>) -> Result<Self, SetupError> {
        Self::with_entries(capabilities, wake, SQ_ENTRIES, CQ_ENTRIES)
    }

    /// The same with queues of other sizes, in entries.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn with_entries(
        capabilities: Capabilities,
        wake: Arc<KernelWake>,
        sq_entries: u32,
        cq_entries: u32,
    ) -> Result<Self, SetupError> {
        let reactor = Self {
            origin: Origin::here(),
            ring: RefCell::new(Ring::new(capabilities, sq_entries, cq_entries)?),
            slots: RefCell::new(Slots::new()),
            pools: Registry::default(),
            table: Table::default(),
            workers: Workers::default(),
            capabilities,
            backlog: RefCell::new(VecDeque::new()),
            cancels: RefCell::default(),
            has_cancels: Cell::new(false),
            wake,
            wake_is_armed: Cell::new(false),
            is_closing: Cell::new(false),
            is_delivering: Cell::new(false),
            can_lend_cq_flags: capabilities.shows_completions_by_flag()
                || capabilities.has(Feature::OneLineHeader),
        };
        reactor.apply_worker_limit();
        reactor.arm_wake();
        Ok(reactor)
    }

    /// What the kernel has, and what was chosen.
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// The pools that completions bring buffers of.
    pub(crate) fn pools(&self) -> &Registry {
        &self.pools
    }

    /// The memory that is registered with the ring.
    pub(crate) fn table(&self) -> &Table {
        &self.table
    }

    /// The limit on the kernel's worker threads.
    pub(crate) fn workers(&self) -> &Workers {
        &self.workers
    }

    /// Whether this is the process that it was made in. In a forked child nobody turns it.
    #[inline]
    pub fn is_here(&self) -> bool {
        self.origin.is_here()
    }

    /// Calls `act` with the ring, to register something with it.
    ///
    /// # Panics
    /// In a forked child.
    pub(crate) fn with_submitter<T>(&self, act: impl FnOnce(io_uring::Submitter<'_>) -> T) -> T {
        self.origin.expect_here("a ring");
        act(self.ring.borrow().submitter())
    }

    /// Submits a one-shot operation whose completion will wake `waker`. If the reactor is closing it is not submitted, and the
    /// completion that says so is returned instead.
    ///
    /// # Safety
    /// What `entry` points to stays valid and untouched until the completion, or is given to [`adopt`](Self::adopt).
    pub(crate) unsafe fn start(
        &self,
        entry: squeue::Entry,
        awaits: Awaits,
        waker: &Waker,
    ) -> Result<Key, Completion> {
        let occupy = match awaits {
            Awaits::Descriptor => Slots::occupy,
            Awaits::Worker => Slots::occupy_queued,
            Awaits::WorkerAndOthers => Slots::occupy_queued_open_ended,
        };
        // SAFETY: passed on to the caller.
        unsafe { self.start_as(occupy, entry, waker) }
    }

    /// The same for a multishot operation.
    ///
    /// # Safety
    /// As for [`start`](Self::start), until the final completion.
    pub(crate) unsafe fn start_streaming(
        &self,
        entry: squeue::Entry,
        unfetched_max: usize,
        waker: &Waker,
    ) -> Result<Key, Completion> {
        let occupy = |slots: &mut Slots, waker| slots.occupy_streaming(unfetched_max, waker);
        // SAFETY: passed on to the caller.
        unsafe { self.start_as(occupy, entry, waker) }
    }

    /// # Safety
    /// As for [`start`](Self::start), until the final completion.
    unsafe fn start_as(
        &self,
        occupy: impl FnOnce(&mut Slots, Waker) -> Key,
        entry: squeue::Entry,
        waker: &Waker,
    ) -> Result<Key, Completion> {
        self.origin.expect_here("an operation");
        if self.is_closing.get() {
            return Err(Completion::cancelled());
        }
        let waker = waker.clone();
        let key = occupy(&mut self.slots.borrow_mut(), waker);
        self.push(entry.user_data(key.to_user_data()));
        Ok(key)
    }

    /// The completion of a one-shot operation, if it has come; else `waker` will be woken by it.
    pub(crate) fn poll(&self, key: Key, waker: &Waker) -> Poll<Completion> {
        let next = self.slots.borrow_mut().poll(key, waker);
        match self.go_on(key, waker, next, Slots::poll) {
            Next::Arrived(completion) => Poll::Ready(completion),
            _ => Poll::Pending,
        }
    }

    /// The next completion of a multishot operation, `None` after the last; else `waker` will be woken by it.
    pub(crate) fn poll_next(&self, key: Key, waker: &Waker) -> Poll<Option<Completion>> {
        let next = self.slots.borrow_mut().poll_next(key, waker);
        match self.go_on(key, waker, next, Slots::poll_next) {
            Next::Arrived(completion) => Poll::Ready(Some(completion)),
            Next::Finished => Poll::Ready(None),
            Next::Pending | Next::NeedsWaker => Poll::Pending,
        }
    }

    /// If the operation goes on, it will wake `waker`: not in a forked child, which will not hear of it.
    #[inline]
    fn go_on(&self, key: Key, waker: &Waker, next: Next, poll: PollSlots) -> Next {
        match next {
            Next::Arrived(_) | Next::Finished => next,
            Next::Pending => {
                self.origin.expect_here("an operation in flight");
                next
            }
            Next::NeedsWaker => {
                self.origin.expect_here("an operation in flight");
                self.change_waker(key, waker, poll)
            }
        }
    }

    /// Wakers are foreign code: they are cloned and dropped while the slots are not borrowed. Meanwhile a completion may be delivered (see
    /// [`hurry`](Self::hurry)), so the slot is asked again.
    fn change_waker(&self, key: Key, waker: &Waker, poll: PollSlots) -> Next {
        let fresh = waker.clone();
        let (next, unneeded) = {
            let mut slots = self.slots.borrow_mut();
            match poll(&mut slots, key, &fresh) {
                Next::NeedsWaker => (Next::Pending, slots.set_waker(key, fresh)),
                next => (next, Some(fresh)),
            }
        };
        drop(unneeded);
        next
    }

    pub(crate) fn abandon(&self, key: Key) -> Abandoned {
        self.slots.borrow_mut().abandon(key)
    }

    /// Takes over what an operation in flight points to, and cancels it.
    pub(crate) fn adopt(&self, key: Key, orphan: Orphan) {
        let unneeded_waker = self.slots.borrow_mut().keep_orphan(key, orphan);
        self.cancel(key);
        contain_panic("dropping a waker", || drop(unneeded_waker));
    }

    /// The same, and lets it take place.
    pub(crate) fn adopt_uncancelled(&self, key: Key, orphan: Orphan) {
        let unneeded_waker = self.slots.borrow_mut().keep_orphan(key, orphan);
        drop(unneeded_waker);
    }

    /// Has the kernel asked, in the next turn, to end an operation; its completion comes as any other.
    pub(crate) fn cancel(&self, key: Key) {
        self.slots.borrow_mut().note_cancel(key);
        self.has_cancels.set(true);
        self.cancels.borrow_mut().add(key);
    }

    fn arm_wake(&self) {
        let eventfd = types::Fd(self.wake.as_fd().as_raw_fd());
        self.wake_is_armed.set(true);
        self.push(
            opcode::PollAdd::new(eventfd, libc::POLLIN as u32)
                .multi(true)
                .build()
                .user_data(WAKE),
        );
    }

    /// Queues an entry for the next enter. Never enters by itself, so it may be called from anywhere on the core, however full the
    /// queue is.
    fn push(&self, entry: squeue::Entry) {
        let mut backlog = self.backlog.borrow_mut();
        if !backlog.is_empty() {
            backlog.push_back(entry);
            return;
        }
        // SAFETY: `start` and `start_streaming` have their callers' word for what the entry points to; the entries made here point
        // to nothing.
        let pushed = unsafe { self.ring.borrow_mut().push(&entry) };
        if !pushed {
            backlog.push_back(entry);
        }
    }

    /// To be called after an operation for a storage device was started: submits, without waiting or reaping, once there are a few.
    /// An error is left for the next turn to find.
    pub(crate) fn feed_storage(&self) {
        let mut ring = self.ring.borrow_mut();
        if ring.unsubmitted() >= STORAGE_BATCH {
            ring.submit();
        }
    }

    fn refill_from_backlog(&self, ring: &mut Ring) {
        let mut backlog = self.backlog.borrow_mut();
        while let Some(entry) = backlog.front() {
            // SAFETY: as in `push`.
            if !unsafe { ring.push(entry) } {
                break;
            }
            backlog.pop_front();
        }
    }

    /// Puts a batch of cancels into the queue, if what they are to cancel is with the kernel, or before them in the queue.
    fn push_cancels(&self, ring: &mut Ring, is_holding: bool) {
        if !self.has_cancels.get() || !self.backlog.borrow().is_empty() {
            return;
        }
        let mut cancels = self.cancels.borrow_mut();
        let slots = self.slots.borrow();
        while let Some(key) = cancels.next(&slots, is_holding) {
            let cancel = opcode::AsyncCancel::new(key.to_user_data()).build();
            // SAFETY: the entry points to nothing.
            if !unsafe { ring.push(&cancel.user_data(CANCEL)) } {
                return cancels.put_back(key);
            }
        }
        self.has_cancels.set(!cancels.is_empty());
    }

    /// Submits and reaps without waiting: one enter where there is something to submit or the kernel asks for it, none otherwise.
    /// Returns how many completions came.
    pub fn turn(&self) -> usize {
        let is_holding = self.has_cancels.get() && self.cancels.borrow_mut().hold();
        self.turn_and(is_holding)
    }

    fn turn_and(&self, is_holding: bool) -> usize {
        let mut completions = self.reap();
        for enters in 0..ENTERS_PER_TURN_MAX {
            let entered = {
                let mut ring = self.ring.borrow_mut();
                self.refill_from_backlog(&mut ring);
                // A batch a turn, and others when the kernel has done with the one before: see `cancels`.
                if enters == 0 || !ring.header().wants_enter() {
                    self.push_cancels(&mut ring, is_holding);
                }
                if ring.unsubmitted() == 0 && !ring.header().wants_enter() {
                    break;
                }
                ring.enter(Wait::No)
            };
            let reaped = self.reap();
            completions += reaped;
            // Nothing taken up and nothing prepared: the flag is stale, or the kernel is out of memory. The next turn tries again.
            let took_up = matches!(entered, Entered::Submitted(count) if count > 0);
            if reaped == 0 && !took_up {
                break;
            }
        }
        completions
    }

    /// Has cancels take effect before the owner's next turn: for the drop of what others may ask for at once, the address of a listener.
    ///
    /// May be called from a task, or from a drop. Does nothing while a completion is being delivered, since those behind it would overtake it; the
    /// turn goes on soon then.
    pub fn hurry(&self) {
        if !self.is_delivering.get() {
            self.turn_and(false);
        }
    }

    /// Submits everything and waits for a completion or a wake, at most for `limit` (`None`: for ever), then reaps. May return
    /// early, for a signal or for no reason.
    ///
    /// The caller must have told the others that it blocks, and looked at all they can have sent, before (see [`crate::park`]).
    pub fn wait(&self, limit: Option<Duration>) -> usize {
        // More than fits into the queue is submitted first, so that only the last enter waits.
        if self.has_more_than_fits() {
            let completions = self.turn_and(false);
            let is_stuck = self.has_more_than_fits();
            if is_stuck && completions == 0 {
                // The kernel has no memory for requests: let others run before the caller asks again.
                std::thread::yield_now();
            }
            if is_stuck || completions > 0 {
                return completions;
            }
        }
        let completions = self.reap();
        if completions > 0 {
            return completions;
        }
        let entered = self.ring.borrow_mut().enter(Wait::AtMost(limit));
        if entered == Entered::Busy {
            std::thread::yield_now();
        }
        self.reap()
    }

    fn has_more_than_fits(&self) -> bool {
        self.has_cancels.get() || !self.backlog.borrow().is_empty()
    }

    fn has_unsubmitted(&self, ring: &Ring) -> bool {
        ring.unsubmitted() > 0 || self.has_more_than_fits()
    }

    /// Whether [`turn`](Self::turn) would find something to do: for a core that spins before it waits.
    #[inline]
    pub fn has_work(&self) -> bool {
        let ring = self.ring.borrow();
        ring.header().has_completions()
            || ring.header().wants_enter()
            || self.has_unsubmitted(&ring)
    }

    /// How others end this reactor's watching, if its line can be watched.
    pub fn doorbell(&self) -> Option<Doorbell> {
        let doorbell = self.ring.borrow().header().doorbell();
        // On an older kernel, which this may be made to look like, `cq_flags` is not beside the tail.
        doorbell.filter(|doorbell| {
            // In software the reserved word stands in for `cq_flags` (see `header.rs`).
            let is_own = doorbell.kind() == Word::Reserved && !cfg!(emulate_waitpkg);
            is_own || self.can_lend_cq_flags
        })
    }

    /// Begins to watch the header line: what the kernel posts, and the doorbell. To be followed by a look at everything, this reactor
    /// [included](Self::has_work), before [`watch`](Self::watch). Nothing may be submitted or reaped in between: that would store to
    /// the line.
    #[inline]
    pub fn arm(&self, monitor: Monitor) {
        monitor.arm(self.ring.borrow().header().watched());
    }

    /// Waits for a store to the line, at most for `limit`. May end for no reason. Nothing may be unsubmitted: it would be for as long.
    #[inline]
    pub fn watch(&self, monitor: Monitor, limit: Duration) {
        let ring = self.ring.borrow();
        debug_assert!(
            !self.has_unsubmitted(&ring),
            "an entry waits to be submitted while its core watches"
        );
        let shows_all = ring.header().watched_shows_tail();
        monitor.wait(if shows_all {
            limit
        } else {
            limit.min(UNSEEN_MAX)
        });
    }

    /// How many operations the kernel has not finished, orphans included.
    pub fn in_flight(&self) -> usize {
        self.slots.borrow().in_flight()
    }

    /// Whether an operation is in flight that ends by itself: work on files and paths. Looks at every slot.
    pub fn has_work_in_flight(&self) -> bool {
        self.slots.borrow().has_work_in_flight()
    }

    /// Calls `look` with the ring's header line. It must not start or drop operations: the ring is borrowed.
    pub fn with_header<T>(&self, look: impl FnOnce(&HeaderLine) -> T) -> T {
        look(self.ring.borrow().header())
    }

    /// Delivers what stands in the completion queue: one queue's worth at most, since where the kernel interrupts us to post, more may
    /// come for ever.
    fn reap(&self) -> usize {
        let mut total = 0;
        while total < CQ_ENTRIES as usize && self.ring.borrow().header().has_completions() {
            let mut batch = [const { None }; BATCH];
            let count = self.ring.borrow_mut().pop(&mut batch);
            self.is_delivering.set(true);
            for entry in batch.into_iter().take(count).flatten() {
                self.deliver(entry.user_data(), Completion::from_entry(&entry));
            }
            self.is_delivering.set(false);
            total += count;
            if count < BATCH {
                break;
            }
        }
        if !self.wake_is_armed.get() && !self.is_closing.get() {
            self.arm_wake();
        }
        total
    }

    fn deliver(&self, user_data: u64, completion: Completion) {
        match user_data {
            CANCEL => return,
            // The multishot poll ends when the completion queue overflows, among other things.
            WAKE => return self.wake_is_armed.set(completion.has_more()),
            _ => {}
        }
        let completion = match completion.buffer() {
            Some(_) => self.pools.place(completion),
            None => completion,
        };
        let key = Key::from_user_data(user_data);
        let completion = if completion.was_given_up() && !self.was_cancelled(key) {
            completion.of_uncancelled()
        } else {
            completion
        };
        let delivery = self.slots.borrow_mut().complete(key, completion);
        match delivery {
            Delivery::Nothing => {}
            Delivery::Stray => {
                crate::log!(warn, user_data, "a completion that belongs to nobody");
            }
            Delivery::Wake(waker) => contain_panic("a waker", || waker.wake()),
            Delivery::Pause(waker) => {
                self.cancel(key);
                if let Some(waker) = waker {
                    contain_panic("a waker", || waker.wake());
                }
            }
            Delivery::ToOrphan(mut orphan) => {
                contain_panic("dropping what a cancelled operation yielded", || {
                    orphan.discard(completion);
                });
            }
            Delivery::ToOrphanAtLast(orphan) => {
                contain_panic("dropping a cancelled operation", || {
                    orphan.finish(completion);
                });
            }
        }
    }

    /// Whether an operation was cancelled by us.
    fn was_cancelled(&self, key: Key) -> bool {
        self.is_closing.get() || self.slots.borrow_mut().was_cancelled(key)
    }

    /// Cancels everything and reaps until the kernel has let go of it all. Operations started from now on end at once, as cancelled. In a forked child
    /// it leaves everything to the parent.
    ///
    /// # Errors
    /// The kernel did not answer within `limit`. What is in flight is leaked, never freed.
    pub fn shutdown(&self, limit: Duration) -> Result<(), ShutdownError> {
        self.is_closing.set(true);
        // `None`: beyond what the clock can count.
        let deadline = Instant::now().checked_add(limit);
        self.cancel_all();
        let mut cancelled = Instant::now();
        let mut patience = Patience::new();
        while self.in_flight() > 0 && self.is_here() {
            if let Some(waited) = patience.ran_out() {
                let in_flight = self.in_flight();
                crate::log!(
                    warn,
                    in_flight,
                    ?waited,
                    "the shutdown of a reactor waits for the kernel to give cancelled operations back"
                );
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                let error = ShutdownError {
                    in_flight: self.slots.borrow().kinds_in_flight(),
                };
                crate::log!(error, %error, "reactor shut down");
                return Err(error);
            }
            self.turn_and(false);
            if self.in_flight() > 0 {
                let limit = left.map_or(CANCELLING_AGAIN, |left| left.min(CANCELLING_AGAIN));
                self.wait(Some(limit));
                // Those that the kernel has not taken yet are enough.
                let is_taken = !self.has_unsubmitted(&self.ring.borrow());
                if is_taken && cancelled.elapsed() >= CANCELLING_AGAIN {
                    self.cancel_all();
                    cancelled = Instant::now();
                }
            }
        }
        Ok(())
    }

    fn cancel_all(&self) {
        let keys = self.slots.borrow().keys_in_flight();
        self.has_cancels.set(true);
        self.cancels.borrow_mut().replace(keys);
    }
}

impl Drop for Reactor {
    fn drop(&mut self) {
        /// An owner that wants another limit calls [`Reactor::shutdown`] itself.
        const LIMIT: Duration = Duration::from_secs(5);
        // What an earlier shutdown did not get back it has given up.
        if self.in_flight() > 0 && !self.is_closing.get() {
            // The error was reported where it arose; the buffers stay leaked.
            let _ = self.shutdown(LIMIT);
        }
    }
}
