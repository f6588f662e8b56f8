//! A buffer that was given comes back with the result.

use executor::net::TcpStream;

async fn read(stream: &TcpStream) {
    let buffer = Vec::with_capacity(1024);
    let result = stream.read(buffer).await;
    println!("{result:?}: {buffer:?}");
}

fn main() {}
