//! A buffer is given to a write, not lent to it.

use executor::net::TcpStream;

async fn vector(stream: &TcpStream) {
    let reply = vec![1_u8];
    let _ = stream.write_all(&reply).await;
}

async fn part(stream: &TcpStream) {
    let reply = vec![1_u8];
    let _ = stream.write_all(&reply[..1]).await;
}

fn main() {}
