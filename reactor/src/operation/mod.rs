//! Operations: what the kernel is asked to do, and who owns what it points to meanwhile.
//!
//! An operation is put on the heap, where it does not move, before its entry is made; the kernel reads and writes it there until
//! the final completion. Until then it belongs to its future ([`Op`], [`OpStream`]). If that is dropped early, it becomes an
//! orphan in its slot, a cancel goes to the kernel, and it is freed by the final completion, which is also where a descriptor
//! that arrives for nobody is closed: completing an operation and dropping the outcome does the right thing for each.
//!
//! To add an operation, implement [`Operation`] or [`Multishot`] beside the others in this folder.

#![expect(
    missing_debug_implementations,
    reason = "a buffer need not have it, and users see the futures that the executor crate makes of these"
)]

mod accept;
mod at_once;
mod control;
mod file;
mod fixed;
mod future;
mod in_turn;
mod kept;
mod message;
mod net;
mod open;
mod orphan;
mod path;
mod read_write;
mod ready;
mod receive;
mod room;
mod splice;
mod splice_in_turn;
mod stat;
mod stream_in_turn;
mod transfer;
mod vectored;
mod watch;
mod zero_copy;

pub use accept::{Accept, Accepted, MultishotAccept};
pub use at_once::{ready_at_once, recv_at_once, recv_from_at_once, send_at_once, send_to_at_once};
pub use control::{ControlData, ControlIter};
pub use file::{Close, FileOperation};
pub use fixed::{ReadFixed, WriteFixed};
pub use future::{Op, OpStream};
pub use in_turn::{InTurn, Ordered};
pub use kept::{KeptBytes, KeptDatagram};
pub use message::{Message, RecvDatagram, RecvMsg, SendMsg};
pub use net::{Connect, Shutdown};
pub use open::Open;
pub(crate) use orphan::Orphan;
pub use path::{PathAt, PathOperation};
pub use read_write::{KeptInput, Read, ReadAt, Write};
pub use ready::Ready;
pub use receive::{DATAGRAM_OVERHEAD_BYTES, Datagram, RecvMsgMulti, RecvMulti};
pub use splice::SpliceEnd;
pub use splice_in_turn::SpliceInTurn;
pub use stat::Stat;
pub use stream_in_turn::{OrderedMultishot, StreamInTurn};
pub use transfer::{Recv, Send};
pub use vectored::{ReadVectored, ReadVectoredAt, WriteVectored};
pub use watch::Watch;
pub use zero_copy::SendZeroCopy;

use crate::descriptor::Descriptor;
use io_uring::{cqueue, squeue, types};
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;

/// What the kernel says of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion {
    result: i32,
    flags: u32,
    /// Where in the buffer, if it brings one of a pool's: found when it is reaped, since the kernel fills a buffer in the order of its
    /// completions, whoever they are for.
    start: u32,
    /// Whether the kernel gave it up before it had done anything.
    was_not_begun: bool,
}

impl Completion {
    pub(crate) fn from_entry(entry: &cqueue::Entry) -> Self {
        Self {
            result: entry.result(),
            flags: entry.flags(),
            start: 0,
            was_not_begun: entry.result() == -libc::ECANCELED,
        }
    }

    /// An operation that was not even begun, as if it had been cancelled at once.
    pub(crate) fn cancelled() -> Self {
        Self::failed(libc::ECANCELED)
    }

    /// An operation that the kernel never got, as if it had answered with this error.
    pub(crate) fn failed(code: i32) -> Self {
        Self {
            result: -code,
            flags: 0,
            start: 0,
            was_not_begun: true,
        }
    }

    pub(crate) fn is_cancelled(self) -> bool {
        self.result == -libc::ECANCELED
    }

    /// Whether the kernel says that it was cancelled or interrupted.
    pub(crate) fn was_given_up(self) -> bool {
        matches!(-self.result, libc::ECANCELED | libc::EINTR)
    }

    /// What the operation's owner should be told, if nobody asked the kernel to cancel it.
    ///
    /// The kernel cancels work by itself if it can start no worker thread for it (`io_wq_enqueue` and `create_worker_cont` in io-wq.c): that
    /// is `EAGAIN`, as for any thread that cannot be started. And a wait is interrupted by what is not meant for it, a signal to this thread, say:
    /// then the operation [is to be repeated](Self::is_to_be_repeated).
    pub(crate) fn of_uncancelled(self) -> Self {
        match -self.result {
            libc::ECANCELED => self.with_result(-libc::EAGAIN),
            libc::EINTR => self.with_result(-libc::ERESTART),
            _ => self,
        }
    }

    /// The same, if somebody has asked for it to be cancelled before it was repeated: then it is not.
    pub(crate) fn of_cancelled(self) -> Self {
        if self.is_to_be_repeated() {
            self.with_result(-libc::EINTR)
        } else {
            self
        }
    }

    /// With what else it brings: whether more will come, and a buffer.
    fn with_result(self, result: i32) -> Self {
        Self { result, ..self }
    }

    /// Whether it was interrupted before anything was transferred, and by nobody who meant it.
    pub(crate) fn is_to_be_repeated(self) -> bool {
        self.result == -libc::ERESTART
    }

    /// Whether the kernel gave it up before it had done anything: it was cancelled, or there was no worker for it.
    pub(crate) fn was_not_begun(self) -> bool {
        self.was_not_begun
    }

    /// The number of the pool's buffer that it brings.
    pub(crate) fn buffer(self) -> Option<u16> {
        cqueue::buffer_select(self.flags)
    }

