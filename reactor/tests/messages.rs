//! Messages: several buffers, addresses, descriptors. What is received for a future that has gone is kept, to the last descriptor. In each
//! completion mode, with an allocator that watches what was freed.

mod support;

use reactor::buf::{BufResult, IoVectoredBuf};
use reactor::operation::{KeptBytes, KeptDatagram, Message, Recv, RecvDatagram, RecvMsg, SendMsg};
use reactor::{Capabilities, Descriptor, Lane};
use std::io::{Read, Write};
use std::net::UdpSocket;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::rc::Rc;
use support::quarantine::{self, Quarantine};
use support::{Core, in_each_mode, poll, socket_pair};

#[global_allocator]
static ALLOCATOR: Quarantine = Quarantine;

/// Plays `scenario` in each mode; afterwards nothing that was freed has been written to.
fn nothing_freed_is_written_to(scenario: impl Fn(Core) + Sync) {
    in_each_mode(|capabilities: Capabilities| scenario(Core::new(capabilities)));
    quarantine::check();
}

/// What is sent is one end of a pair; the other tells when the last copy of that is closed.
fn watched() -> (OwnedFd, UnixStream) {
    let (sent, watcher) = UnixStream::pair().expect("two sockets");
    watcher.set_nonblocking(true).expect("a socket");
    (sent.into(), watcher)
}

/// Whether every copy of a pair's other end is closed.
fn is_closed(watcher: &mut UnixStream) -> bool {
    matches!(watcher.read(&mut [0]), Ok(0))
}

fn bytes_of(buffers: &impl IoVectoredBuf, count: usize) -> Vec<u8> {
    let all: Vec<u8> = buffers.iter_slice().flatten().copied().collect();
    all[..count].to_vec()
}

/// A message goes from three buffers into two of other sizes, one on the heap and one inside the operation, and the rest into a third.
#[test]
fn several_buffers_are_one_stream_of_bytes() {
    nothing_freed_is_written_to(|core| {
        let (ours, mut peer) = socket_pair();
        let sent = [b"one, ".to_vec(), Vec::new(), b"two, three".to_vec()];
        let BufResult(result, _) = core.block_on(core.op(SendMsg::new(ours.clone(), sent)));
        assert_eq!(result.expect("it is open"), 15);
        let mut text = [0; 15];
        peer.read_exact(&mut text).expect("it was sent");
        assert_eq!(&text, b"one, two, three");

        peer.write_all(b"one, two, three").expect("it is open");
        let buffers = (Vec::with_capacity(7), ([0; 4],));
        let BufResult(result, buffers) =
            core.block_on(core.op(RecvMsg::new(ours.clone(), buffers)));
        let message = result.expect("it came");
        assert_eq!((message.count, message.descriptors.len()), (11, 0));
        assert_eq!((&*buffers.0, &buffers.1.0), (&b"one, tw"[..], b"o, t"));
        let buffers = [Vec::with_capacity(2), Vec::with_capacity(8)];
        let BufResult(result, buffers) = core.block_on(core.op(RecvMsg::new(ours, buffers)));
        assert_eq!(result.expect("the rest came").count, 4);
        assert_eq!(buffers, [b"hr", b"ee"]);
    });
}

/// Datagrams with an address, over IPv4 and IPv6: each has its sender, and one that is too long says that it was cut.
#[test]
fn datagrams_have_senders_and_lengths() {
    nothing_freed_is_written_to(|core| {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(ours) = UdpSocket::bind(address) else {
                eprintln!("skipped: no {address} here");
                continue;
            };
            let peer = UdpSocket::bind(address).expect("a port");
            let target = peer.local_addr().expect("it is bound").into();
            let here = ours.local_addr();
            let (ours, peer) = (Descriptor::new(ours.into()), Descriptor::new(peer.into()));
            let send = SendMsg::datagram(ours.clone(), ["ab", "cdef"], Some(target));
            assert_eq!(core.block_on(core.op(send)).0.expect("it fits"), 6);
            for peeks in [true, false] {
                let buffers = ([0; 3], ([0; 1],));
                let receive = if peeks {
                    RecvDatagram::peeking(peer.clone(), buffers)
                } else {
                    RecvDatagram::new(peer.clone(), buffers)
                };
                let BufResult(result, buffers) = core.block_on(core.op(receive));
                let message = result.expect("it came");
                assert_eq!((message.count, message.is_truncated), (4, true));
                assert_eq!(message.sender.as_socket(), here.as_ref().ok().copied());
                assert_eq!(bytes_of(&buffers, 4), b"abcd");
            }
        }
    });
}

