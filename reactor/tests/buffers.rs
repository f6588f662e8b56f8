//! Buffers of each kind: they come back with the outcome, whatever it is, with as many bytes set as the kernel wrote. In each
//! completion mode.

mod support;

use futures::join;
use reactor::Descriptor;
use reactor::buf::{BufResult, IoBuf, IoBufMut};
use reactor::operation::{Recv, Send};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;
use support::{Core, Nop, PATIENCE, in_each_mode, ready, socket_pair};

fn recv<B: IoBufMut>(core: &Core, socket: &Descriptor, buffer: B) -> (usize, B) {
    let BufResult(result, buffer) = core.block_on(core.op(Recv::new(socket.clone(), buffer)));
    (result.expect("a receive"), buffer)
}

fn send<B: IoBuf>(core: &Core, socket: &Descriptor, buffer: B) -> (usize, B) {
    let BufResult(result, buffer) = core.block_on(core.op(Send::new(socket.clone(), buffer)));
    (result.expect("a send"), buffer)
}

/// Three bytes come for buffers of eight, some with bytes in them: those that can be shorter are three long, the others keep the rest.
#[test]
fn a_buffer_comes_back_with_what_arrived() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (socket, mut peer) = socket_pair();
        let mut arrive = || peer.write_all(b"abc").expect("it is open");
        arrive();
        assert_eq!(
            recv(&core, &socket, Vec::with_capacity(8)),
            (3, b"abc".to_vec())
        );
        arrive();
        assert_eq!(recv(&core, &socket, vec![b'-'; 8]), (3, b"abc".to_vec()));
        arrive();
        let boxed: Box<[u8]> = Box::from([b'-'; 8]);
        assert_eq!(recv(&core, &socket, boxed), (3, Box::from(*b"abc-----")));
        arrive();
        assert_eq!(recv(&core, &socket, [b'-'; 8]), (3, *b"abc-----"));
        arrive();
        assert_eq!(
            recv(&core, &socket, Box::new([b'-'; 8])),
            (3, Box::new(*b"abc-----"))
        );
    });
}

/// The receive is there before the bytes are, and its future moves meanwhile: inline arrays stay where the kernel knows them.
#[test]
fn a_future_may_move_while_the_kernel_writes() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (socket, mut peer) = socket_pair();
        let first = core.started(Recv::new(socket.clone(), [0; 4]));
        let mut futures = vec![first];
        core.submit_all(1);
        futures.reserve(1_000);
        let moved = Box::new(futures.pop().expect("the one"));
        peer.write_all(b"here").expect("it is open");
        core.turn_until_idle();
        assert_eq!(ready(*moved).1, *b"here");
    });
}

/// More arrives than fits: what does not is there for the next.
#[test]
fn a_full_buffer_leaves_the_rest() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (socket, mut peer) = socket_pair();
        peer.write_all(b"abcdefgh").expect("it is open");
        assert_eq!(recv(&core, &socket, [0; 5]), (5, *b"abcde"));
        assert_eq!(
            recv(&core, &socket, Vec::with_capacity(5)),
            (3, b"fgh".to_vec())
        );
    });
}

/// Buffers without room, while bytes wait: nothing is written, and the bytes still wait.
#[test]
fn a_buffer_without_room_takes_nothing() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (socket, mut peer) = socket_pair();
        peer.write_all(b"patience").expect("it is open");
        assert_eq!(recv(&core, &socket, Vec::new()), (0, Vec::new()));
        assert_eq!(
            recv(&core, &socket, Box::default()),
            (0, Box::<[u8]>::default())
        );
        assert_eq!(recv(&core, &socket, []), (0, []));
        assert_eq!(recv(&core, &socket, [0; 8]), (8, *b"patience"));
    });
}

/// The peer closes its end: zero bytes, again and again, after those it had sent.
#[test]
fn the_end_of_the_stream_is_zero_bytes() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (socket, mut peer) = socket_pair();
        peer.write_all(b"last").expect("it is open");
        drop(peer);
        assert_eq!(recv(&core, &socket, vec![0; 8]), (4, b"last".to_vec()));
        for _ in 0..3 {
            assert_eq!(recv(&core, &socket, vec![0; 8]), (0, Vec::new()));
            assert_eq!(recv(&core, &socket, [7; 2]), (0, [7; 2]));
        }
        // In flight when the end comes.
        let (socket, peer) = socket_pair();
        let op = core.started(Recv::new(socket, vec![0; 8]));
        core.submit_all(1);
        drop(peer);
        core.turn_until_idle();
        let BufResult(result, buffer) = ready(op);
        assert_eq!((result.expect("the end"), buffer), (0, Vec::new()));
    });
}

/// A receive from something that is no socket fails: the buffer comes back as it was.
#[test]
fn a_failed_receive_gives_the_buffer_back_untouched() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let file = Descriptor::new(File::open("/proc/self/exe").expect("we run").into());
        let BufResult(result, buffer) = core.block_on(core.op(Recv::new(file, b"mine".to_vec())));
        let error = result.expect_err("it is a file");
        assert_eq!(error.raw_os_error(), Some(libc::ENOTSOCK));
        assert_eq!(buffer, b"mine");
    });
}

