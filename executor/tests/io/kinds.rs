//! Descriptors of every kind, in the state in which reading, writing, opening or closing them blocks: whatever that takes, the core goes on.
//!
//! In each test the core itself brings the end about: were its thread asleep in the kernel, the test would hang.

use crate::child;
use crate::common;
use crate::common::descriptors;
use crate::scratch;
use crate::slow_server;
use crate::terminal;

use child::Child;
use common::{modes, on_thread, run, settle, start_with, until};
use descriptors::{alone, descriptors};
use executor::buf::BufResult;
use executor::fs::{self, File, OpenOptions};
use executor::io::{AsyncRead, AsyncWrite, AsyncWriteExt, PipeReader, PipeWriter};
use executor::spawn;
use futures::future::join_all;
use rustix::fs::{CWD, FileType, Mode, OFlags, fcntl_getfl, mknodat};
use scratch::Scratch;
use slow_server::SlowServer;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};
use terminal::Terminal;

/// Far more than a terminal has room for.
const FLOOD: usize = 100_000;

/// A server of files does not answer: opening, reading and writing wait for it, and nothing else does.
#[test]
fn a_file_server_that_does_not_answer_blocks_no_core() {
    alone!();
    let scratch = Scratch::on_disk("slow");
    let Some(server) = SlowServer::mount(&scratch.path("")) else {
        return;
    };
    run(1, async {
        // The name is known from here on, so that opening asks for nothing but the file.
        drop(File::open(server.file()).await.unwrap());
        settle().await;

        server.hold(slow_server::OPEN);
        let path = server.file();
        let opening = spawn(async move { File::open(path).await.unwrap() });
        until(|| server.held() == 1).await;
        server.release();
        let file = opening.await.unwrap();

        server.hold(slow_server::READ);
        let reading = spawn(async move {
            let read = file.read_at(Vec::with_capacity(10), 0).await;
            (file, read)
        });
        until(|| server.held() == 1).await;
        server.release();
        let (mut file, BufResult(count, bytes)) = reading.await.unwrap();
        assert_eq!((count.unwrap(), bytes), (10, vec![7; 10]));

        server.hold(slow_server::READ);
        let reading = spawn(async move { file.read_vectored([Vec::with_capacity(10)]).await });
        until(|| server.held() == 1).await;
        server.release();
        assert_eq!(reading.await.unwrap().0.unwrap(), 10);

        let path = server.file();
        let mut file = File::options().write(true).open(path).await.unwrap();
        server.hold(slow_server::WRITE);
        let writing = spawn(async move { file.write("some bytes").await });
        until(|| server.held() == 1).await;
        server.release();
        assert_eq!(writing.await.unwrap().0.unwrap(), 10);

        // Its server is told that it is closed, and has to answer.
        let file = File::open(server.file()).await.unwrap();
        let other = File::open(server.file()).await.unwrap();
        server.hold(slow_server::FLUSH);
        drop(file);
        until(|| server.held() == 1).await;
        let closing = spawn(other.close());
        until(|| server.held() == 2).await;
        server.release();
        closing.await.unwrap().unwrap();
    });
}

/// More is written to a terminal than it has room for, in each way, before anybody reads it. (Whether the kernel tries that on the core's thread is a
/// matter of luck, so there are some rounds.)
#[test]
fn a_terminal_that_nobody_reads_blocks_no_core() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            for round in 0..8 {
                let Some(mut terminal) = Terminal::new() else {
                    return;
                };
                let inside = terminal.inside();
                let writing = spawn(async move {
                    let bytes = vec![b'x'; FLOOD];
                    match round % 4 {
                        0 => PipeWriter::from(inside).write_all(bytes).await.0,
                        1 => PipeWriter::from(inside).write_vectored_all([bytes]).await.0,
                        2 => File::from(inside).write_all(bytes).await.0,
                        _ => File::from(inside).write_vectored_all([bytes]).await.0,
                    }
                });
                settle().await;
                assert!(!writing.is_finished());
                let terminal = on_thread(move || {
                    terminal.takes(FLOOD);
                    terminal
                });
                let (_terminal, written) = futures::join!(terminal, writing);
                written.unwrap().unwrap();
            }
        });
    }
}

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

