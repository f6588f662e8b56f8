//! Readiness of sockets, and the calls that return at once: in order with the operations that are in flight, or were dropped.

use crate::common;

use common::descriptors::alone;
use common::{modes, pair, run, settle, start_with, unix_pair};
use executor::buf::BufResult;
use executor::io::Interest;
use executor::net::{
    BufPool, Filling, PoolOptions, TcpStream, UdpSocket, UnixDatagram, UnixStream,
};
use executor::{spawn, yield_now};
use futures::future::poll_immediate;
use rustix::net::{RecvFlags, recv};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};

fn kind<T>(result: io::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

/// Reads as many bytes as there are in the buffer, by readiness.
async fn read_ready(stream: &TcpStream, mut buffer: &mut [u8]) {
    while !buffer.is_empty() {
        stream.readable().await.unwrap();
        match stream.try_read(buffer) {
            Ok(0) => panic!("the peer has not finished"),
            Ok(count) => buffer = &mut buffer[count..],
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }
}

/// Nothing has come; then five bytes, read in two calls; then the end. Of streams and of their halves.
#[test]
fn a_stream_is_readable_while_there_is_something() {
    run(1, async {
        let (stream, peer) = pair().await;
        let mut buffer = [0; 3];
        assert_eq!(
            kind(stream.try_read(&mut buffer)),
            Some(ErrorKind::WouldBlock)
        );
        let mut readable = Box::pin(stream.readable());
        assert!(poll_immediate(&mut readable).await.is_none());
        peer.write_all("hello").await.0.unwrap();
        readable.await.unwrap();
        assert_eq!(stream.try_read(&mut buffer).unwrap(), 3);
        let (reading, _writing) = stream.split();
        reading.readable().await.unwrap();
        let mut more = [0; 1];
        let mut buffers = [IoSliceMut::new(&mut more), IoSliceMut::new(&mut buffer)];
        assert_eq!(reading.try_read_vectored(&mut buffers).unwrap(), 2);
        assert_eq!((&more, &buffer[..1]), (b"l", &b"o"[..]));
        assert_eq!(
            kind(reading.try_read(&mut buffer)),
            Some(ErrorKind::WouldBlock)
        );
        drop(peer);
        let readiness = stream.ready(Interest::READABLE).await.unwrap();
        assert!(readiness.is_readable() && readiness.is_closed());
        assert_eq!(stream.try_read(&mut buffer).unwrap(), 0);
        assert_eq!(stream.try_read(&mut []).unwrap(), 0);
    });
}

/// A read in flight is dropped before, while or after bytes come: reading by readiness gets all of them, in order.
#[test]
fn what_a_dropped_read_received_comes_first() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let (stream, peer) = pair().await;
            for round in 0..100u8 {
                let mut read = Box::pin(stream.read(vec![0; 3]));
                assert!(poll_immediate(&mut read).await.is_none());
                if round % 2 == 0 {
                    yield_now().await;
                }
                if round % 5 < 2 {
                    peer.write_all([round, 1, 2, 3]).await.0.unwrap();
                    drop(read);
                } else {
                    drop(read);
                    if round % 5 == 2 {
                        settle().await;
                    }
                    peer.write_all([round, 1, 2, 3]).await.0.unwrap();
                }
                let mut buffer = [0; 4];
                read_ready(&stream, &mut buffer).await;
                assert_eq!(buffer, [round, 1, 2, 3]);
            }
        });
    }
}

/// Somebody waits for readiness. A read that began later takes the bytes, and is dropped: they are in the lane, where the kernel does not
/// see them, and the one that waits is told.
#[test]
fn who_waits_is_told_of_what_a_dropped_read_has_left() {
    run(1, async {
        let (stream, peer) = unix_pair();
        let mut readable = Box::pin(stream.readable());
        assert!(poll_immediate(&mut readable).await.is_none());
        settle().await;
        let mut read = Box::pin(stream.read([0; 8]));
        assert!(poll_immediate(&mut read).await.is_none());
        settle().await;
        peer.write_all("kept").await.0.unwrap();
        settle().await;
        drop(read);
        readable.await.unwrap();
        let mut buffer = [0; 8];
        assert_eq!(stream.try_read(&mut buffer).unwrap(), 4);
        assert_eq!(&buffer[..4], b"kept");
    });
}

