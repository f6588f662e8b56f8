//! The servers of the accept bench: each takes as many connections as will come, and closes each of them before the next.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use io_uring::{IoUring, opcode, types};

use crate::peers;
use crate::server::{Announce, Load};

const ANYWHERE: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// An io_uring loop without futures: accept, close(2), accept.
pub(super) fn bare(load: Load, announce: Announce) -> io::Result<()> {
    let listener = std::net::TcpListener::bind(ANYWHERE)?;
    announce(listener.local_addr()?)?;
    let mut ring: IoUring = IoUring::builder()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .build(8)?;
    for _ in 0..load.connections {
        let socket = types::Fd(listener.as_raw_fd());
        let accept = opcode::Accept::new(socket, std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: the entry points to nothing, and the listener outlives the ring.
        unsafe { ring.submission().push(&accept.build()) }.map_err(io::Error::other)?;
        ring.submit_and_wait(1)?;
        let result = ring
            .completion()
            .next()
            .expect("one was waited for")
            .result();
        if result < 0 {
            return Err(io::Error::from_raw_os_error(-result));
        }
        // SAFETY: the kernel has just handed this descriptor to us, and to nobody else.
        drop(unsafe { OwnedFd::from_raw_fd(result) });
    }
    Ok(())
}

pub(super) fn ours(load: Load, announce: Announce) -> io::Result<()> {
    let builder = executor::Builder::new().cores(1);
    let runtime = builder.build().map_err(io::Error::other)?;
    let accepting = async move {
        let listener = executor::net::TcpListener::bind(ANYWHERE)?;
        announce(listener.local_addr()?)?;
        for _ in 0..load.connections {
            drop(listener.accept().await?);
        }
        Ok(())
    };
    runtime.block_on(async { executor::spawn(accepting).await.map_err(io::Error::other)? })
}

/// By one submission for all that ever come.
pub(super) fn ours_multishot(load: Load, announce: Announce) -> io::Result<()> {
    let builder = executor::Builder::new().cores(1);
    let runtime = builder.build().map_err(io::Error::other)?;
    let accepting = async move {
        let listener = executor::net::TcpListener::bind(ANYWHERE)?;
        announce(listener.local_addr()?)?;
        let mut incoming = listener.incoming();
        for _ in 0..load.connections {
            let next = incoming.next().await.ok_or(io::ErrorKind::UnexpectedEof)?;
            drop(next?);
        }
        Ok(())
    };
    runtime.block_on(async { executor::spawn(accepting).await.map_err(io::Error::other)? })
}

pub(super) fn tokio(load: Load, announce: Announce) -> io::Result<()> {
    let accepting = async move {
        let listener = tokio::net::TcpListener::bind(ANYWHERE).await?;
        announce(listener.local_addr()?)?;
        for _ in 0..load.connections {
            drop(listener.accept().await?);
        }
        Ok(())
    };
    peers::tokio()?.block_on(async { tokio::spawn(accepting).await? })
}

pub(super) fn monoio(load: Load, announce: Announce) -> io::Result<()> {
    let accepting = async move {
        let listener = monoio::net::TcpListener::bind(ANYWHERE)?;
        announce(listener.local_addr()?)?;
        for _ in 0..load.connections {
            drop(listener.accept().await?);
        }
        Ok(())
    };
    peers::monoio()?.block_on(async { monoio::spawn(accepting).await })
}

pub(super) fn glommio(load: Load, announce: Announce) -> io::Result<()> {
    let accepting = async move {
        let listener = glommio::net::TcpListener::bind(SocketAddr::from(ANYWHERE))
            .map_err(peers::glommio_failed)?;
        announce(listener.local_addr().map_err(peers::glommio_failed)?)?;
        for _ in 0..load.connections {
            drop(listener.accept().await.map_err(peers::glommio_failed)?);
        }
        Ok(())
    };
    peers::glommio()?.run(async { glommio::spawn_local(accepting).await })
}

pub(super) fn compio(load: Load, announce: Announce) -> io::Result<()> {
    let accepting = async move {
        let listener = compio::net::TcpListener::bind(ANYWHERE).await?;
        announce(listener.local_addr()?)?;
        for _ in 0..load.connections {
            drop(listener.accept().await?);
        }
        Ok(())
    };
    peers::compio()?.block_on(async {
        let accepting = compio::runtime::spawn(accepting);
        accepting.await.expect("it does not panic")
    })
}
