//! Open files, in memory and on the disk: at offsets, where they stand, and as a whole.

use crate::common;
use crate::scratch;

use common::{Random, modes, run, settle, start_with, until};
use executor::buf::{BufResult, IoBuf};
use executor::fs::{self, File, OpenOptions, Permissions};
use executor::io::{
    AsyncRead, AsyncReadAt, AsyncReadAtExt, AsyncReadExt, AsyncWrite, AsyncWriteAtExt,
    AsyncWriteExt, BufReader, BufWriter, copy, pipe,
};
use executor::spawn;
use futures::future::{join_all, poll_immediate};
use scratch::Scratch;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, SystemTime};

/// A file to be read and written, with this in it.
async fn file_with(scratch: &Scratch, name: &str, bytes: &[u8]) -> File {
    let file = File::create_new(scratch.path(name)).await.unwrap();
    assert_eq!(
        file.write_at(bytes.to_vec(), 0).await.0.unwrap(),
        bytes.len()
    );
    file
}

/// Writes and reads at offsets, with holes, past the end, into nothing, of arrays and parts of buffers; many at a time.
#[test]
fn files_are_read_and_written_at_offsets() {
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        for scratch in Scratch::each("offsets") {
            runtime.block_on(async {
                let file = Rc::new(file_with(&scratch, "file", b"0123456789").await);
                let BufResult(read, bytes) = file.read_at([0; 4], 3).await;
                assert_eq!((read.unwrap(), &bytes), (4, b"3456"));
                let BufResult(read, bytes) = file.read_at(Vec::with_capacity(100), 8).await;
                assert_eq!((read.unwrap(), &bytes[..]), (2, &b"89"[..]));
                assert_eq!(file.read_at([0; 4], 10).await.0.unwrap(), 0);
                assert_eq!(file.read_at([0; 4], 1 << 40).await.0.unwrap(), 0);
                assert_eq!(file.read_at(Vec::new(), 0).await.0.unwrap(), 0);
                assert_eq!(file.write_at(Vec::new(), 5).await.0.unwrap(), 0);
                assert_eq!(file.write_at("xyz".slice(1..), 12).await.0.unwrap(), 2);
                let BufResult(read, bytes) = file.read_at(Vec::with_capacity(100), 9).await;
                read.unwrap();
                assert_eq!(bytes, b"9\0\0yz");
                for offset in [u64::MAX, 1 << 63] {
                    let error = file.read_at([0; 1], offset).await.0.unwrap_err();
                    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
                    let error = file.write_at([0; 1], offset).await.0.unwrap_err();
                    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
                }
                let sent = Random::new(1).bytes(64 * 1000);
                let pieces = sent.chunks(1000).enumerate().map(|(number, piece)| {
                    let (file, piece) = (Rc::clone(&file), piece.to_vec());
                    async move {
                        let mut file = &*file;
                        file.write_all_at(piece, number as u64 * 1000).await.0
                    }
                });
                for written in join_all(pieces).await {
                    written.unwrap();
                }
                let buffer = Vec::with_capacity(sent.len());
                let BufResult(read, bytes) = file.read_exact_at(buffer, 0).await;
                read.unwrap();
                assert!(bytes == sent);
            });
        }
    }
}

/// Several buffers at once, at offsets and where the file stands.
#[test]
fn vectored_operations_go_through_the_buffers_in_order() {
    run(1, async {
        for scratch in Scratch::each("vectored") {
            let mut file = file_with(&scratch, "file", b"").await;
            let pieces = || [b"ab".to_vec(), Vec::new(), b"cdefg".to_vec()];
            assert_eq!(file.write_vectored_at(pieces(), 1).await.0.unwrap(), 7);
            let spaces = || [Vec::with_capacity(3), Vec::with_capacity(9)];
            let BufResult(read, spaces) = file.read_vectored_at(spaces(), 1).await;
            assert_eq!(read.unwrap(), 7);
            assert_eq!(spaces, [b"abc".to_vec(), b"defg".to_vec()]);
            assert_eq!(file.write_vectored(pieces()).await.0.unwrap(), 7);
            assert_eq!(file.stream_position().unwrap(), 7);
            file.seek(SeekFrom::Start(1)).await.unwrap();
            let BufResult(read, spaces) = file.read_vectored([[0; 2], [0; 2]]).await;
            assert_eq!((read.unwrap(), spaces), (4, [*b"bc", *b"de"]));
        }
    });
}

