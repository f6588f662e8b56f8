//! A stranger's program, built with the packed crates by `.ci/run package`: an echo server on one
//! core, and its client on another, or on the same one where there is no other.

use executor::buf::BufResult;
use executor::io::AsyncReadExt;
use executor::net::{TcpListener, TcpStream};
use std::io::Result;

#[executor::main]
async fn main() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = executor::spawn(async move { echo(listener.accept().await?.0).await });
    let client = executor::spawn_on(executor::cores() - 1, async move || {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all("packed").await.0?;
        stream.shutdown(std::net::Shutdown::Write).await?;
        let BufResult(read, answer) = stream.read_to_end(Vec::new()).await;
        read.map(|_| answer)
    });
    let answer = client.await.expect("the client does not panic")?;
    server.await.expect("the server does not panic")?;
    println!("{}", String::from_utf8_lossy(&answer));
    Ok(())
}

async fn echo(stream: TcpStream) -> Result<()> {
    let mut buffer = Vec::with_capacity(4096);
    loop {
        let BufResult(count, filled) = stream.read(buffer).await;
        if count? == 0 {
            return Ok(());
        }
        let BufResult(written, filled) = stream.write_all(filled).await;
        written?;
        buffer = filled;
    }
}
