//! Pools of receive buffers: what comes lies in the right place, goes back when it is dropped, in whatever order, and a pool that has run
//! dry loses nothing. In each completion mode and with both ways of filling, with an allocator that watches what was freed.

mod support;

use reactor::buffers::{BufPool, BufPoolError, Filling, PoolBuf, PoolOptions};
use reactor::operation::{
    DATAGRAM_OVERHEAD_BYTES, Datagram, OpStream, Recv, RecvMsgMulti, RecvMulti,
};
use reactor::{Capabilities, Descriptor, Feature};
use std::io::Write;
use std::net::UdpSocket;
use std::os::unix::net::UnixStream;
use std::pin::pin;
use support::quarantine::{self, Quarantine};
use support::{Core, all_features, in_each_mode, poll_next, poll_with, ready, socket_pair};

#[global_allocator]
static ALLOCATOR: Quarantine = Quarantine;

/// Plays `scenario` in each mode, with pools of each kind that the kernel has.
fn with_each_filling(scenario: impl Fn(Core, Filling) + Sync) {
    let has = |feature| all_features().has(feature);
    if !has(Feature::BufferRings) || !has(Feature::MultishotReceive) {
        eprintln!("skipped: this kernel has no multishot receive into buffer rings");
        return;
    }
    in_each_mode(|capabilities| {
        for filling in [Filling::Whole, Filling::Incremental] {
            scenario(Core::new(capabilities), filling);
        }
    });
    quarantine::check();
}

fn pool(core: &Core, count: usize, buffer_bytes: usize, filling: Filling) -> BufPool {
    let options = PoolOptions {
        count,
        buffer_bytes,
        filling,
    };
    BufPool::new(&core.reactor, options).expect("a pool")
}

/// A receiving socket, known to the kernel, and its peer.
fn receiving(core: &Core, pool: &BufPool) -> (OpStream<RecvMulti>, UnixStream) {
    let (socket, peer) = socket_pair();
    (resumed(core, &socket, pool), peer)
}

fn resumed(core: &Core, socket: &Descriptor, pool: &BufPool) -> OpStream<RecvMulti> {
    let mut stream = core.stream(RecvMulti::new(socket.clone(), pool.clone()));
    assert!(poll_next(&mut stream).is_pending());
    core.submit_all(1);
    stream
}

fn next(core: &Core, stream: &mut OpStream<RecvMulti>) -> PoolBuf {
    let item = core.next(stream).expect("it goes on");
    item.expect("no error").expect("no end")
}

/// In however many pieces.
fn receive_all(core: &Core, stream: &mut OpStream<RecvMulti>, sent: &[u8]) {
    let mut received = Vec::new();
    while received.len() < sent.len() {
        received.extend_from_slice(&next(core, stream));
    }
    assert_eq!(received, sent);
}

/// A peer writes again and again: each time its bytes come, from one submission, and when they are dropped the pool is whole.
#[test]
fn what_comes_is_received_and_given_back() {
    with_each_filling(|core, filling| {
        let pool = pool(&core, 32, 256, filling);
        let (mut stream, mut peer) = receiving(&core, &pool);
        for round in 0..100u8 {
            let sent = vec![round; 1 + usize::from(round)];
            peer.write_all(&sent).expect("it is open");
            receive_all(&core, &mut stream, &sent);
            assert_eq!(core.reactor.in_flight(), 1, "the same submission");
        }
        assert_eq!(pool.unheld(), 32);
        drop(peer);
        let end = core.next(&mut stream).expect("an item");
        assert!(end.expect("no error").is_none(), "the end of the stream");
        assert!(core.next(&mut stream).is_none());
    });
}

/// Two connections' bytes lie in one buffer, and are fetched in the other order than they came: each finds its own, and they stay what they are while
/// the pool goes on.
#[test]
fn pieces_are_told_apart_whoever_fetches_first() {
    with_each_filling(|core, filling| {
        let pool = pool(&core, 32, 64, filling);
        let (mut one, mut one_peer) = receiving(&core, &pool);
        let (mut other, mut other_peer) = receiving(&core, &pool);
        one_peer.write_all(b"first").expect("it is open");
        core.submit_all(1);
        other_peer.write_all(b"the second").expect("it is open");
        core.submit_all(1);
        let second = next(&core, &mut other);
        let first = next(&core, &mut one);
        assert_eq!((&*first, &*second), (&b"first"[..], &b"the second"[..]));
        for _ in 0..50 {
            one_peer.write_all(&[b'x'; 30]).expect("it is open");
            receive_all(&core, &mut one, &[b'x'; 30]);
        }
        assert_eq!((&*first, &*second), (&b"first"[..], &b"the second"[..]));
        drop((first, second));
        assert_eq!(pool.unheld(), 32);
    });
}

