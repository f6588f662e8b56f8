//! Zero-copy sends: one outcome for two completions, and the buffer stays as long as the kernel reads it. In each completion mode, with an
//! allocator that watches what was freed.

mod support;

use io_uring::opcode;
use reactor::buf::BufResult;
use reactor::operation::{Operation, SendZeroCopy};
use reactor::{Capabilities, Descriptor, Feature};
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use support::quarantine::{self, Quarantine};
use support::{Core, all_features, in_each_mode, poll};

#[global_allocator]
static ALLOCATOR: Quarantine = Quarantine;

fn tcp_pair() -> (Descriptor, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let ours = TcpStream::connect(listener.local_addr().expect("it is bound")).expect("it listens");
    let (peer, _) = listener.accept().expect("it has connected");
    (Descriptor::new(ours.into()), peer)
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|index| (index % 251) as u8).collect()
}

fn in_each_mode_that_has_it(scenario: impl Fn(Capabilities) + Sync) {
    if !all_features().has(Feature::ZeroCopySend) {
        eprintln!("skipped: this kernel has no zero-copy send");
        return;
    }
    in_each_mode(scenario);
}

/// One send: the count, the very buffer, and the bytes at the peer. And the same from a kernel that lacks it, by copying.
#[test]
fn it_sends_and_gives_the_buffer_back() {
    in_each_mode(|capabilities| {
        for capabilities in [capabilities, capabilities.without(Feature::ZeroCopySend)] {
            let core = Core::new(capabilities);
            let (socket, mut peer) = tcp_pair();
            let buffer = bytes(30_000);
            let place = buffer.as_ptr();
            let send = SendZeroCopy::new(&core.reactor, socket, buffer);
            let BufResult(sent, buffer) = core.block_on(core.op(send));
            let sent = sent.expect("the peer is there");
            assert_eq!(buffer.as_ptr(), place);
            let mut received = vec![0; sent];
            peer.read_exact(&mut received).expect("it was sent");
            assert_eq!(received, buffer[..sent]);
            assert_eq!(core.reactor.in_flight(), 0);
        }
    });
}

/// A kernel that lacks any one feature: the send copies if that is zero-copy send, and only then.
#[test]
fn only_a_kernel_without_zero_copy_sends_copies() {
    in_each_mode_that_has_it(|capabilities| {
        for lacking in Feature::all() {
            let core = Core::new(capabilities.without(lacking));
            let (socket, _peer) = tcp_pair();
            let mut send = SendZeroCopy::new(&core.reactor, socket, bytes(100));
            let expected = match lacking {
                Feature::ZeroCopySend => opcode::Send::CODE,
                _ => opcode::SendZc::CODE,
            };
            assert_eq!(
                send.entry().get_opcode(),
                u32::from(expected),
                "{lacking:?}"
            );
        }
    });
}

/// The peer has gone: the error is the outcome, once, and the buffer comes back.
#[test]
fn an_error_is_told_once() {
    in_each_mode_that_has_it(|capabilities| {
        let core = Core::new(capabilities);
        let (socket, peer) = tcp_pair();
        drop(peer);
        let error = loop {
            let send = SendZeroCopy::new(&core.reactor, socket.clone(), bytes(100));
            let BufResult(result, buffer) = core.block_on(core.op(send));
            assert_eq!(buffer, bytes(100));
            // The first may be on its way before the answer is there.
            if let Err(error) = result {
                break error.raw_os_error();
            }
        };
        assert!([Some(libc::EPIPE), Some(libc::ECONNRESET)].contains(&error));
        assert_eq!(core.reactor.in_flight(), 0);
    });
}

/// The future is dropped in flight, before it is submitted and after: what the peer receives is a beginning of what was sent, to the byte, though the memory
/// was asked for again at once; and in the end it is freed.
#[test]
fn dropped_in_flight_the_buffer_stays() {
    in_each_mode_that_has_it(|capabilities| {
        for submissions in [0, 1, 2] {
            let core = Core::new(capabilities);
            let (socket, mut peer) = tcp_pair();
            let send = SendZeroCopy::new(&core.reactor, socket.clone(), bytes(2_000_000));
            let mut op = core.op(send);
            assert!(poll(&mut op).is_pending());
            core.submit_all(submissions);
            if poll(&mut op).is_pending() {
                drop(op);
            }
            let overwriting = vec![0xee; 2_000_000];
            drop(socket);
            let reader = std::thread::spawn(move || {
                let mut received = Vec::new();
                peer.read_to_end(&mut received).expect("it ends");
                received
            });
            core.turn_until_idle();
            let received = reader.join().expect("it read");
            assert_eq!(received, bytes(2_000_000)[..received.len()]);
            drop(overwriting);
        }
    });
    quarantine::check();
}
