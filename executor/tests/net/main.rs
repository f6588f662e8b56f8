//! Sockets.

#[path = "../support/child.rs"]
mod child;
#[path = "../common/mod.rs"]
mod common;

mod cancel;
mod close;
mod faults;
mod incoming;
mod pools;
mod ready;
mod sockets;
mod streams;
mod tcp;
mod tcp_streams;
mod udp;
mod unix;