/// Reading, writing and seeking move one position, dropped reads and writes do not.
#[test]
fn a_file_stands_where_it_was_left() {
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        for scratch in Scratch::each("cursor") {
            runtime.block_on(async {
                let mut file = file_with(&scratch, "file", b"0123456789").await;
                assert_eq!(
                    file.stream_position().unwrap(),
                    0,
                    "it was written at an offset"
                );
                assert_eq!(file.read([0; 3]).await.1, *b"012");
                for polls in 0..6 {
                    let mut read = Box::pin(file.read([0; 3]));
                    for _ in 0..polls {
                        // Submitted, or done and not looked at.
                        if poll_immediate(&mut read).await.is_some() {
                            break;
                        }
                        settle().await;
                    }
                    drop(read);
                    let moved = file.stream_position().unwrap() - 3;
                    assert!(moved == 0 || moved == 3);
                    file.seek(SeekFrom::Start(3)).await.unwrap();
                }
                assert_eq!(file.read([0; 3]).await.1, *b"345");
                assert_eq!(file.write("AB").await.0.unwrap(), 2);
                assert_eq!(file.read([0; 2]).await.1, *b"89");
                assert_eq!(file.read([0; 2]).await.0.unwrap(), 0);
                assert_eq!(file.seek(SeekFrom::End(-4)).await.unwrap(), 6);
                assert_eq!(file.seek(SeekFrom::Current(-1)).await.unwrap(), 5);
                assert_eq!(file.read([0; 3]).await.1, *b"5AB");
                for nowhere in [
                    SeekFrom::Current(-9),
                    SeekFrom::End(i64::MIN),
                    SeekFrom::Start(u64::MAX),
                ] {
                    let error = file.seek(nowhere).await.unwrap_err();
                    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
                    assert_eq!(file.stream_position().unwrap(), 8);
                }
                assert_eq!(file.seek(SeekFrom::End(2)).await.unwrap(), 12);
                file.write_all("end").await.0.unwrap();
                assert_eq!(
                    fs::read(scratch.path("file")).await.unwrap(),
                    b"012345AB89\0\0end"
                );
            });
        }
    }
}

/// A write where the file stands is dropped, and another takes its place: that one is what is read.
#[test]
fn a_write_after_a_dropped_write_has_the_last_word() {
    run(1, async {
        for scratch in Scratch::each("last-word") {
            let mut file = file_with(&scratch, "file", b"").await;
            for round in 0..50u8 {
                let mut write = Box::pin(file.write(vec![255; 100_000]));
                assert!(poll_immediate(&mut write).await.is_none());
                if round % 2 == 0 {
                    settle().await;
                }
                drop(write);
                assert_eq!(file.stream_position().unwrap(), 0);
                file.write_all(vec![round; 100_000]).await.0.unwrap();
                let BufResult(read, bytes) = file.read_at(Vec::with_capacity(100_000), 0).await;
                assert_eq!(read.unwrap(), 100_000);
                assert!(bytes.iter().all(|byte| *byte == round));
                file.seek(SeekFrom::Start(0)).await.unwrap();
            }
        }
    });
}

