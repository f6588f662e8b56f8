//! The buffers of other crates, each behind a feature of its name.

#[cfg(feature = "bytes")]
mod bytes {
    use crate::buf::{IoBuf, IoBufMut};
    use ::bytes::{Bytes, BytesMut};
    use std::mem::MaybeUninit;
    use std::slice;

    impl IoBuf for Bytes {
        fn as_init(&self) -> &[u8] {
            self
        }
    }

    impl IoBuf for BytesMut {
        fn as_init(&self) -> &[u8] {
            self
        }
    }

    // SAFETY: the space is the handle's part of the memory, which no other handle shares; its beginning are the bytes, and `set_len` is its own.
    unsafe impl IoBufMut for BytesMut {
        unsafe fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
            let length = self.len();
            // SAFETY: no byte has to be initialised. While it is empty, all of its memory is spare; a pointer to its bytes would not do for what is
            // behind them.
            unsafe { self.set_len(0) };
            let spare = self.spare_capacity_mut();
            let (start, capacity) = (spare.as_mut_ptr(), spare.len());
            // SAFETY: the length that it had, and nothing was written meanwhile.
            unsafe { self.set_len(length) };
            // SAFETY: that memory is borrowed with the handle, and `set_len` does not touch it.
            unsafe { slice::from_raw_parts_mut(start, capacity) }
        }

        unsafe fn set_len(&mut self, length: usize) {
            // SAFETY: passed on to the caller.
            unsafe { BytesMut::set_len(self, length) };
        }
    }
}

/// A vector that may lie within itself: single, and of buffers.
#[cfg(any(feature = "arrayvec", feature = "smallvec"))]
macro_rules! inline_vector {
    ($vector:ident, [$($parameters:tt)*] $bytes:ty, $buffers:ty) => {
        use crate::buf::vectored_implementors::buffers_of_one_type;
        use crate::buf::{IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
        use std::mem::MaybeUninit;
        use std::slice;

        impl<$($parameters)*> IoBuf for $bytes {
            fn as_init(&self) -> &[u8] {
                self
            }
        }

        // SAFETY: the space is the vector's, inline or allocated, whose beginning are its bytes, and `set_len` is the vector's own. If it is
        // inline and moves, its bytes move with it.
        unsafe impl<$($parameters)*> IoBufMut for $bytes {
            unsafe fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
                let (start, capacity) = (self.as_mut_ptr().cast(), self.capacity());
                // SAFETY: the space is so large, and borrowed with the vector.
                unsafe { slice::from_raw_parts_mut(start, capacity) }
            }

            unsafe fn set_len(&mut self, length: usize) {
                // SAFETY: passed on to the caller.
                unsafe { $vector::set_len(self, length) };
            }
        }

        buffers_of_one_type!([$($parameters)*] $buffers);
    };
}

#[cfg(feature = "arrayvec")]
mod arrayvec {
    use ::arrayvec::ArrayVec;

    inline_vector!(ArrayVec, [const N: usize] ArrayVec<u8, N>, ArrayVec<T, N>);
}

#[cfg(feature = "smallvec")]
mod smallvec {
    use ::smallvec::SmallVec;

    // Also `SmallVec<[u8; N]>` for each N that the crate supports.
    inline_vector!(SmallVec, [const N: usize] SmallVec<[u8; N]>, SmallVec<[T; N]>);
}
