//! The threads behind operations on files, the kernel's and ours: how many there may be, and what is said when none can be had.

use crate::child;
use crate::common;
use crate::restraint;

use child::Child;
use common::{cpus_allowed, start_with};
use executor::fs::{self, File};
use executor::net::TcpStream;
use executor::{Builder, spawn};
use rustix::process::Resource;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// What the kernel says of this thread: how many workers it may have for files. `None` before Linux 5.15.
fn file_workers_max_here() -> Option<u32> {
    const MAX_WORKERS: u32 = 19;
    let mut params = [0u32; 30];
    let mut limits = [0u32; 2];
    // SAFETY: the structures are as large as the kernel takes them for, and the descriptor is new.
    let result = unsafe {
        let ring = libc::syscall(libc::SYS_io_uring_setup, 2, params.as_mut_ptr());
        let ring = OwnedFd::from_raw_fd(i32::try_from(ring).unwrap());
        let (ring, limits) = (ring.as_raw_fd(), limits.as_mut_ptr());
        libc::syscall(libc::SYS_io_uring_register, ring, MAX_WORKERS, limits, 2)
    };
    if result != 0 {
        println!("skipped: this kernel chooses the number of workers by itself");
        return None;
    }
    Some(limits[0])
}

/// Every core has the same number, chosen or not: also core 0, whose thread has made other rings to find out what the kernel has.
#[test]
fn every_core_has_as_many_file_workers() {
    let cores = cpus_allowed();
    for (builder, expected) in [
        (Builder::new(), 16),
        (Builder::new().file_workers_max(3), 3),
    ] {
        let runtime = start_with(builder, cores).expect("as many CPUs");
        let here = runtime.block_on(async { file_workers_max_here() });
        let Some(here) = here else { return };
        assert_eq!(here, expected);
        for core in 0..cores {
            let there = runtime
                .handle()
                .spawn_on(core, async || file_workers_max_here());
            assert_eq!(runtime.block_on(there).unwrap(), Some(expected));
        }
        let stats = runtime.handle().stats();
        let told: Vec<_> = stats.iter().map(|core| core.file_workers_max).collect();
        assert_eq!(told, vec![expected as usize; cores]);
    }
}

/// Two runtimes take turns on one thread, which is core 0 of both: each has its own number when it runs. So has a third, after they have gone.
#[test]
fn runtimes_on_one_thread_do_not_disturb_each_other() {
    let one = start_with(Builder::new().file_workers_max(3), 1).expect("one CPU");
    let other = start_with(Builder::new().file_workers_max(5), 1).expect("one CPU");
    for _ in 0..2 {
        for (runtime, expected) in [(&one, 3), (&other, 5)] {
            let here = runtime.block_on(async { file_workers_max_here() });
            let Some(here) = here else { return };
            assert_eq!(here, expected);
        }
    }
    drop((one, other));
    let third = start_with(Builder::new(), 1).expect("one CPU");
    let here = third.block_on(async { file_workers_max_here() });
    assert_eq!(here, Some(16));
}

/// Runs the part as a user who may start no further thread, neither of ours nor of the kernel.
fn without_threads(part: impl Future<Output = ()>) {
    restraint::become_nobody();
    let builder = Builder::new().cores(1).pin(false);
    let runtime = builder.build().unwrap();
    restraint::with_limit(Resource::Nproc, 0, || runtime.block_on(part));
}

/// Another test of this machine may be refusing io_uring to the unprivileged just now.
fn run_unless_refused(child: &Child) {
    match restraint::Sysctl::keep() {
        Ok(_kept) => drop(child.run_well()),
        Err(why) => println!("skipped: {why}"),
    }
}

#[track_caller]
fn is_refused<T>(result: io::Result<T>) {
    let error = result.err().expect("there is no thread");
    assert_eq!(error.raw_os_error(), Some(libc::EAGAIN), "{error:?}");
}

/// There is no thread for what blocks: whatever needs one says so, as an error that the system would give, and panics nowhere.
#[test]
fn what_needs_a_thread_says_that_there_is_none() {
    run_unless_refused(&Child::of(|| {
        without_threads(async {
            is_refused(fs::read_dir("/").await);
            is_refused(fs::canonicalize("/").await);
            is_refused(fs::read_link("/proc/self").await);
            is_refused(fs::create_dir_all("/tmp").await);
            is_refused(fs::remove_dir_all("/nonexistent").await);
            is_refused(TcpStream::connect("localhost:9").await);
            is_refused(TcpStream::connect(("localhost", 9)).await);
            // That has no other way to say it.
            let panicked = spawn(async { executor::spawn_blocking(|| ()).await }).await;
            assert!(panicked.unwrap_err().is_panic());
        });
    }));
}

/// There is no worker of the kernel for an operation on a file, which it then cancels by itself: who asked for the operation, and did not cancel it, is
/// told that resources were short.
#[test]
fn what_needs_a_worker_says_that_there_is_none() {
    run_unless_refused(&Child::of(|| {
        without_threads(async {
            is_refused(fs::metadata("/").await);
            is_refused(File::open("/dev/null").await);
            is_refused(fs::rename("/nonexistent", "/other").await);
            is_refused(executor::io::PipeReader::open("/dev/null").await);
            // As an answer of the kernel, the same error would mean that it has to wait again.
            let (reader, writer) = executor::io::pipe().unwrap();
            let (_target, out) = executor::io::pipe().unwrap();
            writer.write("x").await.0.unwrap();
            is_refused(executor::io::splice(&reader, &out, 1).await);
        });
    }));
}
