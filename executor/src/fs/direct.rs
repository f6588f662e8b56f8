//! Files that are read and written past the kernel's cache.

use super::{
    AlignedBuf, File, OpenOptions, ReadAt, ReadFixedAt, Registered, WriteAt, WriteFixedAt,
};
use crate::buf::{BufResult, IoBuf, IoBufMut, Slice};
use crate::io::ends::current_reactor;
use crate::operation::Checked;
use reactor::operation::{Op, Stat};
use std::io;
use std::path::Path;

/// Where a disk and its file system say nothing, what none known to us exceeds.
const SAFE: usize = 4096;

/// What `O_DIRECT` asks of whoever uses it, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alignment {
    /// The addresses of buffers are multiples of this.
    pub memory: usize,
    /// Offsets in the file, and lengths, are multiples of this.
    pub offset: usize,
}

/// A file opened with `O_DIRECT`: disk and memory transfer to each other, and the kernel's cache has no part in it.
///
/// What that asks of buffers, offsets and lengths is asked of the file system when it is opened (statx(2), or else the
/// logical block of its disk). It is read and written by [`AlignedBuf`]s, which [`buffer`](Self::buffer) makes as they
/// should be, or by [`RegisteredBuf`](super::RegisteredBuf)s; what is not aligned is an error that says so, before the kernel gets it.
///
/// # Examples
/// ```
/// use executor::buf::BufResult;
/// use executor::fs::{DirectFile, OpenOptions};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// # let path = std::env::temp_dir().join("executor-doc-direct");
/// # executor::fs::write(&path, vec![7; 10_000]).await.0?;
/// let file = match DirectFile::open(&path, OpenOptions::new().read(true)).await {
///     Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
///         println!("this file system has no O_DIRECT");
///         return Ok(());
///     }
///     file => file?,
/// };
/// let BufResult(read, bytes) = file.read_at(file.buffer(8192), 0).await;
/// assert_eq!(read?, 8192);
/// assert!(bytes.iter().all(|byte| *byte == 7));
/// # executor::fs::remove_file(&path).await
/// # }
/// ```
#[derive(Debug)]
pub struct DirectFile {
    file: File,
    alignment: Alignment,
}

impl DirectFile {
    /// Opens `path` with these options and `O_DIRECT`. Cancellation and panics as for [`OpenOptions::open`].
    ///
    /// # Errors
    /// As open(2) has them; `InvalidInput` where the file system has no `O_DIRECT`.
    pub async fn open(path: impl AsRef<Path>, options: &OpenOptions) -> io::Result<Self> {
        let file = options.clone().direct().open(path).await?;
        let alignment = alignment(&file).await?;
        Ok(Self { file, alignment })
    }

    /// What it asks of offsets, lengths and addresses.
    pub fn alignment(&self) -> Alignment {
        self.alignment
    }

    /// A buffer that fits it, with room for `capacity` bytes, rounded up.
    ///
    /// # Panics
    /// If so much memory cannot be had.
    pub fn buffer(&self, capacity: usize) -> AlignedBuf {
        AlignedBuf::new(capacity, self.alignment.memory.max(self.alignment.offset))
    }

    /// The file, for what moves no data: its length, syncing, [room on the medium](File::allocate_keep_size) and [holes](File::punch_hole).
    pub fn as_file(&self) -> &File {
        &self.file
    }

    /// Reads at `offset` bytes into the buffer's whole capacity, and says how much that was: less at the end of the file.
    ///
    /// **Dropped**, nothing is lost but the buffer.
    ///
    /// # Errors
    /// `InvalidInput`, which says what, if offset, capacity or address are not aligned; else those of [`File::read_at`].
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn read_at(&self, buffer: AlignedBuf, offset: u64) -> ReadAt<AlignedBuf> {
        match self.check(buffer.alignment(), buffer.capacity(), offset) {
            Ok(()) => self.file.read_at(buffer, offset),
            Err(error) => ReadAt(Checked::refused(error, buffer)),
        }
    }

