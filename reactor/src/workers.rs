//! How many of the kernel's worker threads this thread's operations may use.
//!
//! What cannot be done without blocking, the kernel gives to worker threads of its own (io-wq). Those that work on files and paths are *bounded*:
//! there is a limit, and what finds none free waits in a queue. The others, for terminals and the like, are as many as it takes. The workers belong to the
//! thread that owns the ring, not to the ring: the first ring that a thread makes sets the limit from its own size, and all its later rings share it.
//! So a reactor sets the limit itself, when it is made and when its owner asks for it.
//!
//! An operation that may wait without end in a bounded worker, such as opening a named pipe, would take that worker from everybody else on the
//! core. It brings its own: while a [`LentWorker`] lives, the limit is higher by one.

#![forbid(unsafe_code)]

use crate::capabilities::Feature;
use crate::reactor::Reactor;
use std::cell::Cell;
use std::io;
use std::rc::{Rc, Weak};

/// Bounded workers of a thread, unless its owner sets another limit. See [`Reactor::set_file_workers_max`].
pub const FILE_WORKERS_MAX: u32 = 16;

/// The limit of one reactor.
#[derive(Debug)]
pub(crate) struct Workers {
    max: Cell<u32>,
    lent: Cell<u32>,
}

impl Default for Workers {
    fn default() -> Self {
        Self {
            max: Cell::new(FILE_WORKERS_MAX),
            lent: Cell::new(0),
        }
    }
}

impl Reactor {
    /// Limits the kernel's worker threads for files and paths of the calling thread, which must be the one that made the reactor. The kernel caps it
    /// at `RLIMIT_NPROC`. Another reactor of the same thread replaces it by its own limit. Does nothing without [`Feature::WorkerLimits`].
    ///
    /// # Panics
    /// If `max` is 0: the kernel takes that for "no change".
    pub fn set_file_workers_max(&self, max: u32) {
        assert!(max > 0, "without workers no operation on a file would end");
        self.workers().max.set(max);
        self.apply_worker_limit();
    }

    /// Sets the limit again: after another reactor of the same thread may have set its own. Does nothing in a forked child.
    pub fn apply_worker_limit(&self) {
        if !self.is_here() || !self.capabilities().has(Feature::WorkerLimits) {
            return;
        }
        let Workers { max, lent } = self.workers();
        let bounded = max.get().saturating_add(lent.get());
        // Zero leaves the other limit as it is.
        let mut limits = [bounded, 0];
        let set = self.with_submitter(|ring| ring.register_iowq_max_workers(&mut limits));
        if let Err(error) = set {
            crate::log!(warn, %error, bounded, "the limit on the kernel's workers could not be set");
        }
    }

    /// The limit that the kernel has for this thread now, without workers that are lent.
    ///
    /// # Errors
    /// `Unsupported` without [`Feature::WorkerLimits`].
    pub fn file_workers_max(&self) -> io::Result<u32> {
        if !self.capabilities().has(Feature::WorkerLimits) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let mut limits = [0; 2];
        self.with_submitter(|ring| ring.register_iowq_max_workers(&mut limits))?;
        Ok(limits[0].saturating_sub(self.workers().lent.get()))
    }

    /// One more worker, for an operation that may hold it without end. Take it before the operation is submitted, and keep it until the final
    /// completion.
    pub(crate) fn lend_worker(self: &Rc<Self>) -> LentWorker {
        self.change_lent(|lent| lent + 1);
        LentWorker(Rc::downgrade(self))
    }

    fn change_lent(&self, change: impl FnOnce(u32) -> u32) {
        let lent = &self.workers().lent;
        lent.set(change(lent.get()));
        self.apply_worker_limit();
    }
}

/// Raises the limit of bounded workers by one while it lives.
#[derive(Debug)]
pub(crate) struct LentWorker(Weak<Reactor>);

impl Drop for LentWorker {
    fn drop(&mut self) {
        // Without its reactor there is no ring either.
        if let Some(reactor) = self.0.upgrade() {
            reactor.change_lent(|lent| lent - 1);
        }
    }
}
