//! The ways to read and write that are compared. Each end of a connection sends and receives whole messages.

use std::io;

use executor::buf::BufResult;
use executor::io::compat::{FromFutures, ToFutures};
use executor::io::{self as owned, BufReader, BufWriter, PipeReader, PipeWriter, pipe};
use futures::{AsyncReadExt, AsyncWriteExt};

type Pair = (PipeReader, PipeWriter);

pub(crate) trait End: Sized + 'static {
    /// With buffers for messages of this size, if it has any.
    fn new(pair: Pair, size: usize) -> Self;

    /// Sends the whole message, and gives its buffer back.
    async fn send(&mut self, message: Vec<u8>) -> io::Result<Vec<u8>>;

    /// Receives a message as long as the buffer.
    async fn receive(&mut self, message: Vec<u8>) -> io::Result<Vec<u8>>;
}

pub(crate) fn connection<E: End>(size: usize) -> io::Result<(E, E)> {
    let (near_reader, far_writer) = pipe()?;
    let (far_reader, near_writer) = pipe()?;
    Ok((
        E::new((near_reader, near_writer), size),
        E::new((far_reader, far_writer), size),
    ))
}

async fn send_by(writer: &mut impl owned::AsyncWrite, message: Vec<u8>) -> io::Result<Vec<u8>> {
    let BufResult(result, message) = owned::AsyncWriteExt::write_all(writer, message).await;
    result.map(|()| message)
}

async fn receive_by(reader: &mut impl owned::AsyncRead, message: Vec<u8>) -> io::Result<Vec<u8>> {
    let BufResult(result, message) = owned::AsyncReadExt::read_exact(reader, message).await;
    result.map(|()| message)
}

/// Owned buffers, and the pipes themselves.
pub(crate) struct Owned(Pair);

impl End for Owned {
    fn new(pair: Pair, _: usize) -> Self {
        Self(pair)
    }

    async fn send(&mut self, message: Vec<u8>) -> io::Result<Vec<u8>> {
        send_by(&mut self.0.1, message).await
    }

    async fn receive(&mut self, message: Vec<u8>) -> io::Result<Vec<u8>> {
        receive_by(&mut self.0.0, message).await
    }
}

/// Owned buffers, through those of a `BufReader` and a `BufWriter`, which is flushed.
pub(crate) struct Buffered(BufReader<PipeReader>, BufWriter<PipeWriter>);

impl End for Buffered {
    fn new((reader, writer): Pair, size: usize) -> Self {
        Self(
            BufReader::with_capacity(size, reader),
            BufWriter::with_capacity(size, writer),
        )
    }

    async fn send(&mut self, message: Vec<u8>) -> io::Result<Vec<u8>> {
        let message = send_by(&mut self.1, message).await?;
        owned::AsyncWrite::flush(&mut self.1).await?;
        Ok(message)
    }

    async fn receive(&mut self, message: Vec<u8>) -> io::Result<Vec<u8>> {
        receive_by(&mut self.0, message).await
    }
}

/// By the traits of `futures::io`.
pub(crate) struct Adapted(ToFutures<Pair>);

impl End for Adapted {
    fn new(pair: Pair, size: usize) -> Self {
        Self(ToFutures::with_capacity(size, pair))
    }

    async fn send(&mut self, message: Vec<u8>) -> io::Result<Vec<u8>> {
        self.0.write_all(&message).await?;
        Ok(message)
    }

    async fn receive(&mut self, mut message: Vec<u8>) -> io::Result<Vec<u8>> {
        self.0.read_exact(&mut message).await?;
        Ok(message)
    }
}

/// By owned buffers, over the traits of `futures::io`, over the pipes.
pub(crate) struct AndBack(FromFutures<ToFutures<Pair>>);

impl End for AndBack {
    fn new(pair: Pair, size: usize) -> Self {
        Self(FromFutures::new(ToFutures::with_capacity(size, pair)))
    }

    async fn send(&mut self, message: Vec<u8>) -> io::Result<Vec<u8>> {
        send_by(&mut self.0, message).await
    }

    async fn receive(&mut self, message: Vec<u8>) -> io::Result<Vec<u8>> {
        receive_by(&mut self.0, message).await
    }
}
