//! Which thread tries to read or write a file first: this one, or a worker thread of the kernel.
//!
//! Within io_uring_enter the kernel tries each read and write on the calling thread, without blocking if the file can do that (`FMODE_NOWAIT`
//! inside the kernel). What cannot, and cannot be polled either, goes to a worker at once. But what cannot, and *can* be polled, is tried as soon as a
//! poll says that it is ready (`io_file_supports_nowait` in the kernel's io_uring/rw.c), and then it may sleep, and this thread with it:
//!
//! - a write to a terminal sleeps until all of it is written, and a read while another process reads the same terminal;
//! - a file of FUSE sleeps until its server has answered, and the poll before it as well;
//! - attributes in /sys and files in /proc take as long as their drivers take;
//! - other devices, such as sound cards and /dev/fuse, go by their own `O_NONBLOCK` alone.
//!
//! So reads and writes of those go to a worker at once (`IOSQE_ASYNC`). That is found out once for each descriptor, by calls that do not
//! ask a file's server, and kept with the descriptor.

#![forbid(unsafe_code)]

use io_uring::squeue;
use rustix::fs::{AtFlags, FileType, StatxFlags, statx};
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use std::io::IoSliceMut;
use std::os::fd::BorrowedFd;

/// Devices that are known never to block a thread that only tries, by major and minor number: /dev/null, /dev/zero, /dev/random,
/// /dev/urandom and /dev/net/tun.
const PROMPT_DEVICES: [(u32, u32); 5] = [(1, 3), (1, 5), (1, 8), (1, 9), (10, 200)];

/// Behind the end of any file, and of any disk. A read there finds nothing.
const BEHIND_ALL: u64 = i64::MAX as u64 - 4096;

/// Where the first attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// On the thread that submits: it cannot sleep there.
    Here,
    /// In a worker thread of the kernel.
    Worker,
}

/// What kind of file it is, and where its reads and writes are tried.
///
/// If the system does not tell, as under a strict seccomp filter, it is taken for a device: what needs most care.
pub(crate) fn find(fd: BorrowedFd<'_>) -> (FileType, Attempt) {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let Ok(status) = statx(fd, "", flags, StatxFlags::TYPE) else {
        return (FileType::CharacterDevice, Attempt::Worker);
    };
    let file_type = FileType::from_raw_mode(status.stx_mode.into());
    let is_prompt = match file_type {
        FileType::RegularFile | FileType::BlockDevice => {
            let is_of_a_disk = status.stx_dev_major != 0;
            file_is_prompt(fd).unwrap_or(is_of_a_disk)
        }
        FileType::CharacterDevice => {
            PROMPT_DEVICES.contains(&(status.stx_rdev_major, status.stx_rdev_minor))
        }
        // Reading a directory fails at once. Pipes, sockets, and what has no type of its own (eventfd, timerfd, inotify and so on) do not
        // sleep: they can do without blocking, or have only calls of the old kind, which the kernel leaves to a worker.
        _ => true,
    };
    let attempt = if is_prompt {
        Attempt::Here
    } else {
        Attempt::Worker
    };
    (file_type, attempt)
}

/// Whether a file or disk can be read and written without blocking: the kernel refuses a read that asks for it, if not. `None` if the file is
/// only written, for then there is nothing harmless to ask.
fn file_is_prompt(fd: BorrowedFd<'_>) -> Option<bool> {
    let mut byte = [0];
    let mut place = [IoSliceMut::new(&mut byte)];
    match preadv2(fd, &mut place, BEHIND_ALL, ReadWriteFlags::NOWAIT) {
        Err(Errno::BADF) => None,
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM) => Some(false),
        // It has tried.
        _ => Some(true),
    }
}

impl Attempt {
    /// The entry of a read or write, as it should be submitted.
    pub(crate) fn of(self, entry: squeue::Entry) -> squeue::Entry {
        match self {
            Self::Here => entry,
            Self::Worker => entry.flags(squeue::Flags::ASYNC),
        }
    }
}
