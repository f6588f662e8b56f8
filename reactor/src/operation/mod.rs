//! Operations: what the kernel is asked to do, and who owns what it points to meanwhile.
//!
//! An operation is put on the heap, where it does not move, before its entry is made; the kernel reads and writes it there until
//! the final completion. Until then it belongs to its future ([`Op`], [`OpStream`]). If that is dropped early, it becomes an
//! orphan in its slot, a cancel goes to the kernel, and it is freed by the final completion, which is also where a descriptor
//! that arrives for nobody is closed: completing an operation and dropping the outcome does the right thing for each.
//!
//! To add an operation, implement [`Operation`] or [`Multishot`] beside the others in this folder.

mod future;
mod net;
mod orphan;

pub use future::{Op, OpStream};
pub use net::{Accept, Connect, MultishotAccept, Recv, Send, Shutdown};
pub(crate) use orphan::Orphan;

use io_uring::{cqueue, squeue};
use std::io;

/// What the kernel says of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion {
    result: i32,
    flags: u32,
}

impl Completion {
    pub(crate) fn from_entry(entry: &cqueue::Entry) -> Self {
        Self {
            result: entry.result(),
            flags: entry.flags(),
        }
    }

    /// An operation that was not even begun, as if it had been cancelled at once.
    pub(crate) fn cancelled() -> Self {
        Self {
            result: -libc::ECANCELED,
            flags: 0,
        }
    }

    /// The count, descriptor or zero that the operation yields, or its error.
    ///
    /// # Errors
    /// What the kernel answered; `ECANCELED` if the operation was cancelled.
    pub fn result(self) -> io::Result<u32> {
        // A result is a count or descriptor, or -errno; so it is never below -4095.
        u32::try_from(self.result).map_err(|_| io::Error::from_raw_os_error(-self.result))
    }

    /// Whether the kernel will send more completions for the same operation.
    pub fn has_more(self) -> bool {
        cqueue::more(self.flags)
    }
}

/// A one-shot operation: one entry, one completion.
///
/// # Safety
/// The entry may point only to memory that `self` owns, directly or on the heap, or that lives for ever, and `self` must not give
/// anyone else access to what the kernel may write, until [`complete`](Self::complete) is called. `self` does not move between the
/// two calls. The entry must not ask for more than one completion.
pub unsafe trait Operation: 'static {
    /// What the future yields. Dropping it unused must release everything: close a new descriptor, free a buffer.
    type Output;

    /// The submission entry, without user data. Called once, with `self` at its final place.
    fn entry(&mut self) -> squeue::Entry;

    /// Turns the completion into the outcome.
    fn complete(self, completion: Completion) -> Self::Output;
}

/// A multishot operation: one entry, any number of completions.
///
/// # Safety
/// As for [`Operation`], until the completion that has no more behind it.
pub unsafe trait Multishot: 'static {
    /// What the stream yields. Dropping it unused must release everything.
    type Item;

    /// The submission entry, without user data. Called once, with `self` at its final place.
    fn entry(&mut self) -> squeue::Entry;

    /// Turns one completion into an item.
    fn item(&mut self, completion: Completion) -> Self::Item;
}