/// Descriptors go along with bytes, both ways of receiving: those that were asked for arrive, the rest is closed; so is what was sent.
#[test]
fn descriptors_arrive_or_are_closed() {
    nothing_freed_is_written_to(|core| {
        let (stream, stream_peer) = socket_pair();
        let (datagram, datagram_peer) = UnixDatagram::pair().expect("two sockets");
        let datagram = Descriptor::new(datagram.into());
        let (stream_peer, datagram_peer) = (
            Descriptor::new(stream_peer.into()),
            Descriptor::new(datagram_peer.into()),
        );
        for wanted in 0..4 {
            for is_stream in [true, false] {
                let (writes, mut reads): (Vec<_>, Vec<_>) = (0..3).map(|_| watched()).unzip();
                let message: Message = if is_stream {
                    let send = SendMsg::new(stream.clone(), ("x",)).with_descriptors(writes);
                    core.block_on(core.op(send)).0.expect("it is open");
                    let receive = RecvMsg::new(stream_peer.clone(), ([0; 8],));
                    core.block_on(core.op(receive.with_descriptors(wanted)))
                        .0
                        .expect("it came")
                } else {
                    let send = SendMsg::datagram(datagram.clone(), ("x",), None);
                    core.block_on(core.op(send.with_descriptors(writes)))
                        .0
                        .expect("it is open");
                    let receive = RecvDatagram::new(datagram_peer.clone(), ([0; 8],));
                    core.block_on(core.op(receive.with_descriptors(wanted)))
                        .0
                        .expect("it came")
                };
                assert_eq!(message.count, 1);
                assert_eq!(message.descriptors.len(), wanted);
                let open = |read: &mut UnixStream| !is_closed(read);
                assert_eq!(
                    reads
                        .iter_mut()
                        .filter_map(|read| open(read).then_some(()))
                        .count(),
                    wanted
                );
                for (number, descriptor) in message.descriptors.iter().enumerate() {
                    let flags = rustix::io::fcntl_getfd(descriptor).expect("it is open");
                    assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
                    rustix::io::write(descriptor, b"!").expect("it is a socket");
                    let mut byte = [0];
                    reads[number]
                        .read_exact(&mut byte)
                        .expect("in the same order");
                }
                drop(message);
                assert!(reads.iter_mut().all(is_closed));
            }
        }
    });
}

/// A message of bytes and descriptors comes for a receive that is dropped, at each moment. The next receive has both; a plain one has the
/// bytes, and then the descriptors are closed.
#[test]
fn what_came_for_a_dropped_receive_is_kept_with_its_descriptors() {
    nothing_freed_is_written_to(|core| {
        for plain in [false, true] {
            for moment in 0..4 {
                let (socket, peer) = socket_pair();
                let peer = Descriptor::new(peer.into());
                let lane = Lane::<KeptBytes>::new();
                let receive = || {
                    let buffers = [Vec::with_capacity(2), Vec::with_capacity(30)];
                    RecvMsg::new(socket.clone(), buffers).with_descriptors(2)
                };
                let mut dropped = core.in_turn(&lane, receive());
                assert!(poll(&mut dropped).is_pending());
                if moment > 0 {
                    core.submit_all(1);
                }
                let (write, mut read) = watched();
                let send = SendMsg::new(peer, ("kept",)).with_descriptors(vec![write]);
                core.block_on(core.op(send)).0.expect("it is open");
                if moment == 2 {
                    core.submit_all(2);
                }
                drop(dropped);
                if moment == 3 {
                    core.turn_until_idle();
                }
                if plain {
                    let BufResult(count, buffer) =
                        core.block_on(core.in_turn(&lane, Recv::new(socket.clone(), [0; 8])));
                    assert_eq!(count.expect("it was kept"), 4);
                    assert_eq!(&buffer[..4], b"kept");
                } else {
                    let BufResult(message, buffers) = core.block_on(core.in_turn(&lane, receive()));
                    let message = message.expect("it was kept");
                    assert_eq!(bytes_of(&buffers, message.count), b"kept");
                    assert_eq!(message.descriptors.len(), 1);
                    assert!(!is_closed(&mut read));
                }
                assert!(is_closed(&mut read));
                assert!(lane.is_idle());
            }
        }
    });
}

