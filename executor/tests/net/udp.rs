//! UDP: what is sent arrives, whole, with its sender, whatever it is received by and whoever gives up meanwhile.

use crate::common;

use common::{modes, on_thread, run, settle, start, start_with};
use executor::buf::BufResult;
use executor::net::{
    BufPool, ControlMessages, Ecn, Filling, PacketInfo, PoolOptions, UdpSocket, UdpSocketBuilder,
};
use executor::time::{Duration, sleep};
use executor::{Builder, Feature, spawn, spawn_on, yield_now};
use futures::future::{Either, poll_immediate, select};
use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::net::{self, Ipv4Addr, Ipv6Addr};
use std::pin::pin;
use std::rc::Rc;

/// Sockets on both families, where there are both.
fn pairs() -> Vec<(UdpSocket, UdpSocket)> {
    let mut pairs = Vec::new();
    for address in ["127.0.0.1:0", "[::1]:0"] {
        match UdpSocket::bind(address) {
            Ok(one) => pairs.push((one, UdpSocket::bind(address).unwrap())),
            Err(error) => println!("skipped: no {address} here ({error})"),
        }
    }
    pairs
}

fn pool(count: usize) -> BufPool {
    let options = PoolOptions {
        count,
        buffer_bytes: 512,
        filling: Filling::Whole,
    };
    BufPool::new(options).unwrap()
}

/// In every mode, and by kernels that lack what receiving into pools is made of.
fn builders() -> Vec<(&'static str, Builder)> {
    let mut builders = modes();
    let without = |feature| Builder::new().without(feature);
    builders.push(("no multishot receive", without(Feature::MultishotReceive)));
    builders.push(("no buffer rings", without(Feature::BufferRings)));
    builders
}

/// A question and its answer, by each way of sending and receiving; peeks before; an empty one; one that is cut.
#[test]
fn datagrams_go_there_and_back() {
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            for (one, other) in pairs() {
                let (here, there) = (one.local_addr().unwrap(), other.local_addr().unwrap());
                assert_eq!(one.send_to("question", there).await.0.unwrap(), 8);
                let BufResult(peeked, buffer) = other.peek_from(vec![0; 3]).await;
                assert_eq!(peeked.unwrap(), (3, here));
                assert_eq!(buffer, b"que");
                let BufResult(received, buffer) = other.recv_from(Vec::with_capacity(99)).await;
                assert_eq!(received.unwrap(), (8, here));
                assert_eq!(buffer, b"question");

                let sent = other.send_to_vectored(["an", "", "swer"], here).await;
                assert_eq!(sent.0.unwrap(), 6);
                let room = [Vec::with_capacity(1), Vec::with_capacity(9)];
                let BufResult(received, buffers) = one.recv_from_vectored(room).await;
                assert_eq!(received.unwrap(), (6, there));
                assert_eq!(buffers, [&b"a"[..], b"nswer"]);

                one.send_to([0; 0], there).await.0.unwrap();
                assert_eq!(other.recv_from([0; 8]).await.0.unwrap(), (0, here));

                one.connect(there).await.unwrap();
                other.connect(here).await.unwrap();
                assert_eq!(one.peer_addr().unwrap(), there);
                one.send("longer than the room").await.0.unwrap();
                one.send_vectored(["two", " parts"]).await.0.unwrap();
                let BufResult(count, buffer) = other.recv([0; 6]).await;
                assert_eq!((count.unwrap(), &buffer), (6, b"longer"));
                let BufResult(count, buffers) = other.recv_vectored([[0; 8], [0; 8]]).await;
                assert_eq!(count.unwrap(), 9);
                assert_eq!(buffers, [*b"two part", *b"s\0\0\0\0\0\0\0"]);
            }
        });
    }
}

