//! TCP: what is sent arrives, ends and errors are told, and sockets move between cores.

use crate::common;

use common::{Random, modes, on_thread, pair, run, start, start_with};
use executor::buf::{BufResult, IntoInner, IoBuf};
use executor::net::{TcpListener, TcpListenerBuilder, TcpStream};
use executor::time::timeout;
use executor::{spawn, spawn_on};
use futures::future::join_all;
use socket2::SockRef;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{self, Shutdown};
use std::rc::Rc;
use std::time::Duration;

/// Sends back what comes, in pieces of a random size, until the end; then ends its own side.
async fn echo(stream: TcpStream, seed: u64) {
    stream.set_nodelay(true).unwrap();
    let mut random = Random::new(seed);
    loop {
        let BufResult(read, buffer) = stream
            .read(Vec::with_capacity(1 + random.below(5000)))
            .await;
        if read.unwrap() == 0 {
            return stream.shutdown(Shutdown::Write).await.unwrap();
        }
        stream.write_all(buffer).await.0.unwrap();
    }
}

/// Messages of random sizes, from one byte to some hundred thousand, go there and back on both address families and in every mode.
#[test]
fn an_echo_returns_every_byte() {
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            for address in ["127.0.0.1:0", "[::1]:0"] {
                let listener = match TcpListener::bind(address) {
                    Err(error) if address.starts_with('[') => {
                        println!("skipped: no IPv6 here ({error})");
                        continue;
                    }
                    bound => bound.unwrap(),
                };
                let address = listener.local_addr().unwrap();
                let server =
                    spawn(async move { echo(listener.accept().await.unwrap().0, 1).await });
                let stream = Rc::new(TcpStream::connect(address).await.unwrap());
                stream.set_nodelay(true).unwrap();
                let mut random = Random::new(2);
                for round in 0..20 {
                    let size = 1 + random.below(1 << round.min(18));
                    let message = random.bytes(size);
                    let sent = spawn({
                        let (stream, message) = (Rc::clone(&stream), message.clone());
                        async move { stream.write_all(message).await.0 }
                    });
                    let BufResult(read, answer) = stream.read_exact(vec![0; message.len()]).await;
                    read.unwrap();
                    sent.await.unwrap().unwrap();
                    assert!(answer == message, "round {round}");
                }
                stream.shutdown(Shutdown::Write).await.unwrap();
                assert_eq!(stream.read(vec![0; 1]).await.0.unwrap(), 0);
                server.await.unwrap();
            }
        });
    }
}

/// Three bytes are there: a read into eight takes them, and sets the length to three; after the end each read yields zero.
#[test]
fn a_read_takes_what_is_there() {
    run(1, async {
        let (stream, peer) = pair().await;
        peer.write_all("abc").await.0.unwrap();
        let BufResult(read, buffer) = stream.read(vec![9; 8]).await;
        assert_eq!((read.unwrap(), buffer), (3, b"abc".to_vec()));
        peer.write_all("defg").await.0.unwrap();
        let BufResult(read, buffer) = stream.read(Vec::with_capacity(2)).await;
        assert_eq!((read.unwrap(), buffer), (2, b"de".to_vec()));
        drop(peer);
        let BufResult(read, buffer) = stream.read([0; 4]).await;
        assert_eq!((read.unwrap(), buffer), (2, *b"fg\0\0"));
        for _ in 0..3 {
            assert_eq!(stream.read(vec![9; 8]).await.0.unwrap(), 0);
        }
    });
}

/// Writing nothing, filling a buffer without room and reading into one do nothing, at once.
#[test]
fn buffers_of_no_length() {
    run(1, async {
        let (stream, peer) = pair().await;
        assert_eq!(stream.write(Vec::new()).await.0.unwrap(), 0);
        stream.write_all([0; 0]).await.0.unwrap();
        stream.read_exact(Vec::new()).await.0.unwrap();
        assert_eq!(stream.read(Vec::new()).await.0.unwrap(), 0);
        peer.write_all("x").await.0.unwrap();
        assert_eq!(
            stream.read(vec![0; 9]).await.1,
            b"x",
            "nothing was lost by it"
        );
    });
}

