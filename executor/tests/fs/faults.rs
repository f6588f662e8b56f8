//! Files when something is wrong: a full disk, a file that shrinks, an operation that nobody waits for, more than fits.

use crate::common;
use crate::common::descriptors;
use crate::scratch;

use common::{Random, modes, run, settle, start, start_with, until};
use descriptors::{alone, descriptors};
use executor::buf::BufResult;
use executor::fs::{self, File};
use executor::io::{AsyncRead, AsyncWrite, AsyncWriteAtExt, AsyncWriteExt};
use executor::time::{Duration, timeout};
use executor::{spawn, yield_now};
use futures::future::{join_all, poll_immediate};
use scratch::Scratch;
use std::ffi::CString;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::pin::pin;
use std::rc::Rc;

/// A file system in memory that has room for little; unmounted when dropped.
struct Small(
    PathBuf,
    #[expect(dead_code, reason = "it is removed after the mount")] Scratch,
);

impl Small {
    const SIZE: usize = 1 << 20;

    /// `None`, with a word of why, if this process may not mount.
    fn mount(name: &str) -> Option<Self> {
        let scratch = Scratch::on_disk(name);
        let path = scratch.path("mounted");
        std::fs::create_dir(&path).unwrap();
        let place = CString::new(path.as_os_str().as_bytes()).unwrap();
        let options = CString::new(format!("size={}", Self::SIZE)).unwrap();
        // SAFETY: all of these are C strings.
        let result = unsafe {
            libc::mount(
                c"none".as_ptr(),
                place.as_ptr(),
                c"tmpfs".as_ptr(),
                0,
                options.as_ptr().cast(),
            )
        };
        if result != 0 {
            println!(
                "skipped: a file system cannot be mounted here: {}",
                std::io::Error::last_os_error()
            );
            return None;
        }
        Some(Self(path, scratch))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let place = CString::new(self.0.as_os_str().as_bytes()).unwrap();
        // SAFETY: it is a C string.
        unsafe { libc::umount2(place.as_ptr(), libc::MNT_DETACH) };
    }
}

/// The disk is full: the write that fills it says how much went, the next that there is no room, and what went is there. With room
/// again, it goes on.
#[test]
fn a_full_disk_is_told_truly() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let Some(small) = Small::mount("full") else {
            return;
        };
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let path = small.0.join("file");
            let mut file = File::create(&path).await.unwrap();
            let sent = Random::new(1).bytes(3 * Small::SIZE / 2);
            let BufResult(written, sent) = file.write(sent).await;
            let written = written.unwrap();
            assert!(
                written > Small::SIZE / 2 && written <= Small::SIZE,
                "{written}"
            );
            assert_eq!(file.stream_position().unwrap(), written as u64);
            for _ in 0..2 {
                let error = file.write([1; 4096]).await.0.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::StorageFull);
            }
            assert_eq!(file.stream_position().unwrap(), written as u64);
            let error = file.write_at([1; 4096], 10 << 20).await.0.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StorageFull);
            let error = file.allocate(0, 10 << 20).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StorageFull);
            assert!(fs::read(&path).await.unwrap() == sent[..written]);

            let BufResult(result, bytes) = fs::write(small.0.join("other"), [1; 9000]).await;
            assert_eq!(result.unwrap_err().kind(), ErrorKind::StorageFull);
            assert_eq!(bytes, [1; 9000]);
            file.set_len(0).await.unwrap();
            (&file).write_all_at([1; 4096], 0).await.0.unwrap();
        });
    }
}

/// The file is truncated while it is read: what is read is what was there, then comes the end, and never an error.
#[test]
fn a_file_that_is_truncated_while_read_ends() {
    alone!();
    run(1, async {
        for scratch in Scratch::each("truncated") {
            let path = scratch.path("file");
            fs::write(&path, vec![7; 1 << 20]).await.0.unwrap();
            let file = Rc::new(File::open(&path).await.unwrap());
            let reads = (0..256).map(|number| {
                let file = Rc::clone(&file);
                spawn(async move { file.read_at(vec![0; 4096], number * 4096).await })
            });
            let reads: Vec<_> = reads.collect();
            let cutting = File::options().write(true).open(&path).await.unwrap();
            cutting.set_len(100_001).await.unwrap();
            for read in join_all(reads).await {
                let BufResult(count, bytes) = read.unwrap();
                assert_eq!(count.unwrap(), bytes.len());
                assert!(bytes.iter().all(|byte| *byte == 7));
            }
            let BufResult(count, _) = file.read_at([0; 4096], 100_000).await;
            assert_eq!(count.unwrap(), 1);
            assert_eq!(file.read_at([0; 4096], 100_001).await.0.unwrap(), 0);
        }
    });
}

/// Opens are dropped before they begin, while they are under way, and when they are done: every descriptor is closed.
#[test]
fn an_open_that_is_given_up_leaks_nothing() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        let scratch = Scratch::on_disk("opens");
        runtime.block_on(async {
            let before = descriptors();
            let path = scratch.path("file");
            let mut options = File::options();
            options.write(true).create(true);
            let (mut opened, mut given_up) = (0, 0);
            for round in 0..300 {
                drop(File::create(&path));
                let opening = options.open(&path);
                match timeout(Duration::from_micros(round % 60), opening).await {
                    Ok(file) => {
                        file.unwrap();
                        opened += 1;
                    }
                    Err(_) => given_up += 1,
                }
                let mut opening = Box::pin(File::open(&path));
                let _ = poll_immediate(&mut opening).await;
                settle().await;
                drop(opening);
            }
            println!("{opened} opened, {given_up} given up");
            until(|| descriptors() == before).await;
        });
    }
}

