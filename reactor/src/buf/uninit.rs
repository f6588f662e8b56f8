//! The room of a buffer that holds nothing yet.

use super::{IntoInner, IoBuf, IoBufMut};
use std::mem::MaybeUninit;

/// The room behind a buffer's initialised bytes; made by [`IoBufMut::uninit`].
///
/// It holds no bytes itself: what is read into it is appended to the buffer, and the room begins behind that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Uninit<T> {
    buffer: T,
}

impl<T> Uninit<T> {
    pub(super) fn new(buffer: T) -> Self {
        Self { buffer }
    }

    /// The whole buffer.
    pub fn as_inner(&self) -> &T {
        &self.buffer
    }

    /// The whole buffer. The room is always behind the bytes that it has then.
    pub fn as_inner_mut(&mut self) -> &mut T {
        &mut self.buffer
    }
}

impl<T: IoBuf> Uninit<T> {
    /// Where the room begins in the buffer, in bytes.
    pub fn begin(&self) -> usize {
        self.buffer.as_init().len()
    }
}

impl<T: IoBuf> IoBuf for Uninit<T> {
    /// None. The empty slice is where the room begins.
    fn as_init(&self) -> &[u8] {
        let bytes = self.buffer.as_init();
        &bytes[bytes.len()..]
    }
}

// SAFETY: the space is the end of the buffer's, from the end of its initialised bytes on; that stays the same as long as the buffer does. No bytes
// are shown.
unsafe impl<T: IoBufMut> IoBufMut for Uninit<T> {
    unsafe fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        let begin = self.begin();
        // SAFETY: the caller writes only initialised bytes.
        let space = unsafe { self.buffer.as_uninit() };
        &mut space[begin..]
    }

    unsafe fn set_len(&mut self, length: usize) {
        let begin = self.begin();
        // SAFETY: those before `begin` are initialised already, and `length` more by the caller's word.
        unsafe { self.buffer.set_len(begin + length) };
    }
}

impl<T> IntoInner for Uninit<T> {
    type Inner = T;

    fn into_inner(self) -> T {
        self.buffer
    }
}
