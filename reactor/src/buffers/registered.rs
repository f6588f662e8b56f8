//! Groups of buffers whose memory the kernel has looked up and pinned beforehand: [`RegisteredBufs`], which gives out [`RegisteredBuf`]s.
//!
//! A group is one piece of memory, registered as one (see `table`), and cut into buffers here; an operation names the group's place and an address
//! within it. Everything belongs to the reactor's thread. A group lives as long as somebody holds it, a buffer of it, or an operation
//! in flight with one, and may outlive its reactor. It never grows, and no operation needs it: where it is not registered, its
//! buffers are as any others.

use super::memory::Memory;
use super::registered_buf::RegisteredBuf;
use crate::capabilities::Feature;
use crate::reactor::Reactor;
use crate::waiters::{Left, Place, Waiters};
use std::alloc::Layout;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::ptr::NonNull;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, ready};
use std::{fmt, io};

/// What the kernel takes as one.
const GROUP_BYTES_MAX: usize = 1 << 30;

/// Buffers of one core for files, registered with its ring. Clones are the same group.
#[derive(Clone)]
pub struct RegisteredBufs(Rc<Group>);

pub(super) struct Group {
    reactor: Weak<Reactor>,
    /// Taken out only to be leaked.
    memory: Option<Memory>,
    /// Its number in the reactor's table, if it is there.
    place: Option<u16>,
    count: usize,
    buffer_bytes: usize,
    /// The numbers of the buffers that nobody holds. None is here while somebody waits, but for a moment in which foreign code runs.
    free: RefCell<Vec<usize>>,
    /// Those that wait for a buffer, and the numbers of those that they get.
    waiting: Waiters<(), usize>,
}

impl RegisteredBufs {
    /// `count` buffers of `buffer_bytes` bytes each, rounded up to whole pages, for operations on `reactor`.
    ///
    /// Where the kernel has no [`Feature::RegisteredBuffers`], where it may not lock so much memory (`RLIMIT_MEMLOCK`), and where the core has as
    /// many groups as it can, the buffers are there all the same, and are not [registered](Self::is_registered). The last two are
    /// logged, with what to do about them.
    ///
    /// # Errors
    /// `InvalidInput` if there are to be no buffers, or empty ones, or more than 2^30 bytes in all; `OutOfMemory`.
    pub fn new(reactor: &Rc<Reactor>, count: usize, buffer_bytes: usize) -> io::Result<Self> {
        let page = rustix::param::page_size();
        let rounded = buffer_bytes.checked_next_multiple_of(page);
        let total = rounded.and_then(|bytes| bytes.checked_mul(count));
        let (Some(rounded), Some(total @ 1..=GROUP_BYTES_MAX)) = (rounded, total) else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "a group cannot have {count} buffers of {buffer_bytes} bytes: choose at least one, of one byte, and 2^30 bytes in all at most"
                ),
            ));
        };
        let layout = Layout::from_size_align(total, page);
        let memory = Memory::for_device(layout.expect("a gigabyte at most"))?;
        let place = if reactor.capabilities().has(Feature::RegisteredBuffers) {
            register(reactor, &memory)
        } else {
            None
        };
        Ok(Self(Rc::new(Group {
            reactor: Rc::downgrade(reactor),
            memory: Some(memory),
            place,
            count,
            buffer_bytes: rounded,
            free: RefCell::new((0..count).rev().collect()),
            waiting: Waiters::new(),
        })))
    }

    /// How many buffers it has.
    pub fn count(&self) -> usize {
        self.0.count
    }

    /// The size of each, in bytes: a multiple of the page's.
    pub fn buffer_bytes(&self) -> usize {
        self.0.buffer_bytes
    }

    /// Whether the kernel knows them. If not, they serve as any others.
    pub fn is_registered(&self) -> bool {
        self.0.place.is_some()
    }

    /// How many buffers nobody holds.
    pub fn unheld(&self) -> usize {
        self.0.free.borrow().len()
    }

    /// A buffer, empty; `None` if all are held.
    pub fn try_take(&self) -> Option<RegisteredBuf> {
        let index = self.0.free.borrow_mut().pop()?;
        Some(self.0.buffer(index))
    }

    /// A buffer, empty, when there is one: who asked first gets it first.
    ///
    /// **Dropped**, it has taken none.
    pub fn take(&self) -> Taking {
        Taking {
            group: Rc::clone(&self.0),
            place: None,
        }
    }
}

