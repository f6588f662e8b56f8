//! The builder and the handle, buffers and operations of users, time.

#[path = "../common/mod.rs"]
mod common;
#[path = "../support/scratch.rs"]
mod scratch;
#[path = "../support/sources.rs"]
mod sources;

mod buf_parts;
mod ring;
mod runtime_api;
mod time;
mod time_paused;
