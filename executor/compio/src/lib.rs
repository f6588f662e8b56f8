//! Streams of the executor for code that is written against `compio-io`, and the other way round: codecs, TLS, buffered readers.
//!
//! [`ToCompio`] is a stream of the executor as one of `compio-io`; [`FromCompio`] is one of `compio-io` as one of the executor. Both split
//! as the stream inside does.
//!
//! The two have different buffers. What is written goes through as it is. What is read is copied once: it comes into a buffer of the
//! adapter's own, of at most 64 KiB, and from there `compio-io`'s reader for `&[u8]`, or the executor's, puts it into the caller's. So the
//! adapters set no length of a foreign buffer, and have no unsafe code. What `compio-buf` 0.8.3 does wrong with lengths of its own slices and
//! iterators of vectored buffers is not mended by this.
//!
//! # Examples
//! A codec of `compio-io` over a pipe of the executor:
//! ```
//! use compio_io::framed::{Framed, codec::bytes::BytesCodec, frame::LengthDelimited};
//! use compio_buf::bytes::Bytes;
//! use executor_compio::ToCompio;
//! use futures::{SinkExt, StreamExt};
//!
//! #[executor::main(cores = 1)]
//! async fn main() -> std::io::Result<()> {
//!     let pipe = ToCompio::new(executor::io::pipe()?);
//!     let mut frames = Framed::symmetric::<Bytes>(BytesCodec::new(), LengthDelimited::new()).with_duplex(pipe);
//!     frames.send(Bytes::from("a frame")).await?;
//!     assert_eq!(frames.next().await.unwrap()?, "a frame");
//!     Ok(())
//! }
//! ```

#![forbid(unsafe_code)]

mod from_compio;
mod lent;
mod to_compio;
mod transit;

pub use from_compio::FromCompio;
pub use to_compio::ToCompio;
