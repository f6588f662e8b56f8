//! Tasks: how they start, wait, end and are told of it.

#[path = "../common/mod.rs"]
mod common;

mod abort;
mod combinations;
mod drop;
mod join;
mod panic;
mod wake;
mod wakers;
