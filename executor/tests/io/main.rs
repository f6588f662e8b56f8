//! Reading and writing, whatever it is from or to.

#[path = "../support/child.rs"]
mod child;
#[path = "../common/mod.rs"]
mod common;
#[path = "../support/scratch.rs"]
mod scratch;
#[path = "../support/slow_server.rs"]
mod slow_server;
#[path = "../support/terminal.rs"]
mod terminal;

mod async_fd;
mod buffers;
mod compat;
mod ends;
mod in_memory;
mod kinds;
mod lines;
mod pipes;
mod proxy;
mod splice;
mod standard;
mod traits;
