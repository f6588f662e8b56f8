//! Lanes: operations of one direction go one after another, whatever their kind, and what one that was dropped has received, the next
//! begins with. In each completion mode, with an allocator that watches what was freed.

mod support;

use reactor::buf::{IoBuf, IoBufMut};
use reactor::buffers::{BufPool, Filling, PoolOptions};
use reactor::operation::{
    Accept, Accepted, KeptBytes, KeptDatagram, KeptInput, MultishotAccept, OrderedMultishot, Read,
    ReadVectored, Recv, RecvDatagram, RecvMsgMulti, RecvMulti, StreamInTurn,
};
use reactor::{Descriptor, Feature, Lane};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::Write;
use std::mem::MaybeUninit;
use std::os::unix::net::UnixDatagram;
use std::rc::Rc;
use std::task::{Context, Waker};
use support::quarantine::{self, Quarantine};
use support::{
    Core, Listener, all_features, calling_waker, in_each_mode, poll, poll_with, socket_pair,
};

#[global_allocator]
static ALLOCATOR: Quarantine = Quarantine;

/// Plays `scenario` in each mode; afterwards nothing that was freed has been written to.
fn nothing_freed_is_written_to(scenario: impl Fn(Core) + Sync) {
    if !all_features().has(Feature::MultishotReceive) {
        eprintln!("skipped: this kernel has no multishot receive");
        return;
    }
    in_each_mode(|capabilities| scenario(Core::new(capabilities)));
    quarantine::check();
}

fn pool(core: &Core, count: usize, buffer_bytes: usize) -> BufPool {
    let options = PoolOptions {
        count,
        buffer_bytes,
        filling: Filling::Whole,
    };
    BufPool::new(&core.reactor, options).expect("a pool")
}

