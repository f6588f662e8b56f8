//! A socket stays on its core: one error says so, and what to write.

use executor::net::TcpStream;

fn main() {
    let _ = executor::spawn_future_on(1, async {
        let stream = TcpStream::connect("127.0.0.1:1").await.unwrap();
        stream.write_all("x").await.0.unwrap();
    });
    let handle = executor::Handle::current();
    let _ = handle.spawn_future_on(1, async {
        executor::time::sleep(executor::time::Duration::ZERO).await;
    });
}
