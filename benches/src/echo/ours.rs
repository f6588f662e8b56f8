//! The echo server on this project's executor, with one core: one task for each connection.

use std::io;
use std::net::Ipv4Addr;

use executor::buf::BufResult;
use executor::net::{TcpListener, TcpStream};

use crate::server::{Announce, Load};

pub(crate) fn serve(load: Load, announce: Announce) -> io::Result<()> {
    // The process may run on one CPU only, so that is the core's.
    let runtime = executor::Builder::new()
        .cores(1)
        .build()
        .map_err(io::Error::other)?;
    runtime.block_on(async move {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        announce(listener.local_addr()?)?;
        let mut tasks = Vec::with_capacity(load.connections);
        for _ in 0..load.connections {
            let (stream, _) = listener.accept().await?;
            tasks.push(executor::spawn(echo(stream, load.size_bytes)));
        }
        for task in tasks {
            task.await.map_err(io::Error::other)??;
        }
        Ok(())
    })
}

async fn echo(stream: TcpStream, size_bytes: usize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(size_bytes);
    loop {
        let BufResult(result, filled) = stream.read(buffer).await;
        if result? == 0 {
            return Ok(());
        }
        let BufResult(result, sent) = stream.write_all(filled).await;
        result?;
        buffer = sent;
    }
}
