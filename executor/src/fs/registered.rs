//! Buffers of the current core that its ring knows.

use crate::io::ends::current_reactor;
use reactor::buffers::{self, RegisteredBuf};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A group of buffers for [`File`](super::File)s, registered with the ring of the core it was made on: for transfers past the kernel's cache
/// ([`DirectFile`](super::DirectFile)) the kernel need not look up and pin their pages each time. Whatever else reads or writes takes them as
/// any other buffer.
///
/// Its memory, which begins at a page, as does each buffer, is locked from the start, never grows, and is freed when the last of its handles, buffers
/// and operations in flight has gone. From 2 MiB on it lies in large pages, as far as the kernel has some (transparent huge pages). When all buffers are held, [`take`](Self::take) waits. Clones are the same group.
///
/// Where the kernel has no such table ([`Feature::RegisteredBuffers`](crate::Feature::RegisteredBuffers)), or may not lock so much memory, it is a
/// group all the same, and its buffers serve as any others: see [`new`](Self::new).
///
/// # Examples
/// ```
/// use executor::buf::BufResult;
/// use executor::fs::{File, RegisteredBufs};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// # let path = std::env::temp_dir().join("executor-doc-registered");
/// let buffers = RegisteredBufs::new(8, 64 * 1024)?;
/// let file = File::create_new(&path).await?;
/// # executor::fs::remove_file(&path).await?;
/// let mut buffer = buffers.take().await;
/// buffer.append(b"0123456789");
/// let BufResult(written, buffer) = file.write_fixed_at(buffer, 0).await;
/// assert_eq!(written?, 10);
/// drop(buffer);
/// assert_eq!(buffers.unheld(), 8);
/// let BufResult(read, text) = file.read_fixed_at(buffers.take().await, 3).await;
/// read?;
/// assert_eq!(&*text, b"3456789");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RegisteredBufs(buffers::RegisteredBufs);

impl RegisteredBufs {
    /// `count` buffers of `buffer_bytes` bytes each, rounded up to whole pages, of the current core.
    ///
    /// They are not [registered](Self::is_registered) where the kernel cannot; where the limit on locked memory stands in the way (`ulimit -l`,
    /// or `LimitMEMLOCK=` of a service; it counts all processes of the user together, and not those of root); and where the core has
    /// 256 groups already. The last two are logged as a warning that says what to do, by `tracing`.
    ///
    /// # Errors
    /// `InvalidInput` if there are to be no buffers, or empty ones, or more than 2^30 bytes in all: make several groups. `OutOfMemory`.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn new(count: usize, buffer_bytes: usize) -> io::Result<Self> {
        let reactor = current_reactor("RegisteredBufs::new");
        buffers::RegisteredBufs::new(&reactor, count, buffer_bytes).map(Self)
    }

    /// How many buffers it has.
    pub fn count(&self) -> usize {
        self.0.count()
    }

    /// The size of each, in bytes: a multiple of the page's.
    pub fn buffer_bytes(&self) -> usize {
        self.0.buffer_bytes()
    }

    /// Whether the kernel knows them, for whoever would rather not go on without.
    pub fn is_registered(&self) -> bool {
        self.0.is_registered()
    }

    /// How many buffers nobody holds.
    pub fn unheld(&self) -> usize {
        self.0.unheld()
    }

    /// A buffer, empty; `None` if all are held.
    pub fn try_take(&self) -> Option<RegisteredBuf> {
        self.0.try_take()
    }

    /// A buffer, empty, when there is one: who asked first gets it first.
    ///
    /// **Dropped**, it has taken none.
    pub fn take(&self) -> Take {
        Take(self.0.take())
    }
}

/// The future of [`RegisteredBufs::take`]. It keeps the group's memory.
///
/// **Dropped**, it has taken no buffer.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Take(buffers::Taking);

impl Future for Take {
    type Output = RegisteredBuf;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<RegisteredBuf> {
        Pin::new(&mut self.0).poll(context)
    }
}
