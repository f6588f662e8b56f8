//! The echo server on monoio (io_uring, as it sets the ring up by default): one task for each connection.

use std::io;
use std::net::Ipv4Addr;

use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
use monoio::net::{TcpListener, TcpStream};

use crate::peers;
use crate::server::{Announce, Load};

pub(crate) fn serve(load: Load, announce: Announce) -> io::Result<()> {
    peers::monoio()?.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        announce(listener.local_addr()?)?;
        let mut tasks = Vec::with_capacity(load.connections);
        for _ in 0..load.connections {
            let (stream, _) = listener.accept().await?;
            tasks.push(monoio::spawn(echo(stream, load.size_bytes)));
        }
        for task in tasks {
            task.await?;
        }
        Ok(())
    })
}

async fn echo(mut stream: TcpStream, size_bytes: usize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(size_bytes);
    loop {
        let (result, filled) = stream.read(buffer).await;
        if result? == 0 {
            return Ok(());
        }
        let (result, sent) = stream.write_all(filled).await;
        result?;
        buffer = sent;
    }
}
