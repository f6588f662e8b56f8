//! Latencies, in a histogram whose size does not depend on how many there are, and the points of it that are reported.
//!
//! Its memory is allocated before anything is timed; recording one is a few instructions. A bench that takes the time of every operation
//! pays for one clock read each, some 20 ns, and all the runtimes of a table pay it alike.

use std::time::Duration;

use hdrhistogram::Histogram;

/// What takes longer counts as this long, which nothing here is allowed to take.
const MOST_NS: u64 = 60_000_000_000;
/// Of each latency: an error of a tenth of a per cent at most.
const DIGITS: u8 = 3;

#[derive(Clone)]
pub(crate) struct Latencies {
    ns: Histogram<u64>,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        let ns = Histogram::new_with_bounds(1, MOST_NS, DIGITS).expect("the bounds are right");
        Latencies { ns }
    }

    #[inline]
    pub(crate) fn record(&mut self, latency: Duration) {
        self.ns.saturating_record(latency.as_nanos() as u64);
    }

    pub(crate) fn len(&self) -> usize {
        self.ns.len() as usize
    }

    /// In nanoseconds: so long took the slowest of this share of the operations.
    pub(crate) fn ns_at(&self, share: f64) -> f64 {
        self.ns.value_at_quantile(share) as f64
    }

    pub(crate) fn us_at(&self, share: f64) -> f64 {
        self.ns_at(share) / 1e3
    }

    pub(crate) fn histogram(&self) -> &Histogram<u64> {
        &self.ns
    }
}