    /// Reads `length` bytes at any `offset`, aligned or not: reads the blocks around them, and yields the part of them that was asked for. It is
    /// shorter at the end of the file, and where more than 2 GiB were asked for.
    ///
    /// **Dropped**, nothing is lost.
    ///
    /// # Errors
    /// Those of [`File::read_at`]; `InvalidInput` if the range does not end before 2⁶⁴.
    ///
    /// # Panics
    /// Outside of a runtime, and if so much memory cannot be had.
    ///
    /// # Examples
    /// ```
    /// # use executor::fs::{DirectFile, OpenOptions};
    /// # async fn read(file: DirectFile) -> std::io::Result<()> {
    /// let middle = file.read_unaligned_at(13, 7).await?;
    /// assert_eq!(middle.len(), 7);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn read_unaligned_at(
        &self,
        offset: u64,
        length: usize,
    ) -> io::Result<Slice<AlignedBuf>> {
        let step = self.alignment.offset.max(self.alignment.memory);
        let before = (offset % step as u64) as usize;
        let whole = before.checked_add(length);
        let whole = whole.and_then(|whole| whole.checked_next_multiple_of(step));
        let start = offset - before as u64;
        let whole = whole.filter(|whole| start.checked_add(*whole as u64).is_some());
        let whole = whole.ok_or(io::ErrorKind::InvalidInput)?;
        let BufResult(read, buffer) = self.read_at(self.buffer(whole), start).await;
        let read = read?;
        Ok(buffer.slice(before.min(read)..(before + length).min(read)))
    }

    /// Writes the buffer's bytes at `offset` bytes, and says how many: fewer if the disk is full.
    ///
    /// **Dropped**, some, all or none may have been written, or be written later: see [`File`].
    ///
    /// # Errors
    /// `InvalidInput`, which says what, if offset, length or address are not aligned ([`resize`](AlignedBuf::resize) the buffer, and cut
    /// the file [to length](File::set_len) afterwards); else those of [`File::write_at`].
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn write_at(&self, buffer: AlignedBuf, offset: u64) -> WriteAt<AlignedBuf> {
        match self.check(buffer.alignment(), buffer.len(), offset) {
            Ok(()) => self.file.write_at(buffer, offset),
            Err(error) => WriteAt(Checked::refused(error, buffer)),
        }
    }

    /// [`read_at`](Self::read_at) into a buffer of [`RegisteredBufs`](super::RegisteredBufs), which are aligned, or a part of one that is: as
    /// [`File::read_fixed_at`].
    ///
    /// **Dropped**, nothing is lost; the buffer goes back to its group when the kernel is done with it.
    ///
    /// # Errors
    /// As for [`read_at`](Self::read_at).
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn read_fixed_at<B: Registered + IoBufMut>(
        &self,
        mut buffer: B,
        offset: u64,
    ) -> ReadFixedAt<B> {
        let (alignment, capacity) = (alignment_of(buffer.buf_ptr()), buffer.buf_capacity());
        match self.check(alignment, capacity, offset) {
            Ok(()) => self.file.read_fixed_at(buffer, offset),
            Err(error) => ReadFixedAt(Checked::refused(error, buffer)),
        }
    }

    /// [`write_at`](Self::write_at) of a buffer of [`RegisteredBufs`](super::RegisteredBufs), or a part of one that is aligned: as
    /// [`File::write_fixed_at`].
    ///
    /// **Dropped**, some, all or none may have been written, or be written later: see [`File`].
    ///
    /// # Errors
    /// As for [`write_at`](Self::write_at).
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn write_fixed_at<B: Registered>(&self, buffer: B, offset: u64) -> WriteFixedAt<B> {
        match self.check(alignment_of(buffer.buf_ptr()), buffer.buf_len(), offset) {
            Ok(()) => self.file.write_fixed_at(buffer, offset),
            Err(error) => WriteFixedAt(Checked::refused(error, buffer)),
        }
    }

    fn check(&self, alignment: usize, length: usize, offset: u64) -> io::Result<()> {
        let Alignment {
            memory,
            offset: step,
        } = self.alignment;
        let misaligned = |what: &str, is: u64, should: usize| {
            Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("O_DIRECT: {what} is {is}, which is no multiple of {should}"),
            ))
        };
        if !alignment.is_multiple_of(memory) {
            return misaligned("the buffer's alignment", alignment as u64, memory);
        }
        if !offset.is_multiple_of(step as u64) {
            return misaligned("the offset", offset, step);
        }
        if !length.is_multiple_of(step) {
            return misaligned("the length", length as u64, step);
        }
        Ok(())
    }
}

/// The largest power of two of which an address, which is not zero, is a multiple.
fn alignment_of(start: *const u8) -> usize {
    1 << start.addr().trailing_zeros()
}

/// Asks the file system, or else its disk.
async fn alignment(file: &File) -> io::Result<Alignment> {
    let stat = Stat::of_file(
        file.file.clone(),
        libc::STATX_BASIC_STATS | libc::STATX_DIOALIGN,
    );
    let status = Op::new(current_reactor("open"), stat).await?;
    if status.stx_mask & libc::STATX_DIOALIGN != 0 && status.stx_dio_offset_align != 0 {
        return Ok(Alignment {
            memory: (status.stx_dio_mem_align as usize).max(1),
            offset: status.stx_dio_offset_align as usize,
        });
    }
    let block = logical_block(status.stx_dev_major, status.stx_dev_minor)
        .await
        .unwrap_or(SAFE);
    Ok(Alignment {
        memory: block,
        offset: block,
    })
}

/// The logical block of a disk, which a partition of it does not say itself.
async fn logical_block(major: u32, minor: u32) -> Option<usize> {
    for place in ["queue", "../queue"] {
        let path = format!("/sys/dev/block/{major}:{minor}/{place}/logical_block_size");
        if let Ok(text) = super::read_to_string(path).await {
            let block = text.trim().parse().ok()?;
            return usize::is_power_of_two(block).then_some(block);
        }
    }
    None
}