/// Too large for a datagram; nobody there; no one to send to: each says so, and gives its buffer back.
#[test]
fn what_cannot_be_sent() {
    run(1, async {
        for (one, other) in pairs() {
            let there = other.local_addr().unwrap();
            let BufResult(result, buffer) = one.send_to(vec![0; 70_000], there).await;
            assert_eq!(result.unwrap_err().raw_os_error(), Some(libc::EMSGSIZE));
            assert_eq!(buffer.len(), 70_000);
            let error = one.send("?").await.0.unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EDESTADDRREQ));
            assert_eq!(one.peer_addr().unwrap_err().kind(), ErrorKind::NotConnected);
            one.connect(there).await.unwrap();
            drop(other);
            one.send("anybody?").await.0.unwrap();
            let BufResult(result, buffer) = one.recv(vec![0; 8]).await;
            assert_eq!(result.unwrap_err().kind(), ErrorKind::ConnectionRefused);
            assert_eq!(buffer.len(), 8);
        }
    });
}

/// Datagrams of all lengths that fit into a pool's buffers, an empty one among them, by every kernel: in order, each with its sender.
#[test]
fn datagrams_come_in_buffers_of_a_pool() {
    for (mode, builder) in builders() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            for (one, other) in pairs() {
                let (here, there) = (one.local_addr().unwrap(), other.local_addr().unwrap());
                let pool = pool(16);
                let mut datagrams = other.receive(&pool).unwrap();
                for length in (0..300).step_by(7).chain([0, 0, 1]) {
                    let sent = vec![length as u8; length];
                    one.send_to(sent.clone(), there).await.0.unwrap();
                    let datagram = datagrams.next().await.unwrap().unwrap();
                    assert_eq!(*datagram.payload, sent);
                    assert_eq!(datagram.sender, here);
                    assert!(!datagram.is_truncated);
                }
                one.send_to([1; 1000], there).await.0.unwrap();
                let datagram = datagrams.next().await.unwrap().unwrap();
                assert!(datagram.is_truncated && datagram.payload.len() >= 300);
                drop(datagram);
                assert_eq!(pool.unheld(), 16);
            }
        });
    }
}

/// All buffers of a pool are held when more datagrams come: they wait in the socket, and come when buffers are given back, one by one or
/// all.
#[test]
fn a_pool_that_is_held_is_waited_for() {
    for (mode, builder) in builders() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let (one, other) = pairs().swap_remove(0);
            let there = other.local_addr().unwrap();
            let pool = pool(4);
            let mut datagrams = other.receive(&pool).unwrap();
            for number in 0..20u8 {
                one.send_to([number; 3], there).await.0.unwrap();
            }
            let mut held = Vec::new();
            for number in 0..4 {
                held.push(datagrams.next().await.unwrap().unwrap());
                assert_eq!(*held[usize::from(number)].payload, [number; 3]);
            }
            for _ in 0..3 {
                assert!(poll_immediate(datagrams.next()).await.is_none());
                settle().await;
            }
            for number in 4..20 {
                held.remove(0);
                let next = datagrams.next().await.unwrap().unwrap();
                assert_eq!(*next.payload, [number; 3]);
                held.push(next);
            }
        });
    }
}

/// Receives of every kind are given up again and again while numbered datagrams come, few enough at a time for the socket: each is received
/// once, and in order.
#[test]
fn select_of_receives_and_sleep_loses_nothing() {
    const COUNT: u32 = 2_000;
    for (mode, builder) in builders() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let (one, other) = pairs().swap_remove(0);
            let there = other.local_addr().unwrap();
            let pool = pool(8);
            let received = Rc::new(Cell::new(0));
            let sender = spawn({
                let received = Rc::clone(&received);
                async move {
                    for number in 0..COUNT {
                        while number > received.get() + 30 {
                            yield_now().await;
                        }
                        one.send_to(number.to_ne_bytes(), there).await.0.unwrap();
                    }
                    one
                }
            });
            let mut given_up = 0;
            for round in 0.. {
                let next = received.get();
                if next == COUNT {
                    break;
                }
                let patience = sleep(Duration::from_micros(round % 50));
                let number = match round % 3 {
                    0 => match select(other.recv_from([0; 4]), patience).await {
                        Either::Left((BufResult(count, buffer), _)) => {
                            assert_eq!(count.unwrap().0, 4);
                            Some(buffer)
                        }
                        Either::Right(_) => None,
                    },
                    1 => match select(other.recv_vectored([[0; 2], [0; 2]]), patience).await {
                        Either::Left((BufResult(count, [low, high]), _)) => {
                            assert_eq!(count.unwrap(), 4);
                            Some([low[0], low[1], high[0], high[1]])
                        }
                        Either::Right(_) => None,
                    },
                    _ => {
                        let mut datagrams = other.receive(&pool).unwrap();
                        match select(pin!(datagrams.next()), patience).await {
                            Either::Left((datagram, _)) => {
                                let datagram = datagram.unwrap().unwrap();
                                Some((*datagram.payload).try_into().unwrap())
                            }
                            Either::Right(_) => None,
                        }
                    }
                };
                match number {
                    Some(number) => {
                        assert_eq!(u32::from_ne_bytes(number), next);
                        received.set(next + 1);
                    }
                    None => given_up += 1,
                }
            }
            println!("{given_up} given up");
            sender.await.unwrap();
            assert_eq!(pool.unheld(), 8);
        });
    }
}