/// Everything that came is held until the pool is dry: the receive says so and ends; what came meanwhile waits in the socket, and comes when a buffer is
/// given back, in order.
#[test]
fn a_dry_pool_loses_nothing() {
    with_each_filling(|core, filling| {
        let pool = pool(&core, 4, 16, filling);
        let (socket, mut peer) = socket_pair();
        let mut stream = resumed(&core, &socket, &pool);
        let sent: Vec<u8> = (0..200).collect();
        peer.write_all(&sent).expect("it is open");
        drop(peer);
        let (mut held, mut received) = (Vec::new(), Vec::new());
        let mut was_dry = 0;
        loop {
            match core.next(&mut stream) {
                Some(Ok(Some(bytes))) => {
                    received.extend_from_slice(&bytes);
                    held.push(bytes);
                }
                Some(Ok(None)) => break,
                Some(Err(error)) => {
                    assert_eq!(error.raw_os_error(), Some(libc::ENOBUFS));
                    was_dry += usize::from(pool.unheld() == 0);
                    if pool.unheld() == 0 {
                        let mut waiting = pin!(pool.wait_for_free());
                        let (woken, waker) = support::counting_waker();
                        assert!(poll_with(&mut waiting.as_mut(), &waker).is_pending());
                        held.clear();
                        assert_eq!(woken.count(), 1, "it is told once");
                        ready(waiting.as_mut());
                    }
                }
                None => stream = resumed(&core, &socket, &pool),
            }
        }
        assert_eq!(received, sent);
        assert!(was_dry > 0, "the scenario is that it runs dry");
        drop(held);
        assert_eq!(pool.unheld(), 4);
    });
}

/// A peer floods a connection whose owner does not fetch, at once and bit by bit, in a pool that another needs as well: the flood is stopped with
/// most of the pool left, the other is served, and the flood's owner loses nothing.
#[test]
fn a_flood_that_nobody_fetches_leaves_room_for_others() {
    with_each_filling(|core, filling| {
        for writes in [1, 100] {
            let pool = pool(&core, 64, 32, filling);
            let (flooded, mut flood) = socket_pair();
            let mut stream = resumed(&core, &flooded, &pool);
            let (mut calm, mut calm_peer) = receiving(&core, &pool);
            let sent: Vec<u8> = (0..20_000u32).map(|index| (index % 251) as u8).collect();
            for part in sent.chunks(sent.len() / writes) {
                flood.write_all(part).expect("there is room");
                core.submit_all(3);
            }
            drop(flood);
            assert!(pool.unheld() >= 32, "{} are left", pool.unheld());
            calm_peer.write_all(b"calm").expect("it is open");
            receive_all(&core, &mut calm, b"calm");
            let mut received = Vec::new();
            loop {
                match core.next(&mut stream) {
                    Some(Ok(Some(bytes))) => received.extend_from_slice(&bytes),
                    Some(Ok(None)) => break,
                    Some(Err(error)) => assert_eq!(error.raw_os_error(), Some(libc::ENOBUFS)),
                    None => stream = resumed(&core, &flooded, &pool),
                }
            }
            assert_eq!(received, sent);
        }
    });
}

/// Streams are dropped with bytes that were not fetched, with bytes on the way, and with none: all buffers come back.
#[test]
fn dropped_streams_give_their_buffers_back() {
    with_each_filling(|core, filling| {
        let pool = pool(&core, 16, 64, filling);
        for (writes_before, writes_after, turns) in [(3, 0, 1), (3, 2, 0), (0, 3, 1), (0, 0, 1)] {
            let (stream, mut peer) = receiving(&core, &pool);
            for _ in 0..writes_before {
                peer.write_all(&[7; 40]).expect("it is open");
                core.submit_all(turns);
            }
            drop(stream);
            for _ in 0..writes_after {
                peer.write_all(&[7; 40]).expect("it is open");
            }
            core.turn_until_idle();
            assert_eq!(pool.unheld(), 16);
        }
    });
}

/// Handle, stream and buffers are dropped in every order, the core among them: the last one takes the pool with it, and what is read from a buffer
/// that outlived all the others is what came.
#[test]
fn a_pool_outlives_everything_but_its_buffers() {
    with_each_filling(|core, filling| {
        let pool = pool(&core, 2, 64, filling);
        let (mut stream, mut peer) = receiving(&core, &pool);
        peer.write_all(b"last").expect("it is open");
        let bytes = next(&core, &mut stream);
        drop(pool);
        drop(stream);
        drop(core);
        assert_eq!(&*bytes, b"last");
    });
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        for _ in 0..100 {
            let pools: Vec<_> = (0..5).map(|_| pool(&core, 8, 64, Filling::Whole)).collect();
            drop(pools);
        }
    });
}

/// The core goes away under receives and bytes in every state.
#[test]
fn a_core_goes_away_under_its_pools() {
    with_each_filling(|core, filling| {
        let pool = pool(&core, 8, 64, filling);
        let mut parts = Vec::new();
        for _ in 0..4 {
            let (stream, mut peer) = receiving(&core, &pool);
            peer.write_all(b"unfetched").expect("it is open");
            parts.push((stream, peer));
        }
        core.submit_all(2);
        parts.truncate(2);
        core.reactor
            .shutdown(support::PATIENCE)
            .expect("it answers");
        drop(core);
        drop(parts);
        assert_eq!(pool.unheld(), 8);
    });
}

