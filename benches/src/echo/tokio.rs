//! The echo server on tokio's current-thread runtime (epoll): one task for each connection.

use std::io;
use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::peers;
use crate::server::{Announce, Load};

pub(crate) fn serve(load: Load, announce: Announce) -> io::Result<()> {
    peers::tokio()?.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        announce(listener.local_addr()?)?;
        let mut tasks = Vec::with_capacity(load.connections);
        for _ in 0..load.connections {
            let (stream, _) = listener.accept().await?;
            tasks.push(tokio::spawn(echo(stream, load.size_bytes)));
        }
        for task in tasks {
            task.await??;
        }
        Ok(())
    })
}

async fn echo(mut stream: TcpStream, size_bytes: usize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; size_bytes];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..count]).await?;
    }
}