/// The core shuts down under a receive, and another is started after that: both are cancelled, and give their buffers back as they were.
#[test]
fn a_shutdown_gives_buffers_back_untouched() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (socket, mut peer) = socket_pair();
        let under = core.started(Recv::new(socket.clone(), b"mine".to_vec()));
        core.submit_all(1);
        assert_eq!(core.reactor.shutdown(PATIENCE), Ok(()));
        assert_eq!(core.reactor.in_flight(), 0);
        peer.write_all(b"late").expect("it is open");
        let after = core.op(Recv::new(socket, b"mine".to_vec()));
        for op in [under, after] {
            let BufResult(result, buffer) = ready(op);
            let error = result.expect_err("it was cancelled");
            assert_eq!(error.raw_os_error(), Some(libc::ECANCELED));
            assert_eq!(buffer, b"mine");
        }
        assert!(
            !core.reactor.has_work(),
            "nothing was submitted after the shutdown"
        );
    });
}

/// A shutdown that is given no time says what it left in flight; one with time ends it. However long the time.
#[test]
fn a_shutdown_keeps_to_its_limit() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (socket, _peer) = socket_pair();
        let ops = [(); 3].map(|()| core.started(Recv::new(socket.clone(), [0; 8])));
        let nop = core.started(Nop);
        let error = core.reactor.shutdown(Duration::ZERO).expect_err("no time");
        assert_eq!(error.in_flight, [("of futures that were not dropped", 4)]);
        assert_eq!(core.reactor.shutdown(Duration::MAX), Ok(()));
        for op in ops {
            let BufResult(result, _) = ready(op);
            assert_eq!(
                result.expect_err("cancelled").raw_os_error(),
                Some(libc::ECANCELED)
            );
        }
        assert_eq!(ready(nop).expect("it was there first"), 0);
    });
}

/// Buffers of 2 GiB and more, around the sizes at which 31 and 32 bits end: what the kernel does not move at once is a short transfer,
/// not an error, and not taken for an empty buffer.
#[test]
fn a_buffer_may_be_larger_than_the_kernel_can_count() {
    let core = Core::new(support::all_features());
    for bytes in [(1 << 31) - 1, 1 << 31, 1 << 32, (1 << 32) + 3] {
        let (socket, mut peer) = socket_pair();
        peer.write_all(b"a few").expect("it is open");
        // Address space, of which next to nothing is touched.
        let mut room = Vec::<u8>::new();
        if room.try_reserve_exact(bytes).is_err() {
            eprintln!("skipped: no address space for {bytes} bytes here");
            return;
        }
        assert_eq!(
            recv(&core, &socket, room),
            (5, b"a few".to_vec()),
            "{bytes}"
        );
        let (sent, buffer) = send(&core, &socket, vec![0; bytes]);
        assert!((1..=bytes).contains(&sent), "{bytes}");
        assert_eq!(buffer.len(), bytes);
    }
}

/// Buffers of each kind are sent, also empty ones, and come back whole.
#[test]
fn a_sent_buffer_comes_back_whole() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (socket, mut peer) = socket_pair();
        // Its room is not sent.
        let mut roomy = Vec::with_capacity(100);
        roomy.extend(*b"vec ");
        assert_eq!(send(&core, &socket, roomy), (4, b"vec ".to_vec()));
        let boxed: Box<[u8]> = Box::from(*b"box ");
        assert_eq!(send(&core, &socket, boxed.clone()), (4, boxed));
        assert_eq!(send(&core, &socket, *b"array "), (6, *b"array "));
        assert_eq!(send(&core, &socket, Vec::new()), (0, Vec::new()));
        assert_eq!(send(&core, &socket, "static"), (6, "static"));
        drop(socket);
        let mut received = String::new();
        peer.read_to_string(&mut received).expect("text");
        assert_eq!(received, "vec box array static");
    });
}

/// The peer has gone: an error, with the buffer, and no signal.
#[test]
fn a_send_to_nobody_is_an_error() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (socket, peer) = socket_pair();
        drop(peer);
        let BufResult(result, buffer) = core.block_on(core.op(Send::new(socket, *b"lost")));
        assert_eq!(result.expect_err("gone").raw_os_error(), Some(libc::EPIPE));
        assert_eq!(buffer, *b"lost");
    });
}

/// A megabyte goes through a pair of sockets in parts of odd sizes, a send and a receive in flight at once: it is byte-exact.
#[test]
fn a_megabyte_arrives_exactly() {
    const BYTES: usize = 1 << 20;
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        let (ours, theirs) = (Descriptor::new(ours.into()), Descriptor::new(theirs.into()));
        let sent: Vec<u8> = (0..BYTES).map(|number| (number * 31 / 7) as u8).collect();
        let sending = async {
            let mut done = 0;
            while done < BYTES {
                let part = sent[done..BYTES.min(done + 70_001)].to_vec();
                done += core
                    .op(Send::new(ours.clone(), part))
                    .await
                    .0
                    .expect("a send");
            }
        };
        let receiving = async {
            let mut received = Vec::new();
            while received.len() < BYTES {
                let room = Vec::with_capacity(9_973);
                let BufResult(result, part) = core.op(Recv::new(theirs.clone(), room)).await;
                assert_eq!(result.expect("a receive"), part.len());
                received.extend(part);
            }
            received
        };
        let ((), received) = core.block_on(async { join!(sending, receiving) });
        assert!(received == sent);
    });
}
