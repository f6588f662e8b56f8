//! The standard library's types as buffers.

use super::{IoBuf, IoBufMut};
use std::borrow::Cow;
use std::mem::MaybeUninit;
use std::rc::Rc;
use std::slice;
use std::sync::Arc;

impl IoBuf for [u8] {
    fn as_init(&self) -> &[u8] {
        self
    }
}

impl<const N: usize> IoBuf for [u8; N] {
    fn as_init(&self) -> &[u8] {
        self
    }
}

impl IoBuf for Vec<u8> {
    fn as_init(&self) -> &[u8] {
        self
    }
}

impl IoBuf for str {
    fn as_init(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl IoBuf for String {
    fn as_init(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// What points to a buffer is one.
macro_rules! pointers {
    ($($pointer:ty),*) => {
        $(
            impl<B: IoBuf + ?Sized> IoBuf for $pointer {
                fn as_init(&self) -> &[u8] {
                    (**self).as_init()
                }
            }
        )*
    };
}

pointers!(Box<B>, Rc<B>, Arc<B>);

/// Constants are buffers too. Other references are not, and `&mut` is none, though a `'static` one
/// would be sound: then a borrowed local is refused because of its type, with the words of
/// [`IoBuf`], and not because of its lifetime.
macro_rules! constants {
    ($([$($parameters:tt)*] $constant:ty),* $(,)?) => {
        $(
            impl<$($parameters)*> IoBuf for &'static $constant {
                fn as_init(&self) -> &[u8] {
                    (**self).as_init()
                }
            }
        )*
    };
}

/// A constant or an allocation: a reply that is fixed or made, say.
impl<B: ToOwned<Owned: IoBuf> + ?Sized + 'static> IoBuf for Cow<'static, B>
where
    &'static B: IoBuf,
{
    fn as_init(&self) -> &[u8] {
        match self {
            Self::Borrowed(constant) => constant.as_init(),
            Self::Owned(buffer) => buffer.as_init(),
        }
    }
}

constants!([] [u8], [const N: usize] [u8; N], [] str);

/// The bytes of a slice, all of which are initialised, as space.
fn space_of(bytes: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    let (start, length) = (bytes.as_mut_ptr().cast(), bytes.len());
    // SAFETY: the same memory with the same layout, borrowed as long. That only initialised bytes are written there is the word of the callers of
    // `as_uninit`.
    unsafe { slice::from_raw_parts_mut(start, length) }
}

// SAFETY: space and bytes are the slice, and all of it is initialised, whatever the length is.
unsafe impl IoBufMut for [u8] {
    unsafe fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        space_of(self)
    }

    unsafe fn set_len(&mut self, length: usize) {
        debug_assert!(
            length <= self.len(),
            "{length} bytes in a slice of {}",
            self.len()
        );
    }
}

// SAFETY: as for a slice.
unsafe impl<const N: usize> IoBufMut for [u8; N] {
    unsafe fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        space_of(self)
    }

    unsafe fn set_len(&mut self, length: usize) {
        debug_assert!(length <= N, "{length} bytes in an array of {N}");
    }
}

// SAFETY: the space is the vector's allocation, whose beginning are its bytes, and `set_len` is the vector's own.
unsafe impl IoBufMut for Vec<u8> {
    unsafe fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        let (start, capacity) = (self.as_mut_ptr().cast(), self.capacity());
        // SAFETY: the allocation is so large, and borrowed with the vector.
        unsafe { slice::from_raw_parts_mut(start, capacity) }
    }

    unsafe fn set_len(&mut self, length: usize) {
        // SAFETY: within the allocation, and initialised, by the caller's word.
        unsafe { Vec::set_len(self, length) };
    }
}

// SAFETY: all is left to the buffer in the box.
unsafe impl<B: IoBufMut + ?Sized> IoBufMut for Box<B> {
    unsafe fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: passed on to the caller.
        unsafe { (**self).as_uninit() }
    }

    unsafe fn set_len(&mut self, length: usize) {
        // SAFETY: passed on to the caller.
        unsafe { (**self).set_len(length) };
    }
}
