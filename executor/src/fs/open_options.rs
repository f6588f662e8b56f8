//! How a file is opened.

use super::File;
use crate::io::opening::{self, Named};
use std::io;
use std::path::Path;

/// How a [`File`] is opened; as [`std::fs::OpenOptions`], and with the names it has there.
///
/// # Examples
/// ```
/// use executor::fs::OpenOptions;
/// use executor::io::{AsyncWrite, AsyncWriteExt};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let path = std::env::temp_dir().join("executor-doc-open-options");
/// let mut log = OpenOptions::new().append(true).create(true).open(&path).await?;
/// log.write_all("a line\n").await.0?;
/// # executor::fs::remove_file(&path).await
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OpenOptions {
    read: bool,
    write: bool,
    append: bool,
    truncate: bool,
    create: bool,
    create_new: bool,
    flags: i32,
    mode: u32,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl OpenOptions {
    /// Everything off; a file that is created gets the mode 0o666, less the umask.
    pub fn new() -> Self {
        Self {
            read: false,
            write: false,
            append: false,
            truncate: false,
            create: false,
            create_new: false,
            flags: 0,
            mode: 0o666,
        }
    }

    /// Whether it can be read.
    pub fn read(&mut self, read: bool) -> &mut Self {
        self.read = read;
        self
    }

    /// Whether it can be written.
    pub fn write(&mut self, write: bool) -> &mut Self {
        self.write = write;
        self
    }

    /// Whether what is written goes to its end, wherever that is by then.
    pub fn append(&mut self, append: bool) -> &mut Self {
        self.append = append;
        self
    }

    /// Whether it is emptied.
    pub fn truncate(&mut self, truncate: bool) -> &mut Self {
        self.truncate = truncate;
        self
    }

    /// Whether it is created if it is not there.
    pub fn create(&mut self, create: bool) -> &mut Self {
        self.create = create;
        self
    }

    /// Whether it is created, and must not be there.
    pub fn create_new(&mut self, create_new: bool) -> &mut Self {
        self.create_new = create_new;
        self
    }

    /// The mode of a file that is created, before the umask.
    pub fn mode(&mut self, mode: u32) -> &mut Self {
        self.mode = mode;
        self
    }

    /// More flags of open(2): `O_NOFOLLOW`, `O_SYNC` and so on. Those for reading and writing are not taken from here. For `O_DIRECT` there is
    /// [`DirectFile`](super::DirectFile).
    pub fn custom_flags(&mut self, flags: i32) -> &mut Self {
        self.flags = flags & !libc::O_ACCMODE;
        self
    }

    /// Past the kernel's cache.
    pub(super) fn direct(mut self) -> Self {
        self.flags |= libc::O_DIRECT;
        self
    }

    /// Opens `path`.
    ///
    /// A named pipe is waited for until its other end is opened, and a file with a lease until its holder lets go; any number of these may wait, and hold
    /// up nothing else. A device is opened as with `O_NONBLOCK`, which is then taken off: to wait for a terminal's carrier, or a tape, open it
    /// with [`PipeReader::open`](crate::io::PipeReader::open). Whatever else makes an open wait (a network file system whose server does not answer,
    /// an automounter) holds one of the core's [file workers](crate::Builder::file_workers_max).
    ///
    /// **Dropped** before it is ready, it is given up; if it took place all the same, the file is closed again. (It may have been
    /// created.)
    ///
    /// # Errors
    /// As open(2) has them: `NotFound`, `PermissionDenied`, `AlreadyExists` and so on. `InvalidInput` for options that do not go
    /// together, and for a path with a zero byte.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn open(&self, path: impl AsRef<Path>) -> io::Result<File> {
        self.open_named(path.as_ref().into()).await
    }

    /// The same, relative to a directory if there is one.
    pub(super) async fn open_named(&self, named: Named<'_>) -> io::Result<File> {
        let file = opening::open(named, self.all_flags()?, self.mode).await;
        file.map(File::from)
    }

    /// As the standard library has them, which is what people know.
    fn all_flags(&self) -> io::Result<i32> {
        let access = match (self.read, self.write, self.append) {
            (true, false, false) => libc::O_RDONLY,
            (false, true, false) => libc::O_WRONLY,
            (true, true, false) => libc::O_RDWR,
            (false, _, true) => libc::O_WRONLY | libc::O_APPEND,
            (true, _, true) => libc::O_RDWR | libc::O_APPEND,
            (false, false, false) => {
                return Err(invalid("a file is opened to be read, written or appended"));
            }
        };
        let is_written = self.write || self.append;
        if !is_written && (self.truncate || self.create || self.create_new) {
            return Err(invalid(
                "a file that is not written cannot be created or emptied",
            ));
        }
        if self.append && self.truncate && !self.create_new {
            return Err(invalid("a file is emptied or appended to, not both"));
        }
        let creation = match (self.create, self.truncate, self.create_new) {
            (false, false, false) => 0,
            (true, false, false) => libc::O_CREAT,
            (false, true, false) => libc::O_TRUNC,
            (true, true, false) => libc::O_CREAT | libc::O_TRUNC,
            (_, _, true) => libc::O_CREAT | libc::O_EXCL,
        };
        Ok(access | creation | self.flags)
    }
}

fn invalid(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