/// A slice of a buffer is filled, and no more; a peer that ends before it is full is an unexpected end, and what came is there.
#[test]
fn read_exact_fills_or_says_where_it_ended() {
    run(1, async {
        let (stream, peer) = pair().await;
        peer.write_all("hello world").await.0.unwrap();
        let BufResult(read, slice) = stream.read_exact(Vec::with_capacity(64).slice(..5)).await;
        read.unwrap();
        assert_eq!(&*slice, b"hello");
        let BufResult(read, slice) = stream.read_exact(slice.into_inner().slice(5..11)).await;
        read.unwrap();
        let buffer = slice.into_inner();
        assert_eq!(buffer, b"hello world");

        peer.write_all("more").await.0.unwrap();
        peer.shutdown(Shutdown::Write).await.unwrap();
        let BufResult(read, buffer) = stream.read_exact(buffer).await;
        assert_eq!(read.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert_eq!(buffer, b"more");
        let BufResult(read, buffer) = stream.read_exact(vec![1; 9]).await;
        assert_eq!(read.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert!(buffer.is_empty());
    });
}

/// Eight MiB go to a peer who reads slowly, and eight MiB come back from it meanwhile, by two tasks on one stream; also by slices.
#[test]
fn reading_and_writing_at_once() {
    const BYTES: usize = 8 << 20;
    run(1, async {
        let (stream, peer) = pair().await;
        let sent = Random::new(4).bytes(BYTES);
        let stream = Rc::new(stream);
        let server = spawn(echo(peer, 3));
        let writer = spawn({
            let (stream, sent) = (Rc::clone(&stream), sent.clone());
            async move {
                let BufResult(written, slice) = stream.write_all(sent.slice(..BYTES / 2)).await;
                written.unwrap();
                stream
                    .write_all(slice.into_inner().slice(BYTES / 2..))
                    .await
                    .0
                    .unwrap();
                stream.shutdown(Shutdown::Write).await.unwrap();
            }
        });
        let mut came = Vec::with_capacity(BYTES);
        loop {
            let BufResult(read, chunk) = stream.read(Vec::with_capacity(70_000)).await;
            if read.unwrap() == 0 {
                break;
            }
            came.extend(chunk);
        }
        assert!(came == sent);
        writer.await.unwrap();
        server.await.unwrap();
    });
}

/// One side ends its sending: the other reads to the end, and still answers; what is written after one's own end is refused.
#[test]
fn half_close() {
    run(1, async {
        let (stream, peer) = pair().await;
        stream.write_all("question").await.0.unwrap();
        stream.shutdown(Shutdown::Write).await.unwrap();
        assert_eq!(peer.read_exact([0; 8]).await.1, *b"question");
        assert_eq!(peer.read([0; 8]).await.0.unwrap(), 0);
        peer.write_all("answer").await.0.unwrap();
        assert_eq!(stream.read_exact([0; 6]).await.1, *b"answer");
        assert_eq!(
            stream.write("more").await.0.unwrap_err().kind(),
            ErrorKind::BrokenPipe
        );
        stream.shutdown(Shutdown::Read).await.unwrap();
        assert_eq!(stream.read([0; 8]).await.0.unwrap(), 0);
    });
}

/// The peer resets while more is being written than it will ever read: the write ends with an error, and no signal; so does a read.
#[test]
fn a_reset_ends_a_write() {
    run(1, async {
        let (stream, peer) = pair().await;
        let writer = spawn(async move {
            let written = stream.write_all(vec![1; 64 << 20]).await.0;
            (written, stream)
        });
        peer.read_exact([0; 1000]).await.0.unwrap();
        SockRef::from(&peer)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
        drop(peer);
        let (written, stream) = writer.await.unwrap();
        let kind = written.unwrap_err().kind();
        assert!(
            matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
            "{kind:?}"
        );
        assert_eq!(
            stream.write("x").await.0.unwrap_err().kind(),
            ErrorKind::BrokenPipe
        );

        let (stream, peer) = pair().await;
        SockRef::from(&peer)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
        drop(peer);
        assert_eq!(
            stream.read([0; 8]).await.0.unwrap_err().kind(),
            ErrorKind::ConnectionReset
        );
    });
}

/// Nobody listens: refused. A name is looked up, and of several addresses the first that answers is taken.
#[test]
fn connecting() {
    run(1, async {
        // Bound and not listening: nobody else gets the port meanwhile.
        let bound =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        bound
            .bind(&net::SocketAddr::from(([127, 0, 0, 1], 0)).into())
            .unwrap();
        let deaf = bound.local_addr().unwrap().as_socket().unwrap();
        let refused = TcpStream::connect(deaf).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        for _ in 0..2 {
            TcpStream::connect(&[deaf, address][..]).await.unwrap();
        }
        let stream = TcpStream::connect(("localhost", address.port()))
            .await
            .unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        let none: &[net::SocketAddr] = &[];
        assert_eq!(
            TcpStream::connect(none).await.unwrap_err().kind(),
            ErrorKind::InvalidInput
        );
        assert!(TcpStream::connect("no port").await.is_err());
    });
}

/// Both sides tell the same addresses; options are set and read back.
#[test]
fn addresses_and_options() {
    run(1, async {
        let (stream, peer) = pair().await;
        assert_eq!(stream.local_addr().unwrap(), peer.peer_addr().unwrap());
        assert_eq!(stream.peer_addr().unwrap(), peer.local_addr().unwrap());
        for nodelay in [true, false] {
            stream.set_nodelay(nodelay).unwrap();
            assert_eq!(stream.nodelay().unwrap(), nodelay);
        }
    });
}

fn in_use<T>(bound: io::Result<T>) -> bool {
    bound.is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
}

/// A listener has its address for itself: a second one is refused, also in the same process, alone or one for each core, and whatever it asks for.
/// Two that both ask to share it do.
#[test]
fn an_address_is_shared_only_by_those_that_all_ask_for_it() {
    run(1, async {
        let sharing = TcpListenerBuilder::new().reuse_port(true);
        let alone = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = alone.local_addr().unwrap();
        assert!(in_use(TcpListener::bind(address)));
        assert!(in_use(TcpListener::bind_all(address)));
        assert!(in_use(sharing.bind(address)));

        let shared = sharing.bind("127.0.0.1:0").unwrap();
        let address = shared.local_addr().unwrap();
        sharing.bind(address).unwrap();
        assert!(in_use(TcpListener::bind(address)));
        assert!(in_use(TcpListener::bind_all(address)));
    });
}

/// A group of listeners at one port that the system picks, made outside of a runtime, for both families: the kernel gives connections to each.
/// A second group is refused, as of another instance of the same program, and so is a single listener; one that asks to share the address joins.
#[test]
fn a_group_of_listeners_keeps_its_address() {
    for address in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0"] {
        let builder = TcpListenerBuilder::new();
        let group = match builder.bind_many(address, 4) {
            Err(error) if address.starts_with('[') => {
                println!("skipped: no IPv6 here ({error})");
                continue;
            }
            group => group.unwrap(),
        };
        let address = group[0].local_addr().unwrap();
        assert_ne!(address.port(), 0);
        for listener in &group {
            assert_eq!(listener.local_addr().unwrap(), address);
            listener.set_nonblocking(true).unwrap();
        }
        assert!(in_use(builder.bind_many(address, 4)));
        assert!(in_use(builder.bind(address)));
        assert!(in_use(net::TcpListener::bind(address)));

        let clients: Vec<_> = (0..200)
            .map(|_| net::TcpStream::connect(address).unwrap())
            .collect();
        let accepted = group.iter().map(|listener| {
            let mut accepted = 0;
            while listener.accept().is_ok() {
                accepted += 1;
            }
            accepted
        });
        let accepted: Vec<usize> = accepted.collect();
        assert_eq!(accepted.iter().sum::<usize>(), clients.len());
        assert!(accepted.iter().all(|count| *count > 0), "{accepted:?}");

        builder.reuse_port(true).bind_many(address, 2).unwrap();
    }
    let none = TcpListenerBuilder::new().bind_many("127.0.0.1:0", 0);
    assert_eq!(none.unwrap_err().kind(), ErrorKind::InvalidInput);
}

/// A stream and a listener go to another core by way of the standard library, with what was sent but not read, and work there.
#[test]
fn sockets_move_to_another_core() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let (stream, peer) = pair().await;
        peer.write_all("before").await.0.unwrap();
        let stream = stream.into_std().expect("nothing is in flight");
        let moved = spawn_on(1, async move || {
            let stream = TcpStream::from(stream);
            let read = stream.read_exact([0; 6]).await;
            read.0.unwrap();
            stream.write_all(read.1).await.0.unwrap();
            stream.into_std().expect("nothing is in flight")
        });
        let mut back = moved.await.unwrap();
        assert_eq!(peer.read_exact([0; 6]).await.1, *b"before");
        // It is an ordinary blocking socket, there and here.
        let answered = on_thread(move || {
            let mut buffer = [0; 3];
            back.read_exact(&mut buffer).map(|()| buffer)
        });
        let (answered, written) = futures::join!(answered, peer.write_all("std"));
        written.0.unwrap();
        assert_eq!(&answered.unwrap(), b"std");

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let listener = listener.into_std().expect("nothing is in flight");
        let served = spawn_on(1, async move || {
            let listener = TcpListener::from(listener);
            let (stream, _) = listener.accept().await.unwrap();
            stream.write_all("served").await.0.unwrap();
        });
        let stream = TcpStream::connect(address).await.unwrap();
        assert_eq!(stream.read_exact([0; 6]).await.1, *b"served");
        served.await.unwrap();
    });
}

