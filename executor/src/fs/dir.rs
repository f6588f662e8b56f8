//! An open directory, from which names are resolved. What is in it is listed by `directory.rs`.

use super::metadata::{self, Metadata};
use super::{File, OpenOptions, ReadDir, directory};
use crate::blocking;
use crate::io::conversions::as_fd;
use crate::io::ends::{current_reactor, descriptor};
use crate::io::opening::{Named, c_path};
use reactor::operation::{FileOperation, Op, Open, PathAt, PathOperation, Stat};
use reactor::{Descriptor, Feature};
use rustix::fs::{Mode, mkdirat};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// An open directory, bound to the core it was opened on. Its methods take paths that are relative
/// to it, as openat(2) does.
///
/// It stays the same directory when it is renamed or moved, and when another takes its name. So
/// several steps within one directory cannot be led astray by somebody who renames it, or one of
/// those that it is in, meanwhile.
///
/// It does not confine: an absolute path is taken as it is, `..` leads out, and symbolic links are
/// followed as anywhere else.
///
/// To hand it to another core, turn it [into a descriptor](Self::into_owned_fd), and that back
/// there. **Dropping** it closes it, once no operation in it is in flight.
///
/// # Examples
/// A file is replaced as a whole, so that a reader sees the old content or the new, also after a
/// crash:
/// ```
/// use executor::fs::{Dir, OpenOptions};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// # let path = std::env::temp_dir().join("executor-doc-dir");
/// # executor::fs::create_dir_all(&path).await?;
/// let dir = Dir::open(&path).await?;
/// let mut options = OpenOptions::new();
/// let options = options.write(true).create(true).truncate(true);
/// let file = dir.open_file_with("settings.new", options).await?;
/// file.write_at("new", 0).await.0?;
/// file.sync_all().await?;
/// dir.rename("settings.new", &dir, "settings").await?;
/// dir.sync_all().await?;
/// assert_eq!(dir.metadata("settings").await?.len(), 3);
/// # executor::fs::remove_dir_all(&path).await
/// # }
/// ```
#[derive(Debug)]
pub struct Dir(Descriptor);

