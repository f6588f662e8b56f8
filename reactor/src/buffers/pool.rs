//! What others see of a pool: [`BufPool`], and the buffers it gives out.
//!
//! Everything here belongs to the reactor's thread. A pool lives as long as somebody holds it, a buffer of it, or an operation in flight
//! that names it, and may outlive its reactor.

use super::{BufPoolError, BufferRing, Filling, Ledger, PoolOptions};
use crate::buf::{IoBuf, IoBufMut};
use crate::capabilities::Feature;
use crate::operation::Completion;
use crate::reactor::Reactor;
use crate::waiters::{Place, Waiters};
use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

/// A pool of receive buffers on one core. Clones are the same pool.
#[derive(Clone)]
pub struct BufPool(Rc<Shared>);

struct Shared {
    reactor: Weak<Reactor>,
    /// Taken out when the pool goes away.
    ring: Option<BufferRing>,
    ledger: RefCell<Ledger>,
    /// The number of its first buffer among all of the reactor's; also the name the kernel knows its ring by.
    base: u16,
    count: u16,
    buffer_bytes: u32,
    options: PoolOptions,
    /// The kernel takes buffers by itself.
    is_registered: bool,
    freed: Waiters<(), ()>,
}

impl BufPool {
    /// A pool for receives on `reactor`. Where the kernel has no rings of buffers it makes no difference to what the pool is, only to how it
    /// can be [used](Self::is_registered).
    ///
    /// # Errors
    /// See [`BufPoolError`].
    pub fn new(reactor: &Rc<Reactor>, options: PoolOptions) -> Result<Self, BufPoolError> {
        const BUFFER_BYTES_MAX: u32 = 1 << 30;
        let count = u16::try_from(options.count).ok();
        let count = count.filter(|count| count.is_power_of_two());
        let count = count.ok_or(BufPoolError::Count(options.count))?;
        let buffer_bytes = u32::try_from(options.buffer_bytes).ok();
        let buffer_bytes = buffer_bytes.filter(|bytes| (1..=BUFFER_BYTES_MAX).contains(bytes));
        let buffer_bytes = buffer_bytes.ok_or(BufPoolError::BufferBytes(options.buffer_bytes))?;
        let capabilities = reactor.capabilities();
        // The kernel takes buffers by itself for multishot receives alone.
        let is_registered =
            capabilities.has(Feature::BufferRings) && capabilities.has(Feature::MultishotReceive);
        let filling = match options.filling {
            Filling::Incremental if capabilities.has(Feature::IncrementalBuffers) => {
                Filling::Incremental
            }
            _ => Filling::Whole,
        };
        let ring = BufferRing::new(count, buffer_bytes);
        let ring = ring.map_err(BufPoolError::Refused)?;
        let registry = reactor.pools();
        let base = registry.claim(count);
        let base = base.ok_or(BufPoolError::TooManyBuffers)?;
        if is_registered {
            reactor
                .with_submitter(|submitter| ring.register(&submitter, base, filling))
                .map_err(BufPoolError::Refused)?;
        }
        let pool = Rc::new(Shared {
            reactor: Rc::downgrade(reactor),
            ring: Some(ring),
            ledger: RefCell::new(Ledger::new(count, is_registered)),
            base,
            count,
            buffer_bytes,
            options,
            is_registered,
            freed: Waiters::new(),
        });
        registry.add(&pool);
        pool.offer();
        Ok(Self(pool))
    }

    /// What it was made with.
    pub fn options(&self) -> PoolOptions {
        self.0.options
    }

    /// Whether receives can name the pool. If not, they are given a buffer that was [taken](Self::try_take).
    pub fn is_registered(&self) -> bool {
        self.0.is_registered
    }

    /// How many buffers nobody holds a part of.
    pub fn unheld(&self) -> usize {
        self.0.ledger.borrow().unheld()
    }

    /// A whole buffer, empty, to be given to any operation that fills one; `None` if none is left beside those that the kernel was
    /// offered.
    pub fn try_take(&self) -> Option<PoolBuf> {
        let index = self.0.ledger.borrow_mut().take()?;
        Some(PoolBuf {
            memory: self.0.memory(index),
            start: 0,
            length: 0,
            capacity: self.0.buffer_bytes,
        })
    }

    /// The same for so many bytes, with memory of its own if none is left, or none is large enough.
    pub(crate) fn take_or_allocate(&self, bytes: usize) -> PoolBuf {
        let fits = bytes <= self.0.options.buffer_bytes;
        let pooled = if fits { self.try_take() } else { None };
        pooled.unwrap_or_else(|| {
            let capacity = u32::try_from(bytes).expect("no receive brings as much");
            PoolBuf {
                memory: Memory::Own(vec![0; bytes].into()),
                start: 0,
                length: 0,
                capacity,
            }
        })
    }