/// What is appended goes to the end, wherever the file stands, and it is read on where it stood.
#[test]
fn what_is_appended_goes_to_the_end() {
    run(1, async {
        for scratch in Scratch::each("append") {
            drop(file_with(&scratch, "file", b"abc").await);
            let mut options = OpenOptions::new();
            options.read(true).append(true);
            let mut file = options.open(scratch.path("file")).await.unwrap();
            assert_eq!(file.read([0; 1]).await.1, *b"a");
            file.write_all("def").await.0.unwrap();
            assert_eq!(file.read([0; 2]).await.1, *b"bc");
            file.write_at("ghi", 0).await.0.unwrap();
            assert_eq!(fs::read(scratch.path("file")).await.unwrap(), b"abcdefghi");
        }
    });
}

/// The options mean what they mean in the standard library, and what does not go together is refused before the kernel sees it.
#[test]
fn options_are_those_of_the_standard_library() {
    run(1, async {
        let scratch = Scratch::on_disk("options");
        let path = scratch.path("file");
        let set = [false, true];
        for mask in 0..64u32 {
            let has = |bit: u32| set[(mask >> bit & 1) as usize];
            let mut ours = OpenOptions::new();
            let mut theirs = std::fs::OpenOptions::new();
            ours.read(has(0)).write(has(1)).append(has(2));
            theirs.read(has(0)).write(has(1)).append(has(2));
            ours.truncate(has(3)).create(has(4)).create_new(has(5));
            theirs.truncate(has(3)).create(has(4)).create_new(has(5));
            for exists in set {
                let prepare = || {
                    let _ = std::fs::remove_file(&path);
                    if exists {
                        std::fs::write(&path, "content").unwrap();
                    }
                };
                let after = |error: Option<io::Error>| {
                    let content = std::fs::read(&path).ok();
                    (error.map(|error| error.kind()), content)
                };
                prepare();
                let expected = after(theirs.open(&path).err());
                prepare();
                let got = after(ours.open(&path).await.err());
                assert_eq!(got, expected, "{ours:?}, there: {exists}");
            }
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o640);
        let file = options.open(scratch.path("mode")).await.unwrap();
        assert_eq!(file.metadata().await.unwrap().mode() & 0o777, 0o640);
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(libc::O_NOFOLLOW);
        fs::symlink("mode", scratch.path("link")).await.unwrap();
        let error = options.open(scratch.path("link")).await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ELOOP));
        let error = File::open("zero\0byte").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    });
}

/// Lengths, space, syncing, permissions, times: what is set is what is said, and what the standard library says.
#[test]
fn a_file_is_changed_as_a_whole() {
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        for scratch in Scratch::each("whole") {
            runtime.block_on(async {
                let begin = SystemTime::now() - Duration::from_secs(2);
                let file = file_with(&scratch, "file", b"0123456789").await;
                file.set_len(4).await.unwrap();
                file.set_len(6).await.unwrap();
                assert_eq!(file.read_at(Vec::with_capacity(10), 0).await.1, b"0123\0\0");
                file.allocate(0, 100_000).await.unwrap();
                file.sync_all().await.unwrap();
                file.sync_data().await.unwrap();
                file.set_permissions(Permissions::from_mode(0o600))
                    .await
                    .unwrap();
                let ours = file.metadata().await.unwrap();
                assert!(ours.blocks() * 512 >= 100_000);
                assert!(ours.modified().unwrap() >= begin);
                assert!(ours.is_file() && !ours.is_dir() && !ours.is_symlink());
                let path = scratch.path("file");
                let theirs = std::fs::metadata(&path).unwrap();
                use std::os::unix::fs::MetadataExt;
                assert_eq!(ours.len(), theirs.len());
                assert_eq!(ours.len(), 100_000);
                assert_eq!(ours.mode(), theirs.mode());
                assert_eq!(ours.permissions().mode() & 0o777, 0o600);
                assert_eq!((ours.dev(), ours.ino()), (theirs.dev(), theirs.ino()));
                assert_eq!((ours.uid(), ours.gid()), (theirs.uid(), theirs.gid()));
                assert_eq!((ours.nlink(), ours.blksize()), (1, theirs.blksize()));
                assert_eq!(ours.modified().unwrap(), theirs.modified().unwrap());
                assert_eq!(ours.created().ok(), theirs.created().ok());
                let early = SystemTime::UNIX_EPOCH - Duration::from_millis(1500);
                let times = std::fs::FileTimes::new().set_modified(early);
                std::fs::File::open(&path)
                    .unwrap()
                    .set_times(times)
                    .unwrap();
                let there = std::fs::metadata(&path).unwrap().modified().unwrap();
                assert_eq!(file.metadata().await.unwrap().modified().unwrap(), there);
                file.close().await.unwrap();
            });
        }
    }
}

