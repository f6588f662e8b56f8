//! Reading and writing a file where it stands, and at offsets, by the traits.

use super::File;
use crate::buf::{BufResult, IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use crate::consume_budget;
use crate::io::ends::current_reactor;
use crate::io::{AsyncRead, AsyncReadAt, AsyncSeek, AsyncWrite, AsyncWriteAt};
use reactor::operation::{
    InTurn, Ordered, Read, ReadAt, ReadVectored, ReadVectoredAt, Write, WriteVectored,
};
use std::io::{self, SeekFrom};
use std::os::fd::AsFd;
use std::rc::Rc;

impl File {
    /// The same without a move.
    ///
    /// # Errors
    /// `ESPIPE` if the file cannot seek.
    pub fn stream_position(&self) -> io::Result<u64> {
        match self.stream {
            None => Ok(self.position),
            Some(_) => Err(io::Error::from_raw_os_error(libc::ESPIPE)),
        }
    }

    /// Moves to another place, from which on it is read and written by the traits, and says where that is. It may be behind the end.
    ///
    /// **Dropped**, it stays where it is.
    ///
    /// # Errors
    /// `InvalidInput` for a place before the start or behind what a number can say; `ESPIPE` if the file cannot seek; those of
    /// [`metadata`](Self::metadata), if it goes by the end.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        consume_budget().await;
        let here = self.stream_position()?;
        let (from, by) = match to {
            SeekFrom::Start(offset) => (offset, 0),
            SeekFrom::Current(by) => (here, by),
            SeekFrom::End(by) => (self.end().await?, by),
        };
        let place = from.checked_add_signed(by);
        let place = place.filter(|place| i64::try_from(*place).is_ok());
        self.position = place.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "a place before the start of the file, or too far behind it",
            )
        })?;
        Ok(self.position)
    }

    /// Where it ends. Of a disk only lseek(2) knows; what that moves is nobody's place.
    async fn end(&self) -> io::Result<u64> {
        let metadata = self.metadata().await?;
        if metadata.file_type().is_block_device() {
            return Ok(rustix::fs::seek(
                self.as_fd(),
                rustix::fs::SeekFrom::End(0),
            )?);
        }
        Ok(metadata.len())
    }

    /// Waits for its turn, and moves on by what was transferred.
    async fn moving<O, B>(&mut self, operation: O) -> BufResult<usize, B>
    where
        O: Ordered<Kept = (), Output = BufResult<usize, B>>,
    {
        let moves_on = self.stream.is_none();
        let BufResult(result, buffer) =
            InTurn::new(current_reactor("a file"), Rc::clone(&self.turns), operation).await;
        if moves_on && let Ok(count) = result {
            self.position += count as u64;
        }
        BufResult(result, buffer)
    }

    /// As `moving`, but what goes to the end of the file does not move the place that it is read from.
    async fn writing<O, B>(&mut self, operation: O) -> BufResult<usize, B>
    where
        O: Ordered<Kept = (), Output = BufResult<usize, B>>,
    {
        if self.appends {
            InTurn::new(current_reactor("write"), Rc::clone(&self.turns), operation).await
        } else {
            self.moving(operation).await
        }
    }
}

/// Where the file stands, which moves on. **Dropped**, nothing is lost.
impl AsyncRead for File {
    async fn read<B: IoBufMut>(&mut self, buffer: B) -> BufResult<usize, B> {
        match &self.stream {
            None => {
                let read = ReadAt::new(self.file.clone(), buffer, self.position);
                self.moving(read).await
            }
            Some(lane) => {
                let read = Read::new(self.file.clone(), buffer);
                InTurn::new(current_reactor("read"), Rc::clone(lane), read).await
            }
        }
    }

    async fn read_vectored<B: IoVectoredBufMut>(&mut self, buffers: B) -> BufResult<usize, B> {
        match &self.stream {
            None => {
                let read = ReadVectoredAt::new(self.file.clone(), buffers, self.position);
                self.moving(read).await
            }
            Some(lane) => {
                let read = ReadVectored::new(self.file.clone(), buffers);
                InTurn::new(current_reactor("read"), Rc::clone(lane), read).await
            }
        }
    }
}

/// Where the file stands, which moves on; or, if it was opened to append, at its end, while it is read on where it stood. **Dropped**,
/// some, all or none of the bytes may have been written, and it has not moved.
impl AsyncWrite for File {
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
        let write = match &self.stream {
            None => Write::at(self.file.clone(), buffer, self.position),
            Some(_) => Write::new(self.file.clone(), buffer),
        };
        self.writing(write).await
    }

    async fn write_vectored<B: IoVectoredBuf>(&mut self, buffers: B) -> BufResult<usize, B> {
        let write = match &self.stream {
            None => WriteVectored::at(self.file.clone(), buffers, self.position),
            Some(_) => WriteVectored::new(self.file.clone(), buffers),
        };
        self.writing(write).await
    }

    /// Nothing is held back here. To have it on the medium, [`sync_all`](File::sync_all).
    async fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Does nothing.
    async fn shutdown(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncReadAt for File {
    async fn read_at<B: IoBufMut>(&self, buffer: B, offset: u64) -> BufResult<usize, B> {
        Self::read_at(self, buffer, offset).await
    }

    async fn read_vectored_at<B: IoVectoredBufMut>(
        &self,
        buffers: B,
        offset: u64,
    ) -> BufResult<usize, B> {
        Self::read_vectored_at(self, buffers, offset).await
    }
}

impl AsyncWriteAt for File {
    async fn write_at<B: IoBuf>(&mut self, buffer: B, offset: u64) -> BufResult<usize, B> {
        Self::write_at(self, buffer, offset).await
    }

    async fn write_vectored_at<B: IoVectoredBuf>(
        &mut self,
        buffers: B,
        offset: u64,
    ) -> BufResult<usize, B> {
        Self::write_vectored_at(self, buffers, offset).await
    }
}

/// A file that is shared is written at offsets all the same.
impl AsyncWriteAt for &File {
    async fn write_at<B: IoBuf>(&mut self, buffer: B, offset: u64) -> BufResult<usize, B> {
        File::write_at(self, buffer, offset).await
    }

    async fn write_vectored_at<B: IoVectoredBuf>(
        &mut self,
        buffers: B,
        offset: u64,
    ) -> BufResult<usize, B> {
        File::write_vectored_at(self, buffers, offset).await
    }
}

impl AsyncSeek for File {
    async fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        Self::seek(self, to).await
    }
}
