//! TCP sockets before they are connected, the options of those that are, and names.

use crate::common;

use common::descriptors::{alone, descriptors};
use common::{modes, pair, run, settle, start_with, until};
use executor::buf::BufResult;
use executor::net::{Keepalive, TcpListener, TcpListenerBuilder, TcpSocket, TcpStream, UdpSocket};
use executor::spawn;
use executor::time::{Duration, Instant};
use futures::future::poll_immediate;
use socket2::SockRef;
use std::io::ErrorKind;
use std::net::{self, Ipv4Addr, SocketAddr};

/// An address that is bound, and where a connection is neither made nor refused: the queue of the listener is full.
fn full() -> (net::TcpListener, Vec<socket2::Socket>, SocketAddr) {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    SockRef::from(&listener).listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let clients = (0..8).map(|_| {
        let client =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        client.set_nonblocking(true).unwrap();
        // It is under way.
        let _ = client.connect(&address.into());
        client
    });
    let clients = clients.collect();
    (listener, clients, address)
}

/// An address is bound as text in each of its forms; a name is refused, and the error says what to do instead.
#[test]
fn what_binds_takes_addresses_and_refuses_names() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap();
    TcpListener::bind(("127.0.0.1", 0)).unwrap();
    TcpListener::bind(&[taken, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))][..]).unwrap();
    UdpSocket::bind(String::from("127.0.0.1:0")).unwrap();
    let refused = [
        TcpListener::bind("localhost:0").expect_err("a name"),
        TcpListener::bind(("localhost", 0)).expect_err("a name"),
        TcpListener::bind("127.0.0.1").expect_err("no port"),
        UdpSocket::bind("localhost:0").expect_err("a name"),
        TcpListenerBuilder::new()
            .bind_many("localhost:0", 2)
            .expect_err("a name"),
    ];
    for error in refused {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("lookup_host"), "{error}");
    }
}