    /// Whether the kernel goes on filling that buffer.
    pub(crate) fn buffer_has_more(self) -> bool {
        cqueue::buffer_more(self.flags)
    }

    /// How many bytes came, zero for an error.
    pub(crate) fn bytes(self) -> u32 {
        u32::try_from(self.result).unwrap_or(0)
    }

    pub(crate) fn start(self) -> u32 {
        self.start
    }

    pub(crate) fn starting_at(self, start: u32) -> Self {
        Self { start, ..self }
    }

    /// The count, descriptor or zero that the operation yields, or its error.
    ///
    /// # Errors
    /// What the kernel answered; `ECANCELED` if the operation was cancelled.
    pub fn result(self) -> io::Result<u32> {
        // A result is a count or descriptor, or -errno; so it is never below -4095.
        u32::try_from(self.result).map_err(|_| io::Error::from_raw_os_error(-self.result))
    }

    /// What the kernel answered, as it is: a negative value is an errno, for most operations.
    pub fn raw_result(self) -> i32 {
        self.result
    }

    /// The flags of the completion (`IORING_CQE_F_*`).
    pub fn flags(self) -> u32 {
        self.flags
    }

    /// Whether the kernel will send more completions for the same operation.
    pub fn has_more(self) -> bool {
        cqueue::more(self.flags)
    }
}

/// A one-shot operation: one entry, one outcome.
///
/// # Safety
/// The entry may point only to memory that `self` owns, directly or on the heap, or that lives for ever, and `self` must not give
/// anyone else access to what the kernel may write, until [`complete`](Self::complete) is called. `self` does not move between the
/// two calls. The entry must not ask for more than one completion; but a second may follow, which only says that the kernel has let go
/// of the memory, if the first brings nothing but a number. The future is then ready, with the first, when the second has come.
pub unsafe trait Operation: 'static {
    /// What the future yields. Dropping it unused must release everything: close a new descriptor, free a buffer.
    type Output;

    /// The submission entry, without user data. Called with `self` at its final place: once, again each time the kernel has ended it with `EINTR`
    /// though nobody cancelled it, and each time it [goes on](Self::goes_on).
    fn entry(&mut self) -> squeue::Entry;

    /// The final completion of an entry has come, and nobody has cancelled the operation: whether it goes on, with another entry.
    fn goes_on(&mut self, _: Completion) -> bool {
        false
    }

    /// Whether it may be submitted again when it was interrupted. If not, it ends with `EIO` then.
    fn is_repeatable(&self) -> bool {
        true
    }

    /// Turns the completion into the outcome.
    fn complete(self, completion: Completion) -> Self::Output;

    /// Whether a storage device is to work on it, which has nothing to do until it is submitted.
    fn is_for_storage(&self) -> bool {
        false
    }

    /// The future is being dropped, and the kernel has the operation: it is about to be cancelled.
    ///
    /// # Safety
    /// The operation is where its entry was made. What the entry points to may not be touched, nor borrowed: the kernel may be writing there.
    unsafe fn abandoned(_: NonNull<Self>) {}

    /// Whether it waits for a worker thread of the kernel, if it has to wait, rather than for its descriptor to be ready. It is found faster
    /// by a cancel that knows.
    fn is_queued(&self) -> bool {
        self.is_for_storage()
    }

    /// Whether it ends without anybody else having to act, as work on files and paths does. A read of a socket waits for the peer.
    fn ends_by_itself(&self) -> bool {
        self.is_queued()
    }

    /// What messages call it: by default, its type.
    fn kind() -> &'static str
    where
        Self: Sized,
    {
        kind_by_type::<Self>()
    }

    /// The first of two completions came, and the future has gone: the kernel needs nothing but the memory from now on. The rest can be released.
    fn only_memory_is_left(&mut self) {}

    /// The completion came, and the future has gone. What the outcome holds is released, unless the operation knows better.
    fn release(self, completion: Completion)
    where
        Self: Sized,
    {
        drop(self.complete(completion));
    }
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

    /// When so many items were not fetched, the operation is paused: what it has brought can be fetched, then the stream ends, and a new
    /// one goes on.
    fn unfetched_max(&self) -> usize;

    /// Turns one completion into an item.
    fn item(&mut self, completion: Completion) -> Self::Item;

    /// What messages call it: by default, its type.
    fn kind() -> &'static str
    where
        Self: Sized,
    {
        kind_by_type::<Self>()
    }

    /// A completion came, and the stream has gone. What it brings is released, unless the operation knows better.
    fn release_item(&mut self, completion: Completion) {
        drop(self.item(completion));
    }
}

/// A type's name, without the modules that it is in and the types that it is made of.
fn kind_by_type<O>() -> &'static str {
    let name = std::any::type_name::<O>();
    let name = name.split_once('<').map_or(name, |(name, _)| name);
    name.rsplit_once("::").map_or(name, |(_, name)| name)
}

/// What the kernel moves at once at most (`MAX_RW_COUNT`); some operations take more for an error, or, its sign bit set, for nothing.
const TRANSFER_BYTES_MAX: u32 = 0x7fff_f000;

/// The length of a transfer from or to that many bytes; of a larger buffer it is a part.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).map_or(TRANSFER_BYTES_MAX, |bytes| bytes.min(TRANSFER_BYTES_MAX))
}

fn fd(descriptor: &Descriptor) -> types::Fd {
    types::Fd(descriptor.as_raw_fd())
}
