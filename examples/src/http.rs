//! A small HTTP/1.1 server, on every core: `GET /` says hello, `POST /echo` sends its body back. Connections stay open between requests.
//!
//! ```sh
//! cargo run --release --example http -- [ADDR]        # 127.0.0.1:8080 if not given
//! curl http://127.0.0.1:8080/
//! curl --data-binary @Cargo.toml http://127.0.0.1:8080/echo
//! ```

use executor::buf::{BufResult, IntoInner, IoBuf};
use executor::net::{TcpListener, TcpStream};
use executor::time::{Duration, sleep, timeout};
use std::io::{self, Write};

const HEAD_BYTES_MAX: usize = 16 << 10;
const BODY_BYTES_MAX: usize = 64 << 20;
/// A connection on which nothing comes for so long is closed.
const PATIENCE: Duration = Duration::from_secs(30);

#[executor::main]
async fn main() -> io::Result<()> {
    let address = std::env::args().nth(1);
    let listeners = TcpListener::bind_all(address.as_deref().unwrap_or("127.0.0.1:8080"))?;
    let (address, cores) = (listeners[0].local_addr()?, listeners.len());
    let s = if cores == 1 { "" } else { "s" };
    println!("listening on {address} on {cores} core{s}");
    let mut servers = Vec::new();
    for (core, listener) in listeners.into_iter().enumerate() {
        let serve = move || serve(listener.into());
        servers.push(executor::spawn_on(core, serve));
    }
    for server in servers {
        server.await.expect("serving does not panic");
    }
    Ok(())
}

async fn serve(listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => executor::spawn(converse(stream)).detach(),
            // Out of descriptors, most likely: connections wait in the backlog until some are closed.
            Err(error) => {
                eprintln!("accept: {error}; trying again");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// What of a request matters here.
struct Request {
    head_bytes: usize,
    body_bytes: usize,
    /// The client waits for a word before it sends the body.
    expects_continue: bool,
    closes: bool,
    target: Target,
}

enum Target {
    Root,
    Echo,
    Unknown,
}

/// One request after another. An error is a peer that has gone: that ends it, and is nobody's fault.
async fn converse(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = Vec::with_capacity(4096);
    loop {
        let request = loop {
            match parse(&input) {
                Ok(Some(request)) => break request,
                Ok(None) if input.len() < HEAD_BYTES_MAX => {}
                Ok(None) => {
                    return respond(&stream, "431 Request Header Fields Too Large", b"", true)
                        .await;
                }
                Err(status) => return respond(&stream, status, b"", true).await,
            }
            if !read_more(&stream, &mut input).await? {
                return Ok(());
            }
        };
        let whole = request.head_bytes + request.body_bytes;
        if request.expects_continue && input.len() < whole {
            stream.write_all("HTTP/1.1 100 Continue\r\n\r\n").await.0?;
        }
        while input.len() < whole {
            if !read_more(&stream, &mut input).await? {
                return Ok(());
            }
        }
        let body = &input[request.head_bytes..whole];
        match request.target {
            Target::Root => respond(&stream, "200 OK", b"hello\n", request.closes).await?,
            Target::Echo => respond(&stream, "200 OK", body, request.closes).await?,
            Target::Unknown => {
                respond(&stream, "404 Not Found", b"not found\n", request.closes).await?
            }
        }
        if request.closes {
            return Ok(());
        }
        input.drain(..whole);
    }
}

/// Appends what comes; false at the end of the stream.
async fn read_more(stream: &TcpStream, input: &mut Vec<u8>) -> io::Result<bool> {
    input.reserve(4096);
    let filled = input.len();
    let read = stream.read(std::mem::take(input).slice(filled..));
    let BufResult(count, rest) = timeout(PATIENCE, read).await?;
    *input = rest.into_inner();
    Ok(count? > 0)
}

/// Takes a request's head apart, `None` if its end has not come yet. An error is the status to answer.
fn parse(input: &[u8]) -> Result<Option<Request>, &'static str> {
    const BAD: &str = "400 Bad Request";
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head_bytes) = head.parse(input).map_err(|_| BAD)? else {
        return Ok(None);
    };
    let mut request = Request {
        head_bytes,
        body_bytes: 0,
        expects_continue: false,
        closes: head.version == Some(0),
        target: match (head.method, head.path) {
            (Some("GET"), Some("/")) => Target::Root,
            (Some("POST"), Some("/echo")) => Target::Echo,
            _ => Target::Unknown,
        },
    };
    for header in head.headers {
        let value = std::str::from_utf8(header.value).map_err(|_| BAD)?;
        match header.name.to_ascii_lowercase().as_str() {
            "content-length" => request.body_bytes = value.parse().map_err(|_| BAD)?,
            "transfer-encoding" => return Err("501 Not Implemented"),
            "connection" => request.closes |= value.eq_ignore_ascii_case("close"),
            "expect" => request.expects_continue = value.eq_ignore_ascii_case("100-continue"),
            _ => {}
        }
    }
    if request.body_bytes > BODY_BYTES_MAX {
        return Err("413 Content Too Large");
    }
    Ok(Some(request))
}

async fn respond(stream: &TcpStream, status: &str, body: &[u8], closes: bool) -> io::Result<()> {
    let mut response = Vec::with_capacity(128 + body.len());
    let connection = if closes { "close" } else { "keep-alive" };
    write!(
        response,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: {connection}\r\n\r\n",
        body.len()
    )?;
    response.extend_from_slice(body);
    stream.write_all(response).await.0
}
