//! What the tasks of one core wait in, and what they use between cores.

#[path = "../common/mod.rs"]
mod common;

mod channels;
mod local_channels;
mod locks;
mod notify;
mod semaphore;
