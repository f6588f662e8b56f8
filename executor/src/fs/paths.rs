//! What is done to names.

use super::Permissions;
use super::metadata::{self, Metadata};
use crate::blocking;
use crate::io::ends::current_reactor;
use crate::io::opening::c_path;
use reactor::Feature;
use reactor::operation::{Op, PathOperation, Stat};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

async fn submit(what: &str, operation: PathOperation) -> io::Result<()> {
    Op::new(current_reactor(what), operation).await
}

/// Whether the ring makes directories and links here.
fn ring_makes() -> bool {
    let reactor = current_reactor("an operation of the file system");
    reactor.capabilities().has(Feature::PathOperations)
}

/// Renames `from` to `to`, and replaces what has that name.
///
/// **Dropped**, it may take place or not.
///
/// # Errors
/// As rename(2) has them: `NotFound`, `CrossesDevices` and so on. `InvalidInput` for a path with a zero byte.
///
/// # Panics
/// Outside of a runtime.
pub async fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    let rename = PathOperation::rename(c_path(from.as_ref())?, c_path(to.as_ref())?);
    submit("rename", rename).await
}

/// Removes a name of a file; with the last one, and when nobody has it open, the file. Cancellation and panics as for [`rename`].
///
/// # Errors
/// As unlink(2) has them: `NotFound`, `IsADirectory` and so on.
pub async fn remove_file(path: impl AsRef<Path>) -> io::Result<()> {
    let remove = PathOperation::remove_file(c_path(path.as_ref())?);
    submit("remove_file", remove).await
}

/// Removes an empty directory. Cancellation and panics as for [`rename`].
///
/// # Errors
/// As rmdir(2) has them: `DirectoryNotEmpty`, `NotFound` and so on.
pub async fn remove_dir(path: impl AsRef<Path>) -> io::Result<()> {
    let remove = PathOperation::remove_directory(c_path(path.as_ref())?);
    submit("remove_dir", remove).await
}

/// Makes a directory, for all to read and write but for the umask. Cancellation and panics as for [`rename`].
///
/// # Errors
/// As mkdir(2) has them: `AlreadyExists`, `NotFound` if the one that it is to be in does not exist.
pub async fn create_dir(path: impl AsRef<Path>) -> io::Result<()> {
    make_directory(path.as_ref(), 0o777).await
}

/// A directory with this mode, less the umask.
pub(super) async fn make_directory(path: &Path, mode: u32) -> io::Result<()> {
    if ring_makes() {
        let make = PathOperation::make_directory(c_path(path)?, mode);
        return submit("create_dir", make).await;
    }
    let path = path.to_owned();
    blocking::call(move || std::fs::DirBuilder::new().mode(mode).create(path)).await
}

/// Makes `link` another name of the file that `original` names. Cancellation and panics as for [`rename`].
///
/// # Errors
/// As link(2) has them: `AlreadyExists`, `CrossesDevices` and so on.
pub async fn hard_link(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let (original, link) = (original.as_ref(), link.as_ref());
    if ring_makes() {
        let make = PathOperation::hard_link(c_path(original)?, c_path(link)?);
        return submit("hard_link", make).await;
    }
    let (original, link) = (original.to_owned(), link.to_owned());
    blocking::call(move || std::fs::hard_link(original, link)).await
}

/// Makes a symbolic link at `link` that points to `target`, which need not exist. Cancellation and panics as for [`rename`].
///
/// # Errors
/// As symlink(2) has them: `AlreadyExists` and so on.
pub async fn symlink(target: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let (target, link) = (target.as_ref(), link.as_ref());
    if ring_makes() {
        let make = PathOperation::symlink(c_path(target)?, c_path(link)?);
        return submit("symlink", make).await;
    }
    let (target, link) = (target.to_owned(), link.to_owned());
    blocking::call(move || std::os::unix::fs::symlink(target, link)).await
}

/// What the file system knows of what `path` names.
///
/// # Errors
/// As statx(2) has them: `NotFound` and so on.
///
/// # Panics
/// Outside of a runtime.
pub async fn metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let stat = Stat::of_path(c_path(path.as_ref())?, metadata::WANTED);
    Op::new(current_reactor("metadata"), stat)
        .await
        .map(Metadata::from)
}

/// The same; of a symbolic link, it is of the link itself.
///
/// # Errors
/// As for [`metadata()`].
pub async fn symlink_metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let stat = Stat::of_link(c_path(path.as_ref())?, metadata::WANTED);
    Op::new(current_reactor("symlink_metadata"), stat)
        .await
        .map(Metadata::from)
}

/// Whether there is something of this name. Of a symbolic link, whether there is what it points to.
///
/// # Errors
/// Those of [`metadata()`] that leave it open, `PermissionDenied` for one.
///
/// # Panics
/// Outside of a runtime.
pub async fn try_exists(path: impl AsRef<Path>) -> io::Result<bool> {
    match metadata(path).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Sets who may do what with a file. **Dropped**, it takes place all the same, once it was begun; it is done by a thread that may block, as
/// the ring has no such operation.
///
/// # Errors
/// As chmod(2) has them.
///
/// # Panics
/// Outside of a runtime.
pub async fn set_permissions(path: impl AsRef<Path>, permissions: Permissions) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    blocking::call(move || std::fs::set_permissions(path, permissions)).await
}

/// What a symbolic link points to. Done by a thread that may block.
///
/// # Errors
/// As readlink(2) has them: `InvalidInput` if it is no symbolic link.
///
/// # Panics
/// Outside of a runtime.
pub async fn read_link(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref().to_owned();
    blocking::call(move || std::fs::read_link(path)).await
}

/// The path from the root to the file, without links and dots. Done by a thread that may block.
///
/// # Errors
/// As realpath(3) has them: `NotFound` and so on.
///
/// # Panics
/// Outside of a runtime.
pub async fn canonicalize(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref().to_owned();
    blocking::call(move || std::fs::canonicalize(path)).await
}
