//! What happens in a process besides wakes, while the wake stress runs: forks, terminals that nobody reads, named pipes that nobody opens at
//! their other end, and children that are left behind. Each is an actor in rounds, on a core that also carries the stress.
//!
//! None of them may hold up a core, and none may lose what was in flight: each round checks its own outcome, and the watchdog checks that
//! rounds end.

use super::common::Random;
use super::round_watchdog::{RoundWatchdog, Rounds};
use executor::buf::BufResult;
use executor::io::{AsyncReadExt, PipeReader, PipeWriter, pipe};
use executor::process::Command;
use executor::time::{sleep, timeout};
use executor::{spawn, spawn_blocking, spawn_on};
use std::ffi::CString;
use std::fs;
use std::future::poll_fn;
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::pin::pin;
use std::ptr;
use std::task::Poll;
use std::time::{Duration, Instant};

/// Between two rounds, so that the wakes, which are what is tried, get most of the time.
const PAUSE: Duration = Duration::from_millis(20);
/// How long a write or an open that cannot end is left alone.
const STUCK: Duration = Duration::from_millis(5);
/// More than a terminal holds.
const TERMINAL_BYTES: usize = 40_000;

/// All of them, half on each core, until `end`; then what they have left behind.
pub(super) async fn run(watchdog: &RoundWatchdog, end: Instant) {
    let [forking, terminal, pipes, child] = [
        "core 0, forking",
        "core 1, writing to terminals that nobody reads",
        "core 0, opening named pipes",
        "core 1, starting programs",
    ]
    .map(|name| watchdog.actor(name));
    let here = [
        spawn(forks(forking, end)),
        spawn(named_pipes(pipes, Random::new(5), end)),
    ];
    let there = [
        spawn_on(1, move || terminals(terminal, end)),
        spawn_on(1, move || children(child, Random::new(6), end)),
    ];
    for task in here.into_iter().chain(there) {
        task.await.expect("it does not panic");
    }
    no_zombies(watchdog.actor("the end of the zombies")).await;
}