    /// Whether it is for receives on `reactor`.
    pub fn is_of(&self, reactor: &Rc<Reactor>) -> bool {
        std::ptr::eq(self.0.reactor.as_ptr(), Rc::as_ptr(reactor))
    }

    /// Ready when a receive may find a buffer. Who is told of one is not the only one that is told: be prepared for `ENOBUFS` again.
    ///
    /// Dropped, it has changed nothing.
    pub async fn wait_for_free(&self) {
        let mut waiting = WaitingForFree {
            pool: &self.0,
            place: None,
        };
        poll_fn(|context| waiting.poll(context)).await;
    }

    /// The name the kernel knows it by.
    pub(crate) fn group(&self) -> u16 {
        self.0.base
    }

    /// What a completion of a receive that named this pool has brought.
    pub(crate) fn received(&self, completion: Completion) -> Option<PoolBuf> {
        let index = completion.buffer()?.wrapping_sub(self.0.base);
        assert!(index < self.0.count, "it names this pool");
        Some(PoolBuf {
            memory: self.0.memory(index),
            start: completion.start(),
            length: completion.bytes(),
            capacity: completion.bytes(),
        })
    }
}

impl fmt::Debug for BufPool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BufPool")
            .field("options", &self.0.options)
            .field("unheld", &self.unheld())
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn memory(self: &Rc<Self>, index: u16) -> Memory {
        let pool = Rc::clone(self);
        Memory::Pooled { pool, index }
    }

    fn ring(&self) -> &BufferRing {
        self.ring.as_ref().expect("it goes with the pool")
    }

    /// Offers the kernel what it should have.
    fn offer(&self) {
        let mut ledger = self.ledger.borrow_mut();
        while let Some(index) = ledger.offer_next() {
            self.ring().offer(index, self.base + index);
        }
    }

    fn release(&self, index: u16) {
        let could_receive = self.ledger.borrow().can_receive();
        self.ledger.borrow_mut().released(index);
        self.offer();
        if !could_receive && self.ledger.borrow().can_receive() {
            // All, for the kernel gives the buffer to whose data comes first, and nobody knows who that is.
            self.freed.grant_all(());
        }
    }
}

/// A future that waits until a receive may find a buffer.
struct WaitingForFree<'a> {
    pool: &'a Shared,
    place: Place,
}

impl WaitingForFree<'_> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let can_receive = || self.pool.ledger.borrow().can_receive();
        loop {
            if can_receive() {
                return Poll::Ready(());
            }
            let told = self.pool.freed.wait(&mut self.place, (), context);
            // Again: it may have been freed while the waker was cloned, when this was not in the queue yet.
            if told.is_pending() && !can_receive() {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for WaitingForFree<'_> {
    fn drop(&mut self) {
        // All were told: there is nothing to pass on.
        let _ = self.pool.freed.leave(&mut self.place);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let Some(ring) = self.ring.take() else { return };
        // Without its reactor the kernel's ring is closed, and no operation is in flight: that would hold the pool.
        let Some(reactor) = self.reactor.upgrade() else {
            return;
        };
        if !reactor.is_here() {
            // A forked child: the group is the parent's.
            ring.leak();
            return;
        }
        reactor.pools().remove(self.base);
        if self.is_registered
            && let Err(error) =
                reactor.with_submitter(|submitter| ring.unregister(&submitter, self.base))
        {
            crate::log!(warn, %error, "a pool's ring could not be unregistered; its memory was leaked");
        }
    }
}

/// A buffer of a [`BufPool`], or a piece of one, with what was received into it. Dropped, it goes back to the pool.
pub struct PoolBuf {
    memory: Memory,
    start: u32,
    length: u32,
    capacity: u32,
}

/// Where a piece lies.
enum Memory {
    Pooled {
        pool: Rc<Shared>,
        index: u16,
    },
    /// What a dropped receive has left, when the pool had no room for it: it must come before what the kernel would put into the pool.
    Own(Box<[u8]>),
}

impl PoolBuf {
    /// Leaves only these of its bytes.
    pub(crate) fn narrow(&mut self, skipped: usize, length: usize) {
        assert!(skipped + length <= self.len());
        // No more than `length` was, so they fit.
        self.start += skipped as u32;
        self.length = length as u32;
        self.capacity = length as u32;
    }

    fn at_start(&mut self) -> *mut u8 {
        match &mut self.memory {
            Memory::Pooled { pool, index } => pool.ring().at(*index, self.start).as_ptr(),
            Memory::Own(bytes) => bytes[self.start as usize..].as_mut_ptr(),
        }
    }
}

impl Deref for PoolBuf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let start = match &self.memory {
            Memory::Pooled { pool, index } => pool.ring().at(*index, self.start).as_ptr(),
            Memory::Own(bytes) => bytes[self.start as usize..].as_ptr(),
        };
        // SAFETY: these bytes of the pool's memory, initialised from the start, belong to this piece until it is dropped: pieces of one buffer
        // begin where the last ended, and the kernel writes behind them. `ring().at` checked the start, and what comes from the
        // kernel is within the buffer. Memory of its own is as long as its capacity.
        unsafe { std::slice::from_raw_parts(start, self.length as usize) }
    }
}

