//! What is done to names: renaming, removing, making directories and links.

use super::{Completion, Operation, fd};
use crate::descriptor::Descriptor;
use io_uring::{opcode, squeue, types};
use std::ffi::{CString, c_char};
use std::io;

/// A path, with the directory that it is relative to.
pub struct PathAt {
    /// `None`: the working directory.
    directory: Option<Descriptor>,
    path: CString,
}

impl PathAt {
    /// Relative to an open directory.
    pub fn new(directory: Descriptor, path: CString) -> Self {
        let directory = Some(directory);
        Self { directory, path }
    }

    pub(super) fn directory(&self) -> types::Fd {
        self.directory
            .as_ref()
            .map_or(types::Fd(libc::AT_FDCWD), fd)
    }

    /// Its text, on the heap, which never changes.
    pub(super) fn as_ptr(&self) -> *const c_char {
        self.path.as_ptr()
    }
}

impl From<CString> for PathAt {
    /// Relative to the working directory.
    fn from(path: CString) -> Self {
        let directory = None;
        Self { directory, path }
    }
}

enum Act {
    Rename(PathAt),
    RemoveFile,
    RemoveDirectory,
    MakeDirectory(u32),
    HardLink(PathAt),
    Symlink(CString),
}

/// An operation on one name or two; yields nothing.
pub struct PathOperation {
    path: PathAt,
    act: Act,
}

impl PathOperation {
    fn new(path: impl Into<PathAt>, act: Act) -> Self {
        let path = path.into();
        Self { path, act }
    }

    /// rename(2) of `from` to `to`.
    pub fn rename(from: impl Into<PathAt>, to: impl Into<PathAt>) -> Self {
        Self::new(from, Act::Rename(to.into()))
    }

    /// unlink(2).
    pub fn remove_file(path: impl Into<PathAt>) -> Self {
        Self::new(path, Act::RemoveFile)
    }

    /// rmdir(2).
    pub fn remove_directory(path: impl Into<PathAt>) -> Self {
        Self::new(path, Act::RemoveDirectory)
    }

    /// mkdir(2); needs [`Feature::PathOperations`](crate::Feature::PathOperations), as the links do.
    pub fn make_directory(path: impl Into<PathAt>, mode: u32) -> Self {
        Self::new(path, Act::MakeDirectory(mode))
    }

    /// link(2): `link` is to be another name of `original`.
    pub fn hard_link(original: impl Into<PathAt>, link: impl Into<PathAt>) -> Self {
        Self::new(original, Act::HardLink(link.into()))
    }

    /// symlink(2): `link` is to point to `target`.
    pub fn symlink(target: CString, link: impl Into<PathAt>) -> Self {
        Self::new(link, Act::Symlink(target))
    }
}

// SAFETY: the entry points to the texts of the paths, on the heap, which are ours and never change.
unsafe impl Operation for PathOperation {
    type Output = io::Result<()>;

    fn entry(&mut self) -> squeue::Entry {
        let (directory, path) = (self.path.directory(), self.path.as_ptr());
        match &self.act {
            Act::Rename(to) => {
                opcode::RenameAt::new(directory, path, to.directory(), to.as_ptr()).build()
            }
            Act::RemoveFile => opcode::UnlinkAt::new(directory, path).build(),
            Act::RemoveDirectory => opcode::UnlinkAt::new(directory, path)
                .flags(libc::AT_REMOVEDIR)
                .build(),
            Act::MakeDirectory(mode) => opcode::MkDirAt::new(directory, path).mode(*mode).build(),
            Act::HardLink(link) => {
                opcode::LinkAt::new(directory, path, link.directory(), link.as_ptr()).build()
            }
            Act::Symlink(target) => {
                opcode::SymlinkAt::new(directory, target.as_ptr(), path).build()
            }
        }
    }

    fn is_queued(&self) -> bool {
        true
    }

    /// It may have taken place, for all that a server says which answers `EINTR`.
    fn is_repeatable(&self) -> bool {
        false
    }

    fn complete(self, completion: Completion) -> Self::Output {
        completion.result().map(drop)
    }
}
