//! To and from the traits of `futures::io`, for code that is written against those: codecs, TLS, compression.
//!
//! Those traits lend a buffer for one call; the kernel needs it for longer. So [`ToFutures`] has buffers of its own, and each byte is copied
//! once on its way in and once on its way out. [`FromFutures`], the other way, copies what is read, and nothing that is written.
//!
//! What that costs, measured: messages that go there and back between two tasks of one core, over two pipes, take 8 % more of its time through
//! [`ToFutures`] at both ends than by owned buffers if they are of 64 bytes, 14 % of 4 KiB, 13 % of 64 KiB; with [`FromFutures`]
//! on top of it 11, 18 and 21 %. (The `adapter` bench, Linux 6.18, AMD EPYC.)

mod background;
mod from_futures;
mod to_futures;

pub use from_futures::FromFutures;
pub use to_futures::ToFutures;
