//! How a directory is made.

use super::paths::make_directory;
use crate::blocking;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// How a directory is made; as [`std::fs::DirBuilder`], and with the names it has there.
///
/// # Examples
/// ```
/// use executor::fs::{self, DirBuilder};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let top = std::env::temp_dir().join("executor-doc-dir-builder");
/// DirBuilder::new().recursive(true).mode(0o700).create(top.join("a/b")).await?;
/// assert!(fs::metadata(top.join("a/b")).await?.is_dir());
/// fs::remove_dir_all(&top).await
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct DirBuilder {
    is_recursive: bool,
    mode: u32,
}

impl Default for DirBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl DirBuilder {
    /// One directory, with the mode 0o777, less the umask.
    pub fn new() -> Self {
        Self {
            is_recursive: false,
            mode: 0o777,
        }
    }

    /// Whether the directories that it is to be in are made as well. One that is there already is no error then.
    pub fn recursive(&mut self, recursive: bool) -> &mut Self {
        self.is_recursive = recursive;
        self
    }

    /// The mode of each directory that is made, before the umask.
    pub fn mode(&mut self, mode: u32) -> &mut Self {
        self.mode = mode;
        self
    }

    /// Makes the directory. Several at once are made by a thread that may block.
    ///
    /// **Dropped**, it may take place or not.
    ///
    /// # Errors
    /// As mkdir(2) has them: `AlreadyExists`, `NotFound` and so on. `InvalidInput` for a path with a zero byte.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn create(&self, path: impl AsRef<Path>) -> io::Result<()> {
        if !self.is_recursive {
            return make_directory(path.as_ref(), self.mode).await;
        }
        let (path, mode) = (path.as_ref().to_owned(), self.mode);
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(mode);
        blocking::call(move || builder.create(path)).await
    }
}
