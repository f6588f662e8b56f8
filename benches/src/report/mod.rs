//! From samples to what is read: figures, a table for people, lines of JSON for machines, charts, and what changed since an older run.
//!
//! Every bench hands in its figures in one form (`Figure`), through `Session`; nothing here knows what was measured.

mod chart_latencies;
mod chart_ratios;
mod charts;
mod compare;
mod figure;
mod json;
mod spread;
mod table;

pub(crate) use charts::draw;
pub(crate) use compare::compare;
pub(crate) use figure::{Better, Figure, Ratio};
pub(crate) use json::{read, write};
pub(crate) use spread::Spread;
pub(crate) use table::print;