/// A listener on each core shares one port: whichever the kernel gives a connection to, all of two hundred are served.
#[test]
fn a_listener_on_each_core() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let listeners = TcpListener::bind_all("127.0.0.1:0").unwrap();
        assert_eq!(listeners.len(), 2);
        let address = listeners[0].local_addr().unwrap();
        for (core, listener) in listeners.into_iter().enumerate() {
            spawn_on(core, async move || {
                let listener = TcpListener::from(listener);
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    spawn(
                        async move { stream.write_all([executor::current_core() as u8]).await.0 },
                    )
                    .detach();
                }
            })
            .detach();
        }
        let clients = (0..200).map(|_| {
            on_thread(move || {
                let mut stream = net::TcpStream::connect(address)?;
                stream.write_all(b"?")?;
                let mut core = [0];
                stream.read_exact(&mut core).map(|()| core[0])
            })
        });
        let mut served = [0; 2];
        for core in join_all(clients).await {
            served[usize::from(core.unwrap())] += 1;
        }
        assert!(served[0] > 0 && served[1] > 0, "{served:?}");
    });
}

/// A read into no room is over at once, as documented: "zero means ... that the buffer has no capacity".
#[test]
fn a_read_into_no_room_does_not_wait() {
    run(1, async {
        let (stream, _peer) = pair().await;
        let read = timeout(Duration::from_secs(2), stream.read(Vec::new())).await;
        assert_eq!(read.expect("it does not wait").0.unwrap(), 0);
        on_thread(|| {}).await;
    });
}

/// Documented: "The buffer's length tells how much came."
#[test]
fn read_exact_that_fails_at_once_says_that_nothing_came() {
    run(1, async {
        let (stream, peer) = pair().await;
        SockRef::from(&peer)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
        drop(peer);
        let BufResult(read, buffer) = stream.read_exact(vec![7; 10]).await;
        read.unwrap_err();
        assert_eq!(buffer.len(), 0);
    });
}
