//! Something that was found in a directory, as `directory.rs` lists it.

use super::metadata::{FileType, Metadata};
use super::{Dir, symlink_metadata};
use rustix::fs::{AtFlags, statat};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirEntryExt, FileTypeExt};
use std::path::PathBuf;
use std::sync::Arc;

/// Something in a directory.
#[derive(Clone, Debug)]
pub struct DirEntry {
    path: PathBuf,
    name: OsString,
    number: u64,
    file_type: FileType,
    /// What the path is relative to, if that is not the working directory.
    directory: Option<Arc<OwnedFd>>,
}

impl DirEntry {
    pub(super) fn of(entry: std::fs::DirEntry) -> io::Result<Self> {
        let is = entry.file_type()?;
        let format = match () {
            () if is.is_file() => libc::S_IFREG,
            () if is.is_dir() => libc::S_IFDIR,
            () if is.is_symlink() => libc::S_IFLNK,
            () if is.is_fifo() => libc::S_IFIFO,
            () if is.is_socket() => libc::S_IFSOCK,
            () if is.is_block_device() => libc::S_IFBLK,
            () if is.is_char_device() => libc::S_IFCHR,
            () => 0,
        };
        Ok(Self {
            path: entry.path(),
            name: entry.file_name(),
            number: entry.ino(),
            file_type: FileType::of_mode(format),
            directory: None,
        })
    }

    pub(super) fn within(
        directory: &Arc<OwnedFd>,
        entry: &rustix::fs::DirEntry,
    ) -> io::Result<Self> {
        let name = entry.file_name();
        let mode = match entry.file_type() {
            rustix::fs::FileType::Unknown => {
                statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode
            }
            known => known.as_raw_mode(),
        };
        let name = OsStr::from_bytes(name.to_bytes());
        Ok(Self {
            path: name.into(),
            name: name.into(),
            number: entry.ino(),
            file_type: FileType::of_mode(mode),
            directory: Some(Arc::clone(directory)),
        })
    }

    /// The directory's path with its name. Of an entry that [`Dir::read_dir`] has listed, the name
    /// alone.
    pub fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Its name.
    pub fn file_name(&self) -> OsString {
        self.name.clone()
    }

    /// What it is; a symbolic link is one.
    pub fn file_type(&self) -> FileType {
        self.file_type
    }

    /// Its number in its file system.
    pub fn ino(&self) -> u64 {
        self.number
    }

    /// What the file system knows of it; of a symbolic link, of the link itself.
    ///
    /// # Errors
    /// As for [`symlink_metadata`]. `EMFILE` if the directory was listed by a [`Dir`], and there
    /// are too many descriptors.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn metadata(&self) -> io::Result<Metadata> {
        match &self.directory {
            None => symlink_metadata(&self.path).await,
            Some(directory) => {
                let directory = Dir::from(directory.try_clone()?);
                directory.symlink_metadata(&self.path).await
            }
        }
    }
}
