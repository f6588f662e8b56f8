//! How tasks share a core, what belongs to one, and what each core has of its own.

#[path = "../common/mod.rs"]
mod common;
#[path = "../support/scratch.rs"]
mod scratch;

mod budget;
mod fairness;
mod foreign;
mod join_set;
mod locals;
mod sharded;
