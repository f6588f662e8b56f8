//! The file that is read: made before the bench, removed after it; and in what order it is read.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

const BLOCK_BYTES: usize = 4096;
const BLOCKS: u64 = 64 << 10;

pub(super) struct Blocks {
    path: PathBuf,
}

impl Blocks {
    pub(super) fn create() -> io::Result<Self> {
        let path =
            std::env::current_exe()?.with_extension(format!("{}.blocks", std::process::id()));
        let blocks = Blocks { path };
        let mut writer = BufWriter::with_capacity(1 << 20, File::create(&blocks.path)?);
        let mut block = [0; BLOCK_BYTES];
        for number in 0..BLOCKS {
            block[..8].copy_from_slice(&number.to_le_bytes());
            writer.write_all(&block)?;
        }
        writer.flush()?;
        writer.get_ref().sync_all()?;
        Ok(blocks)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        // It is in the build's own folder: what stays there is in nobody's way.
        let _ = fs::remove_file(&self.path);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Random,
    Sequential,
}

/// What is read: so many bytes at a time, whole blocks, with so many reads in flight.
#[derive(Clone, Copy)]
pub(super) struct Workload {
    pub(super) name: &'static str,
    pub(super) order: Order,
    pub(super) bytes: usize,
    pub(super) in_flight: usize,
}

impl Workload {
    /// Offsets of this reader's reads, in bytes, without end, the same ones for everybody. Sequential readers share the file, each reading
    /// what is behind the others.
    pub(super) fn offsets(self, reader: usize) -> impl Iterator<Item = u64> {
        let places = BLOCKS * BLOCK_BYTES as u64 / self.bytes as u64;
        // xorshift, another sequence for each reader.
        let mut state = 0x2545_f491_4f6c_dd1d ^ ((reader as u64 + 1) << 32);
        let mut next = reader as u64;
        std::iter::repeat_with(move || {
            let place = match self.order {
                Order::Random => {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    state
                }
                Order::Sequential => {
                    let place = next;
                    next += self.in_flight as u64;
                    place
                }
            };
            place % places * self.bytes as u64
        })
    }

    /// Fails unless this is all of what is at the offset, going by its first and its last block.
    pub(super) fn check(self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let first = offset / BLOCK_BYTES as u64;
        let last = self.bytes / BLOCK_BYTES - 1;
        let is_block = |place: usize| {
            bytes[place * BLOCK_BYTES..].starts_with(&(first + place as u64).to_le_bytes())
        };
        if bytes.len() == self.bytes && is_block(0) && is_block(last) {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "what was read is not what is at {offset}"
        )))
    }
}
