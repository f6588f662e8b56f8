//! The header line: where the kernel says that there is something to do, read without entering it.
//!
//! A second mapping of the ring's first page (the same physical memory as the io-uring crate's own), viewed at the offsets the
//! kernel reported. This view never writes; a doorbell made from it does.
//!
//! Which line is to be watched depends on how completions come:
//!
//! | the ring's mode | a completion first shows as | the line to be watched |
//! |---|---|---|
//! | with `TASKRUN_FLAG`: deferred to the owner's next enter, or to its next system call | `IORING_SQ_TASKRUN` in `sq_flags`; the tail moves when the owner is in the kernel | that of `sq_flags` |
//! | by interrupt | the tail, moved by the owner itself in that interrupt | that of `cq.tail` |
//!
//! From 6.6 on `cq.tail`, `sq_flags` and `cq_flags` share one line, so these are the same. Before, the tail has a line of its own, and `sq_flags`
//! shares another with `cq_flags`; and there what a worker thread of the kernel completes (6.1: `io_req_complete_post`) moves the tail and sets no flag,
//! in whatever mode. A word that a patched kernel reserves is beside the tail in either layout.

use crate::doorbell::{Doorbell, Word};
use crate::sys::{self, Params};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const LINE_BYTES: u32 = 64;

/// A view of the words by which a ring announces completions.
#[derive(Debug)]
pub struct HeaderLine {
    /// Shared with the doorbells, which may be rung when the ring is gone.
    mapping: Arc<Mapping>,
    cq_head: u32,
    cq_tail: u32,
    sq_flags: u32,
    cq_flags: u32,
    /// 0: the kernel reserves none.
    user_word: u32,
    /// `sq_flags` or `cq_tail`: the one in the line to be watched.
    watched: u32,
}

/// The first bytes of a ring, mapped once more.
#[derive(Debug)]
struct Mapping {
    address: NonNull<u8>,
    bytes: usize,
}

// SAFETY: it is memory that kernel and user change by atomic accesses only, and unmapping may be done by any thread.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn new(ring: &OwnedFd, bytes: usize) -> io::Result<Self> {
        // SAFETY: a fresh shared mapping at an address of the kernel's choice; IORING_OFF_SQ_RING is 0.
        let address = unsafe {
            libc::mmap(
                ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_POPULATE,
                ring.as_raw_fd(),
                0,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let address = NonNull::new(address.cast::<u8>()).expect("mmap never returns null");
        Ok(Self { address, bytes })
    }

    fn word(&self, offset: u32) -> NonNull<AtomicU32> {
        debug_assert!(offset as usize + size_of::<u32>() <= self.bytes);
        // SAFETY: the offset is within the mapping (see `HeaderLine::map`).
        unsafe { self.address.add(offset as usize) }.cast()
    }
}

