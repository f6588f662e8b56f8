//! The readers: each has as many tasks as reads in flight, and each task one read after the other.

use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use compio::io::AsyncReadAt;
use executor::buf::BufResult;
use executor::fs::{AlignedBuf, DirectFile, OpenOptions};

use super::file::{Places, check};
use super::{BLOCK_BYTES, IN_FLIGHT};
use crate::peers;

/// How many, from one task; `read` is given the number of a block, reads and checks it.
async fn read_until(
    end: Instant,
    reader: usize,
    mut read: impl AsyncFnMut(u64) -> io::Result<()>,
) -> io::Result<u64> {
    let (mut places, mut reads) = (Places::new(reader), 0);
    while Instant::now() < end {
        read(places.next()).await?;
        reads += 1;
    }
    Ok(reads)
}

fn place(number: u64) -> u64 {
    number * BLOCK_BYTES as u64
}

fn rate(reads: u64, started: Instant) -> f64 {
    reads as f64 / started.elapsed().as_secs_f64()
}

pub(super) fn ours(path: &Path, length: Duration) -> io::Result<f64> {
    let builder = executor::Builder::new().cores(1);
    let runtime = builder.build().map_err(io::Error::other)?;
    let path = path.to_owned();
    runtime.block_on(async move {
        let file = DirectFile::open(path, OpenOptions::new().read(true)).await?;
        let (file, started) = (Rc::new(file), Instant::now());
        let task = |reader| {
            let file = Rc::clone(&file);
            let mut buffer = Some(file.buffer(BLOCK_BYTES));
            executor::spawn(read_until(started + length, reader, async move |number| {
                let empty = buffer.take().expect("it comes back from every read");
                let BufResult(result, filled) = file.read_at(empty, place(number)).await;
                check(&filled[..result?], number)?;
                buffer = Some(filled);
                Ok(())
            }))
        };
        let tasks: Vec<_> = (0..IN_FLIGHT).map(task).collect();
        let mut reads = 0;
        for task in tasks {
            reads += task.await.map_err(io::Error::other)??;
        }
        Ok(rate(reads, started))
    })
}

/// By its `DmaFile`, which has buffers of its own.
pub(super) fn glommio(path: &Path, length: Duration) -> io::Result<f64> {
    let failed = peers::glommio_failed;
    let path = path.to_owned();
    peers::glommio()?.run(async move {
        let file = glommio::io::DmaFile::open(path).await.map_err(failed)?;
        let (file, started) = (Rc::new(file), Instant::now());
        let task = |reader| {
            let file = Rc::clone(&file);
            glommio::spawn_local(read_until(started + length, reader, async move |number| {
                let block = file
                    .read_at_aligned(place(number), BLOCK_BYTES)
                    .await
                    .map_err(failed)?;
                check(&block, number)
            }))
        };
        let tasks: Vec<_> = (0..IN_FLIGHT).map(task).collect();
        let mut reads = 0;
        for task in tasks {
            reads += task.await?;
        }
        file.close_rc().await.map_err(failed)?;
        Ok(rate(reads, started))
    })
}

/// It has no aligned buffers: the same ones as ours.
pub(super) fn compio(path: &Path, length: Duration) -> io::Result<f64> {
    peers::compio()?.block_on(async {
        let mut options = compio::fs::OpenOptions::new();
        let options = options.read(true).custom_flags(libc::O_DIRECT as _);
        let (file, started) = (options.open(path).await?, Instant::now());
        let task = |reader| {
            let file = file.clone();
            let mut buffer = Some(AlignedBuf::new(BLOCK_BYTES, BLOCK_BYTES));
            compio::runtime::spawn(read_until(started + length, reader, async move |number| {
                let empty = buffer.take().expect("it comes back from every read");
                let BufResult(result, filled) = file.read_at(empty, place(number)).await;
                check(&filled[..result?], number)?;
                buffer = Some(filled);
                Ok(())
            }))
        };
        let tasks: Vec<_> = (0..IN_FLIGHT).map(task).collect();
        let mut reads = 0;
        for task in tasks {
            reads += task.await.expect("no reader panics")?;
        }
        Ok(rate(reads, started))
    })
}
