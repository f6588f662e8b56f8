//! Signals, as something to wait for.
//!
//! A handler may do next to nothing, so it writes a byte into a pipe, which the core that waits watches on its ring, and reads dry. That handler,
//! which several parts of a program can share for one signal, is signal-hook's.

#![forbid(unsafe_code)]

use crate::io::{AsyncFd, Interest};
use signal_hook::consts::{self, FORBIDDEN};
use signal_hook::{SigId, low_level};
use std::io::{self, PipeReader, Read};
use std::os::raw::c_int;

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
    handler: SigId,
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
        let handler = low_level::pipe::register(kind.0, teller)?;
        Ok(Self {
            told: AsyncFd::new(told),
            handler,
        })
    }

    /// Waits for the next signal, or for one that has come since the last time. **Cancel-safe**: dropped, no signal is lost.
    ///
    /// # Errors
    /// As poll(2) and read(2) have them.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn recv(&mut self) -> io::Result<()> {
        self.told.when(Interest::READABLE, read_dry).await
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
        low_level::unregister(self.handler);
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
