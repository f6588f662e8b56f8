//! Memory to watch: words whose cache lines are known.

use std::sync::atomic::AtomicU32;

/// Three lines; the one in the middle is watched.
#[repr(align(64))]
pub(crate) struct Lines([[AtomicU32; 16]; 3]);

impl Lines {
    pub(crate) const fn new() -> Self {
        Self([const { [const { AtomicU32::new(0) }; 16] }; 3])
    }

    pub(crate) fn word(&self, line: usize, word: usize) -> &AtomicU32 {
        &self.0[line][word]
    }
}
