//! One figure of one runtime: what every bench hands in, every table shows and every line of JSON says.

use serde::{Deserialize, Serialize};

use super::Spread;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) bench: String,
    pub(crate) figure: String,
    pub(crate) runtime: String,
    pub(crate) unit: String,
    pub(crate) better: Better,
    /// One for each round.
    pub(crate) samples: Vec<f64>,
    #[serde(flatten)]
    pub(crate) spread: Spread,
    pub(crate) rounds_disagree: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ratio: Option<Ratio>,
    /// Of latencies: shares of the answers, and the time in which they came, over all rounds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) distribution: Vec<(f64, f64)>,
    pub(crate) machine: String,
    /// Of the runtime, where it has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Better {
    Less,
    More,
    /// It explains another figure, and is not to be compared.
    Neither,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ratio {
    /// The runtime whose figure is 1.
    pub(crate) to: String,
    #[serde(flatten)]
    pub(crate) spread: Spread,
}

impl Figure {
    /// The same figure of the same runtime, perhaps in another run.
    pub(crate) fn is_same_as(&self, other: &Figure) -> bool {
        (&self.bench, &self.figure, &self.runtime) == (&other.bench, &other.figure, &other.runtime)
    }

    pub(crate) fn is_row_of(&self, other: &Figure) -> bool {
        (&self.bench, &self.figure) == (&other.bench, &other.figure)
    }
}
