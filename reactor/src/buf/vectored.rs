//! Several buffers at once, in order.

use super::single::copy;
use super::{VectoredBufIter, VectoredSlice};
use std::mem::MaybeUninit;

/// Several buffers whose bytes can be written somewhere, in order.
///
/// As for [`IoBuf`](super::IoBuf), nothing is asked of the implementor but the signature.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not several buffers that can be written from",
    label = "a vectored write takes the buffers themselves, not references to them",
    note = "pass an array or a `Vec` of buffers, or a tuple, as `(a, (b, (c,)))`; they come back with the result"
)]
pub trait IoVectoredBuf: 'static {
    /// The initialised bytes of each buffer.
    fn iter_slice(&self) -> impl Iterator<Item = &[u8]>;

    /// How many initialised bytes all of them have.
    fn total_len(&self) -> usize {
        self.iter_slice().map(<[u8]>::len).sum()
    }

    /// One buffer after another, as a buffer that owns all of them.
    ///
    /// # Errors
    /// `self`, if there is no buffer.
    fn owned_iter(self) -> Result<VectoredBufIter<Self>, Self>
    where
        Self: Sized,
    {
        VectoredBufIter::new(self)
    }

    /// What is behind the first `begin` initialised bytes. If it is read into, a buffer is filled from there on, and those behind it from
    /// their start.
    ///
    /// # Examples
    /// ```
    /// # extern crate reactor as executor; // whose users see this page as `executor::buf`
    /// use executor::buf::IoVectoredBuf;
    ///
    /// let rest = ["hello", " ", "world"].slice(8);
    /// assert!(rest.iter_slice().eq([b"rld"]));
    /// ```
    fn slice(self, begin: usize) -> VectoredSlice<Self>
    where
        Self: Sized,
    {
        let place = VectoredSlice::<Self>::place(self.iter_slice().map(<[u8]>::len), begin);
        VectoredSlice::new(self, begin, place)
    }
}

/// Several buffers that can be read into, each filled before the next.
///
/// # Safety
/// The implementor promises, of the buffers as they are between two uses that change them (as for [`IoBufMut`](super::IoBufMut)):
///
/// - [`iter_uninit_slice`](Self::iter_uninit_slice) yields the same spaces each time, in the same order, though they may have been moved.
///   They do not overlap, and belong to the buffers alone.
/// - [`iter_slice`](IoVectoredBuf::iter_slice) yields as many slices, each of which is the beginning of the space with the same number.
/// - [`set_lens`](Self::set_lens) calls the closure once for each space, in that order, with its length, and sets the lengths that the
///   closure returns. After that, if its caller keeps its own promise, all bytes that the buffers show are initialised; and so after
///   [`set_len`](Self::set_len).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not several buffers that can be read into",
    label = "a vectored read takes the buffers themselves, not references to them",
    note = "pass an array or a `Vec` of buffers, or a tuple, as `(a, (b, (c,)))`; they come back with the result"
)]
pub unsafe trait IoVectoredBufMut: IoVectoredBuf {
    /// The space of each buffer: the initialised bytes, and the room behind them.
    ///
    /// # Safety
    /// As for [`IoBufMut::as_uninit`](super::IoBufMut::as_uninit): the caller writes only initialised bytes there.
    unsafe fn iter_uninit_slice(&mut self) -> impl Iterator<Item = &mut [MaybeUninit<u8>]>;

    /// Calls `choose` with the length of each space, in order. If that returns a length, so many bytes become the initialised ones of that
    /// buffer; a buffer for which it returns `None` stays as it is.
    ///
    /// # Safety
    /// Each length is at most that of its space, and so many bytes at the start of that space are initialised.
    unsafe fn set_lens<F>(&mut self, choose: &mut F)
    where
        F: FnMut(usize) -> Option<usize> + ?Sized;

    /// Sets the lengths after a read that brought `count` bytes. Buffers that it did not reach stay as they are.
    ///
    /// # Safety
    /// So many bytes were written to the spaces, in order, each filled before the next.
    unsafe fn set_len(&mut self, count: usize) {
        let mut left = count;
        let mut choose = |capacity: usize| {
            let length = capacity.min(left);
            left -= length;
            (length > 0).then_some(length)
        };
        // SAFETY: these are the bytes of which the caller says that they were written.
        unsafe { self.set_lens(&mut choose) };
    }

    /// How many bytes all spaces have.
    fn total_capacity(&mut self) -> usize {
        // SAFETY: nothing is written.
        let spaces = unsafe { self.iter_uninit_slice() };
        spaces.map(|space| space.len()).sum()
    }

    /// Makes `bytes` the buffers' content, as many of them as there is space for, as a read does that brings them; says how many.
    fn set_bytes(&mut self, bytes: &[u8]) -> usize {
        let mut count = 0;
        // SAFETY: `copy` writes initialised bytes.
        for space in unsafe { self.iter_uninit_slice() } {
            count += copy(&bytes[count..], space);
        }
        // SAFETY: so many bytes were just written, in order.
        unsafe { self.set_len(count) };
        count
    }

    /// What is behind the first `begin` bytes of the spaces. In a buffer that has fewer initialised bytes than would be skipped in it, it begins
    /// behind those.
    fn slice_mut(mut self, begin: usize) -> VectoredSlice<Self>
    where
        Self: Sized,
    {
        // SAFETY: nothing is written.
        let spaces = unsafe { self.iter_uninit_slice() };
        let place = VectoredSlice::<Self>::place(spaces.map(|space| space.len()), begin);
        VectoredSlice::new(self, begin, place)
    }
}

/// The first `count` bytes of some spaces, each filled before the next.
///
/// # Safety
/// So many bytes were written to them, in order.
pub(crate) unsafe fn written<'a>(
    spaces: impl Iterator<Item = &'a mut [MaybeUninit<u8>]>,
    count: usize,
) -> impl Iterator<Item = &'a [u8]> {
    let mut left = count;
    spaces.map(move |space| {
        let (bytes, _) = space.split_at_mut(space.len().min(left));
        left -= bytes.len();
        // SAFETY: these were written, by the caller's word.
        unsafe { bytes.assume_init_ref() }
    })
}
