//! A buffer is given to a read, not lent to it.

use executor::io::AsyncRead;
use executor::net::TcpStream;

async fn array(reader: &mut impl AsyncRead) {
    let mut buffer = [0_u8; 1024];
    let _ = reader.read(&mut buffer).await;
}

async fn vector(stream: &TcpStream) {
    let mut buffer = Vec::<u8>::with_capacity(1024);
    let _ = stream.read_exact(&mut buffer).await;
}

fn main() {}