impl Dir {
    /// Opens a directory, to be listed, and to resolve names in.
    ///
    /// **Dropped** before it is ready, it is given up.
    ///
    /// # Errors
    /// As open(2) has them: `NotFound`, `NotADirectory`, `PermissionDenied` and so on.
    /// `InvalidInput` for a path with a zero byte.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        open(c_path(path.as_ref())?.into()).await
    }

    /// Opens a directory below this one. Cancellation, errors and panics as for
    /// [`open`](Self::open).
    pub async fn open_dir(&self, path: impl AsRef<Path>) -> io::Result<Self> {
        open(self.at(path.as_ref())?).await
    }

    /// Opens a file to be read. As for [`OpenOptions::open`].
    ///
    /// # Errors
    /// As openat(2) has them.
    pub async fn open_file(&self, path: impl AsRef<Path>) -> io::Result<File> {
        self.open_file_with(path, OpenOptions::new().read(true))
            .await
    }

    /// Opens a file with options, which may create it. As for [`OpenOptions::open`].
    ///
    /// # Errors
    /// As openat(2) has them.
    pub async fn open_file_with(
        &self,
        path: impl AsRef<Path>,
        options: &OpenOptions,
    ) -> io::Result<File> {
        let named = Named {
            directory: Some(&self.0),
            path: path.as_ref(),
        };
        options.open_named(named).await
    }

    /// Makes a directory, for all to read and write but for the umask. Cancellation and panics as
    /// for [`rename`](Self::rename).
    ///
    /// # Errors
    /// As mkdirat(2) has them: `AlreadyExists`, `NotFound` if this directory was removed.
    pub async fn create_dir(&self, path: impl AsRef<Path>) -> io::Result<()> {
        const MODE: u32 = 0o777;
        let reactor = current_reactor("create_dir");
        if reactor.capabilities().has(Feature::PathOperations) {
            let make = PathOperation::make_directory(self.at(path.as_ref())?, MODE);
            return Op::new(reactor, make).await;
        }
        let (directory, path) = (self.duplicate()?, path.as_ref().to_owned());
        let mode = Mode::from_raw_mode(MODE);
        blocking::call(move || Ok(mkdirat(directory, path, mode)?)).await
    }

    /// Removes a name of a file; with the last one, and when nobody has it open, the file.
    /// Cancellation and panics as for [`rename`](Self::rename).
    ///
    /// # Errors
    /// As unlinkat(2) has them: `NotFound`, `IsADirectory` and so on.
    pub async fn remove_file(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let remove = PathOperation::remove_file(self.at(path.as_ref())?);
        Op::new(current_reactor("remove_file"), remove).await
    }

    /// Removes an empty directory. Cancellation and panics as for [`rename`](Self::rename).
    ///
    /// # Errors
    /// As unlinkat(2) has them: `DirectoryNotEmpty`, `NotFound` and so on.
    pub async fn remove_dir(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let remove = PathOperation::remove_directory(self.at(path.as_ref())?);
        Op::new(current_reactor("remove_dir"), remove).await
    }

    /// Renames `from`, in this directory, to `to`, in `to_dir`, which may be this one. It replaces
    /// what has that name.
    ///
    /// **Dropped**, it may take place or not.
    ///
    /// # Errors
    /// As renameat(2) has them: `NotFound`, `CrossesDevices` and so on. `InvalidInput` for a path
    /// with a zero byte.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn rename(
        &self,
        from: impl AsRef<Path>,
        to_dir: &Self,
        to: impl AsRef<Path>,
    ) -> io::Result<()> {
        let (from, to) = (self.at(from.as_ref())?, to_dir.at(to.as_ref())?);
        Op::new(current_reactor("rename"), PathOperation::rename(from, to)).await
    }

    /// What the file system knows of what `path` names.
    ///
    /// # Errors
    /// As statx(2) has them: `NotFound` and so on.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn metadata(&self, path: impl AsRef<Path>) -> io::Result<Metadata> {
        stat(Stat::of_path(self.at(path.as_ref())?, metadata::WANTED)).await
    }

    /// The same; of a symbolic link, it is of the link itself.
    ///
    /// # Errors
    /// As for [`metadata`](Self::metadata).
    pub async fn symlink_metadata(&self, path: impl AsRef<Path>) -> io::Result<Metadata> {
        stat(Stat::of_link(self.at(path.as_ref())?, metadata::WANTED)).await
    }

    /// What the file system knows of this directory itself.
    ///
    /// # Errors
    /// As statx(2) has them.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn dir_metadata(&self) -> io::Result<Metadata> {
        stat(Stat::of_file(self.0.clone(), metadata::WANTED)).await
    }

    /// Lists what is in it. Each listing begins at the start. Done by a thread that may block, as
    /// [`read_dir`](super::read_dir()) is.
    ///
    /// The [`path`](super::DirEntry::path) of an entry is its name alone, to be used with this
    /// directory. The entries keep a descriptor of it open.
    ///
    /// # Errors
    /// As openat(2) and getdents(2) have them: `PermissionDenied`; `EMFILE` if there are too many
    /// descriptors.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn read_dir(&self) -> io::Result<ReadDir> {
        directory::read_open(self.duplicate()?).await
    }

    /// Waits until the names in it are on the medium: those that were made, renamed and removed.
    /// The files themselves have [`File::sync_all`].
    ///
    /// **Dropped**, it may take place or not.
    ///
    /// # Errors
    /// As fsync(2) has them: `EIO`.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn sync_all(&self) -> io::Result<()> {
        let sync = FileOperation::sync_all(self.0.clone());
        Op::new(current_reactor("sync_all"), sync).await
    }

    /// Duplicates the descriptor: both are the same directory, on this core.
    ///
    /// # Errors
    /// As fcntl(2) has them, for `F_DUPFD_CLOEXEC`: `EMFILE` if there are too many descriptors.
    pub fn try_clone(&self) -> io::Result<Self> {
        self.duplicate().map(Self::from)
    }

    /// Gives the bare descriptor back, to be sent to another core, or to be passed to another
    /// library.
    ///
    /// # Errors
    /// `self`, while an operation in it is in flight, also one that was dropped.
    pub fn into_owned_fd(self) -> Result<OwnedFd, Self> {
        self.0.try_into_owned().map_err(Self)
    }

    fn at(&self, path: &Path) -> io::Result<PathAt> {
        Ok(PathAt::new(self.0.clone(), c_path(path)?))
    }

    /// For a thread that may block.
    fn duplicate(&self) -> io::Result<OwnedFd> {
        self.0.as_fd().try_clone_to_owned()
    }
}

/// In a worker, as all opens. What is no directory is refused before it could make anybody wait.
async fn open(path: PathAt) -> io::Result<Dir> {
    let open = Open::new(path, libc::O_RDONLY | libc::O_DIRECTORY, 0);
    Op::new(current_reactor("open"), open).await.map(Dir::from)
}

async fn stat(stat: Stat) -> io::Result<Metadata> {
    Op::new(current_reactor("metadata"), stat)
        .await
        .map(Metadata::from)
}

impl From<OwnedFd> for Dir {
    /// Takes over an open directory. Of anything else, or one that was opened with `O_PATH`, some
    /// methods fail: `NotADirectory`, `EBADF`.
    fn from(directory: OwnedFd) -> Self {
        Self(descriptor(directory))
    }
}

as_fd!(Dir);
