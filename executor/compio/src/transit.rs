//! The adapter's own buffer, through which goes what is read.

use std::io;

/// How much is read at once at most, in bytes.
const CHUNK: usize = 64 * 1024;

/// Bytes that were read, until they are copied on.
#[derive(Debug, Default)]
pub(crate) struct Transit {
    bytes: Vec<u8>,
    /// Where those begin that were not copied on: a buffer may take less than it seemed to have room for.
    start: usize,
}

impl Transit {
    /// Reads at most `room` bytes by `read`, which is given an empty vector and how many bytes it may put there; unless some are left.
    ///
    /// **Dropped**, it is as if the read inside had been dropped.
    pub(crate) async fn fill(
        &mut self,
        room: usize,
        read: impl AsyncFnOnce(Vec<u8>, usize) -> (io::Result<usize>, Vec<u8>),
    ) -> io::Result<&[u8]> {
        if self.start == self.bytes.len() {
            self.start = 0;
            let length = room.min(CHUNK);
            let mut space = std::mem::take(&mut self.bytes);
            space.clear();
            space.reserve(length);
            let (result, bytes) = read(space, length).await;
            self.bytes = bytes;
            self.bytes.truncate(*result.as_ref().unwrap_or(&0));
            result?;
        }
        Ok(&self.bytes[self.start..])
    }

    /// So many bytes were copied on.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start += count.min(self.bytes.len() - self.start);
    }
}
