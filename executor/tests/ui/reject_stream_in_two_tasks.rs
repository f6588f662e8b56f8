//! A stream that two tasks use is shared or split first.

use executor::net::TcpStream;

async fn both(stream: TcpStream) {
    executor::spawn(async move { stream.read(Vec::with_capacity(1024)).await.0 }).detach();
    executor::spawn(async move { stream.write_all("x").await.0 }).detach();
}

fn main() {}
