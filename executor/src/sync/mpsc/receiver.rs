//! The receivers.

use super::channel::Channel;
use super::error::TryRecvError;
use futures_core::stream::FusedStream;
use futures_core::{FusedFuture, Stream};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Receives the values of a bounded channel; also a [`Stream`]. **Dropped**, it closes the channel and drops what is in it.
pub struct Receiver<T> {
    channel: Rc<Channel<T>>,
    /// It has said that there is nothing more.
    has_ended: bool,
}

/// Receives the values of an unbounded channel; also a [`Stream`]. **Dropped**, it closes the channel and drops what is in it.
pub struct UnboundedReceiver<T> {
    channel: Rc<Channel<T>>,
    /// It has said that there is nothing more.
    has_ended: bool,
}

impl<T> Receiver<T> {
    /// How many slots are free now.
    pub fn capacity(&self) -> usize {
        self.channel.slots().available_permits()
    }

    /// How many slots the channel has.
    pub fn max_capacity(&self) -> usize {
        self.channel.max_capacity()
    }
}

/// What both kinds of receivers have.
macro_rules! receiver {
    ($receiver:ident, $recv:ident, $recv_many:ident) => {
        impl<T> $receiver<T> {
            pub(super) fn new(channel: Rc<Channel<T>>) -> Self {
                let has_ended = false;
                Self { channel, has_ended }
            }

            /// Waits for the next value; `None` when the channel is empty and nothing comes any more.
            ///
            /// **Dropped**, the future loses nothing.
            pub fn recv(&mut self) -> $recv<'_, T> {
                $recv { receiver: self }
            }

            /// Waits for a value, then appends up to `limit` of those that are there to `values`, and says how many that was. Zero means that
            /// nothing comes any more, or that `limit` is 0.
            ///
            /// **Dropped**, the future loses nothing: what it has taken is in `values`.
            pub fn recv_many<'a>(
                &'a mut self,
                values: &'a mut Vec<T>,
                limit: usize,
            ) -> $recv_many<'a, T> {
                let receiver = self;
                $recv_many {
                    receiver,
                    values,
                    limit,
                }
            }

            /// The next value, if there is one now.
            ///
            /// # Errors
            /// [`TryRecvError`] otherwise.
            pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
                self.channel.try_recv()
            }

            /// [`recv`](Self::recv), for a future that is written by hand. The waker of the last poll is woken.
            pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
                let polled = self.channel.poll_recv(context);
                self.has_ended |= matches!(polled, Poll::Ready(None));
                polled
            }

            /// [`recv_many`](Self::recv_many), for a future that is written by hand. The waker of the last poll is woken.
            pub fn poll_recv_many(
                &mut self,
                context: &mut Context<'_>,
                values: &mut Vec<T>,
                limit: usize,
            ) -> Poll<usize> {
                self.channel.poll_recv_many(context, values, limit)
            }

            /// Closes the channel: nothing can be sent any more, except into slots that are reserved. What is in it can still be received.
            pub fn close(&mut self) {
                self.channel.close();
            }

            /// Whether the channel was closed, or all senders have been dropped. There may be values in it.
            pub fn is_closed(&self) -> bool {
                self.channel.is_closed() || self.sender_strong_count() == 0
            }

            /// Whether no value is in the channel now.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// How many values are in the channel now.
            pub fn len(&self) -> usize {
                self.channel.len()
            }

            /// How many senders there are, without the weak ones.
            pub fn sender_strong_count(&self) -> usize {
                self.channel.senders.get()
            }

            /// How many weak senders there are.
            pub fn sender_weak_count(&self) -> usize {
                self.channel.weak_senders.get()
            }
        }

        impl<T> Stream for $receiver<T> {
            type Item = T;

            fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
                self.poll_recv(context)
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                (self.len(), None)
            }
        }

        impl<T> FusedStream for $receiver<T> {
            fn is_terminated(&self) -> bool {
                self.has_ended
            }
        }

        impl<T> Drop for $receiver<T> {
            fn drop(&mut self) {
                self.channel.end();
            }
        }

        impl<T> fmt::Debug for $receiver<T> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter
                    .debug_struct(stringify!($receiver))
                    .field("queued", &self.len())
                    .field("is_closed", &self.is_closed())
                    .finish_non_exhaustive()
            }
        }

        #[doc = concat!("The future of [`", stringify!($receiver), "::recv`]. **Dropped**, it loses nothing.")]
        #[derive(Debug)]
        #[must_use = "futures do nothing unless polled"]
        pub struct $recv<'a, T> {
            receiver: &'a mut $receiver<T>,
        }

        impl<T> Future for $recv<'_, T> {
            type Output = Option<T>;

            fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
                self.receiver.poll_recv(context)
            }
        }

        /// Terminated once the channel has said that nothing comes any more. Until then the future can be polled on for the next value.
        impl<T> FusedFuture for $recv<'_, T> {
            fn is_terminated(&self) -> bool {
                self.receiver.has_ended
            }
        }

        #[doc = concat!("The future of [`", stringify!($receiver), "::recv_many`]. **Dropped**, it loses nothing.")]
        #[must_use = "futures do nothing unless polled"]
        pub struct $recv_many<'a, T> {
            receiver: &'a mut $receiver<T>,
            values: &'a mut Vec<T>,
            limit: usize,
        }

        impl<T> Future for $recv_many<'_, T> {
            type Output = usize;

            fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<usize> {
                let Self {
                    receiver,
                    values,
                    limit,
                } = &mut *self;
                receiver.poll_recv_many(context, values, *limit)
            }
        }

        impl<T> fmt::Debug for $recv_many<'_, T> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter
                    .debug_struct(stringify!($recv_many))
                    .field("receiver", self.receiver)
                    .field("limit", &self.limit)
                    .finish_non_exhaustive()
            }
        }
    };
}

receiver!(Receiver, Recv, RecvMany);
receiver!(UnboundedReceiver, UnboundedRecv, UnboundedRecvMany);
