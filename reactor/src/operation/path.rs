//! What is done to names: renaming, removing, making directories and links. All paths are relative to the working directory.

use super::{Completion, Operation};
use io_uring::{opcode, squeue, types};
use std::ffi::CString;
use std::io;

const HERE: types::Fd = types::Fd(libc::AT_FDCWD);

enum Act {
    Rename(CString),
    RemoveFile,
    RemoveDirectory,
    MakeDirectory(u32),
    HardLink(CString),
    Symlink(CString),
}

/// An operation on one name or two; yields nothing.
pub struct PathOperation {
    path: CString,
    act: Act,
}

impl PathOperation {
    /// rename(2) of `from` to `to`.
    pub fn rename(from: CString, to: CString) -> Self {
        let act = Act::Rename(to);
        Self { path: from, act }
    }

    /// unlink(2).
    pub fn remove_file(path: CString) -> Self {
        let act = Act::RemoveFile;
        Self { path, act }
    }

    /// rmdir(2).
    pub fn remove_directory(path: CString) -> Self {
        let act = Act::RemoveDirectory;
        Self { path, act }
    }

    /// mkdir(2); needs [`Feature::PathOperations`](crate::Feature::PathOperations), as the links do.
    pub fn make_directory(path: CString, mode: u32) -> Self {
        let act = Act::MakeDirectory(mode);
        Self { path, act }
    }

    /// link(2): `link` is to be another name of `original`.
    pub fn hard_link(original: CString, link: CString) -> Self {
        let act = Act::HardLink(link);
        Self {
            path: original,
            act,
        }
    }

    /// symlink(2): `link` is to point to `target`.
    pub fn symlink(target: CString, link: CString) -> Self {
        let act = Act::Symlink(link);
        Self { path: target, act }
    }
}

// SAFETY: the entry points to the texts of the paths, on the heap, which are ours and never change.
unsafe impl Operation for PathOperation {
    type Output = io::Result<()>;

    fn entry(&mut self) -> squeue::Entry {
        let path = self.path.as_ptr();
        match &self.act {
            Act::Rename(to) => opcode::RenameAt::new(HERE, path, HERE, to.as_ptr()).build(),
            Act::RemoveFile => opcode::UnlinkAt::new(HERE, path).build(),
            Act::RemoveDirectory => opcode::UnlinkAt::new(HERE, path)
                .flags(libc::AT_REMOVEDIR)
                .build(),
            Act::MakeDirectory(mode) => opcode::MkDirAt::new(HERE, path).mode(*mode).build(),
            Act::HardLink(link) => opcode::LinkAt::new(HERE, path, HERE, link.as_ptr()).build(),
            Act::Symlink(link) => opcode::SymlinkAt::new(HERE, path, link.as_ptr()).build(),
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
