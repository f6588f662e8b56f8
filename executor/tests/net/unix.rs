//! Unix sockets: names, datagrams, credentials, and descriptors, of which none is lost and none leaks.

use crate::common;

use common::descriptors::{alone, descriptors};
use common::{modes, run, settle, start, start_with, unix_pair, until};
use executor::buf::BufResult;
use executor::net::{UnixDatagram, UnixListener, UnixStream};
use executor::spawn;
use executor::time::{Duration, sleep, timeout};
use futures::future::{Either, poll_immediate, select};
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, process};

/// A path that nothing is at; what has been bound there is removed in the end.
struct Path(PathBuf);

impl Path {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("executor-unix-{}-{number}", process::id());
        Self(env::temp_dir().join(name))
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// An open file that says which it is.
fn file(number: u32) -> OwnedFd {
    let path = Path::new();
    let mut file = File::create_new(&path.0).unwrap();
    file.write_all(&number.to_ne_bytes()).unwrap();
    file = File::open(&path.0).unwrap();
    file.into()
}

fn number(descriptor: OwnedFd) -> u32 {
    let mut file = File::from(descriptor);
    file.rewind().unwrap();
    let mut number = [0; 4];
    file.read_exact(&mut number).unwrap();
    u32::from_ne_bytes(number)
}

/// A listener at a path: found there, by a peer that is who it is; in use until it is unlinked, and then not found.
#[test]
fn listeners_at_paths() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let path = Path::new();
            let missing = UnixStream::connect(&path.0).await.unwrap_err();
            assert_eq!(missing.kind(), ErrorKind::NotFound);
            let listener = UnixListener::bind(&path.0).unwrap();
            let bound = listener.local_addr().unwrap();
            assert_eq!(bound.as_pathname(), Some(&*path.0));
            let client = UnixStream::connect(&path.0).await.unwrap();
            let (stream, peer) = listener.accept().await.unwrap();
            assert!(peer.is_unnamed());
            assert_eq!(client.peer_addr().unwrap().as_pathname(), Some(&*path.0));
            assert!(client.local_addr().unwrap().is_unnamed());
            let credentials = stream.peer_cred().unwrap();
            assert_eq!(credentials.process, process::id() as i32);
            assert_eq!(credentials.user, rustix::process::geteuid().as_raw());
            assert_eq!(credentials.group, rustix::process::getegid().as_raw());
            client.write_all("over a path").await.0.unwrap();
            client.shutdown(Shutdown::Write).await.unwrap();
            assert_eq!(&stream.read_exact([0; 11]).await.1, b"over a path");
            assert_eq!(stream.read([0; 1]).await.0.unwrap(), 0);

            let in_use = UnixListener::bind(&path.0).unwrap_err();
            assert_eq!(in_use.kind(), ErrorKind::AddrInUse);
            drop(listener);
            let refused = UnixStream::connect_addr(&bound).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
            let in_use = UnixListener::bind_addr(&bound).unwrap_err();
            assert_eq!(
                in_use.kind(),
                ErrorKind::AddrInUse,
                "the path is still there"
            );
            std::fs::remove_file(&path.0).unwrap();
            let listener = UnixListener::bind(&path.0).unwrap();
            listener.unlink().unwrap();
            assert!(!path.0.exists());
            listener.into_std().unwrap();
            let long = UnixStream::connect("x".repeat(200)).await.unwrap_err();
            assert_eq!(long.kind(), ErrorKind::InvalidInput);
        });
    }
}

/// Abstract names, of streams and of datagrams: found, in use, and free again when the socket has gone.
#[test]
fn abstract_names() {
    alone!();
    run(1, async {
        let address =
            SocketAddr::from_abstract_name(format!("executor-{}", process::id())).unwrap();
        let listener = UnixListener::bind_addr(&address).unwrap();
        let client = UnixStream::connect_addr(&address).await.unwrap();
        listener.accept().await.unwrap();
        let bound = listener.local_addr().unwrap();
        assert_eq!(bound.as_abstract_name(), address.as_abstract_name());
        assert!(UnixListener::bind_addr(&address).is_err());
        listener.unlink().expect("there is nothing to unlink");
        drop((client, listener));
        // The other kind of socket shares the names.
        let receiver = UnixDatagram::bind_addr(&address).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        sender.send_to_addr("to a name", &address).await.0.unwrap();
        let BufResult(received, buffer) = receiver.recv_from(vec![0; 64]).await;
        let (count, from) = received.unwrap();
        assert_eq!((count, &*buffer), (9, &b"to a name"[..]));
        assert!(from.is_unnamed());
        sender.connect_addr(&address).unwrap();
        sender.send("connected").await.0.unwrap();
        assert_eq!(receiver.recv(vec![0; 64]).await.1, b"connected");
    });
}

