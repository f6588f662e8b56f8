//! A channel for one value, between two tasks of one core: an answer, the end of something.
//!
//! Its ends stay on their core. Between cores use tokio's channel of the same name: see
//! [across cores](crate::sync#across-cores).
//!
//! The names are tokio's. There is no `blocking_recv`: the sender is a task of the same thread.
//!
//! # Examples
//! ```
//! use executor::sync::oneshot;
//! # #[executor::main(cores = 1)]
//! # async fn main() {
//! let (sender, receiver) = oneshot::channel();
//! executor::spawn(async move { sender.send(42) }).detach();
//! assert_eq!(receiver.await, Ok(42));
//! # }
//! ```

pub mod error;

use crate::sync::waker_slot::WakerSlot;
use error::{RecvError, TryRecvError};
use futures_core::FusedFuture;
use reactor::budget;
use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

struct Channel<T> {
    value: Cell<Option<T>>,
    /// The sender has gone, with or without sending.
    has_no_sender: Cell<bool>,
    /// The receiver has gone or is closed.
    is_closed: Cell<bool>,
    receiver: WakerSlot,
    /// Who waits for the receiver to go.
    sender: WakerSlot,
}

/// A channel for one value.
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let channel = Rc::new(Channel {
        value: Cell::new(None),
        has_no_sender: Cell::new(false),
        is_closed: Cell::new(false),
        receiver: WakerSlot::default(),
        sender: WakerSlot::default(),
    });
    let sender = Sender {
        channel: Rc::clone(&channel),
    };
    let receiver = Receiver {
        channel,
        is_done: false,
    };
    (sender, receiver)
}

/// Sends the one value. **Dropped** without sending, it has the receiver get a [`RecvError`].
pub struct Sender<T> {
    channel: Rc<Channel<T>>,
}

impl<T> Sender<T> {
    /// Sends the value, without waiting.
    ///
    /// # Errors
    /// The value, if the receiver has gone or is closed.
    pub fn send(self, value: T) -> Result<(), T> {
        if self.is_closed() {
            return Err(value);
        }
        self.channel.value.set(Some(value));
        Ok(())
    }

    /// Waits until the receiver has gone or is closed: nobody wants the value any more.
    pub fn closed(&mut self) -> Closed<'_, T> {
        Closed {
            sender: self,
            is_done: false,
        }
    }

    /// Whether the receiver has gone or is closed.
    pub fn is_closed(&self) -> bool {
        self.channel.is_closed.get()
    }

    /// [`closed`](Self::closed), for a future that is written by hand. The waker of the last poll is woken.
    pub fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        budget::limit(context, |context| {
            if self.is_closed() {
                return Poll::Ready(());
            }
            self.channel.sender.register(context.waker());
            Poll::Pending
        })
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.channel.has_no_sender.set(true);
        self.channel.receiver.wake();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sender")
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// The future of [`Sender::closed`]. **Dropped**, it waits no more.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Closed<'a, T> {
    sender: &'a mut Sender<T>,
    is_done: bool,
}

impl<T> Future for Closed<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let polled = self.sender.poll_closed(context);
        self.is_done = polled.is_ready();
        polled
    }
}

impl<T> FusedFuture for Closed<'_, T> {
    fn is_terminated(&self) -> bool {
        self.is_done
    }
}

/// Receives the one value: it is a future, which yields the value or a [`RecvError`] if the sender is dropped without sending.
///
/// **Dropped**, it has the sender know that nobody wants the value; a value that was sent and not received is dropped. Await `&mut receiver` to keep
/// it in a `select!`.
#[must_use = "futures do nothing unless polled"]
pub struct Receiver<T> {
    channel: Rc<Channel<T>>,
    /// It has yielded the value or an error.
    is_done: bool,
}

impl<T> Receiver<T> {
    /// The value, if it was sent.
    ///
    /// # Errors
    /// [`TryRecvError`] otherwise.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let is_last = self.is_terminated() || self.is_closed_for_good();
        match self.channel.value.take() {
            Some(value) => {
                self.is_done = true;
                Ok(value)
            }
            None if is_last => Err(TryRecvError::Closed),
            None => Err(TryRecvError::Empty),
        }
    }

    /// Refuses the value from now on. If it was sent before, it can still be received.
    pub fn close(&mut self) {
        self.channel.is_closed.set(true);
        self.channel.sender.wake();
    }

    /// Whether no value is there to be received.
    pub fn is_empty(&self) -> bool {
        let value = self.channel.value.take();
        let is_empty = value.is_none();
        self.channel.value.set(value);
        is_empty
    }

    /// Whether nothing can be sent any more.
    fn is_closed_for_good(&self) -> bool {
        self.channel.has_no_sender.get() || self.channel.is_closed.get()
    }
}

// The value is moved, never pinned.
impl<T> Unpin for Receiver<T> {}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        budget::limit(context, |context| match self.try_recv() {
            Ok(value) => Poll::Ready(Ok(value)),
            Err(TryRecvError::Closed) => {
                self.is_done = true;
                Poll::Ready(Err(RecvError(())))
            }
            Err(TryRecvError::Empty) => {
                self.channel.receiver.register(context.waker());
                Poll::Pending
            }
        })
    }
}

impl<T> FusedFuture for Receiver<T> {
    fn is_terminated(&self) -> bool {
        self.is_done
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.close();
        drop(self.channel.value.take());
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Receiver")
            .field("is_done", &self.is_done)
            .finish_non_exhaustive()
    }
}
