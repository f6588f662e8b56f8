//! Buffers that the ring knows, with files: in the kernel's cache and past it, on a kernel that has them and one that does not, and where
//! no memory may be locked.

use crate::child;
use crate::common;
use crate::log;
use crate::restraint;
use crate::scratch;

use child::Child;
use common::{Random, modes, run, settle, start_with};
use executor::buf::{BufResult, IntoInner, IoBuf, IoBufMut, IoVectoredBuf};
use executor::fs::{DirectFile, File, OpenOptions, Registered, RegisteredBuf, RegisteredBufs};
use executor::{Builder, Feature, yield_now};
use futures::future::join_all;
use log::logged;
use rustix::process::Resource;
use scratch::Scratch;
use std::io::{ErrorKind, Result};
use std::path::Path;

/// Whole pages, however large these are.
const BUFFER_BYTES: usize = 64 * 1024;

/// Whether this kernel has the table.
fn has_table() -> bool {
    let capabilities = reactor::Capabilities::probe().expect("io_uring");
    capabilities.has(Feature::RegisteredBuffers)
}

/// What both kinds of file have.
enum Opened {
    Cached(File),
    Direct(DirectFile),
}

impl Opened {
    async fn each(path: &Path) -> Vec<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true);
        let mut files = vec![Self::Cached(options.open(path).await.unwrap())];
        match DirectFile::open(path, &options).await {
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                println!("skipped: {} is where there is no O_DIRECT", path.display());
            }
            file => files.push(Self::Direct(file.unwrap())),
        }
        files
    }

    async fn read<B: Registered + IoBufMut>(&self, buffer: B, offset: u64) -> BufResult<usize, B> {
        match self {
            Self::Cached(file) => file.read_fixed_at(buffer, offset).await,
            Self::Direct(file) => file.read_fixed_at(buffer, offset).await,
        }
    }

    async fn write<B: Registered>(&self, buffer: B, offset: u64) -> BufResult<usize, B> {
        match self {
            Self::Cached(file) => file.write_fixed_at(buffer, offset).await,
            Self::Direct(file) => file.write_fixed_at(buffer, offset).await,
        }
    }
}

/// More pieces than there are buffers are written, each waiting for one, and read back whole and in aligned parts; all buffers come back.
#[test]
fn files_are_written_and_read_by_registered_buffers() {
    let has_table = has_table();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        for scratch in Scratch::each("registered") {
            runtime.block_on(async {
                let buffers = RegisteredBufs::new(4, BUFFER_BYTES).unwrap();
                assert_eq!(buffers.is_registered(), has_table && mode != "oldest");
                for file in Opened::each(&scratch.path("file")).await {
                    let sent = Random::new(1).bytes(20 * BUFFER_BYTES);
                    let pieces = sent.chunks(BUFFER_BYTES).enumerate();
                    let writes = pieces.map(async |(number, piece)| {
                        let mut buffer = buffers.take().await;
                        assert_eq!(buffer.append(piece), BUFFER_BYTES);
                        file.write(buffer, (number * BUFFER_BYTES) as u64).await.0
                    });
                    for written in join_all(writes).await {
                        assert_eq!(written.unwrap(), BUFFER_BYTES);
                    }
                    let reads = (0..20).map(async |number: usize| {
                        let offset = number * BUFFER_BYTES;
                        let buffer = buffers.take().await;
                        let BufResult(read, buffer) = file.read(buffer, offset as u64).await;
                        assert_eq!(read.unwrap(), BUFFER_BYTES);
                        assert!(buffer[..] == sent[offset..][..BUFFER_BYTES]);
                    });
                    join_all(reads).await;
                    let mut buffer = buffers.take().await;
                    buffer.resize(BUFFER_BYTES);
                    let BufResult(read, part) = file.read(buffer.slice(4096..8192), 4096).await;
                    assert_eq!(read.unwrap(), 4096);
                    assert!(part[..] == sent[4096..8192]);
                    let BufResult(written, part) = file.write(part, 0).await;
                    assert_eq!(written.unwrap(), 4096);
                    let BufResult(read, buffer) = file.read(part.into_inner(), 0).await;
                    assert_eq!(read.unwrap(), BUFFER_BYTES);
                    assert!(buffer[..4096] == sent[4096..8192]);
                    drop(buffer);
                    assert_eq!(buffers.unheld(), 4);
                }
            });
        }
    }
}

