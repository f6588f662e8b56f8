//! The readers: each has as many tasks as reads in flight, and each task one read after the other.

use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use compio::io::AsyncReadAt;
use executor::buf::{BufResult, IoBufMut};
use executor::fs::{AlignedBuf, DirectFile, OpenOptions, RegisteredBufs};

use super::Measured;
use super::file::Workload;
use crate::clock::Stopwatch;
use crate::peers;

/// Enough for any disk: what a page is.
const ALIGNMENT: usize = 4096;

/// How many, from one task; `read` is given an offset, reads and checks.
async fn read_until(
    end: Instant,
    offsets: impl Iterator<Item = u64>,
    mut read: impl AsyncFnMut(u64) -> io::Result<()>,
) -> io::Result<u64> {
    let mut reads = 0;
    for offset in offsets {
        if Instant::now() >= end {
            break;
        }
        read(offset).await?;
        reads += 1;
    }
    Ok(reads)
}

/// What so many tasks read together, each started by `spawn` with its number.
async fn read_all<T: Future<Output = io::Result<u64>>>(
    workload: Workload,
    spawn: impl FnMut(usize) -> T,
) -> io::Result<Measured> {
    let stopwatch = Stopwatch::of_process();
    let tasks: Vec<_> = (0..workload.in_flight).map(spawn).collect();
    let mut reads = 0;
    for task in tasks {
        reads += task.await?;
    }
    let elapsed = stopwatch.stop();
    Ok(Measured { reads, elapsed })
}

/// For peers that open files as the standard library does.
fn open_direct(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.read(true).custom_flags(libc::O_DIRECT).open(path)
}

/// Into these buffers, as many as reads are in flight, each time by `read`.
fn on_ours<B: Deref<Target = [u8]> + 'static>(
    path: &Path,
    workload: Workload,
    length: Duration,
    buffers: impl FnOnce(&DirectFile) -> io::Result<Vec<B>> + Send + 'static,
    read: impl AsyncFn(&DirectFile, B, u64) -> BufResult<usize, B> + Copy + Send + 'static,
) -> io::Result<Measured> {
    let builder = executor::Builder::new().cores(1);
    let runtime = builder.build().map_err(io::Error::other)?;
    let path = path.to_owned();
    runtime.block_on(async move {
        let file = DirectFile::open(path, OpenOptions::new().read(true)).await?;
        let mut buffers = buffers(&file)?.into_iter();
        let (file, end) = (Rc::new(file), Instant::now() + length);
        read_all(workload, |reader| {
            let file = Rc::clone(&file);
            let mut buffer = buffers.next();
            let read = async move |offset| {
                let empty = buffer.take().expect("it comes back from every read");
                let BufResult(result, filled) = read(&file, empty, offset).await;
                workload.check(&filled[..result?], offset)?;
                buffer = Some(filled);
                Ok(())
            };
            let task = executor::spawn(read_until(end, workload.offsets(reader), read));
            async move { task.await.map_err(io::Error::other)? }
        })
        .await
    })
}

pub(super) fn ours(path: &Path, workload: Workload, length: Duration) -> io::Result<Measured> {
    let buffers = move |file: &DirectFile| {
        let buffer = |_| file.buffer(workload.bytes);
        Ok((0..workload.in_flight).map(buffer).collect())
    };
    on_ours(path, workload, length, buffers, DirectFile::read_at)
}

/// Into buffers that the ring knows.
pub(super) fn ours_registered(
    path: &Path,
    workload: Workload,
    length: Duration,
) -> io::Result<Measured> {
    let buffers = move |_: &DirectFile| {
        let group = RegisteredBufs::new(workload.in_flight, workload.bytes)?;
        if !group.is_registered() {
            return Err(io::Error::other("the buffers could not be registered"));
        }
        Ok(std::iter::from_fn(|| group.try_take()).collect())
    };
    on_ours(path, workload, length, buffers, DirectFile::read_fixed_at)
}