/// A read is in flight and alive: what comes is its own, so nothing is read beside it, and readiness waits for its end. A wait for
/// readiness, on the other hand, holds up no read.
#[test]
fn a_read_in_flight_comes_first_and_a_wait_holds_nobody_up() {
    run(1, async {
        let (stream, peer) = unix_pair();
        let mut early = Box::pin(stream.readable());
        assert!(poll_immediate(&mut early).await.is_none());
        let mut read = Box::pin(stream.read([0; 2]));
        assert!(poll_immediate(&mut read).await.is_none());
        settle().await;
        peer.write_all("abcd").await.0.unwrap();
        settle().await;
        let mut buffer = [0; 8];
        assert_eq!(
            kind(stream.try_read(&mut buffer)),
            Some(ErrorKind::WouldBlock)
        );
        let mut late = Box::pin(stream.readable());
        assert!(poll_immediate(&mut late).await.is_none());
        assert_eq!(&read.await.1, b"ab");
        late.await.unwrap();
        early.await.unwrap();
        assert_eq!(stream.try_read(&mut buffer).unwrap(), 2);
        assert_eq!(&buffer[..2], b"cd");
    });
}

/// The peer resets the connection, and the read that is told of it has been dropped: the stream is readable, and `try_read` is told.
#[test]
fn a_reset_that_a_dropped_read_was_told_of_is_found_by_try_read() {
    run(1, async {
        let (stream, peer) = pair().await;
        let mut read = Box::pin(stream.read([0; 8]));
        assert!(poll_immediate(&mut read).await.is_none());
        settle().await;
        peer.set_linger(Some(std::time::Duration::ZERO)).unwrap();
        drop(peer);
        settle().await;
        drop(read);
        stream.readable().await.unwrap();
        assert_eq!(
            kind(stream.try_read(&mut [0; 8])),
            Some(ErrorKind::ConnectionReset)
        );
        assert_eq!(stream.try_read(&mut [0; 8]).unwrap(), 0);
    });
}

/// A socket is filled, until there is no room. It is writable when the peer has read, and the peer reads everything, in order.
#[test]
fn a_stream_is_writable_while_there_is_room() {
    run(1, async {
        let (stream, peer) = unix_pair();
        let (mut written, mut bytes) = (0, Vec::new());
        loop {
            let one = [u8::try_from(written % 251).unwrap(); 1000];
            let (start, end) = one.split_at(300);
            match stream.try_write_vectored(&[IoSlice::new(start), IoSlice::new(end)]) {
                Ok(count) => bytes.extend_from_slice(&one[..count]),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    break;
                }
            }
            written += 1;
        }
        let mut writable = Box::pin(stream.writable());
        assert!(poll_immediate(&mut writable).await.is_none());
        let reading = spawn(async move {
            let BufResult(read, buffer) = peer.read_exact(vec![0; bytes.len() + 4]).await;
            read.unwrap();
            bytes.extend_from_slice(b"last");
            assert!(buffer == bytes, "all bytes come, in order");
        });
        writable.await.unwrap();
        assert_eq!(stream.try_write(b"last").unwrap(), 4);
        reading.await.unwrap();
        assert_eq!(
            kind(stream.try_write(b"nobody")),
            Some(ErrorKind::BrokenPipe)
        );
    });
}

/// A write waits for room and has to go first: nothing is written beside it, also when it has been dropped and not yet cancelled.
#[test]
fn a_write_in_flight_comes_first() {
    run(1, async {
        let (stream, peer) = unix_pair();
        let mut write = Box::pin(stream.write_all(vec![7; 10 << 20]));
        assert!(poll_immediate(&mut write).await.is_none());
        settle().await;
        assert_eq!(kind(stream.try_write(b"x")), Some(ErrorKind::WouldBlock));
        drop(write);
        assert_eq!(kind(stream.try_write(b"x")), Some(ErrorKind::WouldBlock));
        peer.read(Vec::with_capacity(16 << 20)).await.0.unwrap();
        stream.writable().await.unwrap();
        assert_eq!(stream.try_write(b"x").unwrap(), 1);
    });
}

/// Readiness for either direction: a new stream can be written to, and nothing else; then it can be read from as well.
#[test]
fn any_of_several_interests_is_enough() {
    run(1, async {
        let (stream, peer) = unix_pair();
        let both = Interest::READABLE | Interest::WRITABLE;
        let readiness = stream.ready(both).await.unwrap();
        assert!(readiness.is_writable() && !readiness.is_readable());
        let mut read = Box::pin(stream.read([0; 8]));
        assert!(poll_immediate(&mut read).await.is_none());
        settle().await;
        peer.write_all("kept").await.0.unwrap();
        settle().await;
        drop(read);
        let readiness = stream.ready(Interest::READABLE).await.unwrap();
        assert!(readiness.is_readable() && !readiness.is_closed());
        assert!(stream.ready(both).await.unwrap().is_readable());
    });
}