/// The first of two addresses does not answer: after the time for it, the second is tried; of the first alone, the error says why.
#[test]
fn each_address_has_its_time() {
    alone!();
    run(1, async {
        let (_listener, _clients, silent) = full();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let limit = Duration::from_millis(100);
        let begin = Instant::now();
        let error = TcpStream::connect_timeout(silent, limit).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(begin.elapsed() >= limit);
        let stream = TcpStream::connect_timeout(&[silent, address][..], limit).await;
        assert_eq!(stream.unwrap().peer_addr().unwrap(), address);
        let closed = net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let error = TcpStream::connect_timeout(vec![closed], limit)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}

/// Everything that stands for an address can be connected to: what is one, in each form, and names, which are looked up elsewhere. What
/// stands for none says so.
#[test]
fn names_are_addresses() {
    alone!();
    run(1, async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let port = address.port();
        let served = spawn(async move {
            let mut incoming = listener.incoming();
            loop {
                incoming.next().await.unwrap().unwrap();
            }
        });
        let text = address.to_string();
        TcpStream::connect(address).await.unwrap();
        TcpStream::connect(&*text).await.unwrap();
        TcpStream::connect(text).await.unwrap();
        TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .unwrap();
        TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        TcpStream::connect([address]).await.unwrap();
        TcpStream::connect(format!("localhost:{port}"))
            .await
            .unwrap();
        TcpStream::connect(("localhost".to_owned(), port))
            .await
            .unwrap();
        // A lookup that nobody waits for any more.
        assert!(
            poll_immediate(TcpStream::connect(("localhost", port)))
                .await
                .is_none()
        );
        let none: [SocketAddr; 0] = [];
        let error = TcpStream::connect(none).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(TcpStream::connect("no port").await.is_err());
        served.abort();
    });
}

/// A socket is bound to an address of ours and given its options, over both families; then it connects, or listens: the options are there.
#[test]
fn options_before_connecting() {
    alone!();
    run(1, async {
        for family in [4, 6] {
            let new = || match family {
                4 => TcpSocket::new_v4(),
                _ => TcpSocket::new_v6(),
            };
            let loopback: SocketAddr = match family {
                4 => "127.0.0.1:0",
                _ => "[::1]:0",
            }
            .parse()
            .unwrap();
            let listening = match new() {
                Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => {
                    println!("skipped: no {loopback} here ({error})");
                    continue;
                }
                listening => listening.unwrap(),
            };
            listening.set_reuse_address(true).unwrap();
            listening.set_reuse_port(true).unwrap();
            if family == 6 {
                listening.set_only_v6(true).unwrap();
            }
            listening.set_recv_buffer_size(50_000).unwrap();
            if let Err(error) = listening.bind(loopback) {
                println!("skipped: no {loopback} here ({error})");
                continue;
            }
            let address = listening.local_addr().unwrap();
            let listener = listening.listen(16).unwrap();
            assert_eq!(listener.recv_buffer_size().unwrap(), 100_000);
            let socket = TcpSocket::new_for(address).unwrap();
            socket.set_nodelay(true).unwrap();
            socket.set_ttl(33).unwrap();
            socket.set_send_buffer_size(40_000).unwrap();
            socket.bind(loopback).unwrap();
            let local = socket.local_addr().unwrap();
            let stream = socket.connect(address).await.unwrap();
            assert_eq!(stream.local_addr().unwrap(), local);
            assert!(stream.nodelay().unwrap());
            assert_eq!(stream.ttl().unwrap(), 33);
            assert_eq!(stream.send_buffer_size().unwrap(), 80_000);
            let (accepted, peer) = listener.accept().await.unwrap();
            assert_eq!(peer, local);
            assert_eq!(accepted.recv_buffer_size().unwrap(), 100_000, "inherited");
        }
    });
}

/// The options of a connection are what they were set to, and back.
#[test]
fn options_of_a_connection() {
    alone!();
    run(1, async {
        let (stream, peer) = pair().await;
        assert_eq!(stream.keepalive().unwrap(), None);
        let keepalive = Keepalive {
            idle: Some(Duration::from_secs(30)),
            interval: Some(Duration::from_secs(5)),
            retries: Some(3),
        };
        stream.set_keepalive(Some(keepalive)).unwrap();
        assert_eq!(stream.keepalive().unwrap(), Some(keepalive));
        stream.set_keepalive(None).unwrap();
        assert_eq!(stream.keepalive().unwrap(), None);
        stream.set_keepalive(Some(Keepalive::default())).unwrap();
        assert_eq!(stream.keepalive().unwrap(), Some(keepalive), "as it was");
        assert_eq!(stream.linger().unwrap(), None);
        stream.set_linger(Some(Duration::ZERO)).unwrap();
        assert_eq!(stream.linger().unwrap(), Some(Duration::ZERO));
        stream.set_nodelay(true).unwrap();
        assert!(stream.nodelay().unwrap());
        stream.set_ttl(7).unwrap();
        assert_eq!(stream.ttl().unwrap(), 7);
        assert!(stream.take_error().unwrap().is_none());
        // With that linger, closing resets.
        drop(stream);
        let BufResult(result, _) = peer.read([0; 1]).await;
        assert_eq!(result.unwrap_err().kind(), ErrorKind::ConnectionReset);
    });
}

/// A reset that nobody was told of is what the socket says when asked, once.
#[test]
fn an_error_can_be_taken() {
    alone!();
    run(1, async {
        let (stream, peer) = pair().await;
        peer.set_linger(Some(Duration::ZERO)).unwrap();
        drop(peer);
        let error = loop {
            if let Some(error) = stream.take_error().unwrap() {
                break error;
            }
            executor::yield_now().await;
        };
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        assert!(stream.take_error().unwrap().is_none());
        assert_eq!(stream.read([0; 1]).await.0.unwrap(), 0);
    });
}

/// An address on which somebody listens cannot be bound, nor listened on.
#[test]
fn an_address_in_use() {
    alone!();
    run(1, async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let error = TcpListenerBuilder::new().bind(address).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        let socket = TcpSocket::new_v4().unwrap();
        assert_eq!(
            socket.bind(address).unwrap_err().kind(),
            ErrorKind::AddrInUse
        );
    });
}

/// Connects that are not answered are given up, at each moment: no socket stays behind.
#[test]
fn a_connect_that_is_given_up_closes_its_socket() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let (_listener, _clients, silent) = full();
            let before = descriptors();
            for round in 0..20 {
                let mut connect = Box::pin(TcpStream::connect(silent));
                assert!(poll_immediate(&mut connect).await.is_none());
                if round % 2 == 0 {
                    settle().await;
                }
            }
            until(|| descriptors() == before).await;
        });
    }
}