/// A file goes to the standard library and comes back, each time where it stands; not while an operation of it is in flight.
#[test]
fn a_file_is_given_away_where_it_stands() {
    run(1, async {
        let scratch = Scratch::on_disk("std");
        let mut file = file_with(&scratch, "file", b"0123456789").await;
        assert_eq!(file.read([0; 2]).await.1, *b"01");
        let mut theirs = file.into_std().expect("nothing is in flight");
        let mut bytes = [0; 2];
        theirs.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"23");
        theirs.seek(SeekFrom::Start(8)).unwrap();
        let mut file = File::from(theirs);
        assert_eq!(file.read([0; 4]).await.0.unwrap(), 2);
        let read = file.read_at([0; 4], 0);
        let file = file.into_std().expect_err("an operation has it");
        drop(file);
        assert_eq!(read.await.1, *b"0123");
    });
}

/// A file is not given away while a dropped write of it is in flight, nor while a sync waits for
/// its turn behind that. When both are over it is, and stands where it stood before the write.
#[test]
fn a_file_with_a_dropped_write_in_flight_is_not_given_away() {
    run(1, async {
        let scratch = Scratch::on_disk("dropped-write");
        let mut file = file_with(&scratch, "file", b"0123").await;
        assert!(poll_immediate(pin!(file.write("x"))).await.is_none());
        let file = file.into_std().expect_err("a write is in flight");
        let file = file.into_owned_fd().expect_err("a write is in flight");
        let mut sync = file.sync_all();
        assert!(poll_immediate(&mut sync).await.is_none());
        let file = file.into_std().expect_err("a sync is in the queue");
        sync.await.unwrap();
        let mut file = file.into_std().expect("nothing is in flight");
        assert_eq!(file.stream_position().unwrap(), 0);
    });
}

/// A sync fails and its future is dropped: the error is kept for the next sync, and until that has
/// been told of it the file is not given away, for the error would be lost.
#[test]
fn a_file_with_an_untold_error_is_not_given_away() {
    struct Flag(AtomicBool);
    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, SeqCst);
        }
    }
    run(1, async {
        // A pipe cannot be synced.
        let (_reader, writer) = io::pipe().unwrap();
        let file = File::from(OwnedFd::from(writer));
        let mut sync = Box::pin(file.sync_all());
        let ended = Arc::new(Flag(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&ended));
        let first_poll = sync.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(first_poll.is_pending());
        until(|| ended.0.load(SeqCst)).await;
        drop(sync);
        let file = file.into_std().expect_err("an error is to be told");
        let file = file.into_owned_fd().expect_err("an error is to be told");
        let error = file.sync_all().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        file.into_std().expect("it was told");
    });
}

