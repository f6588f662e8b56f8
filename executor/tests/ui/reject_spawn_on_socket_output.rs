//! A socket stays on its core, so it cannot be the output of a task of another: one error says so.

use executor::net::TcpStream;

fn main() {
    let _ = executor::spawn_on(1, async || {
        TcpStream::connect("127.0.0.1:1").await.unwrap()
    });
}
