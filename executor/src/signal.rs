//! Signals, as something to wait for: Ctrl-C, a request to end, a reload.
//!
//! [`ctrl_c`] is for a program that ends at Ctrl-C and does nothing else with signals. A service
//! makes one [`Signal`] for each kind before it begins to serve, and keeps it. What tokio writes as
//! `signal(SignalKind::terminate())` is `Signal::new(SignalKind::TERMINATE)` here.
//!
//! # A graceful end
//! Every core stops accepting; then `main` returns, and what is still running is dropped. To let it
//! end first, count it with a `tokio_util::task::TaskTracker`, and wait for that with a [time
//! limit](crate::time::timeout).
//!
//! ```
//! use executor::JoinSet;
//! use executor::net::TcpListener;
//! use executor::signal::{Signal, SignalKind};
//! use tokio_util::sync::CancellationToken;
//!
//! #[executor::main]
//! async fn main() -> std::io::Result<()> {
//!     let mut interrupt = Signal::new(SignalKind::INTERRUPT)?;
//!     let mut terminate = Signal::new(SignalKind::TERMINATE)?;
//!     let stop = CancellationToken::new();
//!     let mut servers = JoinSet::new();
//!     let listeners = TcpListener::bind_all("127.0.0.1:0")?;
//!     for (core, listener) in listeners.into_iter().enumerate() {
//!         let stop = stop.clone();
//!         servers.spawn_on(core, move || serve(listener.into(), stop));
//!     }
//! #   signal_hook::low_level::raise(SignalKind::TERMINATE.as_raw())?;
//!     tokio::select! {
//!         signal = interrupt.recv() => signal?,
//!         signal = terminate.recv() => signal?,
//!     }
//!     stop.cancel();
//!     while let Some(server) = servers.join_next().await {
//!         server.expect("serving does not panic")?;
//!     }
//!     Ok(())
//! }
//!
//! async fn serve(listener: TcpListener, stop: CancellationToken) -> std::io::Result<()> {
//!     loop {
//!         let (stream, _) = tokio::select! {
//!             () = stop.cancelled() => return Ok(()),
//!             connection = listener.accept() => connection?,
//!         };
//!         executor::spawn(async move { stream.write_all("hello\n").await.0 }).detach();
//!     }
//! }
//! ```

// A handler may do next to nothing, so it writes a byte into a pipe, which the core that waits
// watches on its ring, and reads dry. That handler, which several parts of a program can share for
// one signal, is signal-hook's.
//
// A forked child inherits handler and pipe. There the handler writes nothing: the pipe is the
// parent's, whom the child's signals do not concern.

use crate::io::{AsyncFd, Ready};
use futures_core::Stream;
use futures_core::stream::FusedStream;
use reactor::{Origin, budget};
use signal_hook::consts::{self, FORBIDDEN};
use signal_hook::{SigId, low_level};
use std::future::Future;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::raw::c_int;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Which signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignalKind(c_int);

impl SignalKind {
    /// `SIGALRM`.
    pub const ALARM: Self = Self(consts::SIGALRM);
    /// `SIGCHLD`: a child has ended, or was stopped or continued.
    pub const CHILD: Self = Self(consts::SIGCHLD);
    /// `SIGHUP`: the terminal has gone; by custom also: read the configuration again.
    pub const HANGUP: Self = Self(consts::SIGHUP);
    /// `SIGINT`: Ctrl-C.
    pub const INTERRUPT: Self = Self(consts::SIGINT);
    /// `SIGPIPE`: a pipe was written to that nobody reads.
    pub const PIPE: Self = Self(consts::SIGPIPE);
    /// `SIGQUIT`: Ctrl-\.
    pub const QUIT: Self = Self(consts::SIGQUIT);
    /// `SIGTERM`: please end.
    pub const TERMINATE: Self = Self(consts::SIGTERM);
    /// `SIGUSR1`.
    pub const USER_DEFINED_1: Self = Self(consts::SIGUSR1);
    /// `SIGUSR2`.
    pub const USER_DEFINED_2: Self = Self(consts::SIGUSR2);
    /// `SIGWINCH`: the terminal's window has another size.
    pub const WINDOW_CHANGE: Self = Self(consts::SIGWINCH);

    /// A signal by its number, as in signal(7).
    pub const fn from_raw(number: i32) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn as_raw(self) -> i32 {
        self.0
    }
}

