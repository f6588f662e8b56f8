//! The ring itself: entries in, completions out, and the one system call, with each of its errors handled by name.
//!
//! Called by `reactor` alone, from the owner's thread. It knows nothing of what the entries mean. It never waits unless told to,
//! and it never leaves the kernel a copy of an entry that was not submitted when it waits.
//!
//! A forked child shares the ring's memory and descriptor with its parent. So nothing here writes to the one or calls with the other there: the
//! queues take everything and bring nothing, and an enter returns at once.

use crate::capabilities::{Capabilities, Feature};
use crate::fork::Origin;
use crate::header::HeaderLine;
use crate::setup::{self, SetupError};
use crate::sys::{self, Timespec};
use io_uring::{IoUring, cqueue, squeue};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

/// How long an enter may wait for the first completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Not at all.
    No,
    /// At most this long; `None` is for ever.
    AtMost(Option<Duration>),
}

/// What came of an enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entered {
    /// This many entries were taken up; the wait, if there was one, is over.
    Submitted(u32),
    /// The wait ended by its time-out or by a signal; or this is a forked child.
    GaveUp,
    /// The kernel takes nothing up until completions are reaped, or has no memory just now.
    Busy,
}

pub(crate) struct Ring {
    origin: Origin,
    uring: IoUring,
    header: HeaderLine,
    enter_fd: RawFd,
    enter_flags: u32,
    wait_flags: u32,
    unsubmitted: u32,
}

impl Ring {
    pub(crate) fn new(
        capabilities: Capabilities,
        sq_entries: u32,
        cq_entries: u32,
    ) -> Result<Self, SetupError> {
        let (uring, header) = setup::ring(capabilities, sq_entries, cq_entries)?;
        let mut ring = Self {
            origin: Origin::here(),
            enter_fd: uring.as_raw_fd(),
            enter_flags: sys::ENTER_GETEVENTS,
            wait_flags: 0,
            unsubmitted: 0,
            uring,
            header,
        };
        // The registration belongs to the calling thread, so it is made here and not in the probe. With none of the thread's places
        // left the descriptor does as well.
        if capabilities.has(Feature::RegisteredRing)
            && let Ok(index) = sys::register_ring_fd(ring.enter_fd)
        {
            ring.enter_fd = index as RawFd;
            ring.enter_flags |= sys::ENTER_REGISTERED_RING;
        }
        if capabilities.has(Feature::NoIowait) {
            ring.wait_flags |= sys::ENTER_NO_IOWAIT;
        }
        Ok(ring)
    }

    pub(crate) fn header(&self) -> &HeaderLine {
        &self.header
    }

    /// For what is registered with the ring. Not in a forked child.
    pub(crate) fn submitter(&self) -> io_uring::Submitter<'_> {
        self.uring.submitter()
    }

    /// Appends an entry; `false` if the queue is full.
    ///
    /// # Safety
    /// What the entry points to stays valid, and untouched where the kernel writes, until its final completion was popped.
    #[must_use]
    pub(crate) unsafe fn push(&mut self, entry: &squeue::Entry) -> bool {
        if !self.origin.is_here() {
            return true;
        }
        // SAFETY: passed on to the caller.
        let pushed = unsafe { self.uring.submission().push(entry) }.is_ok();
        self.unsubmitted += u32::from(pushed);
        pushed
    }

    /// How many entries wait for the next enter.
    pub(crate) fn unsubmitted(&self) -> u32 {
        self.unsubmitted
    }

    /// Moves completions, the oldest first, into `batch`; returns how many.
    pub(crate) fn pop(&mut self, batch: &mut [Option<cqueue::Entry>]) -> usize {
        if !self.origin.is_here() {
            return 0;
        }
        let mut completions = self.uring.completion();
        let mut count = 0;
        for place in batch {
            match completions.next() {
                Some(completion) => *place = Some(completion),
                None => break,
            }
            count += 1;
        }
        count
    }

    /// Submits everything, as far as the kernel takes it now. No completions are prepared.
    pub(crate) fn submit(&mut self) {
        if !self.origin.is_here() {
            return;
        }
        let flags = self.enter_flags & !sys::ENTER_GETEVENTS;
        if let Ok(consumed) = sys::enter(self.enter_fd, self.unsubmitted, 0, flags, None) {
            self.unsubmitted -= consumed;
        }
    }

    /// Submits everything, lets the kernel prepare deferred completions, and waits as told. One system call.
    ///
    /// # Panics
    /// On an error that only a bug of ours, or lost completions, can cause.
    pub(crate) fn enter(&mut self, wait: Wait) -> Entered {
        if !self.origin.is_here() {
            return Entered::GaveUp;
        }
        let (min_complete, flags, timeout) = match wait {
            Wait::No => (0, self.enter_flags, None),
            Wait::AtMost(limit) => (
                1,
                self.enter_flags | self.wait_flags,
                limit.map(relative_timespec),
            ),
        };
        match sys::enter(
            self.enter_fd,
            self.unsubmitted,
            min_complete,
            flags,
            timeout,
        ) {
            Ok(consumed) => {
                self.unsubmitted -= consumed;
                Entered::Submitted(consumed)
            }
            // The time is up, or a signal handler ran. An error means that nothing was submitted by this call.
            Err(libc::ETIME | libc::EINTR) => Entered::GaveUp,
            // EBUSY: the completion queue has overflown and must be reaped first. EAGAIN, ENOMEM: no memory for a request now.
            Err(libc::EBUSY | libc::EAGAIN | libc::ENOMEM) => {
                // It returned before it looked at GETEVENTS. What may free memory is in the completions, so these are asked for alone; that
                // this fails as well changes nothing.
                let _ = sys::enter(self.enter_fd, 0, 0, self.enter_flags, None);
                Entered::Busy
            }
            Err(libc::EBADR) => panic!(
                "the kernel had no memory to keep completions and dropped some (EBADR): tasks would wait for ever"
            ),
            Err(code) => panic!(
                "io_uring_enter failed in a way that only a bug can cause: {}",
                std::io::Error::from_raw_os_error(code)
            ),
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        if self.origin.is_here()
            && self.enter_flags & sys::ENTER_REGISTERED_RING != 0
            && let Err(error) =
                sys::unregister_ring_fd(self.uring.as_raw_fd(), self.enter_fd as u32)
        {
            crate::log!(warn, %error, "a ring stays registered with its thread");
        }
    }
}

fn relative_timespec(limit: Duration) -> Timespec {
    Timespec {
        // A wait of more than 292 billion years is cut to that.
        seconds: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
        nanoseconds: i64::from(limit.subsec_nanos()),
    }
}