/// By its threads for what blocks: its own files are read by them as well, with a copy, and at no given place.
pub(super) fn tokio(path: &Path, workload: Workload, length: Duration) -> io::Result<Measured> {
    peers::tokio()?.block_on(async {
        let (file, end) = (Arc::new(open_direct(path)?), Instant::now() + length);
        // Its tasks travel.
        let tasks = tokio::task::LocalSet::new();
        let reads = read_all(workload, |reader| {
            let file = Arc::clone(&file);
            let mut buffer = Some(AlignedBuf::new(workload.bytes, ALIGNMENT));
            let read = async move |offset| {
                let mut empty = buffer.take().expect("it comes back from every read");
                let file = Arc::clone(&file);
                let reading = tokio::task::spawn_blocking(move || {
                    empty.resize(workload.bytes);
                    let count = file.read_at(&mut empty, offset)?;
                    Ok::<_, io::Error>((count, empty))
                });
                let (count, filled) = reading.await.expect("no reader panics")?;
                workload.check(&filled[..count], offset)?;
                buffer = Some(filled);
                Ok(())
            };
            let task = tasks.spawn_local(read_until(end, workload.offsets(reader), read));
            async move { task.await.expect("no reader panics") }
        });
        tasks.run_until(reads).await
    })
}

/// Ours, as a buffer of monoio and of compio, which have no aligned ones.
struct PeersBuf(AlignedBuf);

// SAFETY: an `AlignedBuf` stays where it is when it is moved, and these are its start and its capacity.
unsafe impl monoio::buf::IoBufMut for PeersBuf {
    fn write_ptr(&mut self) -> *mut u8 {
        self.0.buf_mut_ptr().cast()
    }

    fn bytes_total(&mut self) -> usize {
        self.0.capacity()
    }

    unsafe fn set_init(&mut self, length: usize) {
        // SAFETY: the caller has written so many bytes.
        unsafe { self.0.set_len(length) };
    }
}

impl compio::buf::IoBuf for PeersBuf {
    fn as_init(&self) -> &[u8] {
        &self.0
    }
}

impl compio::buf::SetLen for PeersBuf {
    unsafe fn set_len(&mut self, length: usize) {
        // SAFETY: the caller has written so many bytes.
        unsafe { self.0.set_len(length) };
    }
}

impl compio::buf::IoBufMut for PeersBuf {
    fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: compio writes only what it has read.
        unsafe { self.0.as_uninit() }
    }
}

pub(super) fn monoio(path: &Path, workload: Workload, length: Duration) -> io::Result<Measured> {
    peers::monoio()?.block_on(async {
        let file = Rc::new(monoio::fs::File::from_std(open_direct(path)?)?);
        let end = Instant::now() + length;
        read_all(workload, |reader| {
            let file = Rc::clone(&file);
            let mut buffer = Some(PeersBuf(AlignedBuf::new(workload.bytes, ALIGNMENT)));
            let read = async move |offset| {
                let empty = buffer.take().expect("it comes back from every read");
                let (result, filled) = file.read_at(empty, offset).await;
                workload.check(&filled.0[..result?], offset)?;
                buffer = Some(filled);
                Ok(())
            };
            monoio::spawn(read_until(end, workload.offsets(reader), read))
        })
        .await
    })
}

/// By its `DmaFile`, which has buffers of its own.
pub(super) fn glommio(path: &Path, workload: Workload, length: Duration) -> io::Result<Measured> {
    let failed = peers::glommio_failed;
    let path = path.to_owned();
    peers::glommio()?.run(async move {
        let file = glommio::io::DmaFile::open(path).await.map_err(failed)?;
        let (file, end) = (Rc::new(file), Instant::now() + length);
        let measured = read_all(workload, |reader| {
            let file = Rc::clone(&file);
            let read = async move |offset| {
                let reading = file.read_at_aligned(offset, workload.bytes);
                workload.check(&reading.await.map_err(failed)?, offset)
            };
            glommio::spawn_local(read_until(end, workload.offsets(reader), read))
        })
        .await?;
        file.close_rc().await.map_err(failed)?;
        Ok(measured)
    })
}

/// It has no aligned buffers: the same ones as ours.
pub(super) fn compio(path: &Path, workload: Workload, length: Duration) -> io::Result<Measured> {
    peers::compio()?.block_on(async {
        let mut options = compio::fs::OpenOptions::new();
        let options = options.read(true).custom_flags(libc::O_DIRECT as _);
        let (file, end) = (options.open(path).await?, Instant::now() + length);
        read_all(workload, |reader| {
            let file = file.clone();
            let mut buffer = Some(PeersBuf(AlignedBuf::new(workload.bytes, ALIGNMENT)));
            let read = async move |offset| {
                let empty = buffer.take().expect("it comes back from every read");
                let compio::BufResult(result, filled) = file.read_at(empty, offset).await;
                workload.check(&filled.0[..result?], offset)?;
                buffer = Some(filled);
                Ok(())
            };
            let task = compio::runtime::spawn(read_until(end, workload.offsets(reader), read));
            async move { task.await.expect("no reader panics") }
        })
        .await
    })
}