/// A receive gives its buffer back when it is cancelled, and the next has the datagram.
#[test]
fn a_cancelled_receive_gives_its_buffer_back() {
    run(1, async {
        let (one, other) = pairs().swap_remove(0);
        let mut receive = other.recv_from(Vec::with_capacity(100));
        assert!(poll_immediate(&mut receive).await.is_none());
        let BufResult(result, buffer) = receive.cancel().await;
        assert_eq!(result.unwrap_err().raw_os_error(), Some(libc::ECANCELED));
        assert_eq!(buffer.capacity(), 100);
        one.send_to("later", other.local_addr().unwrap())
            .await
            .0
            .unwrap();
        assert_eq!(other.recv(buffer).await.1, b"later");
    });
}

/// Pools that cannot hold datagrams say so.
#[test]
fn pools_that_cannot_hold_datagrams() {
    for builder in [Builder::new(), Builder::new().without(Feature::BufferRings)] {
        start_with(builder, 1).expect("one CPU").block_on(async {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            for (buffer_bytes, filling) in [(100, Filling::Whole), (1000, Filling::Incremental)] {
                let count = 4;
                let options = PoolOptions {
                    count,
                    buffer_bytes,
                    filling,
                };
                let error: io::Error = socket.receive(&BufPool::new(options).unwrap()).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidInput);
            }
        });
    }
}

/// Options are what they were set to; a group that was joined is received from, over IPv4 and IPv6, where there is an interface for it.
#[test]
fn options_and_groups() {
    run(1, async {
        for (one, other) in pairs() {
            one.set_broadcast(true).unwrap();
            assert!(one.broadcast().unwrap());
            one.set_ttl(9).unwrap();
            assert_eq!(one.ttl().unwrap(), 9);
            one.set_multicast_ttl(1).unwrap();
            one.set_multicast_loop(true).unwrap();
            one.set_recv_buffer_size(60_000).unwrap();
            assert_eq!(one.recv_buffer_size().unwrap(), 120_000);
            assert!(one.take_error().unwrap().is_none());
            drop(other);
        }
        let receiver = UdpSocket::bind("0.0.0.0:0").unwrap();
        let port = receiver.local_addr().unwrap().port();
        let group = Ipv4Addr::new(239, 255, 70, 77);
        if let Err(error) = receiver.join_multicast_v4(group, Ipv4Addr::LOCALHOST) {
            return println!("skipped: no group can be joined here ({error})");
        }
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket2::SockRef::from(&sender)
            .set_multicast_if_v4(&Ipv4Addr::LOCALHOST)
            .unwrap();
        sender.send_to("all", (group, port).into()).await.0.unwrap();
        assert_eq!(receiver.recv(Vec::with_capacity(8)).await.1, b"all");
        receiver
            .leave_multicast_v4(group, Ipv4Addr::LOCALHOST)
            .unwrap();
        if let Ok(receiver) = UdpSocket::bind("[::]:0") {
            let group = Ipv6Addr::new(0xff01, 0, 0, 0, 0, 0, 0, 0x7077);
            match receiver.join_multicast_v6(group, 1) {
                Ok(()) => receiver.leave_multicast_v6(group, 1).unwrap(),
                Err(error) => println!("skipped: no group can be joined here ({error})"),
            }
        }
    });
}

