//! splice(2) and tee(2): bytes go from one descriptor to another, and never come to this process.
//!
//! The kernel always leaves both to a worker thread. So they are submitted only when the two ends
//! are ready, by [`SpliceInTurn`](super::SpliceInTurn), and then say `EAGAIN` rather than wait for
//! a pipe.

use super::in_turn::keep_error;
use super::{Completion, Operation, fd, length};
use crate::descriptor::Descriptor;
use crate::lane::{Lane, Turn, abandoned};
use io_uring::{opcode, squeue};
use rustix::fs::FileType;
use rustix::net::sockopt::socket_send_buffer_size;
use std::ptr::NonNull;
use std::rc::Rc;

/// What the kernel takes for an end that has no offset.
const NO_OFFSET: i64 = -1;

/// What a socket is given at once, at least. Most pipes consist of pages of this size.
const SOCKET_BYTES_MIN: usize = 4096;

/// What is read from, or written to, and the lane of that direction. `T` is what the lane keeps.
pub struct SpliceEnd<T> {
    pub(super) place: Place,
    pub(super) lane: Rc<Lane<T>>,
}

/// A descriptor, and for a file an offset.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) file: Descriptor,
    offset: i64,
    /// Whether it is to be asked when it is ready.
    can_wait: bool,
}

impl<T> Clone for SpliceEnd<T> {
    fn clone(&self) -> Self {
        Self {
            place: self.place.clone(),
            lane: Rc::clone(&self.lane),
        }
    }
}

impl<T> SpliceEnd<T> {
    /// A pipe or a socket, which takes its turn in `lane`.
    pub fn new(file: Descriptor, lane: Rc<Lane<T>>) -> Self {
        let place = Place::new(file, NO_OFFSET);
        Self { place, lane }
    }

    /// A file, from `offset` bytes on. It waits for no other operation.
    pub fn at(file: Descriptor, offset: u64) -> Self {
        // The kernel refuses a negative one: no large offset is taken for none.
        let offset = i64::try_from(offset).unwrap_or(i64::MIN);
        let place = Place::new(file, offset);
        let lane = Lane::new();
        Self { place, lane }
    }

    /// The same end, for who knows that it is ready: a pipe that nobody else has.
    #[must_use]
    pub fn always_ready(mut self) -> Self {
        self.place.can_wait = false;
        self
    }

    /// Goes on behind `bytes` more, if it is a file.
    pub fn advance(&mut self, bytes: usize) {
        let offset = &mut self.place.offset;
        if *offset >= 0 {
            *offset = offset.saturating_add_unsigned(bytes as u64);
        }
    }

    /// Whether it is a pipe.
    pub fn is_pipe(&self) -> bool {
        self.place.is_pipe()
    }
}

impl Place {
    fn new(file: Descriptor, offset: i64) -> Self {
        // What is on a disk is always ready, and to ask FUSE is to ask its server.
        let can_wait = !matches!(
            file.file_type(),
            FileType::RegularFile | FileType::BlockDevice | FileType::Directory
        );
        Self {
            file,
            offset,
            can_wait,
        }
    }

    pub(super) fn is_pipe(&self) -> bool {
        self.file.file_type() == FileType::Fifo
    }

    fn is_socket(&self) -> bool {
        self.file.file_type() == FileType::Socket
    }

    pub(super) fn can_wait(&self) -> bool {
        self.can_wait
    }
}

/// What is done with the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// They leave the source.
    Move,
    /// They stay there as well.
    Duplicate,
}

/// What is to be moved, from where to where.
#[derive(Clone)]
pub(super) struct Job {
    pub(super) act: Act,
    pub(super) source: Place,
    pub(super) target: Place,
    pub(super) length: usize,
}

/// One splice(2) or tee(2), with its turns, which end when the kernel is done with it. Of the lanes
/// it has nothing else: see [`Lane::is_abandoned`].
pub(super) struct Transfer<T> {
    pub(super) job: Job,
    pub(super) turns: (Turn<T>, Turn<()>),
}

/// How one ended, with its turns.
pub(super) struct Transferred<T> {
    pub(super) completion: Completion,
    pub(super) turns: (Turn<T>, Turn<()>),
}

impl Job {
    /// How many bytes are asked for.
    ///
    /// A socket that poll(2) calls writable has a third of its send buffer free. More than that
    /// would keep the worker waiting until the peer reads, for our sockets are blocking ones.
    fn length(&self) -> u32 {
        let max = if self.target.is_socket() {
            socket_send_buffer_size(&self.target.file)
                .map_or(usize::MAX, |bytes| (bytes / 3).max(SOCKET_BYTES_MIN))
        } else {
            usize::MAX
        };
        length(self.length.min(max))
    }
}

// SAFETY: the entry points to nothing.
unsafe impl<T: 'static> Operation for Transfer<T> {
    type Output = Transferred<T>;

    fn entry(&mut self) -> squeue::Entry {
        let Job { source, target, .. } = &self.job;
        let (from, to, length) = (fd(&source.file), fd(&target.file), self.job.length());
        match self.job.act {
            Act::Move => opcode::Splice::new(from, source.offset, to, target.offset, length)
                .flags(libc::SPLICE_F_NONBLOCK)
                .build(),
            Act::Duplicate => opcode::Tee::new(from, to, length)
                .flags(libc::SPLICE_F_NONBLOCK)
                .build(),
        }
    }

    unsafe fn abandoned(this: NonNull<Self>) {
        // SAFETY: the caller says that it is there, and the kernel was given no pointer to it.
        let (source, target) = unsafe { &this.as_ref().turns };
        abandoned(source.lane());
        abandoned(target.lane());
    }

    fn is_queued(&self) -> bool {
        true
    }

    /// A socket may have less room than it said.
    fn ends_by_itself(&self) -> bool {
        !self.job.target.is_socket()
    }

    fn kind() -> &'static str {
        "Splice"
    }

    fn complete(self, completion: Completion) -> Transferred<T> {
        let turns = self.turns;
        Transferred { completion, turns }
    }

    /// The reset of a connection is told once, and is for the next read. What a broken pipe has to
    /// say, it says again.
    fn release(self, completion: Completion) {
        if self.job.source.is_socket()
            && let Err(error) = completion.result()
            && error.raw_os_error() != Some(libc::EPIPE)
        {
            keep_error(self.turns.0.lane(), &error);
        }
    }
}
