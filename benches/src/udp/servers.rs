//! The servers of the UDP bench: each sends back what comes, until a datagram comes that is as long as the one that ends it.

use std::io;
use std::net::Ipv4Addr;

use executor::buf::BufResult;

use super::END_BYTES;
use crate::peers;
use crate::server::{Announce, Load};

const ANYWHERE: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// Two system calls for each, and a thread that sleeps in the first one.
pub(super) fn blocking(load: Load, announce: Announce) -> io::Result<()> {
    let socket = std::net::UdpSocket::bind(ANYWHERE)?;
    announce(socket.local_addr()?)?;
    let mut buffer = vec![0; load.size_bytes];
    loop {
        let (count, peer) = socket.recv_from(&mut buffer)?;
        if count == END_BYTES {
            return Ok(());
        }
        socket.send_to(&buffer[..count], peer)?;
    }
}

pub(super) fn ours(load: Load, announce: Announce) -> io::Result<()> {
    let builder = executor::Builder::new().cores(1);
    let runtime = builder.build().map_err(io::Error::other)?;
    let serving = async move {
        let socket = executor::net::UdpSocket::bind(ANYWHERE)?;
        announce(socket.local_addr()?)?;
        let mut buffer = Vec::with_capacity(load.size_bytes);
        loop {
            let BufResult(result, filled) = socket.recv_from(buffer).await;
            let (count, peer) = result?;
            if count == END_BYTES {
                return Ok(());
            }
            let BufResult(result, sent) = socket.send_to(filled, peer).await;
            result?;
            buffer = sent;
        }
    };
    runtime.block_on(async { executor::spawn(serving).await.map_err(io::Error::other)? })
}

pub(super) fn tokio(load: Load, announce: Announce) -> io::Result<()> {
    let serving = async move {
        let socket = tokio::net::UdpSocket::bind(ANYWHERE).await?;
        announce(socket.local_addr()?)?;
        let mut buffer = vec![0; load.size_bytes];
        loop {
            let (count, peer) = socket.recv_from(&mut buffer).await?;
            if count == END_BYTES {
                return Ok(());
            }
            socket.send_to(&buffer[..count], peer).await?;
        }
    };
    peers::tokio()?.block_on(async { tokio::spawn(serving).await? })
}

pub(super) fn monoio(load: Load, announce: Announce) -> io::Result<()> {
    let serving = async move {
        let socket = monoio::net::udp::UdpSocket::bind(ANYWHERE)?;
        announce(socket.local_addr()?)?;
        let mut buffer = Vec::with_capacity(load.size_bytes);
        loop {
            let (result, filled) = socket.recv_from(buffer).await;
            let (count, peer) = result?;
            if count == END_BYTES {
                return Ok(());
            }
            let (result, sent) = socket.send_to(filled, peer).await;
            result?;
            buffer = sent;
        }
    };
    peers::monoio()?.block_on(async { monoio::spawn(serving).await })
}

pub(super) fn glommio(load: Load, announce: Announce) -> io::Result<()> {
    let serving = async move {
        let failed = peers::glommio_failed;
        let socket = glommio::net::UdpSocket::bind(ANYWHERE).map_err(failed)?;
        announce(socket.local_addr().map_err(failed)?)?;
        let mut buffer = vec![0; load.size_bytes];
        loop {
            let (count, peer) = socket.recv_from(&mut buffer).await.map_err(failed)?;
            if count == END_BYTES {
                return Ok(());
            }
            socket
                .send_to(&buffer[..count], peer)
                .await
                .map_err(failed)?;
        }
    };
    peers::glommio()?.run(async { glommio::spawn_local(serving).await })
}

pub(super) fn compio(load: Load, announce: Announce) -> io::Result<()> {
    use compio::BufResult;
    let serving = async move {
        let socket = compio::net::UdpSocket::bind(ANYWHERE).await?;
        announce(socket.local_addr()?)?;
        let mut buffer = Vec::with_capacity(load.size_bytes);
        loop {
            let BufResult(result, mut filled) = socket.recv_from(buffer).await;
            let (count, peer) = result?;
            if count == END_BYTES {
                return Ok(());
            }
            filled.truncate(count);
            let BufResult(result, sent) = socket.send_to(filled, peer).await;
            result?;
            buffer = sent;
        }
    };
    peers::compio()?.block_on(async {
        let serving = compio::runtime::spawn(serving);
        serving.await.expect("it does not panic")
    })
}
