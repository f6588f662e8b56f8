//! A stream with a buffer in each direction.

use super::{BufReader, BufWriter, Join, ReadLine, ReadUntil, join};
use crate::io::{AsyncRead, AsyncWrite, Splittable};

/// A stream that is read through a [`BufReader`] and written through a [`BufWriter`]. It is their [`Join`]: reads and writes are those of the
/// traits, and the two are reached by its methods.
///
/// Flush it when an answer is expected: what is in the writer's buffer is not sent before. **Dropping** a future of it loses nothing; dropping the
/// stream drops what is in the buffers.
///
/// # Examples
/// ```
/// use executor::io::{AsyncWrite, AsyncWriteExt, BufStream};
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let (client, server) = executor::io::duplex(64);
/// executor::spawn(async move {
///     let mut server = BufStream::new(server);
///     let mut request = String::new();
///     server.read_line(&mut request).await?;
///     server.write_all(format!("you said {request}")).await.0?;
///     server.flush().await
/// })
/// .detach();
/// let mut client = BufStream::new(client);
/// client.write_all("hello\n").await.0?;
/// client.flush().await?;
/// let mut answer = String::new();
/// client.read_line(&mut answer).await?;
/// assert_eq!(answer, "you said hello\n");
/// # Ok(())
/// # }
/// ```
pub type BufStream<R, W> = Join<BufReader<R>, BufWriter<W>>;

impl<R: AsyncRead + 'static, W: AsyncWrite + 'static> BufStream<R, W> {
    /// Takes a stream apart, and gives each half a buffer of 8 KiB.
    pub fn new<S: Splittable<ReadHalf = R, WriteHalf = W>>(stream: S) -> Self {
        let (reader, writer) = stream.split();
        join(BufReader::new(reader), BufWriter::new(writer))
    }

    /// The same with buffers of so many bytes.
    pub fn with_capacity<S: Splittable<ReadHalf = R, WriteHalf = W>>(
        reader_bytes: usize,
        writer_bytes: usize,
        stream: S,
    ) -> Self {
        let (reader, writer) = stream.split();
        join(
            BufReader::with_capacity(reader_bytes, reader),
            BufWriter::with_capacity(writer_bytes, writer),
        )
    }

    /// As [`BufReader::read_line`].
    ///
    /// # Errors
    /// As there.
    pub fn read_line<'a>(&'a mut self, out: &'a mut String) -> ReadLine<'a, R> {
        self.reader_mut().read_line(out)
    }

    /// As [`BufReader::read_until`].
    ///
    /// # Errors
    /// As there.
    pub fn read_until<'a>(&'a mut self, delimiter: u8, out: &'a mut Vec<u8>) -> ReadUntil<'a, R> {
        self.reader_mut().read_until(delimiter, out)
    }
}
