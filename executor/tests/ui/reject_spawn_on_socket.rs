//! A socket that a closure captures would go with it: one error says so, and what to write.

use executor::net::TcpStream;

async fn serve(stream: TcpStream) {
    stream.write_all("x").await.0.unwrap();
    let _ = executor::spawn_on(1, move || serve(stream));
}

async fn block(stream: TcpStream) {
    let _ = executor::spawn_blocking(move || drop(stream));
}

fn main() {}
