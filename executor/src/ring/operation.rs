//! What users implement, and the future and the stream that submit it. The traits are fewer methods than the reactor's, which may change.

use super::{Completion, Entry};
use crate::io::ends::current_reactor;
use crate::operation::operations;
use futures_core::Stream;
use futures_core::stream::FusedStream;
use reactor::operation as below;
use std::any::type_name;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// An operation with one completion.
///
/// It is moved to the heap by [`Op::new`], and stays there until it is complete. It, its output and
/// what it holds never leave their core.
///
/// # Safety
/// The implementor promises, for each entry that [`entry`](Self::entry) returns:
///
/// - **Memory.** It points only to memory that `self` owns, directly or on the heap, or that lives
///   for ever. From the call of `entry` to that of [`complete`](Self::complete), nobody reads or
///   writes what the kernel may write, and nobody writes what the kernel may read, other than with
///   atomic instructions; nor is there a reference to what the kernel may write. That holds however
///   long it takes: the future may be dropped, and at the end of a runtime `self` is leaked if the
///   kernel does not answer.
/// - **Descriptors.** `self` keeps the descriptors open that it names, as a
///   [`SharedFd`](super::SharedFd) does. It closes none of them (`Close`) that something else owns.
///   It names none by its place in the ring's table of descriptors, and no buffer by its place in
///   the ring's table of buffers or in a group of provided buffers (`BUFFER_SELECT`): those belong
///   to this crate.
/// - **Completions.** It asks for exactly one: no multishot, no `SKIP_SUCCESS`. A second that only
///   says that the kernel has let go of the memory, as `SEND_ZC` has it, may follow. The future is
///   ready when it has come, and `complete` gets the first. If there are more, the core panics, and
///   what they bring (descriptors, say) is lost; if there is none, the future never ends.
/// - **Other operations.** It does not link itself to the next entry (`IO_LINK`, `IO_HARDLINK`),
///   does not hold others up (`IO_DRAIN`), does not cancel or change operations that are not its
///   own, does not change the ring, and posts no completion into a ring of this crate (`MSG_RING`).
///
/// It promises as well that `complete` believes no more of what the kernel wrote than the
/// completion says: of a buffer only as many bytes as were read, of a descriptor that it is new
/// only if the result is one.
///
/// User data is set by the crate. `self` may be dropped without `entry` having been called. The
/// methods may panic: that reaches who polls the future. If it was dropped, the panic is logged,
/// and nothing else happens.
///
/// What happens if the kernel does not heed a cancel is told [in the module](super#cancelling).
///
/// # Examples
/// An operation with a buffer: random bytes, read at the start of a device.
/// ```
/// use executor::ring::io_uring::{opcode, types::Fd};
/// use executor::ring::{Completion, Entry, Op, Operation, SharedFd};
/// use std::io;
/// use std::os::fd::{AsRawFd, OwnedFd};
///
/// struct Key {
///     device: SharedFd,
///     bytes: Box<[u8; 32]>,
/// }
///
/// // SAFETY: the entry points to `bytes`, on the heap, which nobody else gets before the completion; the descriptor is held.
/// unsafe impl Operation for Key {
///     type Output = io::Result<Box<[u8; 32]>>;
///
///     fn entry(&mut self) -> Entry {
///         let device = Fd(self.device.as_raw_fd());
///         opcode::Read::new(device, self.bytes.as_mut_ptr(), 32).build()
///     }
///
///     fn complete(self, completion: Completion) -> Self::Output {
///         match completion.result()? {
///             32 => Ok(self.bytes),
///             _ => Err(io::ErrorKind::UnexpectedEof.into()),
///         }
///     }
/// }
///
/// # #[executor::main(cores = 1)]
/// # async fn main() -> io::Result<()> {
/// let device = OwnedFd::from(std::fs::File::open("/dev/urandom")?);
/// let key = Op::new(Key { device: device.into(), bytes: Box::default() }).await?;
/// assert_ne!(*key, [0; 32]);
/// # Ok(())
/// # }
/// ```
pub unsafe trait Operation: 'static {
    /// What the future yields. If the future was dropped, this is dropped in its place, on the same core, when the completion has come: so its drop
    /// must release what the operation has brought. A new descriptor is an [`OwnedFd`](std::os::fd::OwnedFd) in it.
    type Output;

    /// The entry to submit. It is called when the future is first polled, with `self` at its final place; and again, if the kernel has ended the
    /// operation with `EINTR` though nobody has cancelled it.
    fn entry(&mut self) -> Entry;

    /// Turns the completion into the output. It may be called without `entry` having been called: the result is `ECANCELED` then.
    fn complete(self, completion: Completion) -> Self::Output;

    /// Whether it may be submitted again when it was interrupted. By default it may. If not, the result is `EIO` then.
    fn is_repeatable(&self) -> bool {
        true
    }

    /// Whether it ends without anybody else having to act, as work on files does. A read of a
    /// socket waits for the peer, and does not. By default it does not.
    ///
    /// Time that is [paused](crate::time::pause) stands still while such an operation is in flight.
    /// Nothing else depends on it: at the end of a runtime it is cancelled as any.
    fn ends_by_itself(&self) -> bool {
        false
    }
}

