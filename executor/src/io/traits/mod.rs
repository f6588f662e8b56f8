//! The traits by which everything is read and written: sockets, files, pipes, and what users make of them.
//!
//! Each call takes a [buffer](crate::buf) by value and gives it back with the result. The extension traits have what takes several calls.
//! What is in memory implements the traits too (`in_memory`), so that code can be tested without a socket.

// A task stays on its core, so nobody needs to know whether these futures are `Send`.
#![expect(async_fn_in_trait)]

mod chain;
mod in_memory;
mod numbers;
mod read;
mod read_ext;
mod seek;
mod splittable;
mod take;
mod write;
mod write_ext;

pub use chain::Chain;
pub use read::{AsyncBufRead, AsyncRead, AsyncReadAt};
pub use read_ext::{AsyncReadAtExt, AsyncReadExt};
pub use seek::AsyncSeek;
pub use splittable::Splittable;
pub use take::Take;
pub use write::{AsyncWrite, AsyncWriteAt};
pub use write_ext::{AsyncWriteAtExt, AsyncWriteExt};

use crate::buf::{IoVectoredBuf, VectoredBufIter};

/// The first of several buffers that will do; the buffers themselves if there is none.
fn first<V: IoVectoredBuf>(
    buffers: V,
    will_do: impl Fn(&mut VectoredBufIter<V>) -> bool,
) -> Result<VectoredBufIter<V>, V> {
    let mut buffer = buffers.owned_iter()?;
    while !will_do(&mut buffer) {
        buffer = buffer.next()?;
    }
    Ok(buffer)
}
