//! A channel whose every value goes to every receiver, for the tasks of one core.
//!
//! Its ends stay on their core. Between cores use tokio's channel of the same name: see
//! [across cores](crate::sync#across-cores).
//!
//! It keeps the last values, up to its capacity. Sending never waits: when the channel is full, the oldest value is overwritten, and a receiver that
//! had not received it gets [`RecvError::Lagged`](error::RecvError::Lagged) once, with the number of values that it missed. A value is
//! dropped when all receivers have had it. A receiver gets what is sent after it was made.
//!
//! The names are tokio's. Where only the last value matters, [`watch`](super::watch) is simpler.
//!
//! # Examples
//! ```
//! use executor::sync::broadcast;
//! # #[executor::main(cores = 1)]
//! # async fn main() {
//! let (sender, mut one) = broadcast::channel(16);
//! let mut other = sender.subscribe();
//! sender.send("hello").unwrap();
//! assert_eq!(one.recv().await, Ok("hello"));
//! assert_eq!(other.recv().await, Ok("hello"));
//! # }
//! ```

mod channel;
pub mod error;
mod receiver;
mod sender;

pub use receiver::{Receiver, Recv};
pub use sender::Sender;

use channel::Channel;
use std::rc::Rc;

/// A channel that keeps up to `capacity` values for receivers that are slow.
///
/// # Panics
/// If `capacity` is 0.
pub fn channel<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a channel needs a capacity of at least one");
    let channel = Rc::new(Channel::new(capacity));
    let receiver = Receiver::new(Rc::clone(&channel));
    (Sender::new(channel), receiver)
}
