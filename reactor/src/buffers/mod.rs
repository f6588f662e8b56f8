//! Pools of receive buffers that the kernel chooses from when data has come, so that a connection which waits holds none.
//!
//! A [`BufPool`] is memory cut into buffers, shared with the kernel through a ring of its own. A receive that names the pool is given a
//! buffer, or a piece of one, when there is something to put into it; it comes to us as a [`PoolBuf`], which gives itself back when
//! dropped. `ring` has the memory and the ring, `ledger` knows who has which buffer, `pool` is what others see. Where a pool runs dry a receive ends with `ENOBUFS`, and the data waits in its socket.
//!
//! The kernel fills a buffer in the order in which it posts completions, whoever they are for. So where in its buffer a piece lies is
//! found when the completion is reaped (`Registry::place`), not when its owner fetches it. For that, buffers are numbered across all
//! pools of a reactor.
//!
//! Apart from these there are buffers for files: `aligned` has those that fit what is read and written past the kernel's cache, `registered` those
//! that the kernel has looked up beforehand; `table` knows where in its table they are.

mod aligned;
mod ledger;
mod memory;
mod options;
mod pool;
mod registered;
mod registered_buf;
mod ring;
mod table;

pub use aligned::AlignedBuf;
pub use options::{BufPoolError, Filling, PoolOptions};
pub(crate) use pool::Registry;
pub use pool::{BufPool, PoolBuf};
pub use registered::{RegisteredBufs, Taking};
pub use registered_buf::{Registered, RegisteredBuf};
pub(crate) use table::{Table, can_be_registered};

use io_uring::Submitter;
use ledger::Ledger;
use ring::BufferRing;

/// Whether the kernel shares rings of buffers that it fills so.
pub(crate) fn are_supported(submitter: &Submitter<'_>, filling: Filling) -> bool {
    let Ok(ring) = BufferRing::new(1, 1) else {
        return false;
    };
    match ring.register(submitter, 0, filling) {
        // What stays registered is leaked; its ring, made to find out, is closed at once.
        Ok(()) => ring.unregister(submitter, 0).is_ok(),
        Err(_) => false,
    }
}