/// A listener and its duplicate on another core: whichever a connection comes to, all are served.
#[test]
fn a_listener_is_shared_by_two_cores() {
    alone!();
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let name = format!("executor-{}-shared", process::id());
        let address = SocketAddr::from_abstract_name(name).unwrap();
        let listener = UnixListener::bind_addr(&address).unwrap();
        let listener = listener.into_std().expect("nothing is in flight");
        let listeners = [listener.try_clone().unwrap(), listener];
        for (core, listener) in listeners.into_iter().enumerate() {
            executor::spawn_on(core, async move || {
                let listener = UnixListener::from(listener);
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    stream.write_all("served").await.0.unwrap();
                }
            })
            .detach();
        }
        for _ in 0..50 {
            let stream = UnixStream::connect_addr(&address).await.unwrap();
            assert_eq!(&stream.read_exact([0; 6]).await.1, b"served");
        }
    });
}

/// Datagrams by path, with the sender's; peeked at, in pieces, too long, to nobody. A full queue makes the sender wait, and nothing is lost.
#[test]
fn datagrams_arrive_in_order() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let (here, there) = (Path::new(), Path::new());
            let one = UnixDatagram::bind(&here.0).unwrap();
            let other = UnixDatagram::bind(&there.0).unwrap();
            one.send_to("by path", &there.0).await.0.unwrap();
            assert_eq!(other.peek([0; 2]).await.0.unwrap(), 2);
            let BufResult(received, buffer) = other.recv_from(vec![0; 64]).await;
            let (count, from) = received.unwrap();
            assert_eq!((count, &*buffer), (7, &b"by path"[..]));
            assert_eq!(from.as_pathname(), Some(&*here.0));
            other.connect(&here.0).unwrap();
            assert_eq!(other.peer_addr().unwrap().as_pathname(), Some(&*here.0));
            other.send_vectored(["in ", "pieces"]).await.0.unwrap();
            let BufResult(count, buffers) = one.recv_vectored([[0; 2], [0; 2]]).await;
            assert_eq!((count.unwrap(), buffers), (4, [*b"in", *b" p"]));
            drop(one);
            let error = other.send("?").await.0.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
            assert_eq!(other.local_addr().unwrap().as_pathname(), Some(&*there.0));
            let error = other.send_to("?", "/nowhere/at/all").await.0.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
            let error = other.send_to("?", "x".repeat(200)).await.0.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);

            let (one, other) = UnixDatagram::pair().unwrap();
            assert_eq!(one.peer_cred().unwrap().process, process::id() as i32);
            let sending = spawn(async move {
                for number in 0..2_000u32 {
                    one.send(number.to_ne_bytes()).await.0.unwrap();
                }
            });
            settle().await;
            assert!(!sending.is_finished(), "the queue is full");
            for number in 0..2_000u32 {
                assert_eq!(other.recv([0; 4]).await.1, number.to_ne_bytes());
            }
            sending.await.unwrap();
            other.into_std().unwrap();
        });
    }
}

/// Descriptors go with bytes and with datagrams; as many as are asked for arrive, and are the files that were sent. The rest is closed, and
/// what is sent as well.
#[test]
fn descriptors_are_passed() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let (one, other) = unix_pair();
            let (datagram, other_datagram) = UnixDatagram::pair().unwrap();
            let before = descriptors();
            for wanted in [0, 1, 3, 9] {
                let files = || vec![file(1), file(2), file(3)];
                one.write_with_descriptors("files", files())
                    .await
                    .0
                    .unwrap();
                let sent = datagram.send_with_descriptors("files", files()).await;
                assert_eq!(sent.0.unwrap(), 5);
                let BufResult(read, buffer) = other.read_with_descriptors([0; 9], wanted).await;
                let (count, came) = read.unwrap();
                assert_eq!(&buffer[..count], b"files");
                let numbers: Vec<_> = came.into_iter().map(number).collect();
                assert_eq!(numbers, [1, 2, 3][..wanted.min(3)]);
                let received = other_datagram.recv_with_descriptors([0; 9], wanted).await;
                let (count, came) = received.0.unwrap();
                assert_eq!((count, came.len()), (5, wanted.min(3)));
                drop(came);
                assert_eq!(descriptors(), before);
            }
            one.write_with_descriptors("x", vec![file(4)])
                .await
                .0
                .unwrap();
            assert_eq!(other.read([0; 9]).await.0.unwrap(), 1);
            assert_eq!(descriptors(), before, "a plain read closes them");
            let BufResult(result, _) = one.write_with_descriptors("", vec![file(5)]).await;
            assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidInput);
            let many = (0..254).map(file).collect();
            let BufResult(result, _) = one.write_with_descriptors("x", many).await;
            assert_eq!(result.unwrap_err().raw_os_error(), Some(libc::EINVAL));
            assert_eq!(descriptors(), before);
            drop(other);
            let BufResult(result, _) = one.write_with_descriptors("x", vec![file(5)]).await;
            assert_eq!(result.unwrap_err().kind(), ErrorKind::BrokenPipe);
            assert_eq!(descriptors(), before - 1);
        });
    }
}