impl Mapping {
    /// Lets go of the ring, which a mapping keeps alive, and leaves ordinary memory in its place for whoever still stores to it.
    fn detach(&self) {
        // The memory is had first: where there is none, nothing has been unmapped yet.
        // SAFETY: a fresh private mapping at an address of the kernel's choice.
        let plain = unsafe {
            libc::mmap(
                ptr::null_mut(),
                self.bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if plain == libc::MAP_FAILED {
            let error = io::Error::last_os_error();
            crate::log!(warn, %error, "a ring stays mapped until the last waker of its core is dropped");
            return;
        }
        // SAFETY: both mappings were made with this length, and `plain` is known to nobody. The other is replaced as a whole: an access meanwhile
        // waits in the kernel, and finds what is there then. What is kept of it are pointers to atomic words, good for any memory that
        // can be read and written.
        let replaced = unsafe {
            libc::mremap(
                plain,
                self.bytes,
                self.bytes,
                libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED,
                self.address.as_ptr().cast::<libc::c_void>(),
            )
        };
        if replaced == libc::MAP_FAILED {
            // The kernel had no memory for its own books, and the place may be a hole now, that a late store would find.
            eprintln!(
                "the executor cannot go on: {}, in giving a ring up",
                io::Error::last_os_error()
            );
            std::process::abort();
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping was made with this length, and whoever has a pointer into it holds a reference to it.
        unsafe { libc::munmap(self.address.as_ptr().cast(), self.bytes) };
    }
}

impl Drop for HeaderLine {
    fn drop(&mut self) {
        // A doorbell may live as long as any waker.
        if Arc::strong_count(&self.mapping) > 1 {
            self.mapping.detach();
        }
    }
}

impl HeaderLine {
    /// Maps the header of the ring `fd`, which the kernel described by `params`.
    pub(crate) fn map(fd: &OwnedFd, params: &Params) -> io::Result<Self> {
        let user_word = user_word(params);
        let offsets = [
            params.cq_off.head,
            params.cq_off.tail,
            params.sq_off.flags,
            params.cq_off.flags,
            user_word,
        ];
        let last = offsets.into_iter().max().unwrap_or(0) as usize;
        Ok(Self {
            mapping: Arc::new(Mapping::new(fd, last + size_of::<u32>())?),
            cq_head: params.cq_off.head,
            cq_tail: params.cq_off.tail,
            sq_flags: params.sq_off.flags,
            cq_flags: params.cq_off.flags,
            user_word,
            watched: if params.flags & sys::SETUP_TASKRUN_FLAG != 0 {
                params.sq_off.flags
            } else {
                params.cq_off.tail
            },
        })
    }

    fn word(&self, offset: u32) -> &AtomicU32 {
        // SAFETY: `map` made the mapping long enough for each offset the kernel gave, which are multiples of four; it lives as
        // long as `self`, and kernel and user change these words by atomic accesses only.
        unsafe { self.mapping.word(offset).as_ref() }
    }

    /// A word of the line to be watched, for the monitor.
    pub(crate) fn watched(&self) -> &AtomicU32 {
        self.word(self.watched)
    }

    /// Whether that line shows the tail as well. Else some completions do not end a wait.
    pub(crate) fn watched_shows_tail(&self) -> bool {
        self.is_watched(self.cq_tail)
    }

    fn is_watched(&self, offset: u32) -> bool {
        offset / LINE_BYTES == self.watched / LINE_BYTES
    }

    /// Which word others may store to, so that who watches the line sees it: the kernel's reserved one; else `cq_flags`; none where
    /// neither is in the line to be watched.
    pub(crate) fn doorbell_word(&self) -> Option<Word> {
        match () {
            () if self.user_word != 0 && self.is_watched(self.user_word) => Some(Word::Reserved),
            () if self.is_watched(self.cq_flags) => Some(Word::CqFlags),
            () => None,
        }
    }

    /// The doorbell of this ring's owner.
    pub(crate) fn doorbell(&self) -> Option<Doorbell> {
        let kind = self.doorbell_word()?;
        let offset = match kind {
            Word::Reserved => self.user_word,
            Word::CqFlags => self.cq_flags,
        };
        let memory = Arc::clone(&self.mapping);
        // SAFETY: the word is in the mapping, and all access to it is atomic. `cq_flags` is 0 from the start, and nobody changes it: the
        // kernel leaves it to the application, and we never register an eventfd to which its one flag would mean something.
        Some(unsafe { Doorbell::new(self.mapping.word(offset), kind, memory) })
    }

    /// Where the kernel will write the next completion.
    pub fn cq_tail(&self) -> u32 {
        // Acquire: pairs with the kernel's store-release after it wrote the entry.
        self.word(self.cq_tail).load(Ordering::Acquire)
    }

    /// The kernel's flags: `IORING_SQ_TASKRUN`, `IORING_SQ_CQ_OVERFLOW` and others.
    pub fn sq_flags(&self) -> u32 {
        // Relaxed: a hint to enter the kernel, which does the ordering.
        self.word(self.sq_flags).load(Ordering::Relaxed)
    }

    /// The application's flags, which the kernel reads only where an eventfd is registered.
    pub fn cq_flags(&self) -> u32 {
        // Relaxed: nothing is ordered by it.
        self.word(self.cq_flags).load(Ordering::Relaxed)
    }

    /// Whether completions stand in the queue.
    pub fn has_completions(&self) -> bool {
        // Relaxed: only the owner, who asks, moves the head.
        self.word(self.cq_head).load(Ordering::Relaxed) != self.cq_tail()
    }

    /// Whether the kernel asks to be entered: completions wait to be prepared, or did not fit into the queue.
    pub fn wants_enter(&self) -> bool {
        self.sq_flags() & (sys::SQ_TASKRUN | sys::SQ_CQ_OVERFLOW) != 0
    }

    /// Whether `cq.tail`, `sq_flags` and `cq_flags` are on one cache line.
    pub fn is_one_line(&self) -> bool {
        let line = |offset: u32| offset / LINE_BYTES;
        line(self.cq_tail) == line(self.sq_flags) && line(self.cq_tail) == line(self.cq_flags)
    }
}

/// The offset of the word that a patched kernel reserves for us: published where others return 0.
fn user_word(params: &Params) -> u32 {
    // In software, stores are seen by their value only, and `cq_flags` must keep its own. Bytes 48 to 63 of the one-line header are
    // unused: good enough for an emulation, not for a promise.
    #[cfg(emulate_waitpkg)]
    if params.cq_off.user_word == 0 && params.cq_off.tail < LINE_BYTES {
        return 48;
    }
    params.cq_off.user_word
}