/// What was kept is given out by rooms of different sizes, by peeks and vectored reads; a lane that goes away closes what it has.
#[test]
fn what_is_kept_is_read_in_order() {
    nothing_freed_is_written_to(|core| {
        let (socket, mut peer) = socket_pair();
        let lane = Lane::<KeptBytes>::new();
        let mut dropped = core.in_turn(&lane, RecvMsg::new(socket.clone(), (vec![0; 100], ())));
        assert!(poll(&mut dropped).is_pending());
        peer.write_all(b"0123456789").expect("it is open");
        core.submit_all(2);
        drop(dropped);
        core.turn_until_idle();
        let peek = core.block_on(core.in_turn(&lane, Recv::peeking(socket.clone(), [0; 3])));
        assert_eq!(&peek.1, b"012");
        let read = core.block_on(core.in_turn(&lane, Recv::new(socket.clone(), [0; 2])));
        assert_eq!(&read.1, b"01");
        let buffers = [Vec::with_capacity(3), Vec::new(), Vec::with_capacity(1)];
        let read = core.block_on(core.in_turn(&lane, RecvMsg::new(socket.clone(), buffers)));
        assert_eq!(read.0.expect("it was kept").count, 4);
        assert_eq!(read.1, [&b"234"[..], b"", b"5"]);
        let read = core.block_on(core.in_turn(&lane, Recv::new(socket.clone(), vec![0; 9])));
        assert_eq!(read.1, b"6789");
        // Nothing is kept any more: from the socket.
        peer.write_all(b"new").expect("it is open");
        let read = core.block_on(core.in_turn(&lane, Recv::new(socket.clone(), vec![0; 9])));
        assert_eq!(read.1, b"new");

        let (write, mut read) = watched();
        let peer = Descriptor::new(peer.into());
        let send = SendMsg::new(peer, ("x",)).with_descriptors(vec![write]);
        core.block_on(core.op(send)).0.expect("it is open");
        let receive = RecvMsg::new(socket, ([0; 8],)).with_descriptors(1);
        let mut dropped = core.in_turn(&lane, receive);
        assert!(poll(&mut dropped).is_pending());
        core.submit_all(2);
        drop(dropped);
        core.turn_until_idle();
        assert!(!is_closed(&mut read));
        drop(lane);
        assert!(is_closed(&mut read));
    });
}

/// Datagrams come for receives that are dropped: the next ones have them, one each, with sender and descriptors, also by a peek before.
#[test]
fn datagrams_for_dropped_receives_are_kept() {
    nothing_freed_is_written_to(|core| {
        let (socket, peer) = UnixDatagram::pair().expect("two sockets");
        let (socket, peer) = (Descriptor::new(socket.into()), Descriptor::new(peer.into()));
        let lane = Lane::<KeptDatagram>::new();
        let receive = |room| {
            RecvDatagram::new(socket.clone(), (Vec::with_capacity(room),)).with_descriptors(1)
        };
        for submissions in 0..3 {
            let mut dropped = core.in_turn(&lane, receive(8));
            assert!(poll(&mut dropped).is_pending());
            core.submit_all(submissions);
            let (write, mut read) = watched();
            let send = SendMsg::datagram(peer.clone(), ("first",), None);
            core.block_on(core.op(send.with_descriptors(vec![write])))
                .0
                .expect("it is open");
            let send = SendMsg::datagram(peer.clone(), ("second",), None);
            core.block_on(core.op(send)).0.expect("it is open");
            drop(dropped);
            let peek = RecvDatagram::peeking(socket.clone(), ([0; 2],));
            let peeked = core.block_on(core.in_turn(&lane, peek));
            assert_eq!(&peeked.1.0, b"fi");
            assert!(peeked.0.expect("it is there").is_truncated);
            let first = core.block_on(core.in_turn(&lane, receive(8)));
            assert_eq!(first.1.0, b"first");
            let first = first.0.expect("it is there");
            assert_eq!((first.count, first.descriptors.len()), (5, 1));
            assert!(!is_closed(&mut read));
            drop(first);
            assert!(is_closed(&mut read));
            let second = core.block_on(core.in_turn(&lane, receive(3)));
            assert_eq!(second.1.0, b"sec");
            assert!(second.0.expect("it is there").is_truncated);
        }
    });
}

/// Futures of messages are dropped in flight while peers flood the sockets, and while buffers are full: memory that was freed is not
/// written to.
#[test]
fn dropped_in_flight_the_memory_stays() {
    nothing_freed_is_written_to(|core| {
        for round in 0..20 {
            let (socket, mut peer) = socket_pair();
            let lane = Lane::<KeptBytes>::new();
            let buffers = [vec![0; 700], vec![0; 3_000]];
            let receive = RecvMsg::new(socket.clone(), buffers).with_descriptors(4);
            let mut receive = core.in_turn(&lane, receive);
            assert!(poll(&mut receive).is_pending());
            let full: Rc<Lane<()>> = Lane::new();
            let mut send = core.in_turn(
                &full,
                SendMsg::new(socket.clone(), [vec![1; 1 << 20], vec![2; 1 << 20]]),
            );
            assert!(poll(&mut send).is_pending());
            core.submit_all(round % 3);
            drop((receive, send));
            peer.write_all(&[b'!'; 10_000]).expect("it has room");
            core.turn_until_idle();
            drop(lane);
        }
    });
}

/// The core goes away with messages in flight that bring descriptors: none stays open.
#[test]
fn a_core_goes_away_under_descriptors() {
    nothing_freed_is_written_to(|core| {
        let (socket, peer) = UnixStream::pair().expect("two sockets");
        let (socket, peer) = (Descriptor::new(socket.into()), Descriptor::new(peer.into()));
        let (write, mut read) = watched();
        let send = SendMsg::new(peer, ("x",)).with_descriptors(vec![write]);
        core.block_on(core.op(send)).0.expect("it is open");
        let receive = core.started(RecvMsg::new(socket, ([0; 8],)).with_descriptors(1));
        core.submit_all(1);
        drop(core);
        drop(receive);
        assert!(is_closed(&mut read));
    });
}