/// A bit of everything that is done by the kernel's workers for files.
async fn work_on_files(directory: &Path) {
    let (file, other) = (directory.join("file"), directory.join("other"));
    fs::write(&file, vec![7; 100_000]).await.0.unwrap();
    assert_eq!(fs::read(&file).await.unwrap(), vec![7; 100_000]);
    File::open(&file).await.unwrap().sync_all().await.unwrap();
    fs::rename(&file, &other).await.unwrap();
    assert_eq!(fs::metadata(&other).await.unwrap().len(), 100_000);
    fs::copy(&other, &file).await.unwrap();
    fs::remove_file(&file).await.unwrap();
    fs::remove_file(&other).await.unwrap();
    let inner = directory.join("directory");
    fs::create_dir(&inner).await.unwrap();
    fs::remove_dir(&inner).await.unwrap();
}

/// Opens that one.
async fn open_in_some_way(number: usize, path: PathBuf) {
    match number % 4 {
        0 => drop(PipeReader::open(path).await.unwrap()),
        1 => drop(PipeWriter::open(path).await.unwrap()),
        2 => drop(File::open(path).await.unwrap()),
        _ => drop(File::create(path).await.unwrap()),
    }
}

/// Hundreds of named pipes that nobody opens at their other ends are waited for, in each way. Other work on files goes on; those that are given up
/// are given up; and the runtime ends while the rest waits. No descriptor is left.
#[test]
fn opens_that_wait_hold_up_nothing() {
    const PIPES: usize = 300;
    alone!();
    let scratch = Scratch::on_disk("waiting");
    let pipes: Vec<_> = (0..PIPES)
        .map(|n| scratch.path(&format!("pipe-{n}")))
        .collect();
    pipes.iter().for_each(|path| fifo(path));
    let before = descriptors();
    for workers in [1, 16] {
        let builder = executor::Builder::new().file_workers_max(workers);
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let opening = |number: usize| spawn(open_in_some_way(number, pipes[number].clone()));
            let opens: Vec<_> = (0..PIPES).map(opening).collect();
            settle().await;
            work_on_files(&scratch.path("")).await;
            assert!(opens.iter().all(|open| !open.is_finished()));
            opens.iter().for_each(|open| open.abort());
            assert!(join_all(opens).await.iter().all(Result::is_err));
            work_on_files(&scratch.path("")).await;

            (0..PIPES).for_each(|number| opening(number).detach());
            settle().await;
            work_on_files(&scratch.path("")).await;
        });
        drop(runtime);
        assert_eq!(descriptors(), before);
    }
}

/// `File` waits for a named pipe's other end as open(2) does: for a writer, who need not write; for one who has written and gone before anybody looked;
/// and for a reader. Opened for both, it has both.
#[test]
fn a_file_opens_a_named_pipe_when_both_ends_are_open() {
    alone!();
    let scratch = Scratch::on_disk("ends");
    let path = scratch.path("pipe");
    fifo(&path);
    let open = |options: &mut std::fs::OpenOptions| {
        let (options, path) = (options.clone(), path.clone());
        on_thread(move || options.open(path).unwrap())
    };
    let writer = || open(std::fs::File::options().write(true));
    let reader = || open(std::fs::File::options().read(true));
    run(1, async {
        let before = descriptors();
        let opening = || spawn(File::open(path.clone()));
        let waiting = opening();
        settle().await;
        assert!(!waiting.is_finished());
        let silent = writer().await;
        let mut file = waiting.await.unwrap().unwrap();
        drop(silent);
        assert_eq!(file.read(Vec::with_capacity(10)).await.0.unwrap(), 0);
        drop(file);

        for _ in 0..20 {
            let writer = writer();
            let gone = spawn(async move {
                let mut writer = writer.await;
                on_thread(move || writer.write_all(b"gone").unwrap()).await;
            });
            let mut file = File::open(&path).await.unwrap();
            let flags = fcntl_getfl(&file).unwrap();
            assert!(!flags.contains(OFlags::NONBLOCK), "{flags:?}");
            assert_eq!(file.read(Vec::with_capacity(10)).await.1, b"gone");
            assert_eq!(file.read(Vec::with_capacity(10)).await.0.unwrap(), 0);
            gone.await.unwrap();
        }

        let waiting = spawn(File::create(path.clone()));
        settle().await;
        assert!(!waiting.is_finished());
        let mut other = reader().await;
        let mut file = waiting.await.unwrap().unwrap();
        file.write_all("read").await.0.unwrap();
        drop(file);
        let mut text = String::new();
        other.read_to_string(&mut text).unwrap();
        assert_eq!(text, "read");
        drop(other);

        let both = OpenOptions::new().read(true).write(true).open(&path).await;
        drop(both.unwrap());
        let mut unwaiting = OpenOptions::new();
        unwaiting.custom_flags(libc::O_NONBLOCK);
        let file = unwaiting.read(true).open(&path).await.unwrap();
        assert!(fcntl_getfl(&file).unwrap().contains(OFlags::NONBLOCK));
        drop(file);
        let nobody = unwaiting.read(false).write(true).open(&path).await;
        assert_eq!(nobody.unwrap_err().raw_os_error(), Some(libc::ENXIO));
        until(|| descriptors() == before).await;
    });
}

