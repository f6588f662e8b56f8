//! What operations that were dropped have received, kept in a lane for the next to begin with.
//!
//! Of a stream, bytes; of a datagram socket, whole datagrams; of a Unix socket, descriptors beside either.

use super::control::ControlData;
use socket2::SockAddr;
use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

/// Bytes of a stream that came for nobody. Descriptors belong to the first of them; so a receive goes no further than to the next such
/// byte, as in the kernel.
#[derive(Debug)]
pub struct KeptBytes {
    bytes: VecDeque<u8>,
    descriptors: Vec<OwnedFd>,
}

impl KeptBytes {
    /// Adds what has come. Descriptors without a byte are closed.
    pub(super) fn keep<'a>(
        kept: &mut VecDeque<Self>,
        bytes: impl IntoIterator<Item = &'a [u8]>,
        descriptors: Vec<OwnedFd>,
    ) {
        let bytes = bytes.into_iter().flatten().copied();
        match kept.back_mut() {
            Some(last) if descriptors.is_empty() => last.bytes.extend(bytes),
            _ => {
                let bytes: VecDeque<u8> = bytes.collect();
                if !bytes.is_empty() {
                    kept.push_back(Self { bytes, descriptors });
                }
            }
        }
    }

    /// Copies the oldest bytes, as many as there is room for; returns how many.
    pub(super) fn copy<'a>(
        kept: &VecDeque<Self>,
        spaces: impl Iterator<Item = &'a mut [MaybeUninit<u8>]>,
    ) -> usize {
        let Some(oldest) = kept.front() else { return 0 };
        let mut copied = 0;
        for (place, byte) in spaces.flatten().zip(&oldest.bytes) {
            place.write(*byte);
            copied += 1;
        }
        copied
    }

    /// Forgets the oldest bytes, as many as [`copy`](Self::copy) has copied; returns the descriptors that came with them.
    pub(super) fn consume(kept: &mut VecDeque<Self>, count: usize) -> Vec<OwnedFd> {
        let Some(oldest) = kept.front_mut().filter(|_| count > 0) else {
            return Vec::new();
        };
        oldest.bytes.drain(..count);
        let descriptors = std::mem::take(&mut oldest.descriptors);
        if oldest.bytes.is_empty() {
            kept.pop_front();
        }
        descriptors
    }

    /// How many bytes can be copied at once.
    pub(super) fn available(kept: &VecDeque<Self>) -> usize {
        kept.front().map_or(0, |oldest| oldest.bytes.len())
    }
}

/// A datagram that came for nobody.
#[derive(Debug)]
pub struct KeptDatagram {
    pub(super) bytes: Vec<u8>,
    pub(super) sender: SockAddr,
    /// The buffer that it came in was too small for it.
    pub(super) is_truncated: bool,
    pub(super) descriptors: Vec<OwnedFd>,
    /// As far as the receive had room for it.
    pub(super) control: ControlData,
    pub(super) is_control_truncated: bool,
}

#[cfg(test)]
mod tests {
    use super::KeptBytes;
    use std::collections::VecDeque;
    use std::fs::File;
    use std::mem::MaybeUninit;
    use std::os::fd::OwnedFd;

    fn descriptor() -> OwnedFd {
        File::open("/dev/null").expect("it is there").into()
    }

    fn take(kept: &mut VecDeque<KeptBytes>, room: usize) -> (usize, usize) {
        let mut space = vec![MaybeUninit::uninit(); room];
        let count = KeptBytes::copy(kept, [&mut space[..]].into_iter());
        (count, KeptBytes::consume(kept, count).len())
    }

    /// Plain bytes, bytes with two descriptors, more plain ones, and bytes with one: a take ends where descriptors begin, and the first byte
    /// brings all of its own.
    #[test]
    fn descriptors_stay_with_their_byte() {
        let mut kept = VecDeque::new();
        KeptBytes::keep(&mut kept, [&b"ab"[..], b"c"], Vec::new());
        KeptBytes::keep(&mut kept, [&b"de"[..]], vec![descriptor(), descriptor()]);
        KeptBytes::keep(&mut kept, [&b"f"[..]], Vec::new());
        KeptBytes::keep(&mut kept, [&b"g"[..]], vec![descriptor()]);
        KeptBytes::keep(&mut kept, [&b""[..]], vec![descriptor()]);
        assert_eq!(take(&mut kept, 0), (0, 0));
        assert_eq!(take(&mut kept, 2), (2, 0));
        assert_eq!(take(&mut kept, 9), (1, 0));
        assert_eq!(take(&mut kept, 1), (1, 2));
        assert_eq!(take(&mut kept, 9), (2, 0));
        assert_eq!(take(&mut kept, 9), (1, 1));
        assert_eq!(take(&mut kept, 9), (0, 0));
        assert!(kept.is_empty());
    }
}
