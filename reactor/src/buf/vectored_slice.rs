//! A part of several buffers.

use super::{IntoInner, IoVectoredBuf, IoVectoredBufMut};
use std::mem::MaybeUninit;

/// What is behind a place in several buffers, which it owns; made by [`IoVectoredBuf::slice`] and [`IoVectoredBufMut::slice_mut`].
///
/// The place is in one of the buffers: so many bytes behind that one's start, or, if it has fewer initialised bytes, behind those. What is
/// read into the part goes there, and then into the buffers behind it from their start. The buffers before it stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VectoredSlice<T> {
    buffers: T,
    begin: usize,
    place: Place,
}

/// So many bytes into the buffer of that number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    index: usize,
    offset: usize,
}

impl<T> VectoredSlice<T> {
    pub(super) fn new(buffers: T, begin: usize, place: Place) -> Self {
        Self {
            buffers,
            begin,
            place,
        }
    }

    /// The place before which there are `begin` bytes, in buffers of these lengths.
    pub(super) fn place(lengths: impl Iterator<Item = usize>, begin: usize) -> Place {
        let mut place = Place {
            index: 0,
            offset: begin,
        };
        for length in lengths {
            if place.offset < length {
                break;
            }
            place.offset -= length;
            place.index += 1;
        }
        place
    }

    /// How many bytes it was told to skip.
    pub fn begin(&self) -> usize {
        self.begin
    }

    /// All of the buffers.
    pub fn as_inner(&self) -> &T {
        &self.buffers
    }

    /// All of the buffers. If they become shorter, or others, the part stays within them.
    pub fn as_inner_mut(&mut self) -> &mut T {
        &mut self.buffers
    }
}

impl<T: IoVectoredBuf> VectoredSlice<T> {
    /// How many bytes of the first buffer are skipped: only initialised ones.
    fn offset(&self) -> usize {
        let first = self.buffers.iter_slice().nth(self.place.index);
        first.map_or(0, |bytes| self.place.offset.min(bytes.len()))
    }
}

impl<T: IoVectoredBuf> IoVectoredBuf for VectoredSlice<T> {
    fn iter_slice(&self) -> impl Iterator<Item = &[u8]> {
        let Place { index, mut offset } = self.place;
        self.buffers.iter_slice().skip(index).map(move |bytes| {
            let offset = std::mem::take(&mut offset);
            &bytes[offset.min(bytes.len())..]
        })
    }
}

// SAFETY: the spaces and the bytes are those of the buffers from one place on, and that place stays the same as long as the buffers do. In its
// buffer it is not behind the initialised bytes, so a length that is set here never covers bytes before it that are not initialised.
unsafe impl<T: IoVectoredBufMut> IoVectoredBufMut for VectoredSlice<T> {
    unsafe fn iter_uninit_slice(&mut self) -> impl Iterator<Item = &mut [MaybeUninit<u8>]> {
        let mut offset = self.offset();
        // SAFETY: the caller writes only initialised bytes.
        let spaces = unsafe { self.buffers.iter_uninit_slice() };
        spaces
            .skip(self.place.index)
            .map(move |space| &mut space[std::mem::take(&mut offset)..])
    }

    unsafe fn set_lens<F>(&mut self, choose: &mut F)
    where
        F: FnMut(usize) -> Option<usize> + ?Sized,
    {
        let mut before = self.place.index;
        let mut offset = self.offset();
        let mut choose_of_whole = |capacity: usize| {
            if before > 0 {
                before -= 1;
                return None;
            }
            let skipped = std::mem::take(&mut offset);
            choose(capacity - skipped).map(|length| skipped + length)
        };
        // SAFETY: of the first buffer those that are skipped are initialised; the others by the caller's word.
        unsafe { self.buffers.set_lens(&mut choose_of_whole) };
    }
}

impl<T> IntoInner for VectoredSlice<T> {
    type Inner = T;

    fn into_inner(self) -> T {
        self.buffers
    }
}
