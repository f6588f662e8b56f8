//! The control data of messages (cmsg(3)): what goes with the bytes, to the kernel and from it.
//!
//! A message has a header (its length with the header, a level, a kind) and bytes, and both are padded to the size of a word. It is put together
//! and taken apart byte by byte, so nothing depends on where it lies in memory.

use std::fmt;

const WORD_BYTES: usize = size_of::<usize>();
/// A length, and two numbers of 32 bits.
const HEADER_BYTES: usize = WORD_BYTES + 2 * size_of::<i32>();

fn aligned(bytes: usize) -> usize {
    bytes.next_multiple_of(WORD_BYTES)
}

/// Control messages, one after another. None of them are descriptors: those have owners, and go another way.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ControlData(Vec<u8>);

impl ControlData {
    /// Adds a message.
    ///
    /// # Panics
    /// If it would be one of descriptors (`SCM_RIGHTS`).
    pub fn push(&mut self, level: i32, kind: i32, data: &[u8]) {
        assert!(
            !is_of_descriptors(level, kind),
            "descriptors cannot be sent as plain control data; use the methods that take an OwnedFd"
        );
        self.add(level, kind, data);
    }

    fn add(&mut self, level: i32, kind: i32, data: &[u8]) {
        let length = HEADER_BYTES + data.len();
        let padded = self.0.len() + aligned(length);
        self.0.extend_from_slice(&length.to_ne_bytes());
        self.0.extend_from_slice(&level.to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(data);
        self.0.resize(padded, 0);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The messages, each with its level, its kind and its bytes.
    pub fn iter(&self) -> ControlIter<'_> {
        ControlIter(&self.0)
    }

    /// As the kernel takes it.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What the kernel has written, without descriptors.
    pub(super) fn of_kernel(bytes: &[u8]) -> Self {
        let mut data = Self::default();
        for (level, kind, bytes) in ControlIter(bytes) {
            if !is_of_descriptors(level, kind) {
                data.add(level, kind, bytes);
            }
        }
        data
    }
}

fn is_of_descriptors(level: i32, kind: i32) -> bool {
    (level, kind) == (libc::SOL_SOCKET, libc::SCM_RIGHTS)
}

impl fmt::Debug for ControlData {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

/// The iterator over control messages.
#[derive(Clone, Debug)]
pub struct ControlIter<'a>(&'a [u8]);

impl<'a> Iterator for ControlIter<'a> {
    type Item = (i32, i32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.0.split_first_chunk::<WORD_BYTES>()?;
        let (level, rest) = rest.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::from_ne_bytes(*length);
        // A message that was cut where the space ended ends there.
        let count = length.checked_sub(HEADER_BYTES)?.min(rest.len());
        let next = length.checked_next_multiple_of(WORD_BYTES);
        self.0 = next.and_then(|next| self.0.get(next..)).unwrap_or_default();
        Some((
            i32::from_ne_bytes(*level),
            i32::from_ne_bytes(*kind),
            &rest[..count],
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::{ControlData, HEADER_BYTES, WORD_BYTES};

    /// Messages of lengths around that of a word are read back, as is what the C library reads and writes.
    #[test]
    fn messages_are_read_as_they_were_written() {
        let mut data = ControlData::default();
        assert!(data.is_empty());
        let bytes = *b"0123456789";
        for length in 0..bytes.len() {
            data.push(1, 7 + length as i32, &bytes[..length]);
            // SAFETY: it computes.
            let space = unsafe { libc::CMSG_SPACE(length as u32) } as usize;
            assert!(data.as_bytes().len().is_multiple_of(WORD_BYTES) && space >= HEADER_BYTES);
        }
        let read: Vec<_> = data.iter().collect();
        let written: Vec<_> = (0..bytes.len())
            .map(|length| (1, 7 + length as i32, &bytes[..length]))
            .collect();
        assert_eq!(read, written);
        // SAFETY: they compute.
        let spaces = (0..10).map(|length| unsafe { libc::CMSG_SPACE(length) } as usize);
        assert_eq!(data.as_bytes().len(), spaces.sum::<usize>());
    }

    /// Data that ends early, or with nonsense: what is there is read, and nothing beyond it.
    #[test]
    fn data_that_was_cut_ends_where_it_was_cut() {
        let mut data = ControlData::default();
        data.push(1, 2, b"whole");
        data.push(3, 4, b"cut");
        let bytes = data.as_bytes();
        for length in 0..bytes.len() {
            let cut = ControlData::of_kernel(&bytes[..length]);
            let first = HEADER_BYTES.next_multiple_of(WORD_BYTES) + WORD_BYTES;
            assert_eq!(
                cut.iter().count(),
                usize::from(length >= HEADER_BYTES) + usize::from(length >= first + HEADER_BYTES)
            );
        }
        assert!(ControlData::of_kernel(&[0; 64]).is_empty());
        assert_eq!(ControlData::of_kernel(&[0xff; 64]).iter().count(), 1);
    }

    /// Descriptors from the kernel have owners elsewhere, and plain numbers are not sent as such.
    #[test]
    #[should_panic(expected = "descriptors cannot be sent")]
    fn descriptors_are_no_plain_data() {
        let mut data = ControlData::default();
        data.add(libc::SOL_SOCKET, libc::SCM_RIGHTS, &[0; 4]);
        assert!(ControlData::of_kernel(data.as_bytes()).is_empty());
        data.push(libc::SOL_SOCKET, libc::SCM_RIGHTS, &[0; 4]);
    }
}
