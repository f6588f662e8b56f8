//! An operation whose future is gone, kept until the kernel is done with it.
//!
//! Held by its slot. It is a raw pointer, not a box: the kernel may be writing into it, so nobody may claim to be alone with it
//! before the final completion. For the same reason dropping an [`Orphan`] frees nothing: a reactor that goes away while the kernel
//! has not answered leaks it.

use super::{Completion, Multishot, Operation};
use std::ptr::NonNull;

/// Type-erased, for the one thing left to do.
trait Finish {
    /// A completion that is not the last: release what came with it.
    fn discard(&mut self, completion: Completion);
    /// The last one: release what came with it, and drop the operation.
    fn finish(self: Box<Self>, completion: Completion);
    /// What messages call it. It looks at nothing of the operation.
    fn kind(&self) -> &'static str;
}

#[repr(transparent)]
struct OneShot<O>(O);

impl<O: Operation> Finish for OneShot<O> {
    /// The first completion of two, which came with nothing but a number (see [`Operation`]).
    fn discard(&mut self, _: Completion) {
        self.0.only_memory_is_left();
    }

    fn finish(self: Box<Self>, completion: Completion) {
        self.0.release(completion);
    }

    fn kind(&self) -> &'static str {
        O::kind()
    }
}

#[repr(transparent)]
struct ManyShot<M>(M);

impl<M: Multishot> Finish for ManyShot<M> {
    fn discard(&mut self, completion: Completion) {
        self.0.release_item(completion);
    }

    fn finish(mut self: Box<Self>, completion: Completion) {
        self.0.release_item(completion);
    }

    fn kind(&self) -> &'static str {
        M::kind()
    }
}

/// Owns an operation that the kernel may still be using.
pub(crate) struct Orphan(NonNull<dyn Finish>);

impl Orphan {
    /// # Safety
    /// `operation` came from a box, and the caller gives its ownership up.
    pub(super) unsafe fn one_shot<O: Operation>(operation: NonNull<O>) -> Self {
        // `OneShot` is transparent, so the box this came from and the box `finish` makes have one layout.
        Self(operation.cast::<OneShot<O>>())
    }

    /// # Safety
    /// As for [`one_shot`](Self::one_shot).
    pub(super) unsafe fn multishot<M: Multishot>(operation: NonNull<M>) -> Self {
        Self(operation.cast::<ManyShot<M>>())
    }

    /// A second handle, for the slot's owner to call the orphan without holding the slots; the first must not be used meanwhile.
    pub(crate) fn lend(&self) -> Self {
        Self(self.0)
    }

    /// What messages call the operation.
    pub(crate) fn kind(&self) -> &'static str {
        // SAFETY: the pointer is valid until `finish`, and nothing is read through it.
        unsafe { self.0.as_ref() }.kind()
    }

    /// A completion came, and more will.
    pub(crate) fn discard(&mut self, completion: Completion) {
        // SAFETY: the pointer is valid until `finish`. The kernel may own the buffers inside, but never the operation's own
        // bookkeeping that `item` uses.
        unsafe { self.0.as_mut() }.discard(completion);
    }

    /// The final completion came.
    pub(crate) fn finish(self, completion: Completion) {
        // SAFETY: it came from a box (see the constructors), and the kernel's final completion gives us all of it back.
        unsafe { Box::from_raw(self.0.as_ptr()) }.finish(completion);
    }
}