/// A stream that has begun.
fn started<M: OrderedMultishot>(
    core: &Core,
    lane: &Rc<Lane<M::Kept>>,
    operation: M,
) -> StreamInTurn<M> {
    let mut stream = StreamInTurn::new(Rc::clone(&core.reactor), Rc::clone(lane), operation);
    let polled = stream.poll_next(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    core.submit_all(1);
    stream
}

fn next<M: OrderedMultishot>(core: &Core, stream: &mut StreamInTurn<M>) -> Option<M::Item> {
    core.block_on(poll_fn(|context| stream.poll_next(context)))
}

/// A multishot receive is dropped with two pieces unfetched and another that comes before the cancel: plain reads have all of it, in order.
/// While it lives they are refused.
#[test]
fn a_dropped_stream_leaves_its_pieces_to_plain_reads() {
    nothing_freed_is_written_to(|core| {
        let pool = pool(&core, 16, 64);
        let (socket, mut peer) = socket_pair();
        let lane = Lane::<KeptBytes>::new();
        let read = || core.in_turn(&lane, Recv::new(socket.clone(), vec![0; 64]));
        let stream = started(&core, &lane, RecvMulti::new(socket.clone(), pool.clone()));
        for piece in ["one ", "two "] {
            peer.write_all(piece.as_bytes()).expect("it is open");
            core.submit_all(2);
        }
        let refused = core
            .block_on(read())
            .0
            .expect_err("the stream has the lane");
        assert_eq!(refused.raw_os_error(), Some(libc::EBUSY));
        drop(stream);
        peer.write_all(b"three").expect("it is open");
        let mut came = Vec::new();
        while came.len() < 13 {
            let read = core.block_on(read());
            read.0.expect("it came");
            came.extend(read.1);
        }
        assert_eq!(came, b"one two three");
        assert_eq!(pool.unheld(), 16);
    });
}

/// A plain read is dropped with bytes; a multishot receive goes on from there, though the only buffer of its pool is with the kernel.
#[test]
fn a_stream_begins_with_what_a_plain_read_has_left() {
    nothing_freed_is_written_to(|core| {
        for count in [1, 4] {
            let pool = pool(&core, count, 8);
            let (socket, mut peer) = socket_pair();
            let lane = Lane::<KeptBytes>::new();
            let mut read = core.in_turn(&lane, Recv::new(socket.clone(), vec![0; 64]));
            assert!(poll(&mut read).is_pending());
            peer.write_all(b"more than one buffer holds")
                .expect("it is open");
            core.submit_all(2);
            drop(read);
            let mut came = Vec::new();
            let receive = || RecvMulti::new(socket.clone(), pool.clone());
            let begin = || StreamInTurn::new(Rc::clone(&core.reactor), Rc::clone(&lane), receive());
            let mut stream = begin();
            let mut held = Vec::new();
            while came.len() < 26 {
                let piece = next(&core, &mut stream).expect("it goes on");
                let piece = piece.expect("no error").expect("no end");
                assert!(piece.len() <= 8);
                came.extend_from_slice(&piece);
                held.push(piece);
            }
            assert_eq!(came, b"more than one buffer holds");
            assert_eq!(held.len(), 4);
            held.clear();
            peer.write_all(b"!").expect("it is open");
            let piece = next(&core, &mut stream).expect("it goes on");
            assert_eq!(&*piece.expect("no error").expect("no end"), b"!");
            assert_eq!(pool.unheld(), count);
        }
    });
}

/// Datagrams that a dropped multishot receive had, and one that is larger than a pool's buffers: each is received once, whole, by the other
/// kind.
#[test]
fn datagrams_go_from_streams_to_plain_receives_and_back() {
    nothing_freed_is_written_to(|core| {
        let pool = pool(&core, 8, 256);
        let (socket, peer) = UnixDatagram::pair().expect("two sockets");
        let socket = Descriptor::new(socket.into());
        let lane = Lane::<KeptDatagram>::new();
        let receive = || RecvMsgMulti::new(socket.clone(), pool.clone()).expect("they fit");
        let plain = |room: usize| RecvDatagram::new(socket.clone(), (vec![0; room],));
        let stream = started(&core, &lane, receive());
        peer.send(b"first").expect("it is open");
        peer.send(b"second").expect("it is open");
        core.submit_all(2);
        drop(stream);
        for expected in ["first", "second"] {
            let received = core.block_on(core.in_turn(&lane, plain(16)));
            assert_eq!(received.1.0, expected.as_bytes());
        }
        let mut dropped = core.in_turn(&lane, plain(1000));
        assert!(poll(&mut dropped).is_pending());
        peer.send(&[7; 900]).expect("it is open");
        core.submit_all(2);
        drop(dropped);
        let mut stream = StreamInTurn::new(Rc::clone(&core.reactor), Rc::clone(&lane), receive());
        let datagram = next(&core, &mut stream).expect("it goes on");
        let datagram = datagram.expect("no error");
        assert_eq!(*datagram.payload, [7; 900]);
        assert!(!datagram.is_truncated);
    });
}

/// A multishot accept is dropped with connections that nobody has fetched, before and after the cancel got there: plain accepts and the next
/// stream have them all, and none is closed.
#[test]
fn connections_go_from_streams_to_plain_accepts_and_back() {
    nothing_freed_is_written_to(|core| {
        let listener = Listener::new();
        let lane = Lane::<Accepted>::new();
        let stream = started(
            &core,
            &lane,
            MultishotAccept::new(listener.descriptor.clone()),
        );
        let mut clients: Vec<_> = (0..3).map(|_| listener.connect()).collect();
        core.submit_all(2);
        drop(stream);
        clients.push(listener.connect());
        let accept = || core.in_turn(&lane, Accept::new(listener.descriptor.clone()));
        for client in &mut clients[..2] {
            let (socket, _) = core.block_on(accept()).expect("a client");
            assert!(client.is_peer_of(socket));
        }
        let multishot = MultishotAccept::new(listener.descriptor.clone());
        let mut stream = StreamInTurn::new(Rc::clone(&core.reactor), Rc::clone(&lane), multishot);
        for client in &mut clients[2..] {
            let socket = next(&core, &mut stream).expect("it goes on");
            assert!(client.is_peer_of(socket.expect("a client")));
        }
        drop(stream);
        core.turn_until_idle();
        assert!(lane.is_idle());
    });
}

/// One read is in flight and two wait, when the first is answered and another begins at once: each gets its byte in the order in which they
/// began.
#[test]
fn turns_come_in_the_order_of_asking() {
    nothing_freed_is_written_to(|core| {
        let (socket, mut peer) = socket_pair();
        let lane = Lane::<KeptBytes>::new();
        let read = || core.in_turn(&lane, Recv::new(socket.clone(), vec![0; 1]));
        let mut reads = [read(), read(), read()];
        for read in &mut reads {
            assert!(poll(read).is_pending());
        }
        let [first, second, third] = reads;
        peer.write_all(b"1234").expect("it is open");
        let mut came = core.block_on(first).1;
        // Before the second has looked.
        let mut fourth = read();
        assert!(poll(&mut fourth).is_pending());
        for read in [second, third, fourth] {
            came.extend(core.block_on(read).1);
        }
        assert_eq!(came, b"1234");
        assert!(lane.is_idle());
    });
}

/// The turn has come to one that waits, and that is dropped before it looks; another that waits is dropped before its turn: the third has its own.
#[test]
fn a_turn_that_is_given_up_is_passed_on() {
    nothing_freed_is_written_to(|core| {
        let (socket, mut peer) = socket_pair();
        let lane = Lane::<KeptBytes>::new();
        let read = || core.in_turn(&lane, Recv::new(socket.clone(), vec![0; 1]));
        let mut reads = [read(), read(), read(), read()];
        for read in &mut reads {
            assert!(poll(read).is_pending());
        }
        let [first, granted, waiting, last] = reads;
        drop(waiting);
        peer.write_all(b"12").expect("it is open");
        assert_eq!(core.block_on(first).1, b"1");
        drop(granted);
        assert_eq!(core.block_on(last).1, b"2");
        assert!(lane.is_idle());
    });
}

/// Wakers of those that wait drop another operation of the lane, begin one, and panic: the lane goes on, and the operation that has just
/// ended keeps its outcome.
#[test]
fn wakers_may_do_what_they_like_with_the_lane() {
    nothing_freed_is_written_to(|core| {
        let (socket, mut peer) = socket_pair();
        let lane = Lane::<KeptBytes>::new();
        let read = || core.in_turn(&lane, Recv::new(socket.clone(), vec![0; 1]));
        let mut first = read();
        assert!(poll(&mut first).is_pending());
        let other = Rc::new(RefCell::new(None));
        let mut second = read();
        let waker = calling_waker({
            let (other, read) = (Rc::clone(&other), read());
            let read = Cell::new(Some(read));
            move || {
                // What was there is dropped; what is begun now waits.
                let mut fresh = read.take().expect("it is woken once");
                assert!(poll(&mut fresh).is_pending());
                drop(other.replace(Some(fresh)));
                panic!("a waker's own");
            }
        });
        assert!(poll_with(&mut second, &waker).is_pending());
        let mut third = read();
        assert!(poll(&mut third).is_pending());
        *other.borrow_mut() = Some(third);
        peer.write_all(b"123").expect("it is open");
        assert_eq!(core.block_on(first).1, b"1");
        assert_eq!(core.block_on(second).1, b"2");
        let fresh = other.take().expect("the waker has begun it");
        assert_eq!(core.block_on(fresh).1, b"3");
    });
}

/// A buffer that looks at the lane when it is dropped, as a logger of its owner might.
struct Looks(Vec<u8>, Rc<Lane<KeptBytes>>);

impl Drop for Looks {
    fn drop(&mut self) {
        assert!(!format!("{:?}", self.1).is_empty());
        self.1.is_idle();
    }
}

impl IoBuf for Looks {
    fn as_init(&self) -> &[u8] {
        self.0.as_init()
    }
}

// SAFETY: all is left to the vector.
unsafe impl IoBufMut for Looks {
    unsafe fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: passed on to the caller.
        unsafe { self.0.as_uninit() }
    }

    unsafe fn set_len(&mut self, length: usize) {
        // SAFETY: passed on to the caller.
        unsafe { IoBufMut::set_len(&mut self.0, length) };
    }
}

