//! The rounds of a figure, summed up: their median, the least and the most, and how far they agree.

use serde::{Deserialize, Serialize};

/// Rounds disagree when their middle half lies further apart than this share of the median. Chosen so that a quiet machine marks
/// nothing and a neighbour who takes the CPU in a third of the rounds is seen.
const DISAGREEMENT: f64 = 0.10;

/// Panics are for a bench without a round: it has nothing to report.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// A quarter of the rounds lies below this one ...
    pub(crate) quarter: f64,
    /// ... and a quarter above this one.
    pub(crate) three_quarters: f64,
}

impl Spread {
    pub(crate) fn of(samples: &[f64]) -> Self {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        // Between two samples, the straight line.
        let at = |share: f64| {
            let place = (sorted.len() - 1) as f64 * share;
            let (below, above) = (place.floor() as usize, place.ceil() as usize);
            sorted[below] + (sorted[above] - sorted[below]) * place.fract()
        };
        Spread {
            median: at(0.5),
            min: at(0.0),
            max: at(1.0),
            quarter: at(0.25),
            three_quarters: at(0.75),
        }
    }

    /// Of two runtimes' samples, divided round by round: what disturbs a noisy machine for a few seconds disturbs both sides.
    pub(crate) fn of_ratios(ours: &[f64], theirs: &[f64]) -> Self {
        let pairs = ours.iter().zip(theirs);
        Spread::of(
            &pairs
                .map(|(ours, theirs)| ours / theirs)
                .collect::<Vec<_>>(),
        )
    }

    /// Such a figure is marked, not hidden.
    pub(crate) fn rounds_disagree(&self) -> bool {
        self.three_quarters - self.quarter > DISAGREEMENT * self.median.abs()
    }

    /// The middle halves of the two have nothing in common.
    pub(crate) fn is_apart_from(&self, other: &Spread) -> bool {
        self.quarter > other.three_quarters || self.three_quarters < other.quarter
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    /// Five rounds, out of order: the middle one is the median, the second and the fourth bound the middle half.
    #[test]
    fn the_median_and_the_middle_half_are_found() {
        let spread = Spread::of(&[5.0, 1.0, 3.0, 2.0, 4.0]);
        let Spread {
            median,
            min,
            max,
            quarter,
            three_quarters,
        } = spread;
        assert_eq!(
            [min, quarter, median, three_quarters, max],
            [1.0, 2.0, 3.0, 4.0, 5.0]
        );
    }

    /// One round in eight that is far off is marked in the least and the most only; three of eight are a disagreement.
    #[test]
    fn rounds_disagree_when_their_middle_half_is_wide() {
        let mut samples = [100.0, 101.0, 99.0, 100.0, 102.0, 98.0, 100.0, 250.0];
        assert!(!Spread::of(&samples).rounds_disagree());
        samples[..2].fill(250.0);
        assert!(Spread::of(&samples).rounds_disagree());
    }

    /// A machine that halves its speed between two rounds does not change a ratio.
    #[test]
    fn ratios_are_taken_within_a_round() {
        let ratio = Spread::of_ratios(&[10.0, 20.0], &[5.0, 10.0]);
        assert_eq!((ratio.min, ratio.max), (2.0, 2.0));
    }
}
