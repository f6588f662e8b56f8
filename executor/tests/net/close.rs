//! Sockets, listeners and pipes that are closed or dropped while operations of them are in flight: when their descriptors and addresses are free.

use crate::common;

use common::descriptors::{alone, descriptors};
use common::{Watchdog, modes, on_thread, pair, run, settle, start_with, unix_pair};
use executor::buf::{BufResult, IoBuf, IoBufMut};
use executor::io::pipe;
use executor::net::{
    BufPool, Filling, Incoming, PoolOptions, TcpListener, TcpStream, UdpSocket, UnixDatagram,
    UnixListener,
};
use executor::spawn;
use executor::time::{Duration, timeout};
use futures::future::poll_immediate;
use std::io::{self, ErrorKind, Write};
use std::mem::MaybeUninit;
use std::net::{self, Shutdown};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;
use std::pin::pin;

fn name(what: &str) -> SocketAddr {
    SocketAddr::from_abstract_name(format!("executor-{}-{what}", std::process::id())).unwrap()
}

/// Accepts that were begun and dropped, in this turn or an earlier one, and streams of connections: when the listener has been dropped, its address is
/// free and nobody can connect to it any more, at once, in every mode.
#[test]
fn a_dropped_listener_has_let_go_of_its_address() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            for (case, has_settled) in [(0, false), (0, true), (1, false), (1, true), (2, true)] {
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let address = listener.local_addr().unwrap();
                let mut incoming = listener.incoming();
                if case == 0 {
                    let mut accept = pin!(listener.accept());
                    assert!(poll_immediate(&mut accept).await.is_none());
                    if has_settled {
                        settle().await;
                    }
                } else {
                    assert!(poll_immediate(incoming.next()).await.is_none());
                    if has_settled {
                        settle().await;
                    }
                }
                if case == 2 {
                    // The stream is the last that has it.
                    drop(listener);
                    let refused = TcpListener::bind(address).unwrap_err();
                    assert_eq!(refused.kind(), ErrorKind::AddrInUse);
                    drop(incoming);
                } else {
                    drop(incoming);
                    drop(listener);
                }
                let refused = net::TcpStream::connect(address).unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::ConnectionRefused, "{case}");
                TcpListener::bind(address).unwrap();
            }
        });
    }
}

/// The same of what else has an address: UDP sockets, Unix sockets with an abstract name.
#[test]
fn a_dropped_socket_has_let_go_of_its_address() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            let address = socket.local_addr().unwrap();
            assert!(poll_immediate(socket.recv_from([0; 9])).await.is_none());
            drop(socket);
            let socket = UdpSocket::bind(address).unwrap();
            assert!(poll_immediate(socket.send_to([1], address)).await.is_none());
            drop(socket);
            let socket = UdpSocket::bind(address).unwrap();

            let options = PoolOptions {
                count: 8,
                buffer_bytes: 2048,
                filling: Filling::Whole,
            };
            let pool = BufPool::new(options).unwrap();
            let mut datagrams = socket.receive(&pool).unwrap();
            assert!(poll_immediate(datagrams.next()).await.is_none());
            drop((datagrams, socket));
            UdpSocket::bind(address).unwrap();

            let listener = UnixListener::bind_addr(&name("listener")).unwrap();
            assert!(poll_immediate(pin!(listener.accept())).await.is_none());
            drop(listener);
            UnixListener::bind_addr(&name("listener")).unwrap();

            let socket = UnixDatagram::bind_addr(&name("datagram")).unwrap();
            assert!(poll_immediate(socket.recv([0; 9])).await.is_none());
            drop(socket);
            UnixDatagram::bind_addr(&name("datagram")).unwrap();
        });
    }
}

/// Somebody else has a duplicate of the listener, as after a fork: the drop of one leaves the other listening.
#[test]
fn a_duplicate_of_a_dropped_listener_goes_on() {
    alone!();
    run(1, async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let other = TcpListener::from(
            std::os::fd::AsFd::as_fd(&listener)
                .try_clone_to_owned()
                .unwrap(),
        );
        assert!(poll_immediate(pin!(listener.accept())).await.is_none());
        let accepting = spawn(async move { other.accept().await.map(drop) });
        settle().await;
        drop(listener);
        TcpStream::connect(address).await.unwrap();
        accepting.await.unwrap().unwrap();
    });
}

