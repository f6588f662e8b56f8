//! Known bytes: one tape of random ones, of which each connection sends a stretch of its own.
//!
//! No two serial numbers below [`STARTS`] start at the same place, so a byte that is lost, doubled, moved or another connection's
//! does not compare equal for long. Checking is a comparison of slices, quick also in a debug build.

use std::sync::LazyLock;

/// The longest stretch a connection sends, in bytes.
pub(crate) const LENGTH_MAX: usize = 1 << 20;

/// How many different stretches there are.
const STARTS: usize = 2 << 20;

/// Odd, and so without a factor in common with [`STARTS`]: the starts of successive serial numbers differ, and are not neighbours.
const STRIDE: usize = 509 * 1021;

static TAPE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut random = Random::seeded(0x7A9E);
    (0..(STARTS + LENGTH_MAX) / 8)
        .flat_map(|_| random.next().to_le_bytes())
        .collect()
});

/// The first `length` bytes of the stretch that belongs to `serial`.
pub(crate) fn stretch(serial: usize, length: usize) -> &'static [u8] {
    assert!(length <= LENGTH_MAX);
    let start = serial.wrapping_mul(STRIDE) % STARTS;
    &TAPE[start..start + length]
}

/// A xorshift generator: the same seed gives the same numbers.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn seeded(seed: u64) -> Self {
        // Multiplied, so that neighbouring seeds have little in common; or-ed, as xorshift never leaves zero.
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number from 1 to `max`.
    pub(crate) fn up_to(&mut self, max: usize) -> usize {
        1 + usize::try_from(self.next() >> 16).expect("64 bits") % max
    }

    /// A number from 1 to [`LENGTH_MAX`], with each power of two as likely as any other.
    pub(crate) fn length(&mut self) -> usize {
        let power = 1 << (self.up_to(20) - 1);
        power + self.up_to(power)
    }
}