/// An operation with any number of completions.
///
/// When its stream is dropped it is cancelled. Completions that come until the kernel has answered
/// are still given to [`item`](Self::item), and the items are dropped; only then is `self` dropped.
///
/// # Safety
/// As for [`Operation`], until the completion that [has no more](Completion::has_more) behind it;
/// but it may ask for more than one. What the kernel may write is behind a pointer, not in `self`
/// itself:
/// `item` gets a `&mut self` while the kernel may be writing. The kernel has to end each with a
/// completion that has no more behind it, also when it is cancelled; multishot operations do.
///
/// # Examples
/// How often an eventfd was written to, without asking the kernel each time:
/// ```
/// use executor::ring::io_uring::{opcode, types::Fd};
/// use executor::ring::{Completion, Entry, Multishot, OpStream, SharedFd};
/// use futures::StreamExt;
/// use rustix::event::{EventfdFlags, eventfd};
/// use std::io;
/// use std::os::fd::AsRawFd;
///
/// struct Readable(SharedFd);
///
/// // SAFETY: the entry points to no memory, and the descriptor is held.
/// unsafe impl Multishot for Readable {
///     type Item = io::Result<u32>;
///
///     fn entry(&mut self) -> Entry {
///         const POLLIN: u32 = 1;
///         opcode::PollAdd::new(Fd(self.0.as_raw_fd()), POLLIN).multi(true).build()
///     }
///
///     fn item(&mut self, completion: Completion) -> io::Result<u32> {
///         completion.result()
///     }
/// }
///
/// # #[executor::main(cores = 1)]
/// # async fn main() -> io::Result<()> {
/// let event = SharedFd::from(eventfd(1, EventfdFlags::NONBLOCK)?);
/// let mut readable = OpStream::new(Readable(event.clone()));
/// assert_eq!(readable.next().await.unwrap()?, 1);
/// rustix::io::write(&event, &1_u64.to_ne_bytes())?;
/// assert_eq!(readable.next().await.unwrap()?, 1);
/// # Ok(())
/// # }
/// ```
pub unsafe trait Multishot: 'static {
    /// What the stream yields. If the stream was dropped, items that come later are dropped in its place: as [`Operation::Output`].
    type Item;

    /// The entry to submit. It is called once, when the stream is first polled, with `self` at its final place.
    fn entry(&mut self) -> Entry;

    /// Turns one completion into an item. It must not touch what the kernel may write, unless the completion has no more behind it.
    fn item(&mut self, completion: Completion) -> Self::Item;

    /// When so many items were not fetched, the operation is paused: they can be fetched, and then the stream ends. Make a new one to go on. By
    /// default 1,024.
    fn unfetched_max(&self) -> usize {
        1024
    }
}

/// A user's operation as the reactor takes it.
pub(crate) struct ByUser<O>(O);

// SAFETY: the user's trait promises as much, and `O` moves only when this does.
unsafe impl<O: Operation> below::Operation for ByUser<O> {
    type Output = O::Output;

    fn entry(&mut self) -> Entry {
        self.0.entry()
    }

    fn is_repeatable(&self) -> bool {
        self.0.is_repeatable()
    }

    fn complete(self, completion: Completion) -> O::Output {
        self.0.complete(completion)
    }

    fn is_queued(&self) -> bool {
        self.0.ends_by_itself()
    }

    fn kind() -> &'static str {
        type_name::<O>()
    }
}

// SAFETY: as above.
unsafe impl<M: Multishot> below::Multishot for ByUser<M> {
    type Item = M::Item;

    fn entry(&mut self) -> Entry {
        self.0.entry()
    }

    fn unfetched_max(&self) -> usize {
        self.0.unfetched_max()
    }

    fn item(&mut self, completion: Completion) -> M::Item {
        self.0.item(completion)
    }

    fn kind() -> &'static str {
        type_name::<M>()
    }
}

operations! {
    /// The future of an [`Operation`]. It is submitted when it is first polled, on the core that it was made on.
    ///
    /// **Dropped** before that, nothing has happened. Dropped later, the operation is cancelled in
    /// the background: it may still take place, its output is dropped, and what it points to is
    /// kept until the kernel is done with it. To know what became of it, and to have its buffer
    /// back, [`cancel`](Self::cancel) it instead. The kernel is asked once: see
    /// [`ring`](crate::ring#cancelling).
    pub struct Op<O: Operation>(below::Op<ByUser<O>>) -> O::Output;
}

impl<O: Operation> Op<O> {
    /// Prepares an operation for the current core.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn new(operation: O) -> Self {
        Self(below::Op::new(
            current_reactor("Op::new"),
            ByUser(operation),
        ))
    }
}

/// The stream of a [`Multishot`] operation. It is submitted when it is first polled, on the core that it was made on, and ends after the item that the
/// kernel said has no more behind it: the kernel may end a multishot operation at any time. An item takes from the
/// [budget](crate::consume_budget).
///
/// **Dropped**, it is cancelled in the background; items that were not fetched are dropped.
#[must_use = "streams do nothing unless polled"]
pub struct OpStream<M: Multishot>(below::OpStream<ByUser<M>>);

impl<M: Multishot> OpStream<M> {
    /// Prepares an operation for the current core.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn new(operation: M) -> Self {
        let reactor = current_reactor("OpStream::new");
        Self(below::OpStream::new(reactor, ByUser(operation)))
    }
}

impl<M: Multishot> Stream for OpStream<M> {
    type Item = M::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<M::Item>> {
        self.0.poll_next(context)
    }
}

impl<M: Multishot> FusedStream for OpStream<M> {
    fn is_terminated(&self) -> bool {
        self.0.is_over()
    }
}

impl<M: Multishot> fmt::Debug for OpStream<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OpStream").finish_non_exhaustive()
    }
}