/// Datagrams come from two senders, an empty and a truncated one among them: each with its own sender, cut where the buffer ends, and told so.
/// The empty one ends the submission (Linux 6.18), and no more.
#[test]
fn datagrams_come_with_their_senders() {
    if !all_features().has(Feature::MultishotReceive) {
        eprintln!("skipped: this kernel has no multishot receive");
        return;
    }
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(socket) = UdpSocket::bind(address) else {
                eprintln!("skipped: no {address} here");
                continue;
            };
            let pool = pool(&core, 8, DATAGRAM_OVERHEAD_BYTES + 10, Filling::Whole);
            let target = socket.local_addr().expect("it is bound");
            let socket = Descriptor::new(socket.into());
            let resumed = || {
                let receive = RecvMsgMulti::new(socket.clone(), pool.clone());
                core.stream(receive.expect("they fit"))
            };
            let mut stream = resumed();
            let mut next = || {
                core.next(&mut stream).unwrap_or_else(|| {
                    stream = resumed();
                    core.next(&mut stream).expect("it goes on")
                })
            };
            let senders = [(); 2].map(|()| UdpSocket::bind(address).expect("a port"));
            for (sender, sent) in [(0, &b"abc"[..]), (1, b""), (1, b"0123456789ab"), (0, b"d")] {
                let sender = &senders[sender];
                sender.send_to(sent, target).expect("it is sent");
                let Datagram {
                    payload,
                    sender: from,
                    is_truncated,
                } = next().expect("no error");
                assert_eq!(*payload, sent[..sent.len().min(10)]);
                assert_eq!(is_truncated, sent.len() > 10);
                assert_eq!(from.as_socket(), sender.local_addr().ok());
            }
            assert_eq!(pool.unheld(), 8);
        }
    });
    quarantine::check();
}

/// A kernel without buffer rings: buffers are taken by hand, given to a plain receive, and come back.
#[test]
fn without_rings_buffers_are_taken_by_hand() {
    in_each_mode(|capabilities: Capabilities| {
        let core = Core::new(capabilities.without(Feature::BufferRings));
        let pool = pool(&core, 1, 64, Filling::Incremental);
        assert!(!pool.is_registered());
        for _ in 0..3 {
            let (socket, mut peer) = socket_pair();
            let buffer = pool.try_take().expect("it is there");
            assert!(pool.try_take().is_none());
            peer.write_all(b"by hand").expect("it is open");
            let result = core.block_on(core.op(Recv::new(socket, buffer)));
            assert_eq!(&*result.1, b"by hand");
        }
        assert_eq!(pool.unheld(), 1);
    });
}

/// Pools that cannot be: each says what to do.
#[test]
fn impossible_pools_are_refused() {
    let core = Core::new(all_features());
    let refused = |count, buffer_bytes| {
        let options = PoolOptions {
            count,
            buffer_bytes,
            filling: Filling::Whole,
        };
        BufPool::new(&core.reactor, options).expect_err("it is refused")
    };
    assert!(matches!(refused(0, 1), BufPoolError::Count(0)));
    assert!(matches!(refused(48, 1), BufPoolError::Count(48)));
    assert!(matches!(refused(1 << 16, 1), BufPoolError::Count(65536)));
    assert!(matches!(refused(1, 0), BufPoolError::BufferBytes(0)));
    assert!(matches!(
        refused(1, usize::MAX),
        BufPoolError::BufferBytes(usize::MAX)
    ));
    // 65472 in all.
    let halves = (6..=15).map(|power| pool(&core, 1 << power, 1, Filling::Whole));
    let mut halves: Vec<_> = halves.collect();
    let error = refused(1, 1);
    assert!(matches!(error, BufPoolError::TooManyBuffers));
    assert!(error.to_string().contains("fewer, and larger"));
    halves.remove(3);
    drop(pool(&core, 1, 1, Filling::Whole));
}

/// Pools have every number but one, first the last of all and then one amid the others: one more
/// pool of one buffer gets it and receives, and there is none for another.
#[test]
fn the_last_free_number_can_be_had() {
    with_each_filling(|core, filling| {
        // The numbers begin at 64 and end at 65,535.
        let powers = (7..=15).chain(0..=5);
        let mut others: Vec<_> = powers
            .map(|power| pool(&core, 1 << power, 1, filling))
            .collect();
        for _ in 0..2 {
            let last = pool(&core, 1, 8, filling);
            let error = BufPool::new(&core.reactor, last.options()).expect_err("none is free");
            assert!(matches!(error, BufPoolError::TooManyBuffers));
            let (mut stream, mut peer) = receiving(&core, &last);
            peer.write_all(b"the last").expect("it is open");
            receive_all(&core, &mut stream, b"the last");
            others.push(last);
            let amid = others.iter().position(|pool| pool.options().count == 1);
            drop(others.remove(amid.expect("there is one")));
        }
    });
}
