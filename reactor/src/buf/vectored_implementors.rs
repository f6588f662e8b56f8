//! Arrays, vectors, slices and tuples of buffers as several buffers.
//!
//! A tuple is either one buffer, `(a,)`, or one and those behind it, `(a, (b, (c,)))`; so its buffers may be of different types.

use super::{IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use std::iter;
use std::mem::MaybeUninit;

/// Implements reading and writing for a type that iterates over buffers of one type. Also for the types of other crates, in `optional`.
macro_rules! buffers_of_one_type {
    ($([$($parameters:tt)*] $buffers:ty),* $(,)?) => {
        $(
            impl<T: IoBuf, $($parameters)*> IoVectoredBuf for $buffers {
                fn iter_slice(&self) -> impl Iterator<Item = &[u8]> {
                    self.iter().map(IoBuf::as_init)
                }
            }

            // SAFETY: each buffer keeps the promise by itself, and they are different ones, in an order that does not change.
            unsafe impl<T: IoBufMut, $($parameters)*> IoVectoredBufMut for $buffers {
                unsafe fn iter_uninit_slice(
                    &mut self,
                ) -> impl Iterator<Item = &mut [MaybeUninit<u8>]> {
                    // SAFETY: passed on to the caller.
                    self.iter_mut().map(|buffer| unsafe { buffer.as_uninit() })
                }

                unsafe fn set_lens<F>(&mut self, choose: &mut F)
                where
                    F: FnMut(usize) -> Option<usize> + ?Sized,
                {
                    for buffer in self.iter_mut() {
                        // SAFETY: passed on to the caller.
                        unsafe { $crate::buf::vectored_implementors::set_len_of(buffer, choose) };
                    }
                }
            }
        )*
    };
}

#[cfg(any(feature = "arrayvec", feature = "smallvec"))]
pub(super) use buffers_of_one_type;

/// Lets `choose` set the length of one buffer.
///
/// # Safety
/// As for [`IoVectoredBufMut::set_lens`].
pub(super) unsafe fn set_len_of<B, F>(buffer: &mut B, choose: &mut F)
where
    B: IoBufMut,
    F: FnMut(usize) -> Option<usize> + ?Sized,
{
    if let Some(length) = choose(buffer.buf_capacity()) {
        // SAFETY: passed on to the caller.
        unsafe { buffer.set_len(length) };
    }
}

buffers_of_one_type!(
    [const N: usize] [T; N],
    [] Vec<T>,
);

impl<T: IoBuf> IoVectoredBuf for &'static [T] {
    fn iter_slice(&self) -> impl Iterator<Item = &[u8]> {
        self.iter().map(IoBuf::as_init)
    }
}

impl<T: IoBuf> IoVectoredBuf for (T,) {
    fn iter_slice(&self) -> impl Iterator<Item = &[u8]> {
        iter::once(self.0.as_init())
    }
}

// SAFETY: there is one buffer, which keeps the promise.
unsafe impl<T: IoBufMut> IoVectoredBufMut for (T,) {
    unsafe fn iter_uninit_slice(&mut self) -> impl Iterator<Item = &mut [MaybeUninit<u8>]> {
        // SAFETY: passed on to the caller.
        iter::once(unsafe { self.0.as_uninit() })
    }

    unsafe fn set_lens<F>(&mut self, choose: &mut F)
    where
        F: FnMut(usize) -> Option<usize> + ?Sized,
    {
        // SAFETY: passed on to the caller.
        unsafe { set_len_of(&mut self.0, choose) };
    }

    /// A single buffer has the length of what came, also if that is nothing.
    unsafe fn set_len(&mut self, count: usize) {
        // SAFETY: passed on to the caller.
        unsafe { self.0.set_len(count) };
    }
}

impl<T: IoBuf, Rest: IoVectoredBuf> IoVectoredBuf for (T, Rest) {
    fn iter_slice(&self) -> impl Iterator<Item = &[u8]> {
        iter::once(self.0.as_init()).chain(self.1.iter_slice())
    }
}

// SAFETY: each keeps the promise by itself, and the one is always before the others.
unsafe impl<T: IoBufMut, Rest: IoVectoredBufMut> IoVectoredBufMut for (T, Rest) {
    unsafe fn iter_uninit_slice(&mut self) -> impl Iterator<Item = &mut [MaybeUninit<u8>]> {
        let (first, rest) = self;
        // SAFETY: passed on to the caller.
        unsafe { iter::once(first.as_uninit()).chain(rest.iter_uninit_slice()) }
    }

    unsafe fn set_lens<F>(&mut self, choose: &mut F)
    where
        F: FnMut(usize) -> Option<usize> + ?Sized,
    {
        // SAFETY: passed on to the caller.
        unsafe {
            set_len_of(&mut self.0, choose);
            self.1.set_lens(choose);
        }
    }
}

impl IoVectoredBuf for () {
    fn iter_slice(&self) -> impl Iterator<Item = &[u8]> {
        iter::empty()
    }
}

// SAFETY: there is no buffer.
unsafe impl IoVectoredBufMut for () {
    unsafe fn iter_uninit_slice(&mut self) -> impl Iterator<Item = &mut [MaybeUninit<u8>]> {
        iter::empty()
    }

    unsafe fn set_lens<F>(&mut self, _: &mut F)
    where
        F: FnMut(usize) -> Option<usize> + ?Sized,
    {
    }
}
