//! The outcome of an operation, with the buffer that was handed to it.

use super::IntoInner;
use std::fmt::Debug;
use std::io;

/// The result of an operation, and its buffer, which comes back also after an error.
///
/// Take it apart to keep the buffer. The `?` operator needs a `Result`: that of the first field,
/// or, if an error ends the use of the buffer, [`into_result`](Self::into_result).
///
/// # Examples
/// ```
/// # extern crate reactor as executor; // whose users see this page as `executor::buf`
/// use executor::buf::BufResult;
/// # fn read(buffer: Vec<u8>) -> BufResult<usize, Vec<u8>> {
/// #     BufResult(Ok(buffer.len()), buffer)
/// # }
///
/// fn count(buffer: Vec<u8>) -> std::io::Result<usize> {
///     let BufResult(result, buffer) = read(buffer);
///     let first = result?;
///     let (second, buffer) = read(buffer).into_result()?;
///     drop(buffer);
///     Ok(first + second)
/// }
///
/// assert_eq!(count(b"abc".to_vec()).unwrap(), 6);
/// ```
#[must_use = "the operation may have failed: look at the first field, or use `into_result` and `?`"]
#[derive(Debug)]
pub struct BufResult<T, B>(pub io::Result<T>, pub B);

impl<T, B> BufResult<T, B> {
    /// Whether the operation succeeded.
    pub const fn is_ok(&self) -> bool {
        self.0.is_ok()
    }

    /// Whether the operation failed.
    pub const fn is_err(&self) -> bool {
        self.0.is_err()
    }

    /// Changes the value and the buffer of a success.
    pub fn map<U>(self, change: impl FnOnce(T, B) -> (U, B)) -> BufResult<U, B> {
        self.map2(change, |buffer| buffer)
    }

    /// Changes the value and the buffer of a success, or the buffer of a failure; the buffer may become another type.
    pub fn map2<U, C>(
        self,
        success: impl FnOnce(T, B) -> (U, C),
        failure: impl FnOnce(B) -> C,
    ) -> BufResult<U, C> {
        match self.0 {
            Ok(value) => {
                let (value, buffer) = success(value, self.1);
                BufResult(Ok(value), buffer)
            }
            Err(error) => BufResult(Err(error), failure(self.1)),
        }
    }

    /// Changes the value of a success.
    pub fn map_res<U>(self, change: impl FnOnce(T) -> U) -> BufResult<U, B> {
        BufResult(self.0.map(change), self.1)
    }

    /// Changes the buffer.
    pub fn map_buffer<C>(self, change: impl FnOnce(B) -> C) -> BufResult<T, C> {
        BufResult(self.0, change(self.1))
    }

    /// Goes on after a success, which may turn it into a failure.
    pub fn and_then<U>(self, next: impl FnOnce(T, B) -> (io::Result<U>, B)) -> BufResult<U, B> {
        match self.0 {
            Ok(value) => next(value, self.1).into(),
            Err(error) => BufResult(Err(error), self.1),
        }
    }

    /// The value of a success, and the buffer.
    ///
    /// # Panics
    /// With `message`, if the operation failed.
    #[track_caller]
    pub fn expect(self, message: &str) -> (T, B) {
        (self.0.expect(message), self.1)
    }

    /// The value of a success, and the buffer.
    ///
    /// # Panics
    /// If the operation failed.
    #[track_caller]
    pub fn unwrap(self) -> (T, B) {
        (self.0.unwrap(), self.1)
    }

    /// The value and the buffer, for the `?` operator. After an error the buffer is dropped; to
    /// keep it, take the `BufResult` apart.
    ///
    /// # Errors
    /// That of the operation.
    pub fn into_result(self) -> io::Result<(T, B)> {
        self.0.map(|value| (value, self.1))
    }

    /// The result and the buffer.
    pub fn into_parts(self) -> (io::Result<T>, B) {
        (self.0, self.1)
    }
}

impl<T: Debug, B> BufResult<T, B> {
    /// The error, and the buffer.
    ///
    /// # Panics
    /// If the operation succeeded.
    #[track_caller]
    pub fn unwrap_err(self) -> (io::Error, B) {
        (self.0.unwrap_err(), self.1)
    }
}

impl<T, B> From<(io::Result<T>, B)> for BufResult<T, B> {
    fn from((result, buffer): (io::Result<T>, B)) -> Self {
        Self(result, buffer)
    }
}

impl<T, B> From<BufResult<T, B>> for (io::Result<T>, B) {
    fn from(BufResult(result, buffer): BufResult<T, B>) -> Self {
        (result, buffer)
    }
}

impl<T, B: IntoInner> IntoInner for BufResult<T, B> {
    type Inner = BufResult<T, B::Inner>;

    fn into_inner(self) -> Self::Inner {
        self.map_buffer(IntoInner::into_inner)
    }
}