/// Forks with a read in flight. The child drops the read and leaves; the parent's read must complete.
pub(super) async fn forks(rounds: Rounds, end: Instant) {
    while Instant::now() < end {
        let (reader, writer) = pipe().expect("two descriptors");
        let mut read = Some(Box::pin(async move { reader.read([0; 8]).await }));
        poll_fn(|context| {
            let read = read.as_mut().expect("it is taken in the child only");
            assert!(read.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        executor::yield_now().await;
        // SAFETY: the child drops a future of ours, which fork is documented to allow, and leaves without running anything else.
        let child = unsafe { libc::fork() };
        if child == 0 {
            read = None;
            // SAFETY: it ends the child.
            unsafe { libc::_exit(i32::from(read.is_some())) };
        }
        assert!(child > 0, "fork: {}", std::io::Error::last_os_error());
        let status = spawn_blocking(move || {
            let mut status = 0;
            // SAFETY: the child is ours, and the place can be written to.
            let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
            assert_eq!(waited, child);
            status
        });
        assert_eq!(status.await.expect("it does not panic"), 0, "the child");
        writer.write("on").await.0.expect("somebody reads");
        let BufResult(count, _) = read.take().expect("this is the parent").await;
        assert_eq!(count.expect("a pipe can be read"), 2);
        rounds.done();
        sleep(PAUSE).await;
    }
}

/// Writes more to a terminal than it holds, while nobody reads; then somebody does, and all of it arrives.
pub(super) async fn terminals(rounds: Rounds, end: Instant) {
    while Instant::now() < end {
        let Some((outside, inside)) = terminal() else {
            println!("no terminal can be had here: left out");
            return;
        };
        let mut left = TERMINAL_BYTES;
        let mut write = pin!(async {
            let inside = PipeWriter::from(inside);
            while left > 0 {
                left -= inside
                    .write(vec![b'x'; left])
                    .await
                    .0
                    .expect("it is a terminal");
            }
        });
        let stuck = timeout(STUCK, write.as_mut()).await;
        assert!(stuck.is_err(), "a terminal held {TERMINAL_BYTES} bytes");
        let reading = spawn_blocking(move || {
            let (mut outside, mut buffer, mut total) = (outside, [0; 4096], 0);
            while total < TERMINAL_BYTES {
                total += outside.read(&mut buffer).expect("the other side is open");
            }
            total
        });
        write.await;
        assert_eq!(reading.await.expect("it does not panic"), TERMINAL_BYTES);
        rounds.done();
        sleep(PAUSE).await;
    }
}

/// Both sides of a new terminal; the inner one passes on what it is given as it is.
fn terminal() -> Option<(fs::File, OwnedFd)> {
    let (mut outside, mut inside) = (0, 0);
    let null = ptr::null_mut();
    // SAFETY: both places can be written to, and the others may be null.
    let result = unsafe {
        libc::openpty(
            &raw mut outside,
            &raw mut inside,
            null,
            ptr::null(),
            ptr::null(),
        )
    };
    // SAFETY: they were just made, and nobody else knows them.
    (result == 0).then(|| unsafe { (fs::File::from_raw_fd(outside), OwnedFd::from_raw_fd(inside)) })
}

/// Opens named pipes that have no other end, gives that up, and does other work on files meanwhile.
pub(super) async fn named_pipes(rounds: Rounds, mut random: Random, end: Instant) {
    let directory = Directory::new();
    while Instant::now() < end {
        let paths: Vec<PathBuf> = (0..1 + random.below(16))
            .map(|number| directory.fifo(number))
            .collect();
        let opening: Vec<_> = paths
            .iter()
            .cloned()
            .map(|path| spawn(PipeReader::open(path)))
            .collect();
        let file = directory.0.join("file");
        executor::fs::write(&file, vec![7; 10_000])
            .await
            .0
            .expect("there is room");
        let bytes = executor::fs::read(&file)
            .await
            .expect("it was just written");
        assert_eq!(bytes, [7; 10_000]);
        // One of them gets its other end, the rest do not.
        let writer = PipeWriter::open(&paths[0])
            .await
            .expect("a reader is there");
        let mut opening = opening.into_iter();
        let reader = opening.next().expect("there is one").await;
        let reader = reader
            .expect("it does not panic")
            .expect("a writer is there");
        writer.write("through").await.0.expect("somebody reads");
        drop(writer);
        let mut reader = reader;
        let BufResult(read, bytes) = reader.read_to_end(Vec::new()).await;
        read.expect("a pipe can be read");
        assert_eq!(bytes, b"through");
        for task in opening {
            task.abort();
            assert!(
                task.await.is_err(),
                "an open without its other end was done"
            );
        }
        for path in paths {
            fs::remove_file(path).expect("it is ours");
        }
        rounds.done();
        sleep(PAUSE).await;
    }
}

struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let name = format!("executor-stress-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).expect("a directory can be made");
        Self(path)
    }

    fn fifo(&self, number: usize) -> PathBuf {
        let path = self.0.join(format!("fifo-{number}"));
        let c_path = CString::new(path.as_os_str().as_bytes()).expect("it has no zero");
        // SAFETY: the path ends with a zero.
        let result = unsafe { libc::mkfifo(c_path.as_ptr(), 0o600) };
        assert_eq!(result, 0, "mkfifo: {}", std::io::Error::last_os_error());
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Starts programs: waits for one, reads another's output, drops a third while it runs.
pub(super) async fn children(rounds: Rounds, mut random: Random, end: Instant) {
    while Instant::now() < end {
        match random.below(3) {
            0 => {
                let status = Command::new("true").status().await;
                assert!(status.expect("there is true").success());
            }
            1 => {
                let output = Command::new("echo").arg("on").output().await;
                let output = output.expect("there is echo");
                assert_eq!(output.stdout, b"on\n");
            }
            _ => drop(Command::new("true").spawn().expect("there is true")),
        }
        rounds.done();
        sleep(PAUSE).await;
    }
}

/// Waits until this process has no zombies: those that were left behind are waited for by somebody.
pub(super) async fn no_zombies(rounds: Rounds) {
    while spawn_blocking(has_zombies)
        .await
        .expect("it does not panic")
    {
        sleep(PAUSE).await;
    }
    rounds.done();
}

fn has_zombies() -> bool {
    let own = std::process::id().to_string();
    let processes = fs::read_dir("/proc").expect("there is a /proc").flatten();
    processes
        .filter_map(|process| fs::read_to_string(process.path().join("stat")).ok())
        .any(|stat| {
            // The name may hold anything, and ends with the last parenthesis; the state and the parent follow it.
            let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
            let mut fields = after_name.split(' ');
            fields.next() == Some("Z") && fields.next() == Some(&own)
        })
}
