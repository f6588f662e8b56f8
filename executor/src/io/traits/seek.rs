//! What can be read or written from another place on.

use std::io::{self, Cursor, SeekFrom};

/// Something that is read or written in order from a place that can be moved: a [`File`](crate::fs::File), a [`Cursor`], and a
/// [`BufReader`](crate::io::BufReader) of these.
///
/// What is written at offsets ([`AsyncWriteAt`](super::AsyncWriteAt)) needs no place, and lets many operations run at once.
///
/// # Examples
/// ```
/// use executor::fs::File;
/// use executor::io::{AsyncSeek, BufReader};
/// use std::io::SeekFrom;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// # let path = std::env::temp_dir().join(format!("executor-seek-{}", std::process::id()));
/// # executor::fs::write(&path, "first\nsecond\n").await.0?;
/// let mut lines = BufReader::new(File::open(&path).await?);
/// # executor::fs::remove_file(&path).await?;
/// let (mut first, mut again) = (String::new(), String::new());
/// lines.read_line(&mut first).await?;
/// lines.seek(SeekFrom::Start(0)).await?;
/// lines.read_line(&mut again).await?;
/// assert_eq!(first, again);
/// # Ok(())
/// # }
/// ```
pub trait AsyncSeek {
    /// Moves to another place, in bytes, and says where that is, from the start. It may be behind the end.
    ///
    /// **Dropped**, those of this crate stay where they are.
    ///
    /// # Errors
    /// `InvalidInput` for a place before the start, and those of whatever it moves in.
    async fn seek(&mut self, to: SeekFrom) -> io::Result<u64>;
}

impl<T: AsRef<[u8]>> AsyncSeek for Cursor<T> {
    async fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        io::Seek::seek(self, to)
    }
}

/// What points to something that can be moved in alone can be moved in.
macro_rules! own_pointers {
    ($($pointer:ty),*) => {
        $(
            impl<S: AsyncSeek + ?Sized> AsyncSeek for $pointer {
                async fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
                    (**self).seek(to).await
                }
            }
        )*
    };
}

own_pointers!(&mut S, Box<S>);
