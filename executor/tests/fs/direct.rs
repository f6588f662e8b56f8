//! Files past the kernel's cache: what they ask for is asked of the file system, and what does not fit is told before the kernel has it.

use crate::common;
use crate::scratch;

use common::{Random, modes, run, start_with};
use executor::buf::{BufResult, IoBuf, IoBufMut};
use executor::fs::{self, AlignedBuf, DirectFile, OpenOptions};
use futures::future::join_all;
use scratch::Scratch;
use std::io::ErrorKind;
use std::path::Path;

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    options
}

/// `None`, with a word of why, where the file system has no `O_DIRECT`.
async fn open(path: &Path) -> Option<DirectFile> {
    match DirectFile::open(path, &options()).await {
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            println!("skipped: {} is where there is no O_DIRECT", path.display());
            None
        }
        file => Some(file.unwrap()),
    }
}

/// Any part of a file is read past the cache, aligned or not; behind the end there is nothing, and before the end of numbers an error.
#[test]
fn any_range_is_read() {
    let scratch = Scratch::on_disk("ranges");
    run(1, async {
        let path = scratch.path("file");
        let sent = Random::new(2).bytes(20_001);
        fs::write(&path, sent.clone()).await.0.unwrap();
        let Some(file) = open(&path).await else {
            return;
        };
        for (offset, length) in [
            (0, 0),
            (0, 1),
            (1, 4096),
            (4095, 2),
            (4096, 4096),
            (511, 19_000),
            (20_000, 100),
            (30_000, 5),
            (0, 50_000),
        ] {
            let found = file.read_unaligned_at(offset as u64, length).await.unwrap();
            let end = (offset + length).min(sent.len());
            assert!(
                found[..] == sent[offset.min(end)..end],
                "{length} at {offset}"
            );
        }
        for (offset, length) in [(u64::MAX, 1), (0, usize::MAX)] {
            let error = file.read_unaligned_at(offset, length).await.unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        }
    });
}

/// Blocks are written and read, many at a time, and the file is cut to a length that is no block's; a short read at its end.
#[test]
fn blocks_are_written_and_read() {
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        for scratch in Scratch::each("blocks") {
            runtime.block_on(async {
                let path = scratch.path("file");
                let Some(file) = open(&path).await else {
                    return;
                };
                let step = file.alignment().offset;
                println!("{}: {:?}", path.display(), file.alignment());
                assert!(step.is_power_of_two() && file.alignment().memory.is_power_of_two());
                let sent = Random::new(1).bytes(64 * step);
                let writes = sent.chunks(4 * step).enumerate().map(|(number, piece)| {
                    let mut buffer = file.buffer(piece.len());
                    assert_eq!(buffer.append(piece), piece.len());
                    file.write_at(buffer, (number * 4 * step) as u64)
                });
                for BufResult(written, _) in join_all(writes).await {
                    assert_eq!(written.unwrap(), 4 * step);
                }
                let length = sent.len() as u64 - 100;
                file.as_file().set_len(length).await.unwrap();
                let BufResult(read, bytes) = file.read_at(file.buffer(sent.len()), 0).await;
                assert_eq!(read.unwrap() as u64, length);
                assert!(bytes[..] == sent[..bytes.len()]);
                assert!(fs::read(&path).await.unwrap() == bytes[..]);
            });
        }
    }
}

/// An offset, a length and an address that do not fit: each error says which and why, and the buffer comes back.
#[test]
fn what_is_not_aligned_is_an_error_that_says_so() {
    run(1, async {
        let scratch = Scratch::on_disk("misaligned");
        let Some(file) = open(&scratch.path("file")).await else {
            return;
        };
        let step = file.alignment().offset;
        let mut buffer = file.buffer(2 * step);
        buffer.resize(step);
        let BufResult(result, buffer) = file.write_at(buffer, 1).await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("the offset is 1,"), "{error}");
        let BufResult(result, mut buffer) = file.read_at(buffer, step as u64 + 7).await;
        assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidInput);
        buffer.resize(step + 5);
        let BufResult(result, _) = file.write_at(buffer, 0).await;
        let error = result.unwrap_err().to_string();
        assert!(
            error.contains(&format!("the length is {}", step + 5)),
            "{error}"
        );
        if file.alignment().memory > 1 {
            let error = file.read_at(AlignedBuf::new(1, 1), 0).await.0.unwrap_err();
            assert!(
                error.to_string().contains("the buffer's alignment is 1,"),
                "{error}"
            );
        }
        assert_eq!(file.as_file().metadata().await.unwrap().len(), 0);
    });
}

/// Where it cannot be opened so, it is an error like any other.
#[test]
fn where_there_is_none_it_is_an_error() {
    run(1, async {
        let error = DirectFile::open("/proc/self/status", OpenOptions::new().read(true)).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidInput);
        let error = DirectFile::open("/nonexistent", OpenOptions::new().read(true)).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound);
    });
}

/// A buffer is where it is asked to be, as large or a little larger, and holds what is put into it and no more.
#[test]
fn an_aligned_buffer_is_a_buffer() {
    for alignment in [1, 8, 512, 4096, 1 << 16] {
        for capacity in [0, 1, 511, 512, 10_000] {
            let mut buffer = AlignedBuf::new(capacity, alignment);
            assert!(buffer.capacity() >= capacity && buffer.capacity().is_multiple_of(alignment));
            let start = buffer.buf_mut_ptr() as usize;
            assert_eq!(start % buffer.alignment().max(alignment), 0);
            let last = start + buffer.capacity() - 1;
            let pages = last / 4096 - start / 4096 + 1;
            assert_eq!(pages, buffer.capacity().div_ceil(4096));
            assert_eq!(buffer.buf_capacity(), buffer.capacity());
            assert_eq!((buffer.buf_len(), buffer.len()), (0, 0));
            let size = buffer.capacity();
            assert_eq!(buffer.append(&vec![7; size + 1]), size);
            assert_eq!(buffer.append(&[7]), 0);
            assert!(buffer.iter().all(|byte| *byte == 7));
            buffer.resize(size / 2);
            buffer.resize(size);
            assert!(buffer[size / 2..].iter().all(|byte| *byte == 0));
            buffer[0] = 1;
            assert_eq!(buffer.as_init()[0], 1);
        }
    }
}