/// Somebody has a lease on a file and does not let go of it yet: opening it waits, and nothing else does. In a process of its own, whose signal
/// of the lease is ignored.
#[test]
fn an_open_waits_for_a_lease() {
    alone!();
    let scratch = Scratch::on_disk("lease");
    Child::of(|| {
        let path = scratch.path("leased");
        let holder = std::fs::File::create(&path).unwrap();
        // SAFETY: plain system calls.
        let leased = unsafe {
            libc::signal(libc::SIGIO, libc::SIG_IGN);
            libc::fcntl(holder.as_raw_fd(), libc::F_SETLEASE, libc::F_WRLCK)
        };
        if leased != 0 {
            return println!("skipped: no lease can be had here");
        }
        run(1, async {
            let opening = spawn(File::open(path));
            settle().await;
            work_on_files(&scratch.path("")).await;
            assert!(!opening.is_finished());
            // SAFETY: a plain system call.
            unsafe { libc::fcntl(holder.as_raw_fd(), libc::F_SETLEASE, libc::F_UNLCK) };
            drop(opening.await.unwrap().unwrap());
        });
    })
    .run_well();
}

/// What is opened is used as it was asked for, also where it was opened without waiting at first.
#[test]
fn opened_files_are_as_they_were_asked_for() {
    alone!();
    let scratch = Scratch::on_disk("asked");
    run(1, async {
        let path = scratch.path("file");
        let mut options = OpenOptions::new();
        options
            .append(true)
            .create(true)
            .custom_flags(libc::O_NOATIME);
        let file = options.open(&path).await.unwrap();
        let flags = fcntl_getfl(file.as_fd()).unwrap();
        assert!(
            flags.contains(OFlags::APPEND | OFlags::NOATIME),
            "{flags:?}"
        );
        assert!(!flags.contains(OFlags::NONBLOCK), "{flags:?}");
        for path in ["/dev/null", "/dev/zero", "/proc/self/status", "/"] {
            let file = File::open(path).await.unwrap();
            let flags = fcntl_getfl(file.as_fd()).unwrap();
            assert!(!flags.contains(OFlags::NONBLOCK), "{path}: {flags:?}");
        }
        let socket = scratch.path("socket");
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        let refused = File::open(&socket).await.unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::ENXIO));
        let copied = fs::copy("/dev/zero", &path).await.unwrap_err();
        assert_eq!(copied.kind(), ErrorKind::InvalidInput);
    });
}

/// What devices and the files of the kernel itself have is read all the same, by whatever thread.
#[test]
fn devices_and_kernel_files_are_read() {
    alone!();
    run(1, async {
        let mut zero = File::open("/dev/zero").await.unwrap();
        assert_eq!(zero.read(Vec::with_capacity(5)).await.1, [0; 5]);
        let mut random = File::open("/dev/urandom").await.unwrap();
        assert_eq!(random.read(Vec::with_capacity(64)).await.0.unwrap(), 64);
        let mut full = OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .await
            .unwrap();
        let error = full.write("no room").await.0.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        for path in [
            "/proc/self/stat",
            "/proc/mounts",
            "/sys/devices/system/cpu/online",
        ] {
            if Path::new(path).exists() {
                let expected = std::fs::read(path).unwrap();
                let read = fs::read(path).await.unwrap();
                assert_eq!(read.is_empty(), expected.is_empty(), "{path}");
            }
        }
        let event = rustix::event::eventfd(7, rustix::event::EventfdFlags::empty()).unwrap();
        let event = PipeReader::from(event);
        let BufResult(count, bytes) = event.read(Vec::with_capacity(8)).await;
        assert_eq!((count.unwrap(), bytes), (8, 7u64.to_ne_bytes().to_vec()));
        // Empty by now.
        let waiting = spawn(async move { event.read(Vec::with_capacity(8)).await });
        settle().await;
        assert!(!waiting.is_finished());
        waiting.abort();
        assert!(waiting.await.is_err());
    });
}
