//! The echo server on glommio (io_uring), by its `futures` traits: one task for each connection. Once as it starts by default, and once with
//! `spin_before_park`, for which its documentation recommends it: latency.

use std::io;
use std::net::Ipv4Addr;

use futures::{AsyncReadExt, AsyncWriteExt};
use glommio::net::{TcpListener, TcpStream};
use glommio::{LocalExecutor, spawn_local};

use crate::peers::{self, glommio_failed as failed};
use crate::server::{Announce, Load};

pub(crate) fn serve(load: Load, announce: Announce) -> io::Result<()> {
    serve_on(peers::glommio()?, load, announce)
}

pub(crate) fn serve_spinning(load: Load, announce: Announce) -> io::Result<()> {
    serve_on(peers::glommio_spinning()?, load, announce)
}

fn serve_on(executor: LocalExecutor, load: Load, announce: Announce) -> io::Result<()> {
    executor.run(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        announce(listener.local_addr().map_err(failed)?)?;
        let mut tasks = Vec::with_capacity(load.connections);
        for _ in 0..load.connections {
            let stream = listener.accept().await.map_err(failed)?;
            tasks.push(spawn_local(echo(stream, load.size_bytes)));
        }
        for task in tasks {
            task.await?;
        }
        Ok(())
    })
}

async fn echo(mut stream: TcpStream, size_bytes: usize) -> io::Result<()> {
    stream.set_nodelay(true).map_err(failed)?;
    let mut buffer = vec![0; size_bytes];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..count]).await?;
    }
}