/// A buffer that, when it is dropped, sends a byte and drops what keeps a listener open.
struct Holding {
    bytes: Vec<u8>,
    sends: net::TcpStream,
    _incoming: Incoming<TcpStream>,
}

impl IoBuf for Holding {
    fn as_init(&self) -> &[u8] {
        &self.bytes
    }
}

// SAFETY: all is left to the vector.
unsafe impl IoBufMut for Holding {
    unsafe fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: passed on to the caller.
        unsafe { self.bytes.as_uninit() }
    }

    unsafe fn set_len(&mut self, length: usize) {
        // SAFETY: passed on to the caller.
        unsafe { IoBufMut::set_len(&mut self.bytes, length) }
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.sends.write_all(b"B").unwrap();
    }
}

/// One turn brings the bytes of a read that was dropped, and then a byte of another stream. The drop of the read's buffer sends that stream a second
/// byte, and drops a listener with an accept in flight: that does not reap the second byte before the first is delivered.
#[test]
fn a_listener_dropped_by_a_completion_changes_no_order() {
    alone!();
    run(1, async {
        let options = PoolOptions {
            count: 8,
            buffer_bytes: 64,
            filling: Filling::Whole,
        };
        let pool = BufPool::new(options).unwrap();
        let (stream, peer) = pair().await;
        let mut received = stream.receive(&pool);
        assert!(poll_immediate(received.next()).await.is_none());
        let peer = peer.into_std().expect("nothing is in flight");

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut incoming = listener.incoming();
        drop(listener);
        assert!(poll_immediate(incoming.next()).await.is_none());
        let (other, other_peer) = pair().await;
        let mut read = other.read(Holding {
            bytes: Vec::with_capacity(8),
            sends: peer.try_clone().unwrap(),
            _incoming: incoming,
        });
        assert!(poll_immediate(&mut read).await.is_none());
        let other_peer = other_peer.into_std().expect("nothing is in flight");
        settle().await;
        (&other_peer).write_all(b"dropped").unwrap();
        (&peer).write_all(b"A").unwrap();
        drop(read);

        let mut bytes = Vec::new();
        while bytes.len() < 2 {
            bytes.extend_from_slice(&received.next().await.unwrap().unwrap());
        }
        assert_eq!(bytes, b"AB");
        let BufResult(read, bytes) = other.read(Vec::with_capacity(8)).await;
        assert_eq!((read.unwrap(), &*bytes), (7, &b"dropped"[..]));
    });
}

/// Each kind is closed while an operation that was dropped is in flight: when close is over, the descriptor is gone, in every mode.
#[test]
fn close_returns_when_it_is_closed() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            // What is made with the first of each is not counted.
            for _ in 0..2 {
                let before = descriptors();
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let address = listener.local_addr().unwrap();
                assert!(poll_immediate(pin!(listener.accept())).await.is_none());
                listener.close().await.unwrap();
                assert_eq!(descriptors(), before);
                TcpListener::bind(address).unwrap().close().await.unwrap();

                let listener = UnixListener::bind_addr(&name("closed")).unwrap();
                let mut incoming = listener.incoming();
                assert!(poll_immediate(incoming.next()).await.is_none());
                drop(incoming);
                listener.close().await.unwrap();
                assert_eq!(descriptors(), before);

                let (stream, peer) = pair().await;
                assert!(poll_immediate(stream.read([0; 9])).await.is_none());
                let blocked = stream.write_all(vec![0; 32 << 20]);
                assert!(poll_immediate(pin!(blocked)).await.is_none());
                let shutting_down = stream.shutdown(Shutdown::Both);
                assert!(poll_immediate(pin!(shutting_down)).await.is_none());
                stream.close().await.unwrap();
                peer.close().await.unwrap();
                assert_eq!(descriptors(), before);

                let (stream, peer) = unix_pair();
                assert!(poll_immediate(stream.read([0; 9])).await.is_none());
                settle().await;
                stream.close().await.unwrap();
                assert_eq!(peer.read([0; 1]).await.0.unwrap(), 0);
                peer.close().await.unwrap();

                let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
                assert!(poll_immediate(socket.recv([0; 9])).await.is_none());
                socket.close().await.unwrap();

                let socket = UnixDatagram::bind_addr(&name("closed")).unwrap();
                assert!(poll_immediate(socket.recv([0; 9])).await.is_none());
                socket.close().await.unwrap();
                assert_eq!(descriptors(), before);

                let (reader, writer) = pipe().unwrap();
                assert!(poll_immediate(reader.read([0; 9])).await.is_none());
                reader.close().await.unwrap();
                let broken = writer.write("x").await.0.unwrap_err();
                assert_eq!(broken.kind(), ErrorKind::BrokenPipe);
                writer.close().await.unwrap();
                assert_eq!(descriptors(), before);
            }
        });
    }
}

