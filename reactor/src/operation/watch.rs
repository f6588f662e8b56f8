//! Whether an operation of a lane's direction would not have to wait.
//!
//! A watch takes no turn while it waits for the kernel: so reads go on beside it, and what reads take it may announce in vain. It has to mind
//! the lane all the same. While an operation is in flight, the kernel's word is of no use, for what comes next is that operation's; the watch
//! waits until the lane is free. And what a dropped read leaves in the lane, the kernel no longer has; the watch is ready then.

use super::{Completion, Op, Operation, fd};
use crate::budget;
use crate::descriptor::Descriptor;
use crate::lane::{Lane, Queued, Watcher, Watching};
use crate::reactor::Reactor;
use io_uring::{opcode, squeue};
use std::future::Future;
use std::pin::Pin;
use std::ptr::NonNull;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::{fmt, io};

/// What waits for the lane.
const TRANSFERS: u32 = (libc::POLLIN | libc::POLLOUT) as u32;

/// poll(2) for a watch.
struct PollBeside<T> {
    socket: Descriptor,
    events: u32,
    watcher: Watcher<T>,
}

// SAFETY: the entry points to nothing.
unsafe impl<T: 'static> Operation for PollBeside<T> {
    type Output = io::Result<u32>;

    fn entry(&mut self) -> squeue::Entry {
        opcode::PollAdd::new(fd(&self.socket), self.events).build()
    }

    fn complete(self, completion: Completion) -> Self::Output {
        completion.result()
    }

    unsafe fn abandoned(this: NonNull<Self>) {
        // SAFETY: the caller says that it is there, and the kernel was given no pointer to it.
        unsafe { this.as_ref() }.watcher.dropped();
    }

    fn kind() -> &'static str {
        "Watch"
    }
}

/// The future of a watch: it yields the events of poll(2) that are there, `POLLIN` for what the lane has kept.
///
/// **Dropped**, it has taken nothing.
#[must_use = "futures do nothing unless polled"]
pub struct Watch<T: 'static> {
    reactor: Rc<Reactor>,
    socket: Descriptor,
    lane: Rc<Lane<T>>,
    events: u32,
    stage: Stage<T>,
}

enum Stage<T: 'static> {
    /// Operations that were begun before it come first.
    Queued(Queued<T>),
    Polling(Op<PollBeside<T>>, Watching<T>),
}

impl<T: 'static> Watch<T> {
    /// Watches `socket` for any of `events`: those of the direction that `lane` is for, and any that no operation of a lane takes.
    pub fn new(reactor: Rc<Reactor>, socket: Descriptor, lane: Rc<Lane<T>>, events: u32) -> Self {
        let stage = Stage::Queued(Queued::new(Rc::clone(&lane)));
        Self {
            reactor,
            socket,
            lane,
            events,
            stage,
        }
    }

    fn minds_lane(&self) -> bool {
        self.events & TRANSFERS != 0
    }

    fn polling(&self) -> Stage<T> {
        let poll = PollBeside {
            socket: self.socket.clone(),
            events: self.events,
            watcher: Watcher::new(Rc::clone(&self.lane)),
        };
        let poll = Op::new(Rc::clone(&self.reactor), poll);
        Stage::Polling(poll, Watching::new(Rc::clone(&self.lane)))
    }
}

impl<T: 'static> Future for Watch<T> {
    type Output = io::Result<u32>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let minds_lane = this.minds_lane();
        let kept = Ok(this.events & TRANSFERS);
        if let Stage::Queued(queued) = &mut this.stage {
            if minds_lane {
                // The turn ends at once: there is nothing that it is needed for.
                if ready!(queued.poll(false, context)).is_none() {
                    ready!(budget::spend(context));
                    return Poll::Ready(Err(io::Error::from_raw_os_error(libc::EBUSY)));
                }
                if this.lane.has_remains() {
                    ready!(budget::spend(context));
                    return Poll::Ready(kept);
                }
            }
            this.stage = this.polling();
        }
        let Stage::Polling(poll, watching) = &mut this.stage else {
            unreachable!("it polls from now on")
        };
        // The second look: whatever ran while the waker was cloned has told nobody.
        if minds_lane && (watching.poll(context).is_ready() || watching.lane().has_remains()) {
            return Poll::Ready(kept);
        }
        Pin::new(poll).poll(context)
    }
}

impl<T: 'static> fmt::Debug for Watch<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Watch")
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}
