//! Whole files at once.

use super::{File, OpenOptions};
use crate::blocking;
use crate::buf::{BufResult, IoBuf};
use crate::io::{AsyncReadExt, AsyncWriteExt};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Everything that is in a file.
///
/// # Errors
/// Those of opening and reading it.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let path = std::env::temp_dir().join("executor-doc-whole");
/// executor::fs::write(&path, "all of it").await.0?;
/// assert_eq!(executor::fs::read(&path).await?, b"all of it");
/// assert_eq!(executor::fs::read_to_string(&path).await?, "all of it");
/// executor::fs::remove_file(&path).await
/// # }
/// ```
pub async fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let mut file = File::open(path).await?;
    // One byte more than there seems to be, to meet the end in the first read; files in /proc seem to be empty.
    let length = file.metadata().await?.len();
    let capacity = usize::try_from(length).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut buffer = Vec::new();
    // Of some files in /proc it says more than any machine has.
    let reserved = buffer.try_reserve_exact(capacity.saturating_add(1).max(4096));
    reserved.map_err(|_| io::ErrorKind::OutOfMemory)?;
    let BufResult(result, bytes) = file.read_to_end(buffer).await;
    result.map(|_| bytes)
}

/// Everything that is in a file, as text.
///
/// # Errors
/// Those of [`read`], and `InvalidData` if it is not UTF-8.
///
/// # Panics
/// Outside of a runtime.
pub async fn read_to_string(path: impl AsRef<Path>) -> io::Result<String> {
    String::from_utf8(read(path).await?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Makes these bytes the content of a file, which is created if it is not there; gives the buffer back.
///
/// **Dropped**, some, all or none of it may have been written; what was in the file may be gone. To replace a file whole or not at all,
/// write another one and [rename](super::rename()) it.
///
/// # Errors
/// Those of opening and writing it. `StorageFull` leaves in it what there was room for.
///
/// # Panics
/// Outside of a runtime.
pub async fn write<B: IoBuf>(path: impl AsRef<Path>, bytes: B) -> BufResult<(), B> {
    match File::create(path).await {
        Ok(mut file) => file.write_all(bytes).await,
        Err(error) => BufResult(Err(error), bytes),
    }
}

/// Copies a file's content and permissions to another, within the kernel where that can be done, by a thread that may block; says how
/// many bytes that were. **Dropped**, it is given up as long as it opens the files, and goes on to its end once it copies.
///
/// # Errors
/// Those of opening the files, and as [`std::fs::copy`] has them: `InvalidInput` if `from` is not a regular file.
///
/// # Panics
/// Outside of a runtime.
pub async fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<u64> {
    let source = File::open(from).await?;
    let metadata = source.metadata().await?;
    if !metadata.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "what is to be copied is not a regular file",
        ));
    }
    let permissions = metadata.permissions();
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let target = options.mode(permissions.mode()).open(to).await?;
    // They were just opened, so nothing is in flight.
    let busy = |_| io::Error::from(io::ErrorKind::ResourceBusy);
    let mut source = source.into_std().map_err(busy)?;
    let mut target = target.into_std().map_err(busy)?;
    blocking::call(move || {
        if target.metadata()?.is_file() {
            target.set_permissions(permissions)?;
        }
        io::copy(&mut source, &mut target)
    })
    .await
}