/// A non-blocking socket of the standard library is taken over, waits for what comes, and goes back; not while a datagram is to be received.
#[test]
fn sockets_come_and_go() {
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        let socket = net::UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let there = socket.local_addr().unwrap();
        let socket = UdpSocket::from(socket);
        assert!(!socket2::SockRef::from(&socket).nonblocking().unwrap());
        let mut receive = socket.recv([0; 8]);
        assert!(poll_immediate(&mut receive).await.is_none());
        settle().await;
        assert!(poll_immediate(&mut receive).await.is_none());
        on_thread(move || {
            let sender = net::UdpSocket::bind("127.0.0.1:0").unwrap();
            sender.send_to(b"elsewhere", there).unwrap();
        })
        .await;
        settle().await;
        drop(receive);
        let socket = socket.into_std().expect_err("something is to be received");
        assert_eq!(&socket.recv([0; 8]).await.1, b"elsewher");
        socket.into_std().unwrap();
    });
}

/// A socket for each core at one port: each datagram comes to one of them, those of one sender to the same. Others do not get the address.
#[test]
fn a_socket_on_each_core() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let sockets = UdpSocket::bind_all("127.0.0.1:0").unwrap();
        assert_eq!(sockets.len(), 2);
        let address = sockets[0].local_addr().unwrap();
        assert_eq!(sockets[1].local_addr().unwrap(), address);
        for refused in [
            UdpSocket::bind(address).map(drop),
            UdpSocket::bind_all(address).map(drop),
        ] {
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::AddrInUse);
        }
        for (core, socket) in sockets.into_iter().enumerate() {
            spawn_on(core, async move || {
                let socket = UdpSocket::from(socket);
                loop {
                    let BufResult(received, _) = socket.recv_from([0; 8]).await;
                    let (_, sender) = received.unwrap();
                    let core = executor::current_core() as u8;
                    socket.send_to([core], sender).await.0.unwrap();
                }
            })
            .detach();
        }
        let mut served = [0; 2];
        for _ in 0..64 {
            let client = UdpSocket::bind("127.0.0.1:0").unwrap();
            let mut cores = Vec::new();
            for _ in 0..2 {
                client.send_to("which?", address).await.0.unwrap();
                let BufResult(answered, [core]) = client.recv([9]).await;
                answered.unwrap();
                cores.push(core);
            }
            assert_eq!(cores[0], cores[1]);
            served[usize::from(cores[0])] += 1;
        }
        assert!(served[0] > 0 && served[1] > 0, "{served:?}");
    });
}

/// Marks and addresses come with datagrams, of IPv4, of IPv6, and of IPv4 to a socket for IPv6. One that a dropped receive has received
/// keeps its own.
#[test]
fn control_messages_come_with_datagrams() {
    run(1, async {
        let to_both = UdpSocketBuilder::new().only_v6(false).bind("[::]:0");
        let to_both = to_both.ok().map(|socket| {
            let client = UdpSocket::bind("127.0.0.1:0").unwrap();
            (socket, client)
        });
        for (server, client) in pairs().into_iter().chain(to_both) {
            server.set_recv_ecn(true).unwrap();
            server.set_recv_packet_info(true).unwrap();
            let mut target = server.local_addr().unwrap();
            target.set_ip(client.local_addr().unwrap().ip());
            for ecn in [Ecn::NotEct, Ecn::Ect0, Ecn::Ect1, Ecn::Ce] {
                let mut early = Box::pin(server.recv_msg(Vec::with_capacity(8)));
                assert!(poll_immediate(&mut early).await.is_none());
                settle().await;
                let control = ControlMessages::new().with_ecn(ecn);
                let sent = client.send_msg("hello", Some(target), control).await.0;
                assert_eq!(sent.unwrap(), 5);
                settle().await;
                if ecn == Ecn::Ect0 {
                    drop(early);
                    early = Box::pin(server.recv_msg(Vec::with_capacity(8)));
                }
                let BufResult(received, buffer) = early.await;
                let received = received.unwrap();
                assert_eq!((received.count, &buffer[..]), (5, &b"hello"[..]));
                assert!(!received.is_truncated && !received.is_control_truncated);
                assert_eq!(received.control.ecn(), Some(ecn), "{:?}", received.control);
                let info = received.control.packet_info().unwrap();
                assert_eq!(info.address.to_canonical(), target.ip());
                assert_ne!(info.interface, 0);
                assert_eq!(received.control.segment_size(), None);
                assert_eq!(received.control.iter().count(), 2);
            }
        }
    });
}

