//! Reading and writing, whatever it is from or to: the traits, and the futures of their operations.
//!
//! The traits are those of `compio-io`, so that what is written against them (codecs, TLS) works here as well.

#![forbid(unsafe_code)]

pub use compio_io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
pub use reactor::operation::InTurn;
