//! The file that is read: made before the bench, removed after it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::BLOCK_BYTES;

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

/// Numbers of blocks, in no order, the same ones for everybody (xorshift).
pub(super) struct Places(u64);

impl Places {
    /// Another sequence for each.
    pub(super) fn new(reader: usize) -> Self {
        Places(0x2545_f491_4f6c_dd1d ^ ((reader as u64 + 1) << 32))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % BLOCKS
    }
}

/// Fails unless this is all of the block.
pub(super) fn check(block: &[u8], number: u64) -> io::Result<()> {
    if block.len() == BLOCK_BYTES && block[..8] == number.to_le_bytes() {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "what was read is not block {number}"
    )))
}