/// A file is closed while operations of it are in flight, whose futures are dropped, or are alive
/// in another task; and while the pool's only thread has yet to find out that nobody wants a lock
/// any more. Close waits for them. Of a sync that is alive it says so.
#[test]
fn close_waits_for_operations() {
    let builder = executor::Builder::new().cores(1).pin(false);
    let runtime = builder.blocking_threads_max(1).build().unwrap();
    runtime.block_on(async {
        let scratch = Scratch::on_disk("close");
        let mut file = file_with(&scratch, "file", b"0123456789").await;
        assert!(poll_immediate(file.write_at("x", 0)).await.is_none());
        assert!(poll_immediate(file.sync_all()).await.is_none());
        assert!(poll_immediate(pin!(file.read([0; 4]))).await.is_none());
        file.close().await.unwrap();

        let file = File::open(scratch.path("file")).await.unwrap();
        let read = file.read_at([0; 4], 4);
        let mut closing = pin!(file.close());
        assert!(poll_immediate(&mut closing).await.is_none());
        assert_eq!(spawn(read).await.unwrap().1, *b"4567");
        closing.await.unwrap();

        let file = File::open(scratch.path("file")).await.unwrap();
        let sync = file.sync_all();
        let error = file.close().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
        sync.await.unwrap();

        let file = File::open(scratch.path("file")).await.unwrap();
        let (free, wait) = std::sync::mpsc::channel::<()>();
        drop(executor::spawn_blocking(move || wait.recv().unwrap()));
        assert!(poll_immediate(pin!(file.lock())).await.is_none());
        let mut closing = pin!(file.close());
        assert!(poll_immediate(&mut closing).await.is_none());
        free.send(()).unwrap();
        closing.await.unwrap();
        let file = std::fs::File::open(scratch.path("file")).unwrap();
        file.try_lock().unwrap();
    });
}

/// What cannot seek is read and written in order, loses nothing when a read is dropped, and says that it has no position.
#[test]
fn a_file_that_cannot_seek_is_read_in_order() {
    run(1, async {
        let (reader, writer) = pipe().unwrap();
        let reader = OwnedFd::from(reader.into_std().unwrap());
        let writer = OwnedFd::from(writer.into_std().unwrap());
        let (mut reader, mut writer) = (File::from(reader), File::from(writer));
        assert!(poll_immediate(pin!(reader.read([0; 8]))).await.is_none());
        settle().await;
        writer.write_all("abc").await.0.unwrap();
        settle().await;
        assert_eq!(reader.read([0; 2]).await.1, *b"ab");
        writer.write_vectored([b"de".to_vec()]).await.0.unwrap();
        let mut bytes = [0; 3];
        let mut filled = 0;
        while filled < 3 {
            let BufResult(count, [piece]) = reader.read_vectored([[0; 1]]).await;
            assert_eq!(count.unwrap(), 1);
            bytes[filled] = piece[0];
            filled += 1;
        }
        assert_eq!(&bytes, b"cde");
        let error = reader.seek(SeekFrom::Start(0)).await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ESPIPE));
    });
}

/// Buffered lines, a buffered writer and a copy work on files as on anything.
#[test]
fn files_have_the_traits() {
    async fn at<R: AsyncReadAt>(reader: &R) -> u8 {
        reader.read_at([0; 1], 4).await.1[0]
    }
    run(1, async {
        let scratch = Scratch::on_disk("traits");
        let mut writer = BufWriter::new(File::create(scratch.path("file")).await.unwrap());
        for number in 0..10_000 {
            writer.write_all(format!("{number}\n")).await.0.unwrap();
        }
        writer.shutdown().await.unwrap();
        let file = File::open(scratch.path("file")).await.unwrap();
        assert_eq!(at(&file).await, b'2');
        let mut lines = BufReader::new(file).lines();
        let mut number = 0;
        while let Some(line) = lines.next_line().await.unwrap() {
            assert_eq!(line, number.to_string());
            number += 1;
        }
        assert_eq!(number, 10_000);
        let mut from = File::open(scratch.path("file")).await.unwrap();
        let mut to = File::create(scratch.path("copy")).await.unwrap();
        let copied = copy(&mut from, &mut to).await.unwrap();
        assert_eq!(copied, from.metadata().await.unwrap().len());
        let mut text = String::new();
        std::fs::File::open(scratch.path("copy"))
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert!(text == fs::read_to_string(scratch.path("file")).await.unwrap());
        let BufResult(read, all) = File::open(scratch.path("copy"))
            .await
            .unwrap()
            .read_to_end(Vec::new())
            .await;
        read.unwrap();
        assert!(all == text.into_bytes());
    });
}

