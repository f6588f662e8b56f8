//! Single latencies, and the points of their distribution that are reported.
//!
//! Kept as they come, in memory that was allocated and touched before: recording one is a store. A bench that takes the
//! time of every operation pays for one clock read each, some 20 ns, and all the runtimes of a table pay it alike.

use std::time::Duration;

pub(crate) struct Latencies {
    /// In nanoseconds; saturates at four seconds, which nothing here is allowed to take.
    samples: Vec<u32>,
    most: usize,
}

impl Latencies {
    /// Keeps at most `most`: what comes after that is not recorded.
    pub(crate) fn with_room_for(most: usize) -> Self {
        let mut samples = vec![1; most];
        samples.clear();
        Latencies { samples, most }
    }

    #[inline]
    pub(crate) fn record(&mut self, latency: Duration) {
        if self.samples.len() < self.most {
            let ns = u32::try_from(latency.as_nanos()).unwrap_or(u32::MAX);
            self.samples.push(ns);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.samples.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.samples.len() == self.most
    }

    /// Panics without samples: there is no median of nothing.
    pub(crate) fn summarise(&mut self) -> Summary {
        self.samples.sort_unstable();
        let at = |share: f64| {
            let last = self.samples.len() - 1;
            f64::from(self.samples[(last as f64 * share).round() as usize])
        };
        Summary {
            p50_ns: at(0.5),
            p99_ns: at(0.99),
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Summary {
    pub(crate) p50_ns: f64,
    pub(crate) p99_ns: f64,
}
