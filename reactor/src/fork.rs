//! Tells a child of fork(2) that what it has inherited belongs to its parent.
//!
//! Such a child shares the parent's rings, eventfds and sockets, and has none of its threads. So whatever reaches them carries an [`Origin`], made
//! together with it, and asks it first: in a child it says no, and the call does nothing, or ends with the one message of [`Origin::expect_here`].
//!
//! The question is asked on every path to the kernel, and getpid(2) would be a system call each time. So the process's number is a word on a page
//! that the kernel wipes in each child (`MADV_WIPEONFORK`): to ask is to load it. A child that makes something of its own finds the word wiped and
//! gives itself the next number; so its own things work, and a child of that child is told apart again.
//!
//! Nothing here takes a lock: another thread of the parent may have held it at the fork, and then nobody in the child would give it back.

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

/// The process in which something was made. Copies are the same.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    word: &'static AtomicU64,
    number: u64,
}

impl Origin {
    /// This process.
    pub fn here() -> Self {
        let word = word();
        Self {
            word,
            number: number(word),
        }
    }

    /// Whether this process is the one; false in its forked children. May be called from a signal handler.
    #[inline]
    pub fn is_here(self) -> bool {
        // Relaxed: a process sees its own number before it can see what carries it, and a child is one thread.
        self.word.load(Ordering::Relaxed) == self.number
    }

    /// Returns in the process that it was made in.
    ///
    /// # Panics
    /// In a forked child, saying that `what` cannot be used there, and what to do instead.
    #[inline]
    #[track_caller]
    pub fn expect_here(self, what: &str) {
        if !self.is_here() {
            refuse_in_child(what);
        }
    }
}

/// What a child is told.
const ADVICE: &str = "this process was forked from the one that the runtime belongs to, and the runtime works only there. In the child, call exec \
                      or _exit, or build a runtime of its own and use only what is made in that";

/// Panics with the message of [`Origin::expect_here`].
#[cold]
#[inline(never)]
#[track_caller]
pub fn refuse_in_child(what: &str) -> ! {
    panic!("{what} cannot be used here: {ADVICE}");
}

/// Ends a child that was forked on one of the runtime's own threads: nothing is left that it could return to. It prints why, and runs nothing that
/// the parent has registered for its exit.
pub fn end_child() -> ! {
    let text = format!("a forked child ends here, on a thread of its parent's runtime: {ADVICE}\n");
    // Not by the standard library, whose lock a thread of the parent may have held. If nobody can be told, it ends all the same.
    // SAFETY: the text is there.
    let _ = unsafe { libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len()) };
    // SAFETY: it only ends the process.
    unsafe { libc::_exit(101) }
}

/// The number of this process, which has one from now on.
fn number(word: &AtomicU64) -> u64 {
    /// The last number that was given, here or in a process that this one descends from.
    static LAST: AtomicU64 = AtomicU64::new(0);

    let current = word.load(Ordering::Acquire);
    if current != 0 {
        return current;
    }
    let fresh = LAST.fetch_add(1, Ordering::AcqRel) + 1;
    match word.compare_exchange(0, fresh, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => fresh,
        // Another thread was quicker.
        Err(current) => current,
    }
}

/// The word that is zero in a child. It is found once, and stays where it is in all descendants.
fn word() -> &'static AtomicU64 {
    static WORD: AtomicPtr<AtomicU64> = AtomicPtr::new(ptr::null_mut());

    let known = WORD.load(Ordering::Acquire);
    // SAFETY: it is null, or the word that was stored below, which is never given back.
    if let Some(word) = unsafe { known.as_ref() } {
        return word;
    }
    let made = wiped_page().unwrap_or_else(wiped_by_library);
    let made_first = WORD.compare_exchange(
        ptr::null_mut(),
        ptr::from_ref(made).cast_mut(),
        Ordering::AcqRel,
        Ordering::Acquire,
    );
    match made_first {
        Ok(_) => made,
        // Another thread was quicker. The page made here is leaked; that happens once, if ever.
        // SAFETY: as above.
        Err(known) => unsafe { &*known },
    }
}

/// A word on a page of its own that the kernel wipes in each child; `None` where that is refused.
fn wiped_page() -> Option<&'static AtomicU64> {
    let bytes = rustix::param::page_size();
    let access = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a new mapping, at a place that the kernel chooses.
    let page = unsafe { mmap_anonymous(ptr::null_mut(), bytes, access, MapFlags::PRIVATE) }.ok()?;
    // SAFETY: the page is ours, and holds nothing yet.
    if unsafe { madvise(page, bytes, Advice::LinuxWipeOnFork) }.is_err() {
        // SAFETY: it was mapped so, and nobody knows of it.
        let _ = unsafe { munmap(page, bytes) };
        return None;
    }
    // SAFETY: the mapping is never undone, is aligned to a page, and is zero, which is a value of the word. A wipe is in the child, before it runs.
    Some(unsafe { &*page.cast::<AtomicU64>() })
}

/// Where a sandbox refuses that: a word that the C library's fork(3) wipes. A child made by a bare clone(2) goes unnoticed then.
fn wiped_by_library() -> &'static AtomicU64 {
    static WORD: AtomicU64 = AtomicU64::new(0);

    unsafe extern "C" fn wipe() {
        WORD.store(0, Ordering::Relaxed);
    }

    // SAFETY: the handler stores to a static.
    let refused = unsafe { libc::pthread_atfork(None, None, Some(wipe)) };
    assert_eq!(refused, 0, "no memory for a fork handler");
    &WORD
}

#[cfg(test)]
mod tests {
    use super::Origin;

    /// Runs `part` in a forked child; whether it returned true there.
    fn child_says(part: impl FnOnce() -> bool) -> bool {
        // SAFETY: the child computes, without locks or memory from the allocator, and leaves.
        unsafe {
            let child = libc::fork();
            if child == 0 {
                libc::_exit(i32::from(!part()));
            }
            let mut status = -1;
            assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
            status == 0
        }
    }

    /// A process, its child, and the child of that: each knows what is its own, also when it asked before it made something and when the
    /// child forks again without having made anything.
    #[test]
    fn each_process_knows_its_own() {
        let ours = Origin::here();
        assert!(ours.is_here());
        assert!(child_says(|| {
            let grandchild_knows_before =
                child_says(|| !ours.is_here() && Origin::here().is_here() && !ours.is_here());
            let childs = Origin::here();
            let grandchild_knows = child_says(|| {
                let grandchilds = Origin::here();
                !ours.is_here() && !childs.is_here() && grandchilds.is_here()
            });
            grandchild_knows_before && !ours.is_here() && childs.is_here() && grandchild_knows
        }));
        assert!(ours.is_here());
    }
}
