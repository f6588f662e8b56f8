//! One buffer: bytes to write from, and space to read into.

use super::Slice;
use std::mem::MaybeUninit;
use std::ops::{Bound, RangeBounds};

/// A buffer whose bytes can be written somewhere.
///
/// It is `'static`, because it stays with the kernel when the future that handed it over is dropped. Its bytes are asked for once, when it
/// is where it will stay until the operation is over, and nothing else uses the buffer until then. So this needs no promise from the
/// implementor beyond the signature: whatever [`as_init`](Self::as_init) returns can be read for that long.
///
/// # Examples
/// ```
/// # extern crate reactor as executor; // whose users see this page as `executor::buf`
/// use executor::buf::IoBuf;
///
/// let buffer = String::from("hello world");
/// assert_eq!(buffer.buf_len(), 11);
/// assert_eq!(buffer.slice(6..).as_init(), b"world");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a buffer that can be written from",
    label = "a write takes the buffer itself, not a reference to it",
    note = "the kernel may read a buffer after the future is dropped, so a write owns it: pass a `Vec<u8>`, `String`, `Box<[u8]>`, \
            `Rc<[u8]>`, array, `&'static str` or the like",
    note = "the buffer comes back with the result: `let BufResult(result, buffer) = writer.write_all(buffer).await;`",
    note = "to write a part of it, pass `buffer.slice(range)`, of the trait `IoBuf`"
)]
pub trait IoBuf: 'static {
    /// The initialised bytes.
    fn as_init(&self) -> &[u8];

    /// How many initialised bytes there are.
    fn buf_len(&self) -> usize {
        self.as_init().len()
    }

    /// Where the initialised bytes begin.
    fn buf_ptr(&self) -> *const u8 {
        self.as_init().as_ptr()
    }

    /// Whether there is no initialised byte.
    fn is_empty(&self) -> bool {
        self.buf_len() == 0
    }

    /// A part of the buffer, as `&buffer[range]` is, that owns the buffer. The end of the range may be behind the initialised bytes: then the
    /// part grows up to it when it is read into.
    ///
    /// # Panics
    /// If the range begins behind the initialised bytes, or ends before it begins.
    fn slice(self, range: impl RangeBounds<usize>) -> Slice<Self>
    where
        Self: Sized,
    {
        let begin = match range.start_bound() {
            Bound::Included(begin) => *begin,
            Bound::Excluded(before) => before.checked_add(1).expect("a place in memory"),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(last) => Some(last.checked_add(1).expect("a place in memory")),
            Bound::Excluded(end) => Some(*end),
            Bound::Unbounded => None,
        };
        Slice::new(self, begin, end)
    }
}

