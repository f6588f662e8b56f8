//! A server that redis-cli and redis-benchmark can talk to: PING, ECHO, GET, SET, DEL and INCR. Each key lives on one core; a connection, on
//! whichever it came to, has commands executed where their keys are.
//!
//! ```sh
//! cargo run --release --example mini-redis -- [ADDR]        # 127.0.0.1:6380 if not given
//! redis-cli -p 6380 set greeting hello
//! ```

mod resp;
mod store;

use executor::buf::{BufResult, IntoInner, IoBuf};
use executor::net::{TcpListener, TcpStream};
use executor::time::{Duration, sleep};
use std::io;
use store::Command;

#[executor::main]
async fn main() -> io::Result<()> {
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:6380");
    let listeners = TcpListener::bind_all(address)?;
    let (address, cores) = (listeners[0].local_addr()?, listeners.len());
    println!(
        "listening on {address} on {cores} core{}",
        if cores == 1 { "" } else { "s" }
    );
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

/// Answers what came at once with one write, in order. An error is a peer that has gone: that ends it, and is nobody's fault.
async fn converse(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = Vec::with_capacity(16 << 10);
    let mut answers = Vec::with_capacity(16 << 10);
    loop {
        let filled = input.len();
        if filled == input.capacity() {
            input.reserve(filled);
        }
        let BufResult(count, rest) = stream.read(input.slice(filled..)).await;
        input = rest.into_inner();
        if count? == 0 {
            return Ok(());
        }
        let (consumed, goes_on) = answer_all(&input, &mut answers).await;
        input.drain(..consumed);
        let BufResult(written, rest) = stream.write_all(answers).await;
        written?;
        answers = rest;
        answers.clear();
        if !goes_on {
            return Ok(());
        }
    }
}

/// Answers the commands that `input` begins with. Returns how many bytes they are, and whether the client may go on.
async fn answer_all(input: &[u8], answers: &mut Vec<u8>) -> (usize, bool) {
    let (mut consumed, mut parts) = (0, Vec::new());
    loop {
        match resp::parse(&input[consumed..], &mut parts) {
            Ok(None) => return (consumed, true),
            Ok(Some(bytes)) => consumed += bytes,
            Err(wrong) => {
                answers.extend_from_slice(format!("-ERR Protocol error: {wrong}\r\n").as_bytes());
                return (consumed, false);
            }
        }
        let Some((name, arguments)) = parts.split_first() else {
            continue;
        };
        let name = name.to_ascii_uppercase();
        match (&*name, arguments) {
            (b"PING", []) => answers.extend_from_slice(b"+PONG\r\n"),
            // By this redis-cli knows that all before has been answered.
            (b"ECHO", [word]) => store::bulk(word, answers),
            (b"QUIT", _) => {
                answers.extend_from_slice(b"+OK\r\n");
                return (consumed, false);
            }
            (b"GET", [key]) => execute(Command::Get, key, b"", answers).await,
            (b"SET", [key, value]) => execute(Command::Set, key, value, answers).await,
            (b"INCR", [key]) => execute(Command::Increment, key, b"", answers).await,
            (b"DEL", [_, ..]) => delete(arguments, answers).await,
            (b"PING" | b"ECHO" | b"GET" | b"SET" | b"INCR" | b"DEL", _) => {
                answers.extend_from_slice(b"-ERR wrong number of arguments\r\n");
            }
            _ => answers.extend_from_slice(b"-ERR unknown command\r\n"),
        }
    }
}

/// Here, if this core has the key; else on the core that has it.
async fn execute(command: Command, key: &[u8], value: &[u8], answers: &mut Vec<u8>) {
    let home = store::home_of(key);
    if home == executor::current_core() {
        return store::execute(command, key, value, answers);
    }
    let (key, value) = (key.to_vec(), value.to_vec());
    let there = executor::spawn_on(home, async move || {
        let mut answer = Vec::new();
        store::execute(command, &key, &value, &mut answer);
        answer
    });
    answers.extend(there.await.expect("a command does not panic"));
}

async fn delete(keys: &[&[u8]], answers: &mut Vec<u8>) {
    let mut deleted = 0;
    for key in keys {
        let mut answer = Vec::new();
        execute(Command::Delete, key, b"", &mut answer).await;
        deleted += usize::from(answer == b":1\r\n");
    }
    answers.extend_from_slice(format!(":{deleted}\r\n").as_bytes());
}
