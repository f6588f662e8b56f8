//! The socket option `TCP_FASTOPEN` of listeners, for `net`, which has no unsafe code. socket2,
//! rustix and nix have no method for it.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

const OPTION_BYTES: libc::socklen_t = size_of::<libc::c_int>() as libc::socklen_t;

pub(crate) fn set_fastopen(socket: &impl AsFd, queue: usize) -> io::Result<()> {
    let queue = libc::c_int::try_from(queue).unwrap_or(libc::c_int::MAX);
    // SAFETY: the kernel reads one integer, which lives until the call returns, and the length says
    // so. The descriptor is borrowed; if it is no TCP socket, that is an error.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_FASTOPEN,
            (&raw const queue).cast(),
            OPTION_BYTES,
        )
    };
    expect_zero(result)
}

pub(crate) fn fastopen(socket: &impl AsFd) -> io::Result<usize> {
    let mut queue: libc::c_int = 0;
    let mut length = OPTION_BYTES;
    // SAFETY: the kernel writes one integer at the most, for the length says so, and its length.
    // Both live until the call returns, and any bytes are an integer. The descriptor is borrowed.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_FASTOPEN,
            (&raw mut queue).cast(),
            &raw mut length,
        )
    };
    expect_zero(result)?;
    Ok(usize::try_from(queue).unwrap_or(0))
}

fn expect_zero(result: libc::c_int) -> io::Result<()> {
    if result == 0 {
        return Ok(());
    }
    Err(io::Error::last_os_error())
}
