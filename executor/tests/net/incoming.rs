//! Streams of connections: all come, whoever is asked for them, and whoever gives up meanwhile.

use crate::common;

use common::descriptors::{alone, descriptors, exhaust};
use common::{modes, settle, start, start_with, until};
use executor::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use executor::time::{Duration, sleep};
use executor::{Builder, Feature, spawn, yield_now};
use futures::StreamExt;
use futures::future::{Either, join_all, poll_immediate, select};
use std::net;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;
use std::pin::pin;

/// In every mode, and by kernels that accept one at a time.
fn builders() -> Vec<(&'static str, Builder)> {
    let mut builders = modes();
    let one_at_a_time = Builder::new().without(Feature::MultishotAccept);
    builders.push(("no multishot accept", one_at_a_time));
    builders
}

/// Clients connect, all at once and one by one, over TCP and Unix sockets: each is served once.
#[test]
fn every_client_is_served() {
    alone!();
    for (mode, builder) in builders() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let mut incoming = listener.incoming();
            let connecting = join_all((0..200).map(|_| spawn(TcpStream::connect(address))));
            let accepting = incoming.by_ref().take(200).collect::<Vec<_>>();
            let (connected, accepted) = futures::join!(connecting, accepting);
            let mut ours: Vec<_> = connected
                .iter()
                .map(|stream| {
                    stream
                        .as_ref()
                        .unwrap()
                        .as_ref()
                        .unwrap()
                        .local_addr()
                        .unwrap()
                })
                .collect();
            let mut theirs: Vec<_> = accepted
                .iter()
                .map(|stream| stream.as_ref().unwrap().peer_addr().unwrap())
                .collect();
            ours.sort();
            theirs.sort();
            assert_eq!(ours, theirs);
            for _ in 0..20 {
                let client = TcpStream::connect(address).await.unwrap();
                let stream = incoming.next().await.unwrap().unwrap();
                assert_eq!(stream.peer_addr().unwrap(), client.local_addr().unwrap());
            }

            let name = format!("executor-incoming-{}", std::process::id());
            let address = SocketAddr::from_abstract_name(name).unwrap();
            let listener = UnixListener::bind_addr(&address).unwrap();
            let mut incoming = listener.incoming();
            for _ in 0..20 {
                let client = UnixStream::connect_addr(&address).await.unwrap();
                let stream = incoming.next().await.unwrap().unwrap();
                client.write_all("!").await.0.unwrap();
                assert_eq!(&stream.read_exact([0; 1]).await.1, b"!");
            }
        });
    }
}

/// Streams of connections are begun and dropped again and again while clients connect, plain accepts between them: none is lost, none
/// closed, and no descriptor stays behind.
#[test]
fn a_dropped_stream_loses_no_connection() {
    const CLIENTS: usize = 300;
    alone!();
    for (mode, builder) in builders() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let before = descriptors();
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let clients = spawn(async move {
                let mut clients = Vec::new();
                for index in 0..CLIENTS {
                    clients.push(TcpStream::connect(address).await.unwrap());
                    for _ in 0..index % 5 {
                        yield_now().await;
                    }
                }
                clients
            });
            let (mut accepted, mut given_up) = (Vec::new(), 0);
            let mut round = 0;
            while accepted.len() < CLIENTS {
                round += 1;
                let patience = sleep(Duration::from_micros(round % 60));
                if round % 3 == 0 {
                    match select(pin!(listener.accept()), patience).await {
                        Either::Left((stream, _)) => accepted.push(stream.unwrap().0),
                        Either::Right(_) => given_up += 1,
                    }
                    continue;
                }
                let mut incoming = listener.incoming();
                match select(pin!(incoming.next()), patience).await {
                    Either::Left((stream, _)) => accepted.push(stream.unwrap().unwrap()),
                    Either::Right(_) => given_up += 1,
                }
            }
            println!("{given_up} given up");
            let clients = clients.await.unwrap();
            let mut ours: Vec<_> = clients
                .iter()
                .map(|client| client.local_addr().unwrap())
                .collect();
            let mut theirs: Vec<_> = accepted
                .iter()
                .map(|stream| stream.peer_addr().unwrap())
                .collect();
            ours.sort();
            theirs.sort();
            assert_eq!(ours, theirs);
            drop((clients, accepted, listener));
            until(|| descriptors() == before).await;
        });
    }
}

/// More clients connect, one after the other, than are fetched: accepting pauses, and goes on where it was.
#[test]
fn what_is_not_fetched_is_bounded() {
    const CLIENTS: usize = 500;
    alone!();
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut incoming = listener.incoming();
        assert!(poll_immediate(incoming.next()).await.is_none());
        settle().await;
        let before = descriptors();
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            clients.push(net::TcpStream::connect(address).unwrap());
            settle().await;
        }
        let accepted = descriptors() - before - CLIENTS;
        println!("{accepted} accepted, and not fetched");
        assert!(accepted < CLIENTS / 2, "it goes on accepting");
        for client in &clients {
            let stream = incoming.next().await.unwrap().unwrap();
            assert_eq!(stream.peer_addr().unwrap(), client.local_addr().unwrap());
        }
    });
}

/// While a stream is there a plain accept is refused, or takes its turn; when it has gone, accepts go on.
#[test]
fn a_stream_has_the_listener_for_itself() {
    alone!();
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut incoming = listener.incoming();
        assert!(poll_immediate(incoming.next()).await.is_none());
        match poll_immediate(pin!(listener.accept())).await {
            Some(refused) => assert_eq!(refused.unwrap_err().raw_os_error(), Some(libc::EBUSY)),
            None => println!("this kernel accepts one at a time: it waits"),
        }
        drop(incoming);
        let client = TcpStream::connect(address).await.unwrap();
        let (_, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
        listener.into_std().unwrap();
    });
}

/// All descriptors are taken when connections come: the stream says so, again and again, and serves them when some are free. In a child
/// process.
#[test]
fn without_descriptors_connections_wait() {
    alone!();
    for (mode, builder) in [
        ("multishot", Builder::new()),
        ("single", Builder::new().without(Feature::MultishotAccept)),
    ] {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let mut incoming = listener.incoming();
            assert!(poll_immediate(incoming.next()).await.is_none());
            let clients: Vec<_> = (0..5)
                .map(|_| net::TcpStream::connect(address).unwrap())
                .collect();
            let mut taken = exhaust();
            let mut streams = Vec::new();
            let mut refused = 0;
            while refused < 3 {
                match incoming.next().await.unwrap() {
                    Ok(stream) => streams.push(stream),
                    Err(error) => {
                        assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
                        refused += 1;
                    }
                }
            }
            taken.truncate(taken.len() - clients.len());
            while streams.len() < clients.len() {
                if let Ok(stream) = incoming.next().await.unwrap() {
                    streams.push(stream);
                }
            }
            for (client, stream) in clients.iter().zip(&streams) {
                assert_eq!(stream.peer_addr().unwrap(), client.local_addr().unwrap());
            }
        });
    }
}