/// A buffer that can be read into.
///
/// An operation asks for the [space](Self::as_uninit) when the buffer is where it will stay, the kernel writes to the start of the space,
/// and the operation [sets the length](Self::set_len). In between the buffer is used by nobody, but it may be moved: the bytes of an array
/// move with it.
///
/// # Safety
/// The implementor promises, of the buffer as it is between two uses that change it (uses through `&mut` by anything but the two
/// methods below):
///
/// - [`as_uninit`](Self::as_uninit) returns the same space each time: as many bytes, with the same content, though the buffer may
///   have been moved.
/// - The space belongs to the buffer alone. Nobody else reads or writes it while the buffer is borrowed by `&mut`, or while the kernel has it.
/// - [`as_init`](IoBuf::as_init) returns the beginning of the space: never more bytes than it has, and the very same bytes.
/// - After [`set_len`](Self::set_len), whose caller keeps its own promise, all bytes that the buffer shows are initialised: as many as was
///   set, or the whole space, if it has no length apart from that.
/// - Provided methods that it overrides return what they would return otherwise.
///
/// # Examples
/// ```
/// # extern crate reactor as executor; // whose users see this page as `executor::buf`
/// use executor::buf::{IoBuf, IoBufMut};
/// use std::mem::MaybeUninit;
///
/// /// A vector that says when it was filled.
/// struct Logged(Vec<u8>);
///
/// impl IoBuf for Logged {
///     fn as_init(&self) -> &[u8] {
///         &self.0
///     }
/// }
///
/// // SAFETY: all is left to the vector.
/// unsafe impl IoBufMut for Logged {
///     unsafe fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
///         // SAFETY: the caller keeps the promise.
///         unsafe { self.0.as_uninit() }
///     }
///
///     unsafe fn set_len(&mut self, length: usize) {
///         println!("{length} bytes came");
///         // SAFETY: as above.
///         unsafe { IoBufMut::set_len(&mut self.0, length) };
///     }
/// }
///
/// let mut buffer = Logged(Vec::with_capacity(10));
/// assert_eq!(buffer.set_bytes(b"four"), 4);
/// assert_eq!(buffer.as_init(), b"four");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a buffer that can be read into",
    label = "a read takes the buffer itself, not a reference to it",
    note = "the kernel may write to a buffer after the future is dropped, so a read owns it: pass a `Vec<u8>` with capacity, a \
            `Box<[u8]>`, an array or the like",
    note = "the buffer comes back with the result: `let BufResult(result, buffer) = reader.read(buffer).await;`",
    note = "to read into a part of it, pass `buffer.slice(range)` or `buffer.uninit()`, of the traits `IoBuf` and `IoBufMut`"
)]
pub unsafe trait IoBufMut: IoBuf {
    /// All of the buffer's space: the initialised bytes, and the room behind them.
    ///
    /// ```compile_fail,E0133
    /// # extern crate reactor as executor; // whose users see this page as `executor::buf`
    /// use executor::buf::IoBufMut;
    ///
    /// // Anyone could read it afterwards.
    /// [0; 4].as_uninit()[0] = std::mem::MaybeUninit::uninit();
    /// ```
    ///
    /// # Safety
    /// The caller writes only initialised bytes there. (In an array all bytes are initialised, and anyone may read them.)
    unsafe fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>];

    /// Makes the first `length` bytes of the space the initialised ones. A buffer that has no length apart from its space, as an array,
    /// does nothing.
    ///
    /// # Safety
    /// `length` is at most that of the space that [`as_uninit`](Self::as_uninit) returns, and so many bytes at its start are initialised.
    unsafe fn set_len(&mut self, length: usize);

    /// How many bytes the space has.
    fn buf_capacity(&mut self) -> usize {
        // SAFETY: nothing is written.
        unsafe { self.as_uninit() }.len()
    }

    /// Where the space begins.
    fn buf_mut_ptr(&mut self) -> *mut MaybeUninit<u8> {
        // SAFETY: nothing is written here; to write through a raw pointer is `unsafe` again.
        unsafe { self.as_uninit() }.as_mut_ptr()
    }

    /// The initialised bytes, to be changed.
    fn as_mut_slice(&mut self) -> &mut [u8] {
        let length = (*self).as_init().len();
        // SAFETY: what follows lets nothing but bytes be written.
        let space = unsafe { self.as_uninit() };
        // SAFETY: the implementor promises that these are the initialised bytes.
        unsafe { space[..length].assume_init_mut() }
    }

    /// Whether there is no room behind the initialised bytes.
    fn is_filled(&mut self) -> bool {
        (*self).as_init().len() == self.buf_capacity()
    }

    /// Sets the length to zero, if the buffer has one.
    fn clear(&mut self) {
        // SAFETY: no byte has to be initialised.
        unsafe { self.set_len(0) };
    }

    /// Makes `bytes` the buffer's content, as many of them as there is space for, as a read does that brings them; says how many.
    fn set_bytes(&mut self, bytes: &[u8]) -> usize {
        // SAFETY: `copy` writes initialised bytes.
        let count = copy(bytes, unsafe { self.as_uninit() });
        // SAFETY: so many bytes were just written to the start of the space.
        unsafe { self.set_len(count) };
        count
    }

    /// The part of the buffer behind the bytes that it has now: what is read into it is appended to
    /// those. It has no room if a vector's capacity is full, and a read into it yields zero:
    /// [reserve](Vec::reserve) some before.
    ///
    /// # Examples
    /// ```
    /// # extern crate reactor as executor; // whose users see this page as `executor::buf`
    /// use executor::buf::{IntoInner, IoBufMut};
    ///
    /// let mut buffer = Vec::with_capacity(10);
    /// buffer.extend_from_slice(b"one");
    /// let mut room = buffer.uninit();
    /// room.set_bytes(b", two");
    /// assert_eq!(room.into_inner(), b"one, two");
    /// ```
    fn uninit(self) -> Slice<Self>
    where
        Self: Sized,
    {
        let length = self.buf_len();
        self.slice(length..)
    }
}

/// Copies as many bytes as there is space for, and says how many.
pub(super) fn copy(bytes: &[u8], space: &mut [MaybeUninit<u8>]) -> usize {
    let count = bytes.len().min(space.len());
    space[..count].write_copy_of_slice(&bytes[..count]);
    count
}
