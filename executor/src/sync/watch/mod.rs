//! A value that is looked at, and whose changes are waited for, by the tasks of one core: configuration, a state, a request to stop.
//!
//! Its ends stay on their core. Between cores use tokio's channel of the same name: see
//! [across cores](crate::sync#across-cores).
//!
//! Only the last value is kept. A receiver that is slow sees the newest, and may not see those before. The names are tokio's.
//!
//! # Examples
//! ```
//! use executor::sync::watch;
//! # #[executor::main(cores = 1)]
//! # async fn main() {
//! let (sender, mut receiver) = watch::channel("starting");
//! executor::spawn(async move {
//!     sender.send("serving").unwrap();
//!     sender.send("stopping").unwrap();
//! })
//! .detach();
//! receiver.changed().await.unwrap();
//! assert_eq!(*receiver.borrow_and_update(), "stopping");
//! assert!(receiver.changed().await.is_err());
//! # }
//! ```

mod channel;
pub mod error;
mod receiver;
mod sender;

pub use channel::Ref;
pub use receiver::{Changed, Receiver, WaitFor};
pub use sender::{Closed, Sender};

/// A channel with its first value, which the receiver counts as seen.
pub fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(value);
    let receiver = sender.subscribe();
    (sender, receiver)
}
