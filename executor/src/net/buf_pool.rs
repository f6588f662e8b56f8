//! A pool of receive buffers of the current core.

use super::current_reactor;
use reactor::buffers::{self, BufPoolError, PoolBuf, PoolOptions};

/// Memory for what arrives, shared with the kernel, which chooses a buffer when there is something to put into it: so a connection that
/// waits holds none.
///
/// A pool belongs to the core it was made on, and serves any number of its sockets. Its memory is what its [options](PoolOptions) say,
/// and never grows: whoever holds [`PoolBuf`]s for long keeps others from receiving. When all are held, receives wait until one is
/// dropped, what would have come waits in the sockets, and TCP's senders are slowed down. Clones are the same pool.
///
/// # Examples
/// ```
/// use executor::net::{BufPool, Filling, PoolOptions, TcpListener, TcpStream};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let options = PoolOptions { count: 64, buffer_bytes: 4096, filling: Filling::Incremental };
/// let pool = BufPool::new(options)?;
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let client = executor::spawn(TcpStream::connect(listener.local_addr()?));
/// let (stream, _) = listener.accept().await?;
/// client.await.unwrap()?.write_all("hello").await.0?;
/// let mut received = Vec::new();
/// let mut arriving = stream.receive(&pool);
/// while let Some(piece) = arriving.next().await {
///     received.extend_from_slice(&piece?);
/// }
/// assert_eq!(received, b"hello");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BufPool(buffers::BufPool);

impl BufPool {
    /// A pool of the current core.
    ///
    /// # Errors
    /// See [`BufPoolError`]; it turns into a [`std::io::Error`].
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn new(options: PoolOptions) -> Result<Self, BufPoolError> {
        buffers::BufPool::new(&current_reactor("BufPool::new"), options).map(Self)
    }

    /// What it was made with.
    pub fn options(&self) -> PoolOptions {
        self.0.options()
    }

    /// How many buffers nobody holds a part of.
    pub fn unheld(&self) -> usize {
        self.0.unheld()
    }

    /// A whole buffer, empty, for any operation that fills one; `None` if none is left beside those that the kernel was offered.
    pub fn try_take(&self) -> Option<PoolBuf> {
        self.0.try_take()
    }

    /// The pool, for a socket of the same core.
    ///
    /// # Panics
    /// It is of another runtime, which had this thread before.
    #[track_caller]
    pub(super) fn for_this_core(&self, what: &str) -> buffers::BufPool {
        assert!(
            self.0.is_of(&current_reactor(what)),
            "{what} was given a pool of another runtime"
        );
        self.0.clone()
    }
}
