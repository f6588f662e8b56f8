//! TCP on the core's ring, with owned buffers.
//!
//! The kernel owns a buffer from the moment an operation is submitted until it is done, so operations take buffers by value and give
//! them back with the result, as a [`BufResult`](crate::buf::BufResult). Sockets belong to the core they were made on.

#![forbid(unsafe_code)]

mod address;
mod listener;
mod stream;

pub use listener::{TcpListener, TcpListenerBuilder};
pub use stream::TcpStream;