/// Its place in the table, if it gets one. Why not is logged.
fn register(reactor: &Rc<Reactor>, memory: &Memory) -> Option<u16> {
    // SAFETY: the group keeps the memory until the place was given up or the ring is closed, or leaks it.
    let registered =
        reactor.with_submitter(|submitter| unsafe { reactor.table().register(&submitter, memory) });
    match registered {
        Ok(place) => Some(place),
        Err(error) => {
            let kibibytes = memory.bytes() / 1024;
            let advice = match error.kind() {
                io::ErrorKind::OutOfMemory => {
                    "raise the limit on locked memory, which counts all processes of the user together (ulimit -l, or LimitMEMLOCK= of a \
                     service), or ask for fewer buffers"
                }
                _ => "they are used as any others",
            };
            crate::log!(warn, %error, kibibytes, "buffers could not be registered: {advice}");
            None
        }
    }
}

impl fmt::Debug for RegisteredBufs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RegisteredBufs")
            .field("count", &self.count())
            .field("buffer_bytes", &self.buffer_bytes())
            .field("is_registered", &self.is_registered())
            .field("unheld", &self.unheld())
            .finish()
    }
}

impl Group {
    fn buffer(self: &Rc<Self>, index: usize) -> RegisteredBuf {
        RegisteredBuf::new(Rc::clone(self), index)
    }

    /// The size of each buffer.
    pub(super) fn buffer_bytes(&self) -> usize {
        self.buffer_bytes
    }

    /// The number by which operations on `reactor` can name its memory.
    pub(super) fn place(&self, reactor: &Rc<Reactor>) -> Option<u16> {
        let is_here = std::ptr::eq(self.reactor.as_ptr(), Rc::as_ptr(reactor));
        self.place.filter(|_| is_here)
    }

    /// Where a buffer begins.
    pub(super) fn at(&self, index: usize) -> NonNull<u8> {
        assert!(index < self.count);
        let memory = self.memory.as_ref().expect("it goes with the group");
        // SAFETY: the memory is that of `count` buffers.
        unsafe { memory.start().add(index * self.buffer_bytes) }
    }

    /// A buffer is given back.
    pub(super) fn release(&self, index: usize) {
        self.free.borrow_mut().push(index);
        self.hand_out();
    }

    /// Gives what is free to those that wait.
    fn hand_out(&self) {
        while !self.waiting.is_empty() {
            let Some(index) = self.free.borrow_mut().pop() else {
                return;
            };
            // It runs no foreign code before it has granted, so who waited a moment ago still does.
            self.waiting.grant_first(index);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // No operation is in flight with a buffer of it: that would hold it. So nobody writes to the memory, also while the kernel, whose
        // ring is about to be closed with its reactor, still knows it.
        let (Some(place), Some(reactor)) = (self.place, self.reactor.upgrade()) else {
            return;
        };
        if !reactor.is_here() {
            // A forked child: the place is in the parent's table.
            std::mem::forget(self.memory.take());
            return;
        }
        let unregistered =
            reactor.with_submitter(|submitter| reactor.table().unregister(&submitter, place));
        if let Err(error) = unregistered {
            std::mem::forget(self.memory.take());
            crate::log!(warn, %error, "buffers could not be unregistered; their memory was leaked");
        }
    }
}

/// The future of a buffer. It keeps the group.
#[must_use = "futures do nothing unless polled"]
pub struct Taking {
    group: Rc<Group>,
    place: Place,
}

impl fmt::Debug for Taking {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Taking").finish_non_exhaustive()
    }
}

impl Future for Taking {
    type Output = RegisteredBuf;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<RegisteredBuf> {
        let index = ready!(self.poll_index(context));
        Poll::Ready(self.group.buffer(index))
    }
}

impl Taking {
    fn poll_index(&mut self, context: &mut Context<'_>) -> Poll<usize> {
        let group = &self.group;
        if self.place.is_none()
            && group.waiting.is_empty()
            && let Some(index) = group.free.borrow_mut().pop()
        {
            return group.waiting.grant_at_once(&mut self.place, index, context);
        }
        loop {
            let granted = group.waiting.wait(&mut self.place, (), context);
            if granted.is_ready() || group.waiting.is_empty() || group.free.borrow().is_empty() {
                return granted;
            }
            // One was given back while the waker was cloned, when this was not in the queue yet.
            group.hand_out();
        }
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        if let Left::Granted(index) = self.group.waiting.leave(&mut self.place) {
            self.group.release(index);
        }
    }
}
