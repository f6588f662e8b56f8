//! Who has which buffer of a pool: nobody, the kernel, or the holders of what it has put into it.
//!
//! | buffer    | `with_kernel` | `pieces` | next                                                                      |
//! |-----------|---------------|----------|---------------------------------------------------------------------------|
//! | spare     | no            | 0        | offered by [`Ledger::offer_next`], held by [`Ledger::take`]                  |
//! | offered   | yes           | 0        | begun or held by [`Ledger::arrived`]                                       |
//! | begun     | yes           | 1 …      | itself, or held by [`Ledger::arrived`]; itself by [`Ledger::released`]     |
//! | held      | no            | 1 …      | itself, or spare by [`Ledger::released`]                                   |
//!
//! The kernel is offered a quarter of what it might have, so that a connection which is flooded while its owner sleeps can take no more
//! before it is paused, and leaves most of a pool to the others. Plain numbers, no memory: that is `ring`'s.

/// The kernel gets one buffer in so many.
const OFFERED_PART: usize = 4;

#[derive(Clone, Copy, Default)]
struct Buffer {
    with_kernel: bool,
    /// Parts of it that somebody holds.
    pieces: u32,
    /// Up to where the kernel has filled it.
    filled: u32,
}

pub(super) struct Ledger {
    buffers: Box<[Buffer]>,
    spare: Vec<u16>,
    with_kernel: usize,
    /// Whether a kernel is there to take buffers.
    offers: bool,
}

impl Ledger {
    /// All are spare; `offers` says whether the kernel is to have some.
    pub(super) fn new(count: u16, offers: bool) -> Self {
        Self {
            buffers: vec![Buffer::default(); usize::from(count)].into(),
            spare: (0..count).rev().collect(),
            with_kernel: 0,
            offers,
        }
    }

    /// A buffer that the kernel should be offered now, if any.
    #[must_use]
    pub(super) fn offer_next(&mut self) -> Option<u16> {
        let unused = self.with_kernel + self.spare.len();
        if !self.offers || self.with_kernel > 0 && self.with_kernel >= unused / OFFERED_PART {
            return None;
        }
        let index = self.spare.pop()?;
        self.buffers[usize::from(index)] = Buffer {
            with_kernel: true,
            pieces: 0,
            filled: 0,
        };
        self.with_kernel += 1;
        Some(index)
    }

    /// The kernel has put `bytes` into a buffer, and goes on filling it or not. Returns where they begin. Somebody holds the piece now.
    pub(super) fn arrived(&mut self, index: u16, bytes: u32, goes_on: bool) -> u32 {
        let buffer = &mut self.buffers[usize::from(index)];
        debug_assert!(buffer.with_kernel, "it came from the kernel");
        let start = buffer.filled;
        buffer.filled += bytes;
        buffer.pieces += 1;
        if !goes_on {
            buffer.with_kernel = false;
            self.with_kernel -= 1;
        }
        start
    }

    /// A whole buffer, for a holder of our own.
    #[must_use]
    pub(super) fn take(&mut self) -> Option<u16> {
        let index = self.spare.pop()?;
        self.buffers[usize::from(index)].pieces = 1;
        Some(index)
    }

    /// A piece is not held any more.
    pub(super) fn released(&mut self, index: u16) {
        let buffer = &mut self.buffers[usize::from(index)];
        buffer.pieces -= 1;
        if buffer.pieces == 0 && !buffer.with_kernel {
            self.spare.push(index);
        }
    }

    /// Whether a receive has a chance to find a buffer.
    pub(super) fn can_receive(&self) -> bool {
        if self.offers {
            self.with_kernel > 0
        } else {
            !self.spare.is_empty()
        }
    }

    /// How many buffers nobody holds a piece of.
    pub(super) fn unheld(&self) -> usize {
        let unheld = self.buffers.iter().filter(|buffer| buffer.pieces == 0);
        unheld.count()
    }
}

#[cfg(test)]
mod tests {
    use super::Ledger;

    fn offer_all(ledger: &mut Ledger) -> Vec<u16> {
        std::iter::from_fn(|| ledger.offer_next()).collect()
    }

    /// The kernel takes what it is offered, again and again, and nothing comes back: each time it is offered a quarter of the rest, and
    /// one as long as there is any.
    #[test]
    fn a_quarter_of_what_is_left_is_offered() {
        let mut ledger = Ledger::new(64, true);
        let mut offers = Vec::new();
        loop {
            let offered = offer_all(&mut ledger);
            if offered.is_empty() {
                break;
            }
            for &index in &offered {
                assert_eq!(ledger.arrived(index, 10, false), 0);
            }
            offers.push(offered.len());
        }
        assert_eq!(offers[..4], [16, 12, 9, 6]);
        assert_eq!(offers.iter().sum::<usize>(), 64);
        assert!(!ledger.can_receive());
    }

    /// One buffer is filled in three pieces: each begins where the last ended, and the buffer is spare when the kernel has left it and the last piece
    /// has come back, in whatever order.
    #[test]
    fn a_buffer_is_spare_when_all_have_left_it() {
        for kernel_is_last in [false, true] {
            let mut ledger = Ledger::new(1, true);
            assert_eq!(offer_all(&mut ledger), [0]);
            assert_eq!(ledger.arrived(0, 100, true), 0);
            assert_eq!(ledger.arrived(0, 7, true), 100);
            ledger.released(0);
            if kernel_is_last {
                ledger.released(0);
                assert_eq!(ledger.unheld(), 1);
            }
            assert_eq!(ledger.offer_next(), None, "the kernel still fills it");
            assert_eq!(ledger.arrived(0, 21, false), 107);
            assert!(!ledger.can_receive());
            if !kernel_is_last {
                ledger.released(0);
            }
            assert_eq!(ledger.offer_next(), None, "a piece is held");
            ledger.released(0);
            assert_eq!(ledger.offer_next(), Some(0));
            assert_eq!(ledger.arrived(0, 1, false), 0, "from its start again");
        }
    }

    /// Without a kernel to offer to, buffers are taken and come back.
    #[test]
    fn buffers_are_taken_and_come_back() {
        let mut ledger = Ledger::new(2, false);
        assert_eq!(ledger.offer_next(), None);
        let first = ledger.take().expect("it is spare");
        assert!(ledger.can_receive());
        ledger.take().expect("it is spare");
        assert!(!ledger.can_receive());
        assert_eq!(ledger.take(), None);
        ledger.released(first);
        assert_eq!(ledger.take(), Some(first));
    }
}
