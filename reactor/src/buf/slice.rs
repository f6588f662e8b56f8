//! A part of a buffer.

use super::{IntoInner, IoBuf, IoBufMut};
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut, Range};

/// A part of a buffer that owns the buffer; made by [`IoBuf::slice`] and [`IoBufMut::uninit`].
///
/// What is read into it begins where it begins, and sets the length of the whole buffer to where the new bytes end.
///
/// It begins where it was told to, or, if the buffer under it has become shorter than that, where that one's initialised bytes end.
///
/// # Examples
/// ```
/// # extern crate reactor as executor; // whose users see this page as `executor::buf`
/// use executor::buf::{IntoInner, IoBuf, IoBufMut};
///
/// let mut buffer = Vec::with_capacity(20);
/// buffer.extend_from_slice(b"hello ");
/// let mut part = buffer.slice(6..);
/// part.set_bytes(b"world");
/// assert_eq!(&*part, b"world");
/// assert_eq!(part.into_inner(), b"hello world");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slice<T> {
    buffer: T,
    begin: usize,
    end: Option<usize>,
}

impl<T> Slice<T> {
    /// Where it begins in the buffer, in bytes.
    pub fn begin(&self) -> usize {
        self.begin
    }

    /// Where it ends in the buffer, in bytes; `None` if that is where the buffer ends.
    pub fn end(&self) -> Option<usize> {
        self.end
    }

    /// Makes it end there, or where it begins, if that is later.
    pub fn set_end(&mut self, end: usize) {
        self.end = Some(end);
    }

    /// The whole buffer.
    pub fn as_inner(&self) -> &T {
        &self.buffer
    }

    /// The whole buffer. If it becomes shorter, or another one, the part stays within it.
    pub fn as_inner_mut(&mut self) -> &mut T {
        &mut self.buffer
    }
}

/// From `begin` to `end` in a buffer with so many initialised bytes, of which so many are there to be cut.
fn range(begin: usize, end: Option<usize>, length: usize, all: usize) -> Range<usize> {
    let begin = begin.min(length);
    begin..end.unwrap_or(all).clamp(begin, all)
}

impl<T: IoBuf> Slice<T> {
    pub(super) fn new(buffer: T, begin: usize, end: Option<usize>) -> Self {
        let mut slice = Self {
            buffer,
            begin: 0,
            end,
        };
        slice.set_begin(begin);
        if let Some(end) = end {
            assert!(
                begin <= end,
                "a part from {begin} to {end} ends before it begins"
            );
        }
        slice
    }

    /// Makes it begin there.
    ///
    /// # Panics
    /// If that is behind the buffer's initialised bytes.
    pub fn set_begin(&mut self, begin: usize) {
        let length = self.buffer.buf_len();
        assert!(
            begin <= length,
            "a part begins at {begin}, behind the {length} initialised bytes of its buffer"
        );
        self.begin = begin;
    }
}

impl<T: IoBuf> Deref for Slice<T> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let bytes = self.buffer.as_init();
        &bytes[range(self.begin, self.end, bytes.len(), bytes.len())]
    }
}

impl<T: IoBufMut> DerefMut for Slice<T> {
    fn deref_mut(&mut self) -> &mut [u8] {
        let bytes = self.buffer.as_mut_slice();
        let length = bytes.len();
        &mut bytes[range(self.begin, self.end, length, length)]
    }
}

impl<T: IoBuf> IoBuf for Slice<T> {
    fn as_init(&self) -> &[u8] {
        self
    }
}

// SAFETY: both the space and the bytes are those of the buffer from one place on, and that place stays the same as long as the buffer does. It is
// not behind the initialised bytes, so a length that is set here never covers bytes before this part that are not initialised.
unsafe impl<T: IoBufMut> IoBufMut for Slice<T> {
    unsafe fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        let length = self.buffer.as_init().len();
        // SAFETY: the caller writes only initialised bytes.
        let space = unsafe { self.buffer.as_uninit() };
        let capacity = space.len();
        &mut space[range(self.begin, self.end, length, capacity)]
    }

    unsafe fn set_len(&mut self, length: usize) {
        let begin = self.begin.min(self.buffer.as_init().len());
        // SAFETY: those before `begin` are initialised, since it is not behind the buffer's own length, and `length` more by the caller's word.
        unsafe { self.buffer.set_len(begin + length) };
    }
}

impl<T> IntoInner for Slice<T> {
    type Inner = T;

    fn into_inner(self) -> T {
        self.buffer
    }
}
