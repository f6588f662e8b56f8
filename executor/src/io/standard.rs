//! The standard streams, whatever is behind them: a terminal, a pipe, a file, /dev/null.
//!
//! Their handles on one core share a lane for each stream: what a dropped read of one handle has left, the next read has, of whichever
//! handle. Each has a duplicate of the descriptor, so that dropping it does not close the stream for the others.

use super::by_methods::{async_read, async_write};
use super::conversions::as_fd;
use super::ends::{ReadEnd, WriteEnd, descriptor, reading_methods, writing_methods};
use reactor::operation::KeptInput;
use reactor::{Descriptor, Lane};
use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;

thread_local! {
    static INPUT: Rc<Lane<KeptInput>> = Lane::new();
    static OUTPUT: Rc<Lane<()>> = Lane::new();
    static ERROR: Rc<Lane<()>> = Lane::new();
}

fn duplicate(stream: impl AsFd) -> io::Result<Descriptor> {
    stream.as_fd().try_clone_to_owned().map(descriptor)
}

/// A handle on the standard input. What the standard library's has buffered does not come here: use one of the two.
///
/// Lines are read through a [`BufReader`](super::BufReader). Several cores that read it at once each get some of it.
///
/// # Errors
/// As fcntl(2) has them, for `F_DUPFD_CLOEXEC`.
///
/// # Examples
/// ```no_run
/// use executor::io::BufReader;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let mut lines = BufReader::new(executor::io::stdin()?).lines();
/// while let Some(line) = lines.next_line().await? {
///     println!("{line}");
/// }
/// # Ok(())
/// # }
/// ```
pub fn stdin() -> io::Result<Stdin> {
    let lane = INPUT.with(Rc::clone);
    Ok(Stdin(ReadEnd::new(duplicate(io::stdin())?, lane)))
}

/// A handle on the standard output. It has no buffer: put a [`BufWriter`](super::BufWriter) before it where that matters. What `print!`
/// writes passes through the standard library's own buffer, which is written at the end of a line.
///
/// # Errors
/// As fcntl(2) has them, for `F_DUPFD_CLOEXEC`.
///
/// # Examples
/// ```
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// executor::io::stdout()?.write("hello\n").await.0?;
/// # Ok(())
/// # }
/// ```
pub fn stdout() -> io::Result<Stdout> {
    let lane = OUTPUT.with(Rc::clone);
    Ok(Stdout(WriteEnd::new(duplicate(io::stdout())?, lane)))
}

/// A handle on the standard error. It has no buffer.
///
/// # Errors
/// As fcntl(2) has them, for `F_DUPFD_CLOEXEC`.
pub fn stderr() -> io::Result<Stderr> {
    let lane = ERROR.with(Rc::clone);
    Ok(Stderr(WriteEnd::new(duplicate(io::stderr())?, lane)))
}

/// The standard input; see [`stdin`]. Dropping it closes nothing.
#[derive(Debug)]
pub struct Stdin(ReadEnd);

impl Stdin {
    reading_methods! {
        /// Reads what is there, at least one byte, into the buffer's capacity from its start; the
        /// buffer's length becomes the count. Zero means the end, or that the buffer has no
        /// capacity. A terminal gives a line at a time, and goes on after an end that was typed.
        ///
        /// **Dropped** before it is ready, the read is cancelled, and nothing is lost: what it had
        /// read by then, the next read on this core begins with, also if that is an end. A second
        /// read waits for the first.
        ///
        /// # Errors
        /// As read(2) has them. `WouldBlock` if somebody gave the file `O_NONBLOCK`, which all who
        /// share it share. A read of a terminal that was [cancelled](crate::io::Read::cancel) may
        /// say `Interrupted` rather than `ECANCELED`.
        ///
        /// # Panics
        /// Outside of a runtime.
    }
}

/// The standard output; see [`stdout`]. Dropping it closes nothing.
#[derive(Debug)]
pub struct Stdout(WriteEnd);

/// The standard error; see [`stderr`]. Dropping it closes nothing.
#[derive(Debug)]
pub struct Stderr(WriteEnd);

macro_rules! writes {
    ($($stream:ty),+) => {$(
        impl $stream {
            writing_methods! {
                /// Writes some of the buffer's bytes and returns how many, at least one.
                ///
                /// **Dropped** before it is ready, the write is cancelled; some, all or none of the
                /// bytes may have been written, and none is once another write on this core has
                /// begun, which waits for that.
                ///
                /// # Errors
                /// As write(2) has them: `BrokenPipe` if nobody reads it any more, and no signal
                /// where SIGPIPE is ignored, as in programs whose `main` is Rust's; `StorageFull`
                /// if it is a file on a full disk.
                ///
                /// # Panics
                /// Outside of a runtime.
            }
        }
    )+};
}

writes!(Stdout, Stderr);
async_read!([] Stdin);
as_fd!(Stdin, Stdout, Stderr);
async_write!(|_writer| Ok(()); [] Stdout, [] Stderr);
