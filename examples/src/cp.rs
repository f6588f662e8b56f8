//! Copies a file, several parts of it at once, with a progress bar. With `--direct`, past the kernel's cache.
//!
//! ```sh
//! cargo run --release --example cp -- [--direct] FROM TO
//! ```

use executor::buf::BufResult;
use executor::fs::{AlignedBuf, DirectFile, File, OpenOptions};
use futures::future::try_join_all;
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::process::ExitCode;

/// What is read and written at a time, and how many of them are under way.
const PART_BYTES: usize = 1 << 20;
const PARTS: usize = 8;

#[executor::main(cores = 1)]
async fn main() -> io::Result<ExitCode> {
    let mut paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let words = paths.len();
    paths.retain(|path| path.as_os_str() != "--direct");
    let [from, to] = &paths[..] else {
        eprintln!("usage: cp [--direct] FROM TO");
        return Ok(ExitCode::from(2));
    };
    let (mut source, mut target) = (OpenOptions::new(), OpenOptions::new());
    source.read(true);
    // Cut to its length at the end: it may be the same file.
    target.write(true).create(true);
    let name =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", from.display()));
    let copy = if words > paths.len() {
        let from = DirectFile::open(from, &source).await.map_err(name)?;
        Copy::Direct(from, DirectFile::open(to, &target).await?)
    } else {
        let from = source.open(from).await.map_err(name)?;
        Copy::Cached(from, target.open(to).await?)
    };
    copy.run().await?;
    Ok(ExitCode::SUCCESS)
}

enum Copy {
    Cached(File, File),
    Direct(DirectFile, DirectFile),
}

impl Copy {
    fn files(&self) -> (&File, &File) {
        match self {
            Self::Cached(from, to) => (from, to),
            Self::Direct(from, to) => (from.as_file(), to.as_file()),
        }
    }

    async fn run(&self) -> io::Result<()> {
        let (from, to) = self.files();
        let (source, target) = (from.metadata().await?, to.metadata().await?);
        if (source.dev(), source.ino()) == (target.dev(), target.ino()) {
            return Err(io::Error::other("they are the same file"));
        }
        let length = source.len();
        let style =
            ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
        let bar = ProgressBar::new(length).with_style(style.expect("it is well-formed"));
        let next = Cell::new(0);
        try_join_all((0..PARTS).map(|_| self.copy_parts(&next, length, &bar))).await?;
        // The last part of a direct copy was rounded up.
        to.set_len(length).await?;
        to.sync_all().await?;
        bar.finish();
        Ok(())
    }

    /// Copies one part after another, of those that nobody else has begun.
    async fn copy_parts(&self, next: &Cell<u64>, length: u64, bar: &ProgressBar) -> io::Result<()> {
        let mut buffer = match self {
            Self::Cached(..) => AlignedBuf::new(PART_BYTES, 1),
            Self::Direct(from, to) => {
                let step = from.buffer(1).alignment().max(to.buffer(1).alignment());
                AlignedBuf::new(PART_BYTES, step)
            }
        };
        while next.get() < length {
            let offset = next.replace(next.get() + PART_BYTES as u64);
            let bytes = (length - offset).min(PART_BYTES as u64);
            let mut copied = 0;
            while copied < bytes {
                let count;
                (count, buffer) = self.copy_some(buffer, offset + copied).await?;
                copied += count as u64;
                bar.inc(count as u64);
            }
        }
        Ok(())
    }

    /// Copies as much as one read yields. Returns how much that was.
    async fn copy_some(
        &self,
        mut buffer: AlignedBuf,
        offset: u64,
    ) -> io::Result<(usize, AlignedBuf)> {
        buffer.resize(0);
        let BufResult(read, mut buffer) = match self {
            Self::Cached(from, _) => from.read_at(buffer, offset).await,
            Self::Direct(from, _) => from.read_at(buffer, offset).await,
        };
        let count = read?;
        if count == 0 {
            return Err(io::Error::new(
                ErrorKind::UnexpectedEof,
                "the file was cut while it was read",
            ));
        }
        let BufResult(written, buffer) = match self {
            Self::Cached(_, to) => to.write_at(buffer, offset).await,
            Self::Direct(_, to) => {
                buffer.resize(count.next_multiple_of(to.alignment().offset));
                to.write_at(buffer, offset).await
            }
        };
        if written? < count {
            let full = "the disk took a part only: it is full, most likely";
            return Err(io::Error::new(ErrorKind::WriteZero, full));
        }
        Ok((count, buffer))
    }
}
