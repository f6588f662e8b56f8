//! The three io_uring system calls and the structures they share with the kernel, as in `include/uapi/linux/io_uring.h`.
//!
//! The io-uring crate has them too, but keeps the completion queue's offsets and the registered descriptor's index to itself, and
//! both are needed here: the offsets to watch the header line, the index to enter by it. Called by `setup` and `ring` alone.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

pub(crate) const SETUP_CQSIZE: u32 = 1 << 3;
pub(crate) const SETUP_CLAMP: u32 = 1 << 4;
pub(crate) const SETUP_SUBMIT_ALL: u32 = 1 << 7;
pub(crate) const SETUP_COOP_TASKRUN: u32 = 1 << 8;
pub(crate) const SETUP_TASKRUN_FLAG: u32 = 1 << 9;
pub(crate) const SETUP_SINGLE_ISSUER: u32 = 1 << 12;
pub(crate) const SETUP_DEFER_TASKRUN: u32 = 1 << 13;
pub(crate) const SETUP_NO_SQARRAY: u32 = 1 << 16;

pub(crate) const FEATURE_SINGLE_MMAP: u32 = 1 << 0;

pub(crate) const ENTER_GETEVENTS: u32 = 1 << 0;
pub(crate) const ENTER_EXT_ARG: u32 = 1 << 3;
pub(crate) const ENTER_REGISTERED_RING: u32 = 1 << 4;
pub(crate) const ENTER_NO_IOWAIT: u32 = 1 << 7;

pub(crate) const SQ_CQ_OVERFLOW: u32 = 1 << 1;
pub(crate) const SQ_TASKRUN: u32 = 1 << 2;

const REGISTER_RING_FDS: u32 = 20;
const UNREGISTER_RING_FDS: u32 = 21;

/// `struct io_sqring_offsets`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct SqOffsets {
    pub(crate) head: u32,
    pub(crate) tail: u32,
    pub(crate) ring_mask: u32,
    pub(crate) ring_entries: u32,
    pub(crate) flags: u32,
    pub(crate) dropped: u32,
    pub(crate) array: u32,
    pub(crate) reserved: u32,
    pub(crate) user_address: u64,
}

/// `struct io_cqring_offsets`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct CqOffsets {
    pub(crate) head: u32,
    pub(crate) tail: u32,
    pub(crate) ring_mask: u32,
    pub(crate) ring_entries: u32,
    pub(crate) overflow: u32,
    pub(crate) cqes: u32,
    pub(crate) flags: u32,
    /// `resv1`, 0; or the offset of the word reserved for the user, on a kernel patched for it.
    pub(crate) user_word: u32,
    pub(crate) user_address: u64,
}

/// `struct io_uring_params`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct Params {
    pub(crate) sq_entries: u32,
    pub(crate) cq_entries: u32,
    pub(crate) flags: u32,
    pub(crate) sq_thread_cpu: u32,
    pub(crate) sq_thread_idle: u32,
    pub(crate) features: u32,
    pub(crate) wq_fd: u32,
    pub(crate) reserved: [u32; 3],
    pub(crate) sq_off: SqOffsets,
    pub(crate) cq_off: CqOffsets,
}

/// `struct io_uring_getevents_arg`, with the time-out it may point to.
#[repr(C)]
struct GeteventsArg {
    sigmask: u64,
    sigmask_size: u32,
    min_wait_usec: u32,
    timespec: u64,
}

/// `struct io_uring_rsrc_update`.
#[repr(C)]
struct RsrcUpdate {
    offset: u32,
    reserved: u32,
    data: u64,
}

/// `struct __kernel_timespec`: a relative time-out.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Timespec {
    pub(crate) seconds: i64,
    pub(crate) nanoseconds: i64,
}

/// Creates a ring; the kernel fills in what it chose and where it put things.
pub(crate) fn setup(entries: u32, params: &mut Params) -> io::Result<OwnedFd> {
    // SAFETY: `params` is a valid, writable io_uring_params for the length of the call.
    let fd = unsafe { libc::syscall(libc::SYS_io_uring_setup, entries, params as *mut Params) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor for us, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Submits `to_submit` entries and, with [`ENTER_GETEVENTS`], runs deferred work and waits for `min_complete` completions, at most
/// for `timeout`. `fd` is a descriptor, or an index with [`ENTER_REGISTERED_RING`]. Returns how many entries were consumed.
pub(crate) fn enter(
    fd: RawFd,
    to_submit: u32,
    min_complete: u32,
    flags: u32,
    timeout: Option<Timespec>,
) -> Result<u32, i32> {
    let argument = timeout.as_ref().map(|timespec| GeteventsArg {
        sigmask: 0,
        sigmask_size: 0,
        min_wait_usec: 0,
        timespec: std::ptr::from_ref(timespec) as u64,
    });
    let (pointer, size, flags) = match &argument {
        Some(argument) => (
            std::ptr::from_ref(argument),
            size_of::<GeteventsArg>(),
            flags | ENTER_EXT_ARG,
        ),
        None => (std::ptr::null(), 0, flags),
    };
    // SAFETY: the argument, where there is one, and the time-out it points to live until the call returns. What the submitted
    // entries point to is kept alive by `slots` and `operation` until their final completion.
    let result = unsafe {
        libc::syscall(
            libc::SYS_io_uring_enter,
            fd,
            to_submit,
            min_complete,
            flags,
            pointer,
            size,
        )
    };
    if result < 0 {
        // SAFETY: errno is this thread's own.
        return Err(unsafe { *libc::__errno_location() });
    }
    Ok(result as u32)
}

/// Registers the ring's descriptor with the calling thread; returns the index to enter by (first in 5.18). A thread has 16 places, and
/// one that is taken keeps its ring alive: see [`unregister_ring_fd`].
pub(crate) fn register_ring_fd(fd: RawFd) -> io::Result<u32> {
    let mut update = RsrcUpdate {
        offset: u32::MAX,
        reserved: 0,
        data: fd as u64,
    };
    update_ring_fds(fd, REGISTER_RING_FDS, &mut update)?;
    Ok(update.offset)
}

/// Gives the calling thread's place `index` back.
pub(crate) fn unregister_ring_fd(fd: RawFd, index: u32) -> io::Result<()> {
    let mut update = RsrcUpdate {
        offset: index,
        reserved: 0,
        data: 0,
    };
    update_ring_fds(fd, UNREGISTER_RING_FDS, &mut update)
}

fn update_ring_fds(fd: RawFd, operation: u32, update: &mut RsrcUpdate) -> io::Result<()> {
    // SAFETY: `update` is one valid, writable io_uring_rsrc_update, as the count says.
    let result = unsafe {
        libc::syscall(
            libc::SYS_io_uring_register,
            fd,
            operation,
            std::ptr::from_mut(update),
            1,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
