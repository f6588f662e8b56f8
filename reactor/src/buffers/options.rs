//! What a pool is asked to be, and why it cannot be that.

use std::{error, fmt, io};

/// How the kernel fills a buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Filling {
    /// Each receive takes a whole buffer, however little came.
    #[default]
    Whole,
    /// Each receive takes as much of a buffer as came, and the next goes on behind it. A buffer is free again when all that was put into it has been
    /// dropped. Where the kernel lacks it ([`Feature::IncrementalBuffers`](crate::Feature::IncrementalBuffers)), [`Whole`](Self::Whole).
    Incremental,
}

/// How large a pool is. Its memory is `count` times `buffer_bytes`, and never grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    /// How many buffers: a power of two, at most 32768.
    pub count: usize,
    /// The size of each, in bytes: at most 2^30.
    pub buffer_bytes: usize,
    /// How the kernel fills them.
    pub filling: Filling,
}

impl Default for PoolOptions {
    /// 256 buffers of 4 KiB, so 1 MiB, each filled once.
    fn default() -> Self {
        Self {
            count: 256,
            buffer_bytes: 4096,
            filling: Filling::Whole,
        }
    }
}

/// Why there is no such pool. Its text says what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum BufPoolError {
    /// The number of buffers is no power of two, or more than 32768.
    Count(usize),
    /// The size of a buffer is zero, or more than 2^30 bytes.
    BufferBytes(usize),
    /// All the pools of a core together have at most 65472 buffers.
    TooManyBuffers,
    /// The kernel, or the allocator, refused.
    Refused(io::Error),
}

impl fmt::Display for BufPoolError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(
                formatter,
                "a pool cannot have {count} buffers: choose a power of two, at most 32768"
            ),
            Self::BufferBytes(bytes) => write!(
                formatter,
                "a pool's buffers cannot have {bytes} bytes: choose 1 to 2^30"
            ),
            Self::TooManyBuffers => write!(
                formatter,
                "the pools of one core have at most 65472 buffers in all: make fewer, and larger ones"
            ),
            Self::Refused(error) => {
                write!(formatter, "a pool of buffers could not be made: {error}")
            }
        }
    }
}

impl error::Error for BufPoolError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            // Its own text is part of ours.
            Self::Refused(error) => error.source(),
            Self::Count(_) | Self::BufferBytes(_) | Self::TooManyBuffers => None,
        }
    }
}

impl From<BufPoolError> for io::Error {
    fn from(error: BufPoolError) -> Self {
        let kind = match &error {
            BufPoolError::Refused(error) => error.kind(),
            _ => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}
