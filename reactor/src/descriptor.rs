//! A file descriptor that no operation outlives, and what has to be known of it.
//!
//! Each operation in flight holds a clone of its [`Descriptor`], so the number cannot be closed,
//! and given to another file, between the moment an entry names it and the moment the kernel takes
//! the entry up. The last clone closes it: by close(2), or, where that could block, in a worker
//! thread of the kernel, with nobody waiting for it. Or it goes to who waits to be alone with it
//! ([`Descriptor::sole`]).

use crate::attempt::{Attempt, find};
use crate::contain::contain_panic;
use crate::operation::{Close, Op};
use crate::reactor::Reactor;
use rustix::fs::FileType;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

#[derive(Debug)]
struct Inner {
    /// `None` once it was given back.
    fd: Option<OwnedFd>,
    file_type: FileType,
    attempt: Attempt,
    /// Of a stream socket: whether its sending side was shut down. Once the peer has closed, too, the kernel does not know any more.
    has_sending_ended: Cell<bool>,
    /// Who closes it, if that may block.
    closer: Weak<Reactor>,
    /// Who gets it from the last clone, in place of its being closed.
    heir: RefCell<Weak<Heir>>,
}

/// One that waits for a descriptor, and has no clone of it meanwhile.
#[derive(Default)]
struct Heir {
    descriptor: Cell<Option<Descriptor>>,
    waker: Cell<Option<Waker>>,
}

impl std::fmt::Debug for Heir {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Heir").finish_non_exhaustive()
    }
}

impl Heir {
    fn inherit(&self, descriptor: Descriptor) {
        self.descriptor.set(Some(descriptor));
        if let Some(waker) = self.waker.take() {
            contain_panic("a waker", || waker.wake());
        }
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<Descriptor> {
        // First: the waker is foreign code, and its clone may drop the last clone of the
        // descriptor.
        drop(self.waker.replace(Some(context.waker().clone())));
        match self.descriptor.take() {
            Some(descriptor) => Poll::Ready(descriptor),
            None => Poll::Pending,
        }
    }
}

/// A shared, core-local file descriptor; the last clone to be dropped closes it.
#[derive(Clone, Debug)]
pub struct Descriptor(Rc<Inner>);

impl Descriptor {
    /// Takes over a socket. The system is not asked what it is.
    pub fn new(fd: OwnedFd) -> Self {
        Self(Rc::new(Inner {
            fd: Some(fd),
            file_type: FileType::Socket,
            attempt: Attempt::Here,
            has_sending_ended: Cell::new(false),
            closer: Weak::new(),
            heir: RefCell::default(),
        }))
    }

    /// Takes over a descriptor that may be of anything, and finds out, once, what it is and where its reads and writes are tried: a few
    /// system calls that do not block. `reactor` closes it, if that could block.
    pub fn of_file(fd: OwnedFd, reactor: Option<&Rc<Reactor>>) -> Self {
        let (file_type, attempt) = find(fd.as_fd());
        let closer = reactor.filter(|_| attempt == Attempt::Worker);
        Self(Rc::new(Inner {
            fd: Some(fd),
            file_type,
            attempt,
            has_sending_ended: Cell::new(false),
            closer: closer.map(Rc::downgrade).unwrap_or_default(),
            heir: RefCell::default(),
        }))
    }

    /// What kind of file it is.
    pub fn file_type(&self) -> FileType {
        self.0.file_type
    }

    /// Where reads and writes of it are tried.
    pub(crate) fn attempt(&self) -> Attempt {
        self.0.attempt
    }

    pub(crate) fn set_sending_ended(&self) {
        self.0.has_sending_ended.set(true);
    }

    pub(crate) fn has_sending_ended(&self) -> bool {
        self.0.has_sending_ended.get()
    }

    /// Waits until nobody else holds it: no clone, and no operation in flight. One at a time can
    /// wait; of several, the last. **Dropped**, it is as if the descriptor had been dropped: the
    /// last holder closes it.
    pub async fn sole(self) -> Self {
        if Rc::strong_count(&self.0) == 1 {
            return self;
        }
        let heir = Rc::<Heir>::default();
        self.0.heir.replace(Rc::downgrade(&heir));
        drop(self);
        poll_fn(|context| heir.poll(context)).await
    }

    /// Gives the descriptor back if nobody else holds it: no clone, and no operation in flight; and
    /// if nobody waits for it.
    ///
    /// # Errors
    /// Returns `self` unchanged while there are other holders.
    pub fn try_into_owned(self) -> Result<OwnedFd, Self> {
        if self.0.heir.borrow().strong_count() > 0 {
            return Err(self);
        }
        let mut inner = Rc::try_unwrap(self.0).map_err(Self)?;
        Ok(inner.fd.take().expect("it is given back once"))
    }

    /// An operation that closes it, to be started on `reactor`.
    ///
    /// # Errors
    /// As for [`try_into_owned`](Self::try_into_owned).
    pub fn try_into_close(self, reactor: &Rc<Reactor>) -> Result<Close, Self> {
        let (file_type, attempt) = (self.0.file_type, self.0.attempt);
        let fd = self.try_into_owned()?;
        Ok(match attempt {
            Attempt::Here => Close::new(fd),
            Attempt::Worker => waiting_close(reactor, fd, file_type),
        })
    }
}

fn waiting_close(reactor: &Rc<Reactor>, fd: OwnedFd, file_type: FileType) -> Close {
    let close = Close::waiting(reactor, fd);
    match file_type {
        FileType::CharacterDevice => close.in_worker(),
        _ => close,
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let Some(fd) = self.fd.take() else {
            return;
        };
        if let Some(heir) = self.heir.take().upgrade() {
            heir.inherit(Descriptor(Rc::new(Self {
                fd: Some(fd),
                file_type: self.file_type,
                attempt: self.attempt,
                has_sending_ended: self.has_sending_ended.clone(),
                closer: mem::take(&mut self.closer),
                heir: RefCell::default(),
            })));
            return;
        }
        // Otherwise it is closed here and now. So it is in a forked child, which closes no more than its own copy.
        if let Some(reactor) = self.closer.upgrade().filter(|reactor| reactor.is_here()) {
            let close = waiting_close(&reactor, fd, self.file_type);
            Op::new(reactor, close).detach();
        }
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        let fd = self.0.fd.as_ref();
        fd.expect("it is there until it is given back").as_fd()
    }
}

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}
