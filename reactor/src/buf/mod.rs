//! The traits of buffers that are handed to an operation by value, and come back with its result.
//!
//! io_uring reads and writes a buffer while the future that asked for it may be dropped. So an operation owns its buffer, and the traits
//! here say what a buffer must offer: [`IoBuf`] bytes to be written from, [`IoBufMut`] space to be read into; [`IoVectoredBuf`] and
//! [`IoVectoredBufMut`] the same for several buffers at once. [`Slice`], [`VectoredSlice`] and [`VectoredBufIter`] are parts
//! of buffers, and are buffers themselves.
//!
//! Code without `unsafe` cannot get at a byte that was never written, however it composes these. Three rules give that:
//!
//! 1. To implement [`IoBufMut`] or [`IoVectoredBufMut`] is `unsafe`. Operations rely on what the implementor promises.
//! 2. A length is set for one buffer at a time, and counts from the start of the space that this buffer gave out. No length is a sum over
//!    several buffers.
//! 3. A part begins at most where the initialised bytes of the buffer under it end. This is looked up at each use, because
//!    `as_inner_mut` lets anyone exchange that buffer.
//!
//! The standard library's vectors, arrays, strings and boxed slices are buffers, and what is in a
//! `Box`, `Rc` or `Arc`; so are the vectors and bytes of the crates `arrayvec`, `bytes` and
//! `smallvec`, with the features of these names. Of references, only constants are: `&'static str`,
//! `&'static [u8]` and `&'static [u8; N]`; a `Cow` is one of these or an allocation. What is
//! borrowed cannot be a buffer, for its owner may be gone before the kernel is done.
//!
//! Who reads from something else than the kernel fills a buffer with [`IoBufMut::set_bytes`] or [`IoVectoredBufMut::set_bytes`], which
//! are safe.

mod implementors;
mod optional;
mod owned_iter;
mod result;
mod single;
mod slice;
mod vectored;
mod vectored_implementors;
mod vectored_slice;

pub use owned_iter::VectoredBufIter;
pub use result::BufResult;
pub use single::{IoBuf, IoBufMut};
pub use slice::Slice;
pub use vectored::{IoVectoredBuf, IoVectoredBufMut};
pub use vectored_slice::VectoredSlice;

pub(crate) use vectored::written;

/// Gives back what something was made of: the buffer under a part, or the same for the buffer of a [`BufResult`].
pub trait IntoInner {
    /// What it was made of.
    type Inner;

    /// Takes it apart.
    fn into_inner(self) -> Self::Inner;
}