/// A task on another core has the file, by way of the standard library.
#[test]
fn a_file_goes_to_another_core() {
    run(common::cpus_allowed().min(2), async {
        let scratch = Scratch::on_disk("cores");
        let file = file_with(&scratch, "file", b"here").await;
        let mut file = file.into_std().unwrap();
        let last = executor::cores() - 1;
        let there = executor::spawn_on(last, async move || {
            file.write_all(b"there").unwrap();
            let mut file = File::from(file);
            file.write_all(" and back").await.0.unwrap();
            file.into_std().map_err(drop)
        });
        assert!(there.await.unwrap().is_ok());
        assert_eq!(
            fs::read(scratch.path("file")).await.unwrap(),
            b"there and back"
        );
        spawn(async {}).await.unwrap();
    });
}

/// Room is reserved behind the end, and given back in the middle: the length stays, and what was given back is zero.
#[test]
fn room_is_reserved_and_given_back() {
    use std::os::unix::fs::MetadataExt;
    for scratch in Scratch::each("holes") {
        run(1, async {
            let file = file_with(&scratch, "file", &[7; 64 << 10]).await;
            let blocks = || std::fs::metadata(scratch.path("file")).unwrap().blocks();
            file.sync_all().await.unwrap();
            let before = blocks();
            match file.punch_hole(16 << 10, 32 << 10).await {
                Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => {
                    println!("skipped: no holes on this file system");
                    return;
                }
                punched => punched.unwrap(),
            }
            file.sync_all().await.unwrap();
            assert!(blocks() < before, "{} of {before}", blocks());
            let BufResult(read, bytes) = file.read_at(Vec::with_capacity(65 << 10), 0).await;
            assert_eq!(read.unwrap(), 64 << 10);
            let is_hole = |place: &usize| (16 << 10..48 << 10).contains(place);
            for (place, byte) in bytes.into_iter().enumerate() {
                assert_eq!(byte, if is_hole(&place) { 0 } else { 7 }, "at {place}");
            }

            let before = blocks();
            file.allocate_keep_size(64 << 10, 1 << 20).await.unwrap();
            assert_eq!(file.metadata().await.unwrap().len(), 64 << 10);
            assert!(blocks() > before);
            let read_only = File::open(scratch.path("file")).await.unwrap();
            let error = read_only.punch_hole(0, 4096).await.unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EBADF));
        });
    }
}

/// A clone stands where the file stood and moves on by itself, and both are one open file; times are set.
#[test]
fn a_file_is_cloned_and_has_its_times_set() {
    let scratch = Scratch::on_disk("clones");
    run(1, async {
        file_with(&scratch, "file", b"0123456789").await;
        let mut file = File::open(scratch.path("file")).await.unwrap();
        assert_eq!(&file.read([0; 3]).await.1, b"012");
        let mut clone = file.try_clone().unwrap();
        assert_eq!(&clone.read([0; 3]).await.1, b"345");
        assert_eq!(&file.read([0; 2]).await.1, b"34");
        drop(file);
        assert_eq!(&clone.read([0; 2]).await.1, b"67");

        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        let times = fs::FileTimes::new().set_modified(then);
        clone.set_times(times).await.unwrap();
        assert_eq!(clone.metadata().await.unwrap().modified().unwrap(), then);
    });
}

