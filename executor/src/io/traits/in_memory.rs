//! What is in memory, as something to read and to write. It never waits.

use super::{AsyncBufRead, AsyncRead, AsyncReadAt, AsyncWrite, AsyncWriteAt};
use crate::buf::{BufResult, IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use std::io::{self, Cursor};

/// Reads from the front, and becomes what is left.
impl AsyncRead for &[u8] {
    async fn read<B: IoBufMut>(&mut self, mut buffer: B) -> BufResult<usize, B> {
        let count = buffer.set_bytes(self);
        *self = &self[count..];
        BufResult(Ok(count), buffer)
    }

    async fn read_vectored<V: IoVectoredBufMut>(&mut self, mut buffers: V) -> BufResult<usize, V> {
        let count = buffers.set_bytes(self);
        *self = &self[count..];
        BufResult(Ok(count), buffers)
    }
}

impl AsyncBufRead for &[u8] {
    async fn fill_buf(&mut self) -> io::Result<&'_ [u8]> {
        Ok(self)
    }

    fn consume(&mut self, bytes: usize) {
        *self = &self[bytes..];
    }
}

impl AsyncReadAt for [u8] {
    async fn read_at<B: IoBufMut>(&self, mut buffer: B, offset: u64) -> BufResult<usize, B> {
        BufResult(Ok(buffer.set_bytes(&self[place(self, offset)..])), buffer)
    }

    async fn read_vectored_at<V: IoVectoredBufMut>(
        &self,
        mut buffers: V,
        offset: u64,
    ) -> BufResult<usize, V> {
        BufResult(Ok(buffers.set_bytes(&self[place(self, offset)..])), buffers)
    }
}

/// The place `offset` bytes into some, or their end.
fn place(bytes: &[u8], offset: u64) -> usize {
    usize::try_from(offset).map_or(bytes.len(), |offset| offset.min(bytes.len()))
}

/// Overwrites what there is, and no more.
impl AsyncWriteAt for [u8] {
    async fn write_at<B: IoBuf>(&mut self, buffer: B, offset: u64) -> BufResult<usize, B> {
        let start = place(self, offset);
        let space = &mut self[start..];
        let bytes = buffer.as_init();
        let count = space.len().min(bytes.len());
        space[..count].copy_from_slice(&bytes[..count]);
        BufResult(Ok(count), buffer)
    }
}

/// Overwrites from the front, and becomes what is left.
impl AsyncWrite for &mut [u8] {
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
        BufResult(io::Write::write(self, buffer.as_init()), buffer)
    }

    async fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Types that are read as slices are.
macro_rules! read_as_slices {
    ($([$($parameters:tt)*] $bytes:ty),*) => {
        $(
            impl<$($parameters)*> AsyncReadAt for $bytes {
                async fn read_at<B: IoBufMut>(&self, buffer: B, offset: u64) -> BufResult<usize, B> {
                    self.as_slice().read_at(buffer, offset).await
                }

                async fn read_vectored_at<V: IoVectoredBufMut>(
                    &self,
                    buffers: V,
                    offset: u64,
                ) -> BufResult<usize, V> {
                    self.as_slice().read_vectored_at(buffers, offset).await
                }
            }
        )*
    };
}

read_as_slices!([const N: usize] [u8; N], [] Vec<u8>);

impl<const N: usize> AsyncWriteAt for [u8; N] {
    async fn write_at<B: IoBuf>(&mut self, buffer: B, offset: u64) -> BufResult<usize, B> {
        self.as_mut_slice().write_at(buffer, offset).await
    }
}

/// Appends.
impl AsyncWrite for Vec<u8> {
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
        let bytes = buffer.as_init();
        self.extend_from_slice(bytes);
        BufResult(Ok(bytes.len()), buffer)
    }

    async fn write_vectored<V: IoVectoredBuf>(&mut self, buffers: V) -> BufResult<usize, V> {
        let before = self.len();
        for bytes in buffers.iter_slice() {
            self.extend_from_slice(bytes);
        }
        BufResult(Ok(self.len() - before), buffers)
    }

    async fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Overwrites, and grows as a file does: what is between its end and the offset becomes zero.
impl AsyncWriteAt for Vec<u8> {
    /// # Errors
    /// `OutOfMemory` if there is not enough memory.
    async fn write_at<B: IoBuf>(&mut self, buffer: B, offset: u64) -> BufResult<usize, B> {
        let result = overwrite(self, buffer.as_init(), offset);
        BufResult(result, buffer)
    }
}

fn overwrite(vector: &mut Vec<u8>, bytes: &[u8], offset: u64) -> io::Result<usize> {
    let offset = usize::try_from(offset).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let end = offset.checked_add(bytes.len());
    let end = end.ok_or(io::ErrorKind::OutOfMemory)?;
    if end > vector.len() {
        vector
            .try_reserve(end - vector.len())
            .map_err(|_| io::ErrorKind::OutOfMemory)?;
        vector.resize(end, 0);
    }
    vector[offset..end].copy_from_slice(bytes);
    Ok(bytes.len())
}

/// From where the cursor stands, which moves on.
impl<R: AsyncReadAt> AsyncRead for Cursor<R> {
    async fn read<B: IoBufMut>(&mut self, buffer: B) -> BufResult<usize, B> {
        let read = self.get_ref().read_at(buffer, self.position()).await;
        moved(self, read)
    }

    async fn read_vectored<V: IoVectoredBufMut>(&mut self, buffers: V) -> BufResult<usize, V> {
        let read = self.get_ref().read_vectored_at(buffers, self.position());
        let read = read.await;
        moved(self, read)
    }
}

/// To where the cursor stands, which moves on.
impl<W: AsyncWriteAt> AsyncWrite for Cursor<W> {
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
        let position = self.position();
        let written = self.get_mut().write_at(buffer, position).await;
        moved(self, written)
    }

    async fn write_vectored<V: IoVectoredBuf>(&mut self, buffers: V) -> BufResult<usize, V> {
        let position = self.position();
        let written = self.get_mut().write_vectored_at(buffers, position).await;
        moved(self, written)
    }

    async fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Moves on by what was transferred.
fn moved<T, B>(cursor: &mut Cursor<T>, result: BufResult<usize, B>) -> BufResult<usize, B> {
    if let Ok(count) = result.0 {
        cursor.set_position(cursor.position() + count as u64);
    }
    result
}
