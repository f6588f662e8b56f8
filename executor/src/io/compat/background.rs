//! A writer whose writing goes on while nobody waits for it.
//!
//! What [`ToFutures`](super::ToFutures) writes with. The code that it is for may write, and then wait for something else altogether: what
//! does not get to the kernel with the first call (what comes while a write is in flight, the rest of a short write) is seen through by a
//! local task, which is there from the first write on. What is in flight wakes that task, and the task wakes who waits. So who waits may be
//! dropped, and nothing stops.
//!
//! The task has no part in the ownership: with the [`Background`] the writer is dropped, at once, and then the task.

use crate::io::AsyncWrite;
use crate::io::outlet::Outlet;
use crate::{JoinHandle, spawn};
use reactor::contain_panic;
use std::cell::{Cell, OnceCell, RefCell};
use std::future::poll_fn;
use std::io::{Error, Result};
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker, ready};

pub(super) struct Background<W> {
    shared: Rc<Shared<W>>,
    task: Option<JoinHandle<()>>,
}

struct Shared<W> {
    /// Borrowed while the writer is polled, which is foreign code: whoever comes by that way is told to wait.
    outlet: RefCell<Outlet<W>>,
    /// The task's, once it has run.
    task: OnceCell<Waker>,
    /// Who waits for the writer.
    waiting: Cell<Option<Waker>>,
    /// An error of what was written in the background, until somebody can be told.
    late: Cell<Option<Error>>,
}

impl<W> Background<W> {
    pub(super) fn new(writer: W, capacity: usize) -> Self {
        let shared = Rc::new(Shared {
            outlet: RefCell::new(Outlet::new(writer, capacity)),
            task: OnceCell::new(),
            waiting: Cell::default(),
            late: Cell::default(),
        });
        Self { shared, task: None }
    }

    /// Shows the writer; `None` while it is at work.
    pub(super) fn with_writer<T>(&self, look: impl FnOnce(Option<&W>) -> T) -> T {
        match self.shared.outlet.try_borrow() {
            Ok(outlet) => look(outlet.writer()),
            Err(_) => look(None),
        }
    }
}

impl<W: AsyncWrite + 'static> Background<W> {
    /// Takes over some of the bytes, and begins to write them.
    pub(super) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        // One byte of room is enough: who writes comes again with the rest.
        let wanted = bytes.len().min(1);
        let accept = |outlet: &mut Outlet<W>, context: &mut Context<'_>| {
            ready!(outlet.poll_room(context, wanted))?;
            Poll::Ready(Ok(outlet.accept(bytes)))
        };
        let count = ready!(self.poll(context, accept))?;
        let shared = &self.shared;
        self.task
            .get_or_insert_with(|| spawn(see_through(Rc::downgrade(shared))));
        shared.go_on(context.waker());
        Poll::Ready(Ok(count))
    }

    /// Waits until everything is written and flushed.
    pub(super) fn poll_flush(&self, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.poll(context, Outlet::poll_flush)
    }

    /// Waits until everything is written and flushed, and the writer is shut down.
    pub(super) fn poll_shutdown(&self, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.poll(context, Outlet::poll_shutdown)
    }

    /// Waits for the writer, if `poll` does.
    fn poll<T>(
        &self,
        context: &mut Context<'_>,
        poll: impl FnOnce(&mut Outlet<W>, &mut Context<'_>) -> Poll<Result<T>>,
    ) -> Poll<Result<T>> {
        if let Some(error) = self.shared.late.take() {
            return Poll::Ready(Err(error));
        }
        let polled = self.shared.poll_outlet(context.waker(), poll);
        let waiting = polled.is_pending().then(|| context.waker().clone());
        drop(self.shared.waiting.replace(waiting));
        polled
    }
}

impl<W> Drop for Background<W> {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl<W: AsyncWrite + 'static> Shared<W> {
    /// Polls for the task; for `waker`, as long as the task has not run, which then polls again.
    fn poll_outlet<T>(
        &self,
        waker: &Waker,
        poll: impl FnOnce(&mut Outlet<W>, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let waker = self.task.get().unwrap_or(waker);
        match self.outlet.try_borrow_mut() {
            Ok(mut outlet) => poll(&mut outlet, &mut Context::from_waker(waker)),
            // The task is at it, and wakes who waits when it is done.
            Err(_) => Poll::Pending,
        }
    }

    /// Goes on with what was written, unless somebody is yet to be told of an error.
    fn go_on(&self, waker: &Waker) {
        let late = self.late.take();
        let error = match late {
            Some(error) => Some(error),
            None => match self.poll_outlet(waker, Outlet::poll_drain) {
                Poll::Ready(Err(error)) => Some(error),
                _ => None,
            },
        };
        self.late.set(error);
    }
}

/// What the task does.
fn see_through<W: AsyncWrite + 'static>(shared: Weak<Shared<W>>) -> impl Future<Output = ()> {
    poll_fn(move |context| {
        let Some(shared) = shared.upgrade() else {
            return Poll::Ready(());
        };
        shared.task.get_or_init(|| context.waker().clone());
        let _told = TellAtEnd(&shared.waiting);
        shared.go_on(context.waker());
        Poll::Pending
    })
}

/// Wakes who waits when it is dropped, also after a panic of the writer: then they poll it, and have the panic.
struct TellAtEnd<'a>(&'a Cell<Option<Waker>>);

impl Drop for TellAtEnd<'_> {
    fn drop(&mut self) {
        if let Some(waiting) = self.0.take() {
            contain_panic("a waker", || waiting.wake());
        }
    }
}