/// The buffer of a dropped read looks at the lane in its drop, while what it had is being kept.
#[test]
fn a_buffer_s_drop_may_look_at_the_lane() {
    nothing_freed_is_written_to(|core| {
        let (socket, mut peer) = socket_pair();
        let lane = Lane::<KeptBytes>::new();
        let buffer = Looks(vec![0; 8], Rc::clone(&lane));
        let mut read = core.in_turn(&lane, Recv::new(socket.clone(), buffer));
        assert!(poll(&mut read).is_pending());
        core.submit_all(1);
        peer.write_all(b"kept").expect("it is open");
        core.submit_all(2);
        drop(read);
        core.turn_until_idle();
        let read = core.in_turn(&lane, Recv::new(socket, vec![0; 8]));
        assert_eq!(core.block_on(read).1, b"kept");
    });
}

/// A read into two arrays, which are full of other bytes from the start, is dropped when less than their room has come: that is kept, and no more.
#[test]
fn of_several_buffers_what_came_is_kept() {
    nothing_freed_is_written_to(|core| {
        let (socket, mut peer) = socket_pair();
        let lane = Lane::<KeptInput>::new();
        let buffers = [[b'x'; 4], [b'x'; 4]];
        let mut read = core.in_turn(&lane, ReadVectored::new(socket.clone(), buffers));
        assert!(poll(&mut read).is_pending());
        core.submit_all(1);
        peer.write_all(b"abcdef").expect("it is open");
        core.submit_all(2);
        drop(read);
        core.turn_until_idle();
        let read = core.in_turn(&lane, Read::new(socket, vec![0; 64]));
        assert_eq!(core.block_on(read).1, b"abcdef");
    });
}
