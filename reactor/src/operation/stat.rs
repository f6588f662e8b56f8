//! statx(2).

use super::{Completion, Operation, PathAt, fd};
use crate::descriptor::Descriptor;
use io_uring::{opcode, squeue};
use std::io;
use std::mem::MaybeUninit;

enum Of {
    Path { path: PathAt, flags: i32 },
    File(Descriptor),
}

/// statx(2): yields what the file system knows of a file. What it does not know is zero, and missing in `stx_mask`.
pub struct Stat {
    of: Of,
    mask: u32,
    status: MaybeUninit<libc::statx>,
}

impl Stat {
    fn new(of: Of, mask: u32) -> Self {
        Self {
            of,
            mask,
            status: MaybeUninit::zeroed(),
        }
    }

    /// Of what `path` names, asking for what `mask` says (`STATX_BASIC_STATS` and so on).
    pub fn of_path(path: impl Into<PathAt>, mask: u32) -> Self {
        let path = path.into();
        Self::new(Of::Path { path, flags: 0 }, mask)
    }

    /// The same, and of a symbolic link itself.
    pub fn of_link(path: impl Into<PathAt>, mask: u32) -> Self {
        let path = path.into();
        let flags = libc::AT_SYMLINK_NOFOLLOW;
        Self::new(Of::Path { path, flags }, mask)
    }

    /// Of an open file.
    pub fn of_file(file: Descriptor, mask: u32) -> Self {
        Self::new(Of::File(file), mask)
    }
}

// SAFETY: the entry points to the text of the path, on the heap or in the program, which never changes, and to `status`, which is ours
// and is not touched before `complete`.
unsafe impl Operation for Stat {
    type Output = io::Result<libc::statx>;

    fn entry(&mut self) -> squeue::Entry {
        let (directory, path, flags) = match &self.of {
            Of::Path { path, flags } => (path.directory(), path.as_ptr(), *flags),
            Of::File(file) => (fd(file), c"".as_ptr(), libc::AT_EMPTY_PATH),
        };
        opcode::Statx::new(directory, path, self.status.as_mut_ptr().cast())
            .flags(flags)
            .mask(self.mask)
            .build()
    }

    fn is_queued(&self) -> bool {
        true
    }

    fn complete(self, completion: Completion) -> Self::Output {
        completion.result()?;
        // SAFETY: all of it was zero, which is valid, and the kernel has written some of it.
        Ok(unsafe { self.status.assume_init() })
    }
}