/// Reads with descriptors are given up again and again while numbered files come: each arrives once, in order, with its byte.
#[test]
fn select_loses_no_descriptor() {
    const FILES: u32 = 300;
    alone!();
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        let (one, other) = unix_pair();
        let before = descriptors();
        let sending = spawn(async move {
            for number in 0..FILES {
                one.write_with_descriptors([number as u8], vec![file(number)])
                    .await
                    .0
                    .unwrap();
                if number % 3 == 0 {
                    one.write_all("plain").await.0.unwrap();
                }
            }
        });
        let (mut bytes, mut files, mut given_up) = (Vec::new(), Vec::new(), 0);
        for round in 0.. {
            let read = other.read_with_descriptors([0; 16], 4);
            match select(read, sleep(Duration::from_micros(round % 40))).await {
                Either::Left((BufResult(result, buffer), _)) => {
                    let (count, came) = result.unwrap();
                    if count == 0 {
                        break;
                    }
                    bytes.extend_from_slice(&buffer[..count]);
                    files.extend(came.into_iter().map(number));
                }
                Either::Right(_) => given_up += 1,
            }
        }
        println!("{given_up} given up");
        sending.await.unwrap();
        assert_eq!(files, (0..FILES).collect::<Vec<_>>());
        assert_eq!(
            bytes.len(),
            FILES as usize + 5 * (FILES as usize).div_ceil(3)
        );
        drop(other);
        until(|| descriptors() == before - 2).await;
    });
}

/// Receives of descriptors are dropped, in flight and when they are done, and so are their sockets, with what is kept: nothing stays open.
#[test]
fn dropped_receives_leak_no_descriptor() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let before = descriptors();
            for round in 0..40 {
                let (one, other) = unix_pair();
                let (datagram, other_datagram) = UnixDatagram::pair().unwrap();
                let mut read = other.read_with_descriptors([0; 8], 4);
                let mut recv = other_datagram.recv_with_descriptors([0; 8], 4);
                assert!(poll_immediate(&mut read).await.is_none());
                assert!(poll_immediate(&mut recv).await.is_none());
                if round % 2 == 0 {
                    settle().await;
                }
                let files = || vec![file(1), file(2)];
                one.write_with_descriptors("x", files()).await.0.unwrap();
                datagram
                    .send_with_descriptors("x", files())
                    .await
                    .0
                    .unwrap();
                if round % 3 == 0 {
                    settle().await;
                }
                drop((read, recv));
                if round % 5 == 0 {
                    settle().await;
                }
            }
            until(|| descriptors() == before).await;
        });
    }
}

/// The listener's queue is full: a connect waits, and is there when somebody accepts; one that is given up leaves nothing behind.
#[test]
fn a_connect_waits_for_a_full_queue() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let before = descriptors();
            let path = Path::new();
            let listener = UnixListener::bind(&path.0).unwrap();
            socket2::SockRef::from(&listener).listen(0).unwrap();
            let first = UnixStream::connect(&path.0).await.unwrap();
            let second = spawn({
                let path = path.0.clone();
                async move { UnixStream::connect(path).await }
            });
            settle().await;
            assert!(!second.is_finished());
            let given_up = timeout(Duration::from_millis(1), UnixStream::connect(&path.0)).await;
            assert!(given_up.is_err());
            listener.accept().await.unwrap();
            let (accepted, _) = listener.accept().await.unwrap();
            let second = second.await.unwrap().unwrap();
            second.write_all("!").await.0.unwrap();
            assert_eq!(accepted.read([0; 1]).await.0.unwrap(), 1);
            drop((first, second, accepted, listener));
            until(|| descriptors() == before).await;
        });
    }
}