/// A socket that has many addresses sends from the one that is asked for; from one that the machine does not have, it does not.
#[test]
fn a_datagram_is_sent_from_the_address_that_was_asked_for() {
    run(1, async {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let client = UdpSocket::bind("0.0.0.0:0").unwrap();
        let send = |address: Ipv4Addr| {
            let (address, interface) = (address.into(), 0);
            let control =
                ControlMessages::new().with_packet_info(PacketInfo { address, interface });
            client.send_msg("hello", server.local_addr().ok(), control)
        };
        send(Ipv4Addr::new(127, 0, 0, 9)).await.0.unwrap();
        let (_, sender) = server.recv_from([0; 8]).await.0.unwrap();
        assert_eq!(sender.ip(), Ipv4Addr::new(127, 0, 0, 9));
        let refused = send(Ipv4Addr::new(192, 0, 2, 1)).await.0;
        assert!(refused.is_err(), "{refused:?}");
    });
}

/// One send is cut into datagrams of a size, the last shorter. A receiver that has them joined gets all in one receive, and the size.
#[test]
fn datagrams_are_cut_and_joined_by_the_kernel() {
    run(1, async {
        for (server, client) in pairs() {
            let target = server.local_addr().unwrap();
            let bytes: Vec<u8> = (0..2500).map(|byte| byte as u8).collect();
            let send = || {
                let control = ControlMessages::new().with_segment_size(1000);
                client.send_msg(bytes.clone(), Some(target), control)
            };
            assert_eq!(send().await.0.unwrap(), 2500);
            for part in bytes.chunks(1000) {
                let BufResult(received, buffer) = server.recv_msg(Vec::with_capacity(4096)).await;
                assert_eq!(received.unwrap().control.segment_size(), None);
                assert!(buffer == part);
            }
            server.set_gro(true).unwrap();
            assert!(server.gro().unwrap());
            assert_eq!(send().await.0.unwrap(), 2500);
            let BufResult(received, buffer) = server.recv_msg(Vec::with_capacity(4096)).await;
            assert_eq!(received.unwrap().control.segment_size(), Some(1000));
            assert!(buffer == bytes);

            let too_many = ControlMessages::new().with_segment_size(1);
            let refused = client.send_msg(bytes, Some(target), too_many).await.0;
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidInput);
        }
    });
}

/// Two sockets share an address if both say so, and not otherwise. A peeked datagram is received afterwards.
#[test]
fn an_address_is_shared_only_when_both_say_so() {
    run(1, async {
        let shared = UdpSocketBuilder::new().reuse_port(true);
        let first = shared
            .clone()
            .recv_buffer_size(1 << 16)
            .bind("127.0.0.1:0")
            .unwrap();
        assert_eq!(first.recv_buffer_size().unwrap(), 1 << 17);
        let address = first.local_addr().unwrap();
        let second = shared.bind(address).unwrap();
        let refused = UdpSocket::bind(address).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AddrInUse);
        drop(second);
        first.connect(address).await.unwrap();
        first.send("hello").await.0.unwrap();
        for _ in 0..2 {
            assert_eq!(&first.peek([0; 5]).await.1, b"hello");
        }
        assert_eq!(&first.recv([0; 5]).await.1, b"hello");
        assert_eq!(
            UdpSocketBuilder::new()
                .bind_many(address, 0)
                .unwrap_err()
                .kind(),
            ErrorKind::InvalidInput
        );
    });
}
