//! The doorbell: a word in a cache line that a core watches, and the plain store that ends the watching.
//!
//! It knows an address, what may be stored there, and that somebody keeps the memory mapped; nothing of io_uring. Any store takes the
//! line from the watching processor, whatever the value: so where the word is only lent to us, its own value is stored again.

use crate::fork::Origin;
use std::any::Any;
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Which word the doorbell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// One that the kernel reserves for this and never touches.
    Reserved,
    /// `cq_flags`, which the kernel leaves to the application; the value it has is stored.
    CqFlags,
}

impl fmt::Display for Word {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Reserved => "the kernel's reserved word",
            Self::CqFlags => "cq_flags, stored with its own value",
        })
    }
}

/// Ends the watching of a core, from any thread, at any time, also when the core is long gone.
#[derive(Clone)]
pub struct Doorbell {
    word: NonNull<AtomicU32>,
    kind: Word,
    /// What `word` points into.
    memory: Arc<dyn Any + Send + Sync>,
    origin: Origin,
}

// SAFETY: the word is atomic, and lives as long as `memory`, which may be shared and sent.
unsafe impl Send for Doorbell {}
// SAFETY: as above.
unsafe impl Sync for Doorbell {}

impl Doorbell {
    /// # Safety
    /// `word` points into `memory`, and everyone who reads or writes it while `memory` lives does so atomically. If it is
    /// [`Word::CqFlags`], its value is 0 and stays so.
    pub unsafe fn new(
        word: NonNull<AtomicU32>,
        kind: Word,
        memory: Arc<dyn Any + Send + Sync>,
    ) -> Self {
        Self {
            word,
            kind,
            memory,
            origin: Origin::here(),
        }
    }

    /// Which word it is.
    pub fn kind(&self) -> Word {
        self.kind
    }

    /// One plain store. To be made after the push that it announces and `publish_fence`. In a forked child it does nothing: the line is the parent's.
    #[inline]
    pub fn ring(&self) {
        if !self.origin.is_here() {
            return;
        }
        // SAFETY: by the constructor's word the memory is there, and accessed atomically.
        let word = unsafe { self.word.as_ref() };
        // Relaxed: the fence before it orders it after the push, and what it ends is not a load.
        match self.kind {
            #[cfg(not(emulate_waitpkg))]
            Word::Reserved => word.store(1, Ordering::Relaxed),
            // In software, a store is seen by its value only.
            #[cfg(emulate_waitpkg)]
            Word::Reserved => word.store(
                word.load(Ordering::Relaxed).wrapping_add(1),
                Ordering::Relaxed,
            ),
            Word::CqFlags => word.store(0, Ordering::Relaxed),
        }
    }
}

impl fmt::Debug for Doorbell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Doorbell")
            .field("kind", &self.kind)
            .field("references", &Arc::strong_count(&self.memory))
            .finish_non_exhaustive()
    }
}
