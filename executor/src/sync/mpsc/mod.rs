//! A queue with many senders and one receiver, for the tasks of one core.
//!
//! Its ends stay on their core. Between cores use tokio's channel of the same name: see
//! [across cores](crate::sync#across-cores).
//!
//! A bounded [`channel`](channel()) makes senders wait while it is full; an [`unbounded_channel`] grows. Values come out in the order in which they were
//! sent. Senders that wait get the next free slot in the order in which they asked, and [`try_send`](Sender::try_send) does not overtake them.
//!
//! The channel is at its end when all senders have been dropped, or when the receiver has closed it: what was sent before, and what comes into slots
//! that were reserved before, is still received. If the receiver is dropped, what is in the channel is dropped, and sending fails.
//!
//! Nothing is lost if a future is dropped: a slot that was granted to a sender that has gone goes to the next, and values leave the channel only when
//! a receive is ready. The names are tokio's. There is no `blocking_send`, for the receiver is a task of the same thread, and no
//! `send_timeout`: put [`timeout`](crate::time::timeout) around [`reserve`](Sender::reserve), which does not lose the value.
//!
//! # Examples
//! ```
//! use executor::sync::mpsc;
//! # #[executor::main(cores = 1)]
//! # async fn main() {
//! let (sender, mut receiver) = mpsc::channel(8);
//! for worker in 0..3 {
//!     let sender = sender.clone();
//!     executor::spawn(async move { sender.send(worker).await }).detach();
//! }
//! drop(sender);
//! let mut sum = 0;
//! while let Some(number) = receiver.recv().await {
//!     sum += number;
//! }
//! assert_eq!(sum, 3);
//! # }
//! ```

mod channel;
pub mod error;
mod permit;
mod receiver;
mod sender;
mod unbounded;

pub use permit::{OwnedPermit, Permit, Reserve, ReserveOwned, SendValue};
pub use receiver::{Receiver, Recv, RecvMany, UnboundedReceiver, UnboundedRecv, UnboundedRecvMany};
pub use sender::{Closed, Sender, WeakSender};
pub use unbounded::{UnboundedSender, WeakUnboundedSender};

use crate::sync::Semaphore;
use channel::Channel;
use std::rc::Rc;

/// A channel that has `buffer` slots for values that were sent and not received yet. The memory for them is allocated as they are used.
///
/// # Panics
/// If `buffer` is 0 or more than [`Semaphore::MAX_PERMITS`].
pub fn channel<T>(buffer: usize) -> (Sender<T>, Receiver<T>) {
    assert!(buffer > 0, "a channel needs at least one slot");
    assert!(
        buffer <= Semaphore::MAX_PERMITS,
        "a channel cannot have {buffer} slots"
    );
    let channel = Rc::new(Channel::new(Some(buffer)));
    (Sender::new(Rc::clone(&channel)), Receiver::new(channel))
}

/// A channel without a limit: sending never waits, and memory is the only bound on what has not been received yet.
///
/// # Examples
/// ```
/// use executor::sync::mpsc;
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let (sender, mut receiver) = mpsc::unbounded_channel();
/// sender.send("first").unwrap();
/// sender.send("second").unwrap();
/// assert_eq!(receiver.recv().await, Some("first"));
/// # }
/// ```
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let channel = Rc::new(Channel::new(None));
    (
        UnboundedSender::new(Rc::clone(&channel)),
        UnboundedReceiver::new(channel),
    )
}
