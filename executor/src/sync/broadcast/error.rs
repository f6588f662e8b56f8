//! Why something could not be sent or received.

use std::{error, fmt};

/// There is no receiver. The value comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(pub T);

/// Why [`recv`](super::Receiver::recv) received nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecvError {
    /// All senders have been dropped, and this receiver has had everything.
    Closed,
    /// The receiver was too slow: so many values were overwritten before it had them. The next receive yields the oldest that is left.
    Lagged(u64),
}

/// Why [`try_recv`](super::Receiver::try_recv) received nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// There is nothing new now.
    Empty,
    /// As [`RecvError::Closed`].
    Closed,
    /// As [`RecvError::Lagged`].
    Lagged(u64),
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SendError").finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the channel has no receiver")
    }
}

impl<T> error::Error for SendError<T> {}

impl fmt::Display for RecvError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => formatter.write_str("the channel is closed"),
            Self::Lagged(missed) => write!(formatter, "the receiver missed {missed} values"),
        }
    }
}

impl error::Error for RecvError {}

impl fmt::Display for TryRecvError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("the channel is empty"),
            Self::Closed => RecvError::Closed.fmt(formatter),
            Self::Lagged(missed) => RecvError::Lagged(*missed).fmt(formatter),
        }
    }
}

impl error::Error for TryRecvError {}
