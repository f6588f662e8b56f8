//! The result of a read comes with the buffer: `?` needs it without.

use executor::net::TcpStream;
use std::io;

async fn count(stream: &TcpStream) -> io::Result<usize> {
    let buffer = Vec::with_capacity(1024);
    let count = stream.read(buffer).await?;
    Ok(count)
}

fn main() {}