/// A signal that this core waits for.
///
/// From when it is made, the signal does not do what it does by default (end the process, mostly), not even after it was dropped. Whatever thread
/// the kernel delivers it to, this core is told; any number of them, on any cores, are told of each signal. Signals that come while
/// nobody waits are remembered, as one.
///
/// In a [forked child](crate::Runtime#forked-children) it tells nothing: such a signal is ignored there, until the child makes a `Signal` in a runtime of
/// its own, or sets another handler.
///
/// # Examples
/// ```
/// use executor::signal::{Signal, SignalKind};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let mut hangup = Signal::new(SignalKind::HANGUP)?;
/// signal_hook::low_level::raise(SignalKind::HANGUP.as_raw())?;
/// hangup.recv().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Signal {
    /// Does not block, so that it can be emptied at one go. By reads on the ring, a future dropped between two of them would lose signals.
    told: AsyncFd<PipeReader>,
    /// While a wait is in flight: it goes on when a future of the signal is dropped.
    readable: Option<Ready<PipeReader>>,
    handler: SigId,
    origin: Origin,
}

impl Signal {
    /// Waits for signals of this kind from now on.
    ///
    /// # Errors
    /// `InvalidInput` for a signal that cannot be caught (`SIGKILL`, `SIGSTOP`), or that tells of a fault of the thread it comes to (`SIGSEGV`,
    /// `SIGILL`, `SIGFPE`); otherwise as sigaction(2) and pipe2(2) have them.
    pub fn new(kind: SignalKind) -> io::Result<Self> {
        if FORBIDDEN.contains(&kind.0) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("signal {} cannot be waited for", kind.0),
            ));
        }
        let (told, teller) = io::pipe()?;
        rustix::io::ioctl_fionbio(&told, true)?;
        rustix::io::ioctl_fionbio(&teller, true)?;
        let origin = Origin::here();
        // SAFETY: the handler loads a word and makes one system call, which does not block.
        let handler = unsafe { low_level::register(kind.0, move || tell(&teller, origin)) }?;
        Ok(Self {
            told: AsyncFd::new(told),
            readable: None,
            handler,
            origin,
        })
    }

    /// Waits for the next signal, or for one that has come since the last time. Also the next item of the signal as a
    /// [`Stream`], which never ends.
    ///
    /// **Dropped**, no signal is lost.
    ///
    /// # Errors
    /// As poll(2) and read(2) have them.
    ///
    /// # Panics
    /// Outside of a runtime, and in a forked child.
    pub fn recv(&mut self) -> Recv<'_> {
        Recv(self)
    }

    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.origin.expect_here("a signal of the parent's");
        loop {
            if let Some(readable) = &mut self.readable {
                let ready = ready!(Pin::new(readable).poll(context));
                self.readable = None;
                ready?;
            } else if budget::is_spent() {
                // The ring is asked. Were it refused, what spends the budget before it in each poll
                // of the task could keep the signal from being heard for ever.
                self.readable = Some(self.told.readable());
                continue;
            } else {
                ready!(budget::spend(context));
            }
            match read_dry(self.told.get_ref()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.readable = Some(self.told.readable());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                told => return Poll::Ready(told),
            }
        }
    }
}

impl Stream for Signal {
    type Item = io::Result<()>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_recv(context).map(Some)
    }
}

impl FusedStream for Signal {
    /// It never ends.
    fn is_terminated(&self) -> bool {
        false
    }
}

/// The future of [`Signal::recv`].
///
/// **Dropped**, no signal is lost.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Recv<'a>(&'a mut Signal);

impl Future for Recv<'_> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_recv(context)
    }
}

/// The handler. That the pipe is full is all right: something is to be read from it then.
fn tell(mut teller: &PipeWriter, origin: Origin) {
    if origin.is_here() {
        let _ = teller.write(&[0]);
    }
}

/// Takes all that a pipe holds; `WouldBlock` if that is nothing.
fn read_dry(mut pipe: &PipeReader) -> io::Result<()> {
    let mut bytes = [0; 1024];
    let mut taken = pipe.read(&mut bytes)?;
    while taken == bytes.len() {
        // Whatever ends this, something was taken, and has to be told.
        taken = pipe.read(&mut bytes).unwrap_or(0);
    }
    Ok(())
}

impl Drop for Signal {
    fn drop(&mut self) {
        // A forked child leaves it: another thread of the parent may have held the lock of the handlers.
        if self.origin.is_here() {
            low_level::unregister(self.handler);
        }
    }
}

/// Waits for Ctrl-C (`SIGINT`).
///
/// From the first poll of its future on, Ctrl-C does not end the process, not even when the future is gone; what comes while there is
/// none is lost. In a loop, make one [`Signal`] and keep it.
///
/// # Errors
/// As for [`Signal::new`] and [`Signal::recv`].
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```no_run
/// #[executor::main]
/// async fn main() -> std::io::Result<()> {
///     println!("serving until Ctrl-C");
///     executor::signal::ctrl_c().await
/// }
/// ```
pub async fn ctrl_c() -> io::Result<()> {
    Signal::new(SignalKind::INTERRUPT)?.recv().await
}
