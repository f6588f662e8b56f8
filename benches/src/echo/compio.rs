//! The echo server on compio (io_uring): one task for each connection.

use std::io;
use std::net::Ipv4Addr;

use compio::buf::{BufResult, IntoInner, IoBuf};
use compio::io::{AsyncRead, AsyncWriteExt};
use compio::net::{TcpListener, TcpStream};
use compio::runtime::spawn;

use crate::peers;
use crate::server::{Announce, Load};

pub(crate) fn serve(load: Load, announce: Announce) -> io::Result<()> {
    peers::compio()?.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        announce(listener.local_addr()?)?;
        let mut tasks = Vec::with_capacity(load.connections);
        for _ in 0..load.connections {
            let (stream, _) = listener.accept().await?;
            tasks.push(spawn(echo(stream, load.size_bytes)));
        }
        for task in tasks {
            task.await.expect("no connection panics")?;
        }
        Ok(())
    })
}

async fn echo(mut stream: TcpStream, size_bytes: usize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(size_bytes);
    loop {
        let BufResult(result, filled) = stream.read(buffer).await;
        let count = result?;
        if count == 0 {
            return Ok(());
        }
        let BufResult(result, sent) = stream.write_all(filled.slice(..count)).await;
        result?;
        buffer = sent.into_inner();
    }
}
