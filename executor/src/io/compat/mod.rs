//! To and from the traits of `futures::io`, for code that is written against those: codecs, TLS, compression.
//!
//! Those traits lend a buffer for one call; the kernel needs it for longer. So [`ToFutures`] has buffers of its own, and each byte is copied
//! once on its way in and once on its way out. [`FromFutures`], the other way, copies what is read, and nothing that is written.

mod from_futures;
mod to_futures;

pub use from_futures::FromFutures;
pub use to_futures::ToFutures;
