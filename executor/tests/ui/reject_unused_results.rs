//! What is forgotten is warned of.

#![deny(unused_must_use)]

use executor::net::TcpStream;

async fn forget(stream: &TcpStream) {
    stream.write_all("x").await;
    stream.write_all("x");
    executor::spawn(async {});
}

fn main() {}
