//! What needs the sources, or the compiler: the names of the API, and what is refused.

#[path = "../common/mod.rs"]
mod common;

mod compile_fail;
mod public_api;
