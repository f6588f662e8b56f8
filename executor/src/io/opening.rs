//! Opening what a path names, however long that takes, without holding up anything else on the core.
//!
//! An open can wait without end: a named pipe for its other end, a file for the holder of a lease on it, a device for what it is connected to. In one of
//! the kernel's workers for files, of which there are few, some dozen of those would stop all other work on files. So files are opened with `O_NONBLOCK`
//! first, which waits for nothing. What cannot be had like that is opened again with a worker of its own, which a cancel interrupts.

use super::ends::current_reactor;
use futures_util::future::{Either, select};
use reactor::Descriptor;
use reactor::operation::{Op, Open, PathAt, Ready};
use rustix::fs::{AtFlags, FileType, OFlags, StatxFlags, fcntl_setfl, statx};
use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::pin::pin;
use std::rc::Rc;

/// A path as the kernel takes it.
pub(crate) fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "a path may not contain a zero byte",
        )
    })
}

/// A path that is relative to a directory, if there is one, or else to the working directory.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) directory: Option<&'a Descriptor>,
    pub(crate) path: &'a Path,
}

impl<'a> From<&'a Path> for Named<'a> {
    fn from(path: &'a Path) -> Self {
        let directory = None;
        Self { directory, path }
    }
}

impl Named<'_> {
    /// As an operation takes it.
    pub(crate) fn to_path_at(self) -> io::Result<PathAt> {
        let path = c_path(self.path)?;
        Ok(match self.directory {
            Some(directory) => PathAt::new(directory.clone(), path),
            None => path.into(),
        })
    }
}

/// open(2), for something that is known to wait.
///
/// **Dropped** before it is ready, it is given up, and what it opens is closed.
pub(crate) async fn open_waiting(
    named: impl Into<Named<'_>>,
    flags: i32,
    mode: u32,
) -> io::Result<OwnedFd> {
    let reactor = current_reactor("open");
    let open = Open::waiting(&reactor, named.into().to_path_at()?, flags, mode);
    Op::new(reactor, open).await
}

/// open(2) that does not wait for the other end of a named pipe. Who uses the descriptor may wait.
///
/// **Dropped** before it is ready, it is given up, and what it opens is closed.
pub(crate) async fn open_now(path: &Path, flags: i32) -> io::Result<OwnedFd> {
    let open = Open::new(c_path(path)?, flags | libc::O_NONBLOCK, 0);
    let file = Op::new(current_reactor("open"), open).await?;
    fcntl_setfl(&file, OFlags::from_bits_retain(flags as u32))?;
    Ok(file)
}

/// open(2), for what is a file most of the time: named pipes and leases are waited for, devices are not.
///
/// **Dropped** before it is ready, it is given up, and what it opens is closed.
pub(crate) async fn open(
    named: impl Into<Named<'_>>,
    flags: i32,
    mode: u32,
) -> io::Result<OwnedFd> {
    let named = named.into();
    let open = Open::new(named.to_path_at()?, flags | libc::O_NONBLOCK, mode);
    let opened = Op::new(current_reactor("open"), open).await;
    if flags & (libc::O_NONBLOCK | libc::O_PATH) != 0 {
        return opened;
    }
    match opened {
        Ok(file) => {
            let is_read_only = flags & libc::O_ACCMODE == libc::O_RDONLY;
            let file = if is_read_only && is_pipe(&file) {
                with_writer(file, named, flags).await?
            } else {
                file
            };
            // Who uses it expects to wait. The others of these flags are as they were.
            fcntl_setfl(&file, OFlags::from_bits_retain(flags as u32))?;
            Ok(file)
        }
        // A pipe that nobody reads; a file that somebody has a lease on, who has been told.
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENXIO | libc::EWOULDBLOCK)) => {
            open_waiting(named, flags, mode).await
        }
        Err(error) => Err(error),
    }
}

fn is_pipe(file: &OwnedFd) -> bool {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    statx(file, "", flags, StatxFlags::TYPE)
        .is_ok_and(|status| FileType::from_raw_mode(status.stx_mode.into()) == FileType::Fifo)
}

/// A pipe that is open for reading, once somebody has opened it for writing.
///
/// `reader` stays open meanwhile: a writer that came, saw it and wrote must not find the pipe broken. Two things tell of a writer: that a second open
/// does not wait any more; and, if the writer has gone before that began, that there is something to read, or an end.
async fn with_writer(reader: OwnedFd, named: Named<'_>, flags: i32) -> io::Result<OwnedFd> {
    let reader = Rc::new(reader);
    let ready = Ready::new(Rc::clone(&reader), libc::POLLIN as u32);
    let ready = Op::new(current_reactor("open"), ready);
    // It creates and empties nothing: it is only read.
    let again = pin!(open_waiting(named, flags, 0));
    match select(again, ready).await {
        Either::Left((Ok(again), _)) => return Ok(again),
        // The pipe was removed, or there was no worker: the first to write will be seen all the same.
        Either::Left((Err(_), ready)) => ready.await?,
        Either::Right((events, _)) => events?,
    };
    Rc::try_unwrap(reader).map_err(|_| io::Error::other("a poll that has ended holds its file"))
}