/// A stream of pieces has the receiving side for itself: readiness and reading at once are refused as any read is.
#[test]
fn a_receive_has_the_side_for_itself() {
    run(1, async {
        let options = PoolOptions {
            count: 4,
            buffer_bytes: 64,
            filling: Filling::Whole,
        };
        let pool = BufPool::new(options).unwrap();
        let (stream, peer) = unix_pair();
        let mut receive = stream.receive(&pool);
        assert!(poll_immediate(receive.next()).await.is_none());
        let busy = |error: io::Error| assert_eq!(error.raw_os_error(), Some(libc::EBUSY));
        stream.readable().await.map_err(busy).unwrap_err();
        stream.try_read(&mut [0; 8]).map_err(busy).unwrap_err();
        peer.write_all("piece").await.0.unwrap();
        settle().await;
        drop(receive);
        stream.readable().await.unwrap();
        assert_eq!(stream.try_read(&mut [0; 8]).unwrap(), 5);
    });
}

/// A call of the user's is made if the socket is ready, and not beside an operation, or before what a dropped read has left.
#[test]
fn a_call_is_made_only_in_its_turn() {
    run(1, async {
        let (stream, peer) = unix_pair();
        let mut buffer = [0; 8];
        let mut call = || {
            stream.try_io(Interest::READABLE, || {
                Ok(recv(&stream, &mut buffer[..], RecvFlags::DONTWAIT)?.0)
            })
        };
        assert_eq!(kind(call()), Some(ErrorKind::WouldBlock));
        peer.write_all("hello").await.0.unwrap();
        stream.readable().await.unwrap();
        assert_eq!(call().unwrap(), 5);
        let mut read = Box::pin(stream.read([0; 8]));
        assert!(poll_immediate(&mut read).await.is_none());
        settle().await;
        peer.write_all("kept").await.0.unwrap();
        settle().await;
        assert_eq!(kind(call()), Some(ErrorKind::WouldBlock));
        drop(read);
        assert_eq!(kind(call()), Some(ErrorKind::ResourceBusy));
        assert_eq!(&stream.read_exact([0; 4]).await.1, b"kept");
        let write = || stream.try_io(Interest::READABLE | Interest::WRITABLE, || Ok(()));
        write().unwrap();
    });
}

/// Datagrams are sent and received at once, with their senders; one that a dropped receive has received comes first.
#[test]
fn datagrams_are_sent_and_received_at_once() {
    run(1, async {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let mut buffer = [0; 8];
        assert_eq!(
            kind(socket.try_recv(&mut buffer)),
            Some(ErrorKind::WouldBlock)
        );
        let mut receive = Box::pin(socket.recv(vec![0; 8]));
        assert!(poll_immediate(&mut receive).await.is_none());
        settle().await;
        client.writable().await.unwrap();
        for text in [b"first", b"other"] {
            assert_eq!(client.try_send_to(text, address).unwrap(), 5);
        }
        settle().await;
        drop(receive);
        for text in [b"first", b"other"] {
            socket.readable().await.unwrap();
            let (count, sender) = socket.try_recv_from(&mut buffer).unwrap();
            assert_eq!(
                (&buffer[..count], sender),
                (&text[..], client.local_addr().unwrap())
            );
        }
        client.connect(address).await.unwrap();
        assert_eq!(client.try_send(b"long enough").unwrap(), 11);
        socket.ready(Interest::READABLE).await.unwrap();
        assert_eq!(socket.try_recv(&mut buffer).unwrap(), 8);
        assert_eq!(
            kind(socket.try_recv(&mut buffer)),
            Some(ErrorKind::WouldBlock)
        );

        let (one, other) = UnixDatagram::pair().unwrap();
        assert_eq!(one.try_send(b"hello").unwrap(), 5);
        other.readable().await.unwrap();
        let (count, sender) = other.try_recv_from(&mut buffer).unwrap();
        assert!(count == 5 && sender.is_unnamed());
        while one.try_send(b"more").is_ok() {}
        assert!(poll_immediate(one.writable()).await.is_none());
    });
}

/// A wait for readiness is dropped in flight, and the socket a moment later: its address is free at once. A stream can be closed then, and
/// turned into one of the standard library.
#[test]
fn a_dropped_wait_keeps_no_socket() {
    run(1, async {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let mut readable = Box::pin(socket.readable());
        assert!(poll_immediate(&mut readable).await.is_none());
        settle().await;
        drop(readable);
        drop(socket);
        UdpSocket::bind(address).expect("the address is free");

        let (stream, peer) = unix_pair();
        for stream in [&stream, &peer] {
            let mut readable = Box::pin(stream.readable());
            assert!(poll_immediate(&mut readable).await.is_none());
            settle().await;
        }
        stream.close().await.unwrap();
        settle().await;
        let _: std::os::unix::net::UnixStream = UnixStream::into_std(peer).unwrap();
    });
}
