//! What is done to an open file as a whole: writing it to its medium, sizes, closing.

use super::{Completion, Operation, Ordered, fd};
use crate::descriptor::Descriptor;
use crate::reactor::Reactor;
use crate::workers::LentWorker;
use io_uring::{opcode, squeue, types};
use std::io;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::rc::Rc;

enum Act {
    Sync(types::FsyncFlags),
    Allocate { offset: u64, length: u64, mode: i32 },
    SetLength(u64),
}

/// An operation on an open file that moves no data of ours; yields nothing.
pub struct FileOperation {
    file: Descriptor,
    act: Act,
}

impl FileOperation {
    /// fsync(2).
    pub fn sync_all(file: Descriptor) -> Self {
        let act = Act::Sync(types::FsyncFlags::empty());
        Self { file, act }
    }

    /// fdatasync(2).
    pub fn sync_data(file: Descriptor) -> Self {
        let act = Act::Sync(types::FsyncFlags::DATASYNC);
        Self { file, act }
    }

    /// fallocate(2) of so many bytes from `offset` on; the file grows if they are behind its end.
    pub fn allocate(file: Descriptor, offset: u64, length: u64) -> Self {
        Self::fallocate(file, offset, length, 0)
    }

    /// The same; the file does not grow.
    pub fn allocate_keeping_size(file: Descriptor, offset: u64, length: u64) -> Self {
        Self::fallocate(file, offset, length, libc::FALLOC_FL_KEEP_SIZE)
    }

    /// fallocate(2) that gives the room of so many bytes back. They are zero then, and the file keeps its length.
    pub fn punch_hole(file: Descriptor, offset: u64, length: u64) -> Self {
        let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
        Self::fallocate(file, offset, length, mode)
    }

    fn fallocate(file: Descriptor, offset: u64, length: u64, mode: i32) -> Self {
        let act = Act::Allocate {
            offset,
            length,
            mode,
        };
        Self { file, act }
    }

    /// ftruncate(2); needs [`Feature::Truncate`](crate::Feature::Truncate).
    pub fn set_length(file: Descriptor, length: u64) -> Self {
        let act = Act::SetLength(length);
        Self { file, act }
    }
}

// SAFETY: the entry points to nothing.
unsafe impl Operation for FileOperation {
    type Output = io::Result<()>;

    fn entry(&mut self) -> squeue::Entry {
        let file = fd(&self.file);
        match self.act {
            Act::Sync(flags) => opcode::Fsync::new(file).flags(flags).build(),
            Act::Allocate {
                offset,
                length,
                mode,
            } => opcode::Fallocate::new(file, length)
                .offset(offset)
                .mode(mode)
                .build(),
            Act::SetLength(length) => opcode::Ftruncate::new(file, length).build(),
        }
    }

    fn is_queued(&self) -> bool {
        true
    }

    fn complete(self, completion: Completion) -> Self::Output {
        completion.result().map(drop)
    }
}

impl Ordered for FileOperation {
    type Kept = ();

    /// What a disk has failed to write is told to one sync.
    fn keeps_error(&self) -> bool {
        matches!(self.act, Act::Sync(_))
    }
}

/// close(2). However it ends, the descriptor is closed; the error is one of writing what was still to be written: `EIO` also if that was
/// interrupted.
pub struct Close {
    file: OwnedFd,
    flags: squeue::Flags,
    /// Given back with the operation, when the kernel is done with it.
    _worker: Option<LentWorker>,
}

impl Close {
    /// Closes `file`.
    pub fn new(file: OwnedFd) -> Self {
        Self {
            file,
            flags: squeue::Flags::empty(),
            _worker: None,
        }
    }

    /// The same for a file whose server may not answer. The kernel leaves it to a worker if there is something to write back, which `reactor` lends, on
    /// which it is to be started.
    pub fn waiting(reactor: &Rc<Reactor>, file: OwnedFd) -> Self {
        Self {
            _worker: Some(reactor.lend_worker()),
            ..Self::new(file)
        }
    }

    /// In a worker in any case: for a device, such as a terminal that still has to write.
    #[must_use]
    pub fn in_worker(self) -> Self {
        let flags = squeue::Flags::ASYNC;
        Self { flags, ..self }
    }
}

// SAFETY: the entry points to nothing.
unsafe impl Operation for Close {
    type Output = io::Result<()>;

    fn entry(&mut self) -> squeue::Entry {
        let file = types::Fd(self.file.as_raw_fd());
        opcode::Close::new(file).build().flags(self.flags)
    }

    /// An interrupted close has closed the descriptor.
    fn is_repeatable(&self) -> bool {
        false
    }

    fn complete(self, completion: Completion) -> Self::Output {
        let result = completion.result().map(drop);
        if completion.was_not_begun() {
            // So the descriptor is still ours to close.
            drop(self.file);
        } else {
            // The kernel has closed it, and the number may be another file's by now.
            let _ = self.file.into_raw_fd();
        }
        result
    }
}