/// A lock keeps others out until it is given up or its file closed, and shared locks go together.
#[test]
fn locks_keep_others_out() {
    let scratch = Scratch::on_disk("locks");
    run(1, async {
        file_with(&scratch, "file", b"").await;
        let open = || File::open(scratch.path("file"));
        let (one, other) = (open().await.unwrap(), open().await.unwrap());
        let is_busy = |tried| matches!(tried, Err(fs::TryLockError::WouldBlock));
        one.lock().await.unwrap();
        assert!(is_busy(other.try_lock().await) && is_busy(other.try_lock_shared().await));
        let mut waiting = Box::pin(other.lock_shared());
        assert!(poll_immediate(&mut waiting).await.is_none());
        one.unlock().await.unwrap();
        waiting.await.unwrap();
        one.try_lock_shared().await.unwrap();
    });
}

/// The pool's only thread is busy when a lock is asked for, and the future is dropped. The attempt
/// succeeds later, for nobody: so the file ends unlocked. Until then it is nobody else's turn, nor
/// can the file be turned into one that knows nothing of it.
#[test]
fn a_lock_that_was_given_up_is_given_back() {
    let scratch = Scratch::on_disk("locks-given-up");
    let builder = executor::Builder::new().cores(1).pin(false);
    let runtime = builder.blocking_threads_max(1).build().unwrap();
    runtime.block_on(async {
        file_with(&scratch, "file", b"").await;
        let open = || File::open(scratch.path("file"));
        let (one, other) = (open().await.unwrap(), open().await.unwrap());
        let is_busy = |tried| matches!(tried, Err(fs::TryLockError::WouldBlock));
        // The thread is kept busy until the sender is used.
        let occupy = || {
            let (free, wait) = std::sync::mpsc::channel::<()>();
            drop(executor::spawn_blocking(move || wait.recv().unwrap()));
            free
        };

        // Dropped while the attempt is under way.
        let free = occupy();
        let mut given_up = Box::pin(one.lock());
        assert!(poll_immediate(&mut given_up).await.is_none());
        drop(given_up);
        let clone = one.try_clone().unwrap();
        let mut next = Box::pin(clone.lock());
        assert!(poll_immediate(&mut next).await.is_none());
        let one = one.into_std().unwrap_err();
        free.send(()).unwrap();
        next.await.unwrap();
        assert!(is_busy(other.try_lock().await));
        let one = one.into_std().unwrap();
        drop((one, clone));
        other.lock().await.unwrap();
        other.unlock().await.unwrap();

        // Dropped when the attempt has succeeded, and the future was not told yet.
        let one = open().await.unwrap();
        let free = occupy();
        let mut given_up = Box::pin(one.lock());
        assert!(poll_immediate(&mut given_up).await.is_none());
        free.send(()).unwrap();
        executor::spawn_blocking(|| ()).await.unwrap();
        drop(given_up);
        let mut one = one;
        let mut refusals = 0;
        while let Err(busy) = one.into_std() {
            one = busy;
            refusals += 1;
            executor::yield_now().await;
        }
        assert!(refusals > 0);
        other.try_lock().await.unwrap();
        other.unlock().await.unwrap();

        // Dropped while the file is locked already: the lock is that of the call before.
        let mut one = open().await.unwrap();
        one.lock().await.unwrap();
        let free = occupy();
        let mut given_up = Box::pin(one.lock());
        assert!(poll_immediate(&mut given_up).await.is_none());
        drop(given_up);
        free.send(()).unwrap();
        let one = loop {
            match one.into_std() {
                Ok(one) => break one,
                Err(busy) => one = busy,
            }
            executor::yield_now().await;
        };
        assert!(is_busy(other.try_lock().await));
        drop(one);
        other.try_lock().await.unwrap();

        // So is an unlock: it does not come after the lock that is asked for later.
        let free = occupy();
        let mut given_up = Box::pin(other.unlock());
        assert!(poll_immediate(&mut given_up).await.is_none());
        drop(given_up);
        let mut next = Box::pin(other.lock());
        assert!(poll_immediate(&mut next).await.is_none());
        free.send(()).unwrap();
        next.await.unwrap();
        let one = open().await.unwrap();
        assert!(is_busy(one.try_lock().await));
    });
}
