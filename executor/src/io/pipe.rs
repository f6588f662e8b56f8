//! Pipes, with a name or without.

use super::by_methods::{async_read, async_write};
use super::closing::close_method;
use super::conversions::{as_fd, conversion_methods, shared_from};
use super::ends::{ReadEnd, WriteEnd, descriptor, reading_methods, writing_methods};
use super::opening::{open_now, open_waiting};
use reactor::Lane;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

/// Makes a pipe. What is written into the one comes out of the other, in order; the kernel holds some 64 KiB of it.
///
/// # Errors
/// As pipe2(2) has them: `EMFILE` if there are too many descriptors.
///
/// # Examples
/// ```
/// use executor::buf::BufResult;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let (reader, writer) = executor::io::pipe()?;
/// writer.write("through the pipe").await.0?;
/// drop(writer);
/// let BufResult(read, text) = reader.read(Vec::with_capacity(100)).await;
/// read?;
/// assert_eq!(text, b"through the pipe");
/// assert_eq!(reader.read([0; 1]).await.0?, 0);
/// # Ok(())
/// # }
/// ```
pub fn pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    Ok((reader.into(), writer.into()))
}

/// The reading end of a pipe, bound to the core it was made on. Dropping it closes it, once no operation of it is in flight.
#[derive(Debug)]
pub struct PipeReader(ReadEnd);

impl PipeReader {
    /// Opens a named pipe for reading, when somebody opens it for writing. Any number of opens may wait; they hold up nothing else. A device is
    /// opened by this as well, if that is to wait for what it is connected to.
    ///
    /// **Dropped** before it is ready, it is given up, and what it opens is closed.
    ///
    /// # Errors
    /// As open(2) has them: `NotFound` and so on. `InvalidInput` if the path contains a zero byte.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let file = open_waiting(path.as_ref(), libc::O_RDONLY, 0).await;
        file.map(Self::from)
    }

    /// Opens a named pipe for reading, without waiting for a writer. As long as no writer has come, a read waits, or yields zero, the end: that
    /// depends on the kernel.
    ///
    /// A reader that never comes to an end, however many writers come and go, is one that has the pipe open for writing as well:
    /// `File::options().read(true).write(true).open(path)`, turned [into a standard one](crate::fs::File::into_std) and that into an
    /// `OwnedFd`.
    ///
    /// **Dropped** before it is ready, it is given up, and what it opens is closed.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn try_open(path: impl AsRef<Path>) -> io::Result<Self> {
        open_now(path.as_ref(), libc::O_RDONLY)
            .await
            .map(Self::from)
    }

    reading_methods! {
        /// Reads what is there, at least one byte, into the buffer's capacity from its start; the
        /// buffer's length becomes the count. Zero means that all writers are gone, or that the
        /// buffer has no capacity.
        ///
        /// **Dropped** before it is ready, the read is cancelled, and nothing is lost: what it had
        /// read by then, the next read begins with. Only the buffer is gone; to have it back,
        /// [cancel](crate::io::Read::cancel) the read instead. A second read waits for the first.
        ///
        /// # Errors
        /// As read(2) has them; `WouldBlock` if the descriptor was given `O_NONBLOCK` by somebody.
        ///
        /// # Panics
        /// Outside of a runtime.
    }

    close_method!();
    conversion_methods!(
        io::PipeReader,
        "reader",
        "a read",
        "bytes, or an end, that a dropped read has left are to be read"
    );
}

/// The writing end of a pipe, bound to the core it was made on. Dropping it closes it, once no operation of it is in flight; when no writer
/// is left, the reader comes to the end. ([Shutting it down](super::AsyncWrite::shutdown) does nothing.)
#[derive(Debug)]
pub struct PipeWriter(WriteEnd);

impl PipeWriter {
    /// Opens a named pipe for writing, when somebody opens it for reading. Cancellation, errors and panics as for [`PipeReader::open`].
    pub async fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let file = open_waiting(path.as_ref(), libc::O_WRONLY, 0).await;
        file.map(Self::from)
    }

    /// Opens a named pipe for writing, if somebody has it open for reading, without waiting. Cancellation and panics as for
    /// [`PipeReader::try_open`].
    ///
    /// # Errors
    /// As for [`open`](Self::open); `ENXIO` ([`raw_os_error`](io::Error::raw_os_error)) if there is no reader.
    pub async fn try_open(path: impl AsRef<Path>) -> io::Result<Self> {
        open_now(path.as_ref(), libc::O_WRONLY)
            .await
            .map(Self::from)
    }

    writing_methods! {
        /// Writes some of the buffer's bytes and returns how many: as many as there is room for, at
        /// least one.
        ///
        /// **Dropped** before it is ready, the write is cancelled; some, all or none of the bytes
        /// may have been written, and none is once another write has begun, which waits for that.
        /// To know how many, [cancel](crate::io::Write::cancel) it instead.
        ///
        /// # Errors
        /// As write(2) has them: `BrokenPipe` if no reader is left. The signal that comes with it,
        /// SIGPIPE, is ignored by programs whose `main` is Rust's; others see to that themselves.
        ///
        /// # Panics
        /// Outside of a runtime.
    }

    close_method!();
    conversion_methods!(io::PipeWriter, "writer", "a write");
}

async_read!([] PipeReader);
// What ends the stream is the drop of the writer.
async_write!(|_writer| Ok(()); [] PipeWriter);
as_fd!(PipeReader, PipeWriter);
shared_from!(PipeReader, "a pipe");
shared_from!(PipeWriter, "a pipe");

impl From<OwnedFd> for PipeReader {
    /// Takes over a descriptor that is read in order: of a pipe, a child's output, a terminal. It should not be `O_NONBLOCK`.
    fn from(fd: OwnedFd) -> Self {
        Self(ReadEnd::new(descriptor(fd), Lane::new()))
    }
}

impl From<OwnedFd> for PipeWriter {
    /// Takes over a descriptor that is written in order: of a pipe, a child's input, a terminal. It should not be `O_NONBLOCK`.
    fn from(fd: OwnedFd) -> Self {
        Self(WriteEnd::new(descriptor(fd), Lane::new()))
    }
}

impl From<io::PipeReader> for PipeReader {
    /// Takes over one of the standard library.
    fn from(reader: io::PipeReader) -> Self {
        OwnedFd::from(reader).into()
    }
}

impl From<io::PipeWriter> for PipeWriter {
    /// Takes over one of the standard library.
    fn from(writer: io::PipeWriter) -> Self {
        OwnedFd::from(writer).into()
    }
}