/// The receiver's queue is full: a send waits until there is room, whether it has an address or is
/// connected. Then what was sent arrives whole, and of each socket in order. One that is cancelled
/// gives its buffer back.
#[test]
fn a_send_waits_for_room() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let path = Path::new();
            let receiver = UnixDatagram::bind(&path.0).unwrap();
            let sent = fill(&path.0);
            let unconnected = UnixDatagram::unbound().unwrap();
            let connected = UnixDatagram::unbound().unwrap();
            connected.connect(&path.0).unwrap();
            let (by_address, by_connection) = (
                async {
                    let first = unconnected.send_to("adr1", &path.0);
                    let second = unconnected.send_to("adr2", &path.0);
                    let both = futures::future::join(first, second).await;
                    assert_eq!((both.0.0.unwrap(), both.1.0.unwrap()), (4, 4));
                },
                async {
                    let (first, second) = (connected.send("con1"), connected.send("con2"));
                    let third = connected.send_vectored(["co", "n3"]);
                    let all = futures::future::join3(first, second, third).await;
                    let counts = (all.0.0.unwrap(), all.1.0.unwrap(), all.2.0.unwrap());
                    assert_eq!(counts, (4, 4, 4));
                },
            );
            let mut sends = pin!(futures::future::join(by_address, by_connection));
            let waiting = timeout(Duration::from_millis(3), &mut sends).await;
            assert!(waiting.is_err(), "the queue was not full");
            let mut third = UnixDatagram::unbound().unwrap().send_to("gone", &path.0);
            let waiting = timeout(Duration::from_millis(3), &mut third).await;
            assert!(waiting.is_err(), "the queue was not full");
            let BufResult(cancelled, buffer) = third.cancel().await;
            let code = cancelled.unwrap_err().raw_os_error();
            assert_eq!((code, buffer), (Some(libc::ECANCELED), "gone"));

            let receive = async {
                let mut came = Vec::new();
                for _ in 0..sent + 5 {
                    let BufResult(count, bytes) = receiver.recv([0; 5]).await;
                    came.push(bytes[..count.unwrap()].to_vec());
                }
                came
            };
            let (_, came) = futures::future::join(sends, receive).await;
            let (numbers, texts) = came.split_at(sent as usize);
            assert!(
                numbers
                    .iter()
                    .map(Vec::as_slice)
                    .eq((0..sent).map(u32::to_ne_bytes))
            );
            let of = |name: &[u8]| {
                let texts = texts.iter().filter(|text| text.starts_with(name));
                texts
                    .map(|text| text[name.len()..].to_vec())
                    .collect::<Vec<_>>()
            };
            assert_eq!(of(b"adr"), [b"1", b"2"]);
            assert_eq!(of(b"con"), [b"1", b"2", b"3"]);
        });
    }
}

/// The receiver goes away while sends wait for room: they are told.
#[test]
fn a_send_that_waits_for_room_is_told_that_its_receiver_has_gone() {
    alone!();
    run(1, async {
        let path = Path::new();
        let receiver = UnixDatagram::bind(&path.0).unwrap();
        fill(&path.0);
        let unconnected = UnixDatagram::unbound().unwrap();
        let connected = UnixDatagram::unbound().unwrap();
        connected.connect(&path.0).unwrap();
        let both = futures::future::join(unconnected.send_to("a", &path.0), connected.send("c"));
        let mut both = pin!(both);
        let waiting = timeout(Duration::from_millis(3), &mut both).await;
        assert!(waiting.is_err(), "the queue was not full");
        drop(receiver);
        let (by_address, by_connection) = both.await;
        for result in [by_address.0, by_connection.0] {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        }
    });
}

/// The receiver's queue is full, and a send by its path waits when it is given up, or cancelled: the next send is not told of that, and what was
/// sent arrives whole and in order. (One that is given up may still be sent: the others have no part in that.)
#[test]
fn a_send_that_is_given_up_is_forgotten() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let path = Path::new();
            let receiver = UnixDatagram::bind(&path.0).unwrap();
            let sent = fill(&path.0);
            let sender = UnixDatagram::unbound().unwrap();
            for _ in 0..3 {
                let send = sender.send_to("gone", &path.0);
                let sending = timeout(Duration::from_millis(3), send).await;
                assert!(sending.is_err(), "the queue was not full");
            }
            let next = spawn({
                let path = path.0.clone();
                async move { sender.send_to("next", &path).await.0 }
            });
            let expected = (0..sent).map(u32::to_ne_bytes).chain([*b"next"]);
            for bytes in expected {
                let came = loop {
                    let BufResult(count, came) = receiver.recv([0; 4]).await;
                    assert_eq!(count.unwrap(), 4);
                    if came != *b"gone" {
                        break came;
                    }
                };
                assert_eq!(came, bytes);
            }
            next.await.unwrap().unwrap();
        });
    }
}

/// Sends numbers to the socket at `path` until its queue is full; says how many.
fn fill(path: &PathBuf) -> u32 {
    let filler = std::os::unix::net::UnixDatagram::unbound().unwrap();
    filler.set_nonblocking(true).unwrap();
    let mut sent = 0u32;
    loop {
        match filler.send_to(&sent.to_ne_bytes(), path) {
            Ok(_) => sent += 1,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return sent,
            Err(error) => panic!("{error}"),
        }
    }
}