/// Futures and streams of it that are alive, begun or not: close says so rather than wait for them for ever, and what is closed is closed when
/// they go.
#[test]
fn close_does_not_wait_for_what_is_alive() {
    alone!();
    run(1, async {
        let busy = |closed: io::Result<()>| closed.unwrap_err().kind() == ErrorKind::ResourceBusy;
        let before = descriptors();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut incoming = listener.incoming();
        assert!(poll_immediate(incoming.next()).await.is_none());
        assert!(busy(listener.close().await));
        let connected = TcpStream::connect(address).await.unwrap();
        drop(incoming.next().await.unwrap().unwrap());
        drop((connected, incoming));

        let (stream, peer) = pair().await;
        let mut read = stream.read([0; 9]);
        assert!(poll_immediate(&mut read).await.is_none());
        assert!(busy(stream.close().await));
        peer.write_all("abc").await.0.unwrap();
        assert_eq!(read.await.0.unwrap(), 3);
        assert_eq!(peer.read([0; 1]).await.0.unwrap(), 0);

        let write = peer.write("not begun");
        assert!(busy(peer.close().await));
        drop(write);

        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let receive = socket.recv([0; 1]);
        assert!(busy(socket.close().await));
        drop(receive);
        common::until(|| descriptors() == before).await;
    });
}

/// The close of a stream is dropped before it is ready: it is closed all the same.
#[test]
fn a_close_that_is_dropped_closes() {
    alone!();
    run(1, async {
        let (stream, peer) = pair().await;
        assert!(poll_immediate(stream.read([0; 9])).await.is_none());
        assert!(poll_immediate(pin!(stream.close())).await.is_none());
        assert_eq!(peer.read([0; 1]).await.0.unwrap(), 0);
    });
}

/// A listener outlives its runtime, with an accept that was dropped: it is closed when it is dropped.
#[test]
fn a_listener_is_dropped_outside_of_its_runtime() {
    alone!();
    let _watchdog = Watchdog::new(|| "a listener that nobody has still listens".to_owned());
    let runtime = common::start(1).expect("one CPU");
    let listener = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(poll_immediate(pin!(listener.accept())).await.is_none());
        listener
    });
    let address = listener.local_addr().unwrap();
    drop(listener);
    runtime.block_on(async {
        on_thread(move || while net::TcpStream::connect(address).is_ok() {}).await;
    });
}

/// Zero-copy writes to a peer that does not read are dropped, of which the kernel still has the memory: it has for as long as the peer likes. Closing
/// does not wait for that.
#[test]
fn close_does_not_wait_for_memory_of_a_dropped_write() {
    alone!();
    run(1, async {
        let before = descriptors();
        let (stream, peer) = pair().await;
        loop {
            let written = stream.write_zero_copy(vec![0; 1 << 20]);
            if timeout(Duration::from_millis(20), written).await.is_err() {
                break;
            }
        }
        stream.close().await.unwrap();
        assert_eq!(descriptors(), before + 1, "the peer's alone is left");
        drop(peer);
    });
}
