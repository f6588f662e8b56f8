//! Several buffers, one after another.

use super::{IntoInner, IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use std::mem::MaybeUninit;

/// One of several buffers, with all of them; made by [`IoVectoredBuf::owned_iter`]. For what takes one buffer only.
///
/// # Examples
/// ```
/// # extern crate reactor as executor; // whose users see this page as `executor::buf`
/// use executor::buf::{IoBuf, IoBufMut, IoVectoredBuf};
///
/// let buffers = [Vec::with_capacity(5), Vec::with_capacity(5)];
/// let Ok(mut buffer) = buffers.owned_iter() else { unreachable!("there are two") };
/// buffer.set_bytes(b"one");
/// let Ok(mut buffer) = buffer.next() else { unreachable!("there is another") };
/// buffer.set_bytes(b"two");
/// let Err(buffers) = buffer.next() else { unreachable!("that was the last") };
/// assert_eq!(buffers, [b"one", b"two"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VectoredBufIter<T> {
    buffers: T,
    /// The number of the current buffer.
    index: usize,
    count: usize,
}

impl<T> VectoredBufIter<T> {
    /// Goes on to the next buffer.
    ///
    /// # Errors
    /// The buffers, if that was the last.
    pub fn next(mut self) -> Result<Self, T> {
        self.index += 1;
        if self.index < self.count {
            Ok(self)
        } else {
            Err(self.buffers)
        }
    }
}

impl<T: IoVectoredBuf> VectoredBufIter<T> {
    pub(super) fn new(buffers: T) -> Result<Self, T> {
        match buffers.iter_slice().count() {
            0 => Err(buffers),
            count => Ok(Self {
                buffers,
                index: 0,
                count,
            }),
        }
    }
}

impl<T: IoVectoredBuf> IoBuf for VectoredBufIter<T> {
    fn as_init(&self) -> &[u8] {
        let current = self.buffers.iter_slice().nth(self.index);
        current.unwrap_or_default()
    }
}

// SAFETY: the space and the bytes are those of one buffer, and lengths are set for that one only.
unsafe impl<T: IoVectoredBufMut> IoBufMut for VectoredBufIter<T> {
    unsafe fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: the caller writes only initialised bytes.
        let mut spaces = unsafe { self.buffers.iter_uninit_slice() };
        spaces.nth(self.index).unwrap_or_default()
    }

    unsafe fn set_len(&mut self, length: usize) {
        let mut number = 0;
        let mut choose = |_: usize| {
            let is_current = number == self.index;
            number += 1;
            is_current.then_some(length)
        };
        // SAFETY: so many bytes of the current space are initialised, by the caller's word.
        unsafe { self.buffers.set_lens(&mut choose) };
    }
}

impl<T> IntoInner for VectoredBufIter<T> {
    type Inner = T;

    fn into_inner(self) -> T {
        self.buffers
    }
}