/// Every operation is dropped at its first poll, then awaited: none leaves anything behind, whatever became of it.
#[test]
fn operations_that_are_dropped_leave_nothing() {
    alone!();
    run(1, async {
        let scratch = Scratch::on_disk("dropped");
        let (path, other) = (scratch.path("file"), scratch.path("other"));
        let before = descriptors();
        for _ in 0..20 {
            let mut file = File::create(&path).await.unwrap();
            file.write_all("abc").await.0.unwrap();
            let _ = poll_immediate(pin!(file.sync_all())).await;
            let _ = poll_immediate(pin!(file.sync_data())).await;
            let _ = poll_immediate(pin!(file.set_len(5))).await;
            let _ = poll_immediate(pin!(file.metadata())).await;
            let _ = poll_immediate(pin!(file.write_at("x", 9))).await;
            let _ = poll_immediate(pin!(file.allocate(0, 100))).await;
            file.sync_all().await.unwrap();
            let _ = poll_immediate(pin!(fs::metadata(&path))).await;
            let _ = poll_immediate(pin!(fs::read(&path))).await;
            let _ = poll_immediate(pin!(fs::rename(&path, &other))).await;
            let _ = poll_immediate(pin!(fs::symlink(&path, &other))).await;
            let _ = poll_immediate(pin!(fs::remove_file(&other))).await;
            let _ = poll_immediate(pin!(file.close())).await;
            until(|| descriptors() == before).await;
        }
    });
}

/// A read is cancelled: it gives its buffer back, with what it had read or without.
#[test]
fn a_cancelled_read_gives_its_buffer_back() {
    alone!();
    run(1, async {
        let scratch = Scratch::on_disk("cancelled");
        let path = scratch.path("file");
        fs::write(&path, vec![7; 4096]).await.0.unwrap();
        let file = File::open(&path).await.unwrap();
        for polls in 0..3 {
            let mut read = file.read_at(Vec::with_capacity(4096), 0);
            for _ in 0..polls {
                assert!(poll_immediate(&mut read).await.is_none());
            }
            let BufResult(result, buffer) = read.cancel().await;
            match result {
                Ok(count) => assert_eq!((count, buffer.len()), (4096, 4096)),
                Err(error) => {
                    assert_eq!(error.raw_os_error(), Some(libc::ECANCELED));
                    assert!(buffer.capacity() >= 4096);
                }
            }
        }
    });
}

/// A runtime ends with opens, reads, writes and syncs in flight, or only just begun: no descriptor stays behind.
#[test]
fn a_runtime_that_ends_leaves_no_file_open() {
    alone!();
    let scratch = Scratch::on_disk("ends");
    let before = descriptors();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            for number in 0..20 {
                let path = scratch.path(&format!("file-{number}"));
                let mut file = File::create_new(&path).await.unwrap();
                spawn(async move { File::open(path).await.map(drop) }).detach();
                spawn(async move {
                    file.write_all(vec![1; 1 << 20]).await.0?;
                    file.sync_all().await?;
                    file.read(vec![0; 1 << 16]).await.0
                })
                .detach();
                if number % 3 == 0 {
                    yield_now().await;
                }
            }
        });
        drop(runtime);
        assert_eq!(descriptors(), before);
        for number in 0..20 {
            std::fs::remove_file(scratch.path(&format!("file-{number}"))).unwrap();
        }
    }
}

/// A pipe is taken for a file: it has no places, and what is in it is not lost to those who ask for one.
#[test]
fn a_pipe_has_no_places() {
    alone!();
    run(1, async {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut reader = File::from(std::os::fd::OwnedFd::from(reader));
        let mut writer = File::from(std::os::fd::OwnedFd::from(writer));
        writer.write_all("piped").await.0.unwrap();
        let BufResult(read, _) = reader.read_at([0; 5], 0).await;
        assert_eq!(read.unwrap_err().kind(), ErrorKind::InvalidInput);
        let BufResult(read, bytes) = reader.read([0; 5]).await;
        assert_eq!((read.unwrap(), &bytes), (5, b"piped"));
    });
}

/// What /proc/kcore seems to hold is more than any machine has.
#[test]
fn a_file_that_is_too_long_for_memory_is_an_error() {
    alone!();
    run(1, async {
        match fs::read("/proc/kcore").await {
            Err(error) if error.kind() == ErrorKind::OutOfMemory => {}
            Err(error) => println!("skipped: /proc/kcore: {error}"),
            Ok(_) => panic!("it was read"),
        }
    });
}

/// More than the kernel moves at once is asked for: it moves what it can, and says how much; the helpers go on.
#[test]
fn more_than_two_gibibytes_are_a_part_at_a_time() {
    alone!();
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        // Zeros that nobody touches take no memory, and this file reads none of them.
        let null = File::options().write(true).open("/dev/null").await.unwrap();
        let length = (3 << 30) + 5;
        if Vec::<u8>::new().try_reserve_exact(length).is_err() {
            println!("skipped: this machine does not lend {length} bytes of memory");
            return;
        }
        let BufResult(written, zeros) = null.write_at(vec![0; length], 0).await;
        assert_eq!(written.unwrap(), 0x7fff_f000);
        let BufResult(written, zeros) = (&null).write_all_at(zeros, 0).await;
        written.unwrap();
        let pieces = [zeros];
        let BufResult(written, _) = null.write_vectored_at(pieces, 0).await;
        assert!([0x7fff_f000, length].contains(&written.unwrap()));
    });
}
