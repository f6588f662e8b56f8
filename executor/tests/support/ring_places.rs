//! The places a thread has for registered rings: a ring that was dropped, but not unregistered, holds on to one, and the place to it.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

const REGISTER_RING_FDS: u32 = 20;
const UNREGISTER_RING_FDS: u32 = 21;

/// `struct io_uring_params`, of which nothing is looked at: 120 bytes, aligned for the two addresses at the ends of its parts.
type Params = [u64; 15];

/// `struct io_uring_rsrc_update`.
#[repr(C)]
struct RsrcUpdate {
    offset: u32,
    reserved: u32,
    data: u64,
}

/// How many places the calling thread has free, found out by taking them all with one ring.
pub(crate) fn free() -> usize {
    let ring = ring();
    let taken: Vec<u32> = std::iter::from_fn(|| register(&ring)).collect();
    for place in &taken {
        unregister(&ring, *place);
    }
    taken.len()
}

fn ring() -> OwnedFd {
    let mut params: Params = [0; 15];
    // SAFETY: `params` is writable, of the size the kernel expects, and zero, as it wants what it does not know.
    let fd = unsafe { libc::syscall(libc::SYS_io_uring_setup, 2, &raw mut params) };
    let fd = i32::try_from(fd).unwrap();
    assert!(fd >= 0, "{}", io::Error::last_os_error());
    // SAFETY: the kernel has just made the descriptor, and nobody else has it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// Takes a place; `None` when there is none.
fn register(ring: &OwnedFd) -> Option<u32> {
    let mut update = RsrcUpdate {
        offset: u32::MAX,
        reserved: 0,
        data: ring.as_raw_fd() as u64,
    };
    call(ring, REGISTER_RING_FDS, &mut update).then_some(update.offset)
}

fn unregister(ring: &OwnedFd, place: u32) {
    let mut update = RsrcUpdate {
        offset: place,
        reserved: 0,
        data: 0,
    };
    assert!(call(ring, UNREGISTER_RING_FDS, &mut update));
}

fn call(ring: &OwnedFd, what: u32, update: &mut RsrcUpdate) -> bool {
    // SAFETY: `update` is one valid, writable io_uring_rsrc_update, as the count says.
    let done = unsafe {
        libc::syscall(
            libc::SYS_io_uring_register,
            ring.as_raw_fd(),
            what,
            std::ptr::from_mut(update),
            1,
        )
    };
    done == 1
}
