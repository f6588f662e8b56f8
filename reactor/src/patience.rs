//! When to say that something takes long: after a second, then after twice the time, and so on, at last once a minute.
//!
//! For whoever waits and would otherwise wait in silence. It is asked each time the wait comes round; it does not wait itself.

use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_secs(1);
const INTERVAL_MAX: Duration = Duration::from_secs(60);

/// One wait that should be short.
#[derive(Debug)]
pub struct Patience {
    start: Instant,
    /// When to say so next, from the start.
    next: Duration,
}

impl Patience {
    /// The wait begins now.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            next: FIRST,
        }
    }

    /// How long to wait before asking again.
    pub fn left(&self) -> Duration {
        self.next.saturating_sub(self.start.elapsed())
    }

    /// How long the wait has been, if it is time to say so.
    pub fn ran_out(&mut self) -> Option<Duration> {
        self.ran_out_after(self.start.elapsed())
    }

    fn ran_out_after(&mut self, waited: Duration) -> Option<Duration> {
        if waited < self.next {
            return None;
        }
        while self.next <= waited {
            self.next += self.next.min(INTERVAL_MAX);
        }
        Some(waited)
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, not(modelled)))]
mod tests {
    use super::*;

    /// It is asked each second for ten minutes, and not at all in the next ten.
    #[test]
    fn the_intervals_grow_to_a_minute() {
        let mut patience = Patience::new();
        let said = (0..600).filter(|second| {
            let waited = Duration::from_secs(*second);
            patience.ran_out_after(waited).is_some()
        });
        assert_eq!(
            said.collect::<Vec<_>>(),
            [
                1, 2, 4, 8, 16, 32, 64, 124, 184, 244, 304, 364, 424, 484, 544
            ]
        );
        let late = Duration::from_secs(1_200);
        assert_eq!(patience.ran_out_after(late), Some(late));
        assert_eq!(patience.ran_out_after(late), None);
    }
}
