//! The echo server on this project's executor once more, but by multishot receive into a pool of buffers: a connection that waits holds none,
//! and one submission serves all that it ever receives.

use std::io;
use std::net::Ipv4Addr;

use executor::net::{BufPool, Filling, PoolOptions, TcpListener, TcpStream};

use crate::server::{Announce, Load};

const BUFFERS: usize = 512;
/// What comes at once of a request that is longer is answered bit by bit, as without a pool.
const BUFFER_BYTES_MAX: usize = 16 << 10;

pub(crate) fn serve(load: Load, announce: Announce) -> io::Result<()> {
    let builder = executor::Builder::new().cores(1);
    let runtime = builder.build().map_err(io::Error::other)?;
    runtime.block_on(async move {
        let pool = BufPool::new(PoolOptions {
            count: BUFFERS,
            buffer_bytes: load.size_bytes.min(BUFFER_BYTES_MAX),
            filling: Filling::Whole,
        })?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        announce(listener.local_addr()?)?;
        let mut tasks = Vec::with_capacity(load.connections);
        for _ in 0..load.connections {
            let (stream, _) = listener.accept().await?;
            tasks.push(executor::spawn(echo(stream, pool.clone())));
        }
        for task in tasks {
            task.await.map_err(io::Error::other)??;
        }
        Ok(())
    })
}

async fn echo(stream: TcpStream, pool: BufPool) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut arriving = stream.receive(&pool);
    while let Some(piece) = arriving.next().await {
        stream.write_all(piece?).await.0?;
    }
    Ok(())
}
