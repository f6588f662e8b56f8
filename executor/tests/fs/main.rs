//! Files and directories.

#[path = "../support/child.rs"]
mod child;
#[path = "../common/mod.rs"]
mod common;
#[path = "../support/log.rs"]
mod log;
#[path = "../support/restraint.rs"]
mod restraint;
#[path = "../support/scratch.rs"]
mod scratch;

mod dir;
mod direct;
mod faults;
mod files;
mod paths;
mod registered;
mod workers;
