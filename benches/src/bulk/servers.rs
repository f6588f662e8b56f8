//! The servers of the bulk bench: each takes one connection and writes into it until the client has gone.

use std::io::{self, Write};
use std::net::Ipv4Addr;

use executor::buf::BufResult;

use super::PATTERN;
use crate::peers;
use crate::server::{Announce, Load};

const ANYWHERE: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// The client's end is ours; anything else is an error.
fn unless_gone(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Ok(()),
        _ => Err(error),
    }
}

/// A thread that writes.
pub(super) fn blocking(load: Load, announce: Announce) -> io::Result<()> {
    let listener = std::net::TcpListener::bind(ANYWHERE)?;
    announce(listener.local_addr()?)?;
    let (mut stream, _) = listener.accept()?;
    let buffer = vec![PATTERN; load.size_bytes];
    loop {
        if let Err(error) = stream.write_all(&buffer) {
            return unless_gone(error);
        }
    }
}

pub(super) fn ours(load: Load, announce: Announce) -> io::Result<()> {
    ours_by(load, announce, false)
}

pub(super) fn ours_zero_copy(load: Load, announce: Announce) -> io::Result<()> {
    ours_by(load, announce, true)
}

fn ours_by(load: Load, announce: Announce, is_zero_copy: bool) -> io::Result<()> {
    let builder = executor::Builder::new().cores(1);
    let runtime = builder.build().map_err(io::Error::other)?;
    let serving = async move {
        let listener = executor::net::TcpListener::bind(ANYWHERE)?;
        announce(listener.local_addr()?)?;
        let (stream, _) = listener.accept().await?;
        let mut buffer = vec![PATTERN; load.size_bytes];
        loop {
            // A zero-copy write may be partial; where the next one begins does not matter to this pattern.
            let BufResult(result, sent) = if is_zero_copy {
                let BufResult(result, sent) = stream.write_zero_copy(buffer).await;
                BufResult(result.map(drop), sent)
            } else {
                stream.write_all(buffer).await
            };
            if let Err(error) = result {
                return unless_gone(error);
            }
            buffer = sent;
        }
    };
    runtime.block_on(async { executor::spawn(serving).await.map_err(io::Error::other)? })
}

pub(super) fn tokio(load: Load, announce: Announce) -> io::Result<()> {
    use tokio::io::AsyncWriteExt;
    let serving = async move {
        let listener = tokio::net::TcpListener::bind(ANYWHERE).await?;
        announce(listener.local_addr()?)?;
        let (mut stream, _) = listener.accept().await?;
        let buffer = vec![PATTERN; load.size_bytes];
        loop {
            if let Err(error) = stream.write_all(&buffer).await {
                return unless_gone(error);
            }
        }
    };
    peers::tokio()?.block_on(async { tokio::spawn(serving).await? })
}

pub(super) fn monoio(load: Load, announce: Announce) -> io::Result<()> {
    use monoio::io::AsyncWriteRentExt;
    let serving = async move {
        let listener = monoio::net::TcpListener::bind(ANYWHERE)?;
        announce(listener.local_addr()?)?;
        let (mut stream, _) = listener.accept().await?;
        let mut buffer = vec![PATTERN; load.size_bytes];
        loop {
            let (result, sent) = stream.write_all(buffer).await;
            if let Err(error) = result {
                return unless_gone(error);
            }
            buffer = sent;
        }
    };
    peers::monoio()?.block_on(async { monoio::spawn(serving).await })
}

pub(super) fn glommio(load: Load, announce: Announce) -> io::Result<()> {
    use futures::AsyncWriteExt;
    let serving = async move {
        let failed = peers::glommio_failed;
        let listener = glommio::net::TcpListener::bind(ANYWHERE).map_err(failed)?;
        announce(listener.local_addr().map_err(failed)?)?;
        let mut stream = listener.accept().await.map_err(failed)?;
        let buffer = vec![PATTERN; load.size_bytes];
        loop {
            if let Err(error) = stream.write_all(&buffer).await {
                return unless_gone(error);
            }
        }
    };
    peers::glommio()?.run(async { glommio::spawn_local(serving).await })
}

pub(super) fn compio(load: Load, announce: Announce) -> io::Result<()> {
    use compio::BufResult;
    use compio::io::AsyncWriteExt;
    let serving = async move {
        let listener = compio::net::TcpListener::bind(ANYWHERE).await?;
        announce(listener.local_addr()?)?;
        let (mut stream, _) = listener.accept().await?;
        let mut buffer = vec![PATTERN; load.size_bytes];
        loop {
            let BufResult(result, sent) = stream.write_all(buffer).await;
            if let Err(error) = result {
                return unless_gone(error);
            }
            buffer = sent;
        }
    };
    peers::compio()?.block_on(async {
        let serving = compio::runtime::spawn(serving);
        serving.await.expect("it does not panic")
    })
}