/// Under a part that begins behind its end is an empty buffer, whose memory holds what an earlier owner wrote: what is read into it is all that
/// it shows, also in groups of buffers.
#[test]
fn a_part_of_an_exchanged_buffer_shows_nothing_of_its_earlier_owner() {
    const STALE: u8 = 0x53;
    run(1, async {
        let scratch = Scratch::on_disk("registered-parts");
        let buffers = RegisteredBufs::new(2, BUFFER_BYTES).unwrap();
        let stale = async || {
            let mut buffer = buffers.take().await;
            buffer.resize(BUFFER_BYTES);
            buffer.fill(STALE);
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true);
        let file = options.open(scratch.path("file")).await.unwrap();
        file.write_at(vec![9; 20], 0).await.0.unwrap();
        stale().await;
        let empty = buffers.take().await;
        let mut part = buffers.take().await;
        part.resize(50);
        let mut part = part.slice(50..);
        drop(std::mem::replace(part.as_inner_mut(), empty));
        let BufResult(read, part) = file.read_fixed_at(part, 0).await;
        assert_eq!((read.unwrap(), &**part.as_inner()), (20, &[9; 20][..]));

        stale().await;
        let part = [part.into_inner(), buffers.take().await].slice(15);
        let BufResult(read, part) = file.read_vectored_at(part, 10).await;
        assert_eq!(read.unwrap(), 10);
        let [first, second] = part.into_inner();
        assert_eq!((&first[..], &second[..]), (&[9; 25][..], &[][..]));
        drop(first);
        let Ok(part) = [second, buffers.take().await].owned_iter() else {
            unreachable!("there are two")
        };
        let BufResult(read, part) = file.read_at(part, 15).await;
        assert_eq!(read.unwrap(), 5);
        let Ok(part) = part.next() else {
            unreachable!("there is another")
        };
        let BufResult(read, part) = file.read_at(part, 10).await;
        assert_eq!(read.unwrap(), 10);
        let [first, second] = part.into_inner();
        assert_eq!((&first[..], &second[..]), (&[9; 5][..], &[9; 10][..]));
    });
}

/// Part, length and offset that do not fit what is read past the cache: the error says which, and the buffer comes back.
#[test]
fn what_is_not_aligned_is_an_error_that_says_so() {
    run(1, async {
        let scratch = Scratch::on_disk("registered-misaligned");
        let files = Opened::each(&scratch.path("file")).await;
        let Some(Opened::Direct(file)) = files.last() else {
            return;
        };
        let buffers = RegisteredBufs::new(1, BUFFER_BYTES).unwrap();
        let mut buffer = buffers.take().await;
        buffer.resize(BUFFER_BYTES);
        let says = |result: Result<usize>, what: &str| {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(what), "{error}");
        };
        let BufResult(result, buffer) = file.write_fixed_at(buffer, 1).await;
        says(result, "the offset is 1,");
        let BufResult(result, part) = file.write_fixed_at(buffer.slice(..1000), 0).await;
        says(result, "the length is 1000,");
        let BufResult(result, part) = file.read_fixed_at(part.into_inner().slice(1..), 0).await;
        says(result, "the buffer's alignment is 1,");
        drop(part);
        assert_eq!(buffers.unheld(), 1);
        assert_eq!(file.as_file().metadata().await.unwrap().len(), 0);
    });
}

/// Reads and writes are dropped in flight, and their group with them, again and again: more often than a core has places for groups.
#[test]
fn groups_come_and_go_with_operations_in_flight() {
    run(1, async {
        let scratch = Scratch::on_disk("registered-dropped");
        let has_table = has_table();
        for file in Opened::each(&scratch.path("file")).await {
            for _ in 0..300 {
                let buffers = RegisteredBufs::new(2, BUFFER_BYTES).unwrap();
                assert_eq!(buffers.is_registered(), has_table);
                let mut buffer: RegisteredBuf = buffers.take().await;
                buffer.resize(BUFFER_BYTES);
                let mut write = Box::pin(file.write(buffer, 0));
                let mut read = Box::pin(file.read(buffers.take().await, 0));
                assert!(futures::poll!(&mut write).is_pending());
                assert!(futures::poll!(&mut read).is_pending());
                drop(buffers);
                yield_now().await;
                drop((write, read));
                yield_now().await;
            }
            settle().await;
        }
    });
}

/// Nothing more may be locked: the group is there, and serves; the log says why it is not registered, and what to do.
#[test]
fn where_no_memory_may_be_locked_buffers_serve_and_the_log_says_what_to_do() {
    let child = Child::of(|| {
        let scratch = Scratch::on_disk("registered-limit");
        let file = std::fs::File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(scratch.path("file"))
            .unwrap();
        restraint::become_nobody();
        let runtime = Builder::new().cores(1).build().unwrap();
        runtime.block_on(async {
            let make = || RegisteredBufs::new(4, BUFFER_BYTES).unwrap();
            let (buffers, lines) = logged(|| restraint::with_limit(Resource::Memlock, 4096, make));
            assert!(!buffers.is_registered());
            eprintln!("{}", lines.concat());
            let file = File::from(file);
            let mut buffer = buffers.take().await;
            buffer.append(b"unlocked");
            let BufResult(written, buffer) = file.write_fixed_at(buffer, 0).await;
            assert_eq!(written.unwrap(), 8);
            let BufResult(read, buffer) = file.read_fixed_at(buffer, 2).await;
            assert_eq!((read.unwrap(), &*buffer), (6, &b"locked"[..]));
        });
    });
    let _kept = match restraint::Sysctl::keep() {
        Ok(sysctl) => sysctl,
        Err(why) => return println!("skipped: {why}"),
    };
    let said = child.run_well();
    if said == [""] {
        return println!("skipped: this kernel has no registered buffers");
    }
    for word in ["kibibytes=256", "ulimit -l", "LimitMEMLOCK="] {
        assert!(said[0].contains(word), "{word:?} is not in: {said:?}");
    }
}