impl DerefMut for PoolBuf {
    fn deref_mut(&mut self) -> &mut [u8] {
        let (start, length) = (self.at_start(), self.length as usize);
        // SAFETY: as for `deref`; nobody else has the piece.
        unsafe { std::slice::from_raw_parts_mut(start, length) }
    }
}

impl AsRef<[u8]> for PoolBuf {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for PoolBuf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, formatter)
    }
}

impl IoBuf for PoolBuf {
    fn as_init(&self) -> &[u8] {
        self
    }
}

// SAFETY: the space is the piece's, and the bytes are the first `length` of it; all of it is initialised from the start.
unsafe impl IoBufMut for PoolBuf {
    unsafe fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        let (start, capacity) = (self.at_start().cast(), self.capacity as usize);
        // SAFETY: as for `deref_mut`; all of the capacity belongs to the piece.
        unsafe { std::slice::from_raw_parts_mut(start, capacity) }
    }

    unsafe fn set_len(&mut self, length: usize) {
        assert!(length <= self.capacity as usize, "beyond the buffer");
        self.length = length as u32;
    }
}

impl Drop for PoolBuf {
    fn drop(&mut self) {
        if let Memory::Pooled { pool, index } = &self.memory {
            pool.release(*index);
        }
    }
}

/// The pools of one reactor, by the numbers of their buffers.
#[derive(Default)]
pub(crate) struct Registry {
    /// In the order of their numbers.
    pools: RefCell<Vec<Registered>>,
}

struct Registered {
    base: u16,
    count: u16,
    pool: Weak<Shared>,
}

/// The first number that a pool may have. Linux 6.1 keeps what it knows of the groups before that one (`BGID_ARRAY` in io_uring/kbuf.c, gone by
/// 6.12) when their ring is unregistered, and with it how far it had come: in the next ring of that name it would begin there, at entries that
/// were never written.
const FIRST_NUMBER: u32 = 64;

impl Registry {
    /// The first of `count` numbers that no pool has.
    fn claim(&self, count: u16) -> Option<u16> {
        let mut next = FIRST_NUMBER;
        for registered in self.pools.borrow().iter() {
            if u32::from(registered.base) - next >= u32::from(count) {
                break;
            }
            next = u32::from(registered.base) + u32::from(registered.count);
        }
        let fits = next + u32::from(count) <= 1 << 16;
        fits.then_some(next as u16)
    }

    fn add(&self, pool: &Rc<Shared>) {
        let mut pools = self.pools.borrow_mut();
        let place = pools.partition_point(|registered| registered.base < pool.base);
        let registered = Registered {
            base: pool.base,
            count: pool.count,
            pool: Rc::downgrade(pool),
        };
        pools.insert(place, registered);
    }

    fn remove(&self, base: u16) {
        let removed = |registered: &mut Registered| registered.base != base;
        self.pools.borrow_mut().retain_mut(removed);
    }

    fn owner(&self, number: u16) -> Option<Rc<Shared>> {
        let pools = self.pools.borrow();
        let next = pools.partition_point(|registered| registered.base <= number);
        pools[next.checked_sub(1)?].pool.upgrade()
    }

    /// Finds where in its buffer a completion's bytes are, and offers the kernel another buffer for one that it has used up. To be called for
    /// each completion that brings one, in the order the kernel posted them.
    pub(crate) fn place(&self, completion: Completion) -> Completion {
        let Some(number) = completion.buffer() else {
            return completion;
        };
        // An operation in flight holds its pool.
        let Some(pool) = self.owner(number) else {
            crate::log!(warn, number, "a buffer came that belongs to no pool");
            return completion;
        };
        let index = number - pool.base;
        let goes_on = completion.buffer_has_more();
        let start = pool
            .ledger
            .borrow_mut()
            .arrived(index, completion.bytes(), goes_on);
        pool.offer();
        completion.starting_at(start)
    }
}
