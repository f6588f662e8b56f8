//! Connecting, accepting and shutting down: what the operations say of the peer, and of what failed. In each completion mode.

mod support;

use reactor::operation::{Accept, Connect, Recv, Send, Shutdown, Watch};
use reactor::{Descriptor, Lane};
use rustix::io::{FdFlags, fcntl_getfd};
use rustix::net::sockopt::set_socket_linger;
use socket2::{Domain, SockAddr, Socket, Type};
use std::io::Write;
use std::net::{self, SocketAddr, TcpListener};
use std::rc::Rc;
use std::time::Duration;
use support::{Core, Listener, counting_waker, in_each_mode, poll_with, socket_pair};

fn tcp_socket(domain: Domain) -> Descriptor {
    let socket = Socket::new(domain, Type::STREAM, None).expect("a socket");
    Descriptor::new(socket.into())
}

fn tcp_listener() -> (Descriptor, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it is bound");
    (Descriptor::new(listener.into()), address)
}

/// A connect and an accept, in flight together, meet: the accept knows the address that the other end has.
#[test]
fn an_accept_knows_its_peer() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (listener, address) = tcp_listener();
        let accept = core.op(Accept::new(listener));
        let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let ours = Descriptor::new(client.try_clone().expect("another name for it").into());
        let connect = core.op(Connect::new(ours, address.into()));
        let (connected, accepted) = core.block_on(async { futures::join!(connect, accept) });
        connected.expect("somebody listens");
        let (socket, peer) = accepted.expect("somebody connects");
        assert_eq!(
            peer.as_socket(),
            client.local_addr().expect("it is bound").as_socket()
        );
        let flags = fcntl_getfd(&socket).expect("it is open");
        assert!(flags.contains(FdFlags::CLOEXEC));
        let socket = Socket::from(socket);
        assert_eq!(
            socket.local_addr().expect("it is bound").as_socket(),
            Some(address)
        );
    });
}

/// A client without a name of its own: the address that the accept says is empty, not whatever was in memory.
#[test]
fn an_accept_from_a_nameless_peer_says_so() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let listener = Listener::new();
        let mut client = listener.connect();
        let accept = core.op(Accept::new(listener.descriptor.clone()));
        let (socket, peer) = core.block_on(accept).expect("a client");
        assert!(peer.is_unnamed());
        assert!(client.is_peer_of(socket));
    });
}

/// Nobody listens, and then the address is of another family than the socket: the kernel's errors come through.
#[test]
fn a_failed_connect_says_why() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (listener, address) = tcp_listener();
        drop(listener);
        let connect = |address: SockAddr| {
            let socket = tcp_socket(Domain::IPV4);
            let result = core.block_on(core.op(Connect::new(socket, address)));
            result.expect_err("it cannot work").raw_os_error()
        };
        assert_eq!(connect(address.into()), Some(libc::ECONNREFUSED));
        let other_family = SocketAddr::from((net::Ipv6Addr::LOCALHOST, 1));
        assert_eq!(connect(other_family.into()), Some(libc::EAFNOSUPPORT));
    });
}

/// One direction is shut down: the peer sees the end, and can still send the other way. Then the other is.
#[test]
fn a_half_closed_socket_still_works_the_other_way() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (ours, theirs) = socket_pair();
        let theirs = Descriptor::new(theirs.into());
        let shutdown = |how| core.block_on(core.op(Shutdown::new(ours.clone(), how)));
        let recv = |socket: &Descriptor| {
            let result = core.block_on(core.op(Recv::new(socket.clone(), vec![0; 8])));
            result.0.expect("a receive");
            result.1
        };
        shutdown(net::Shutdown::Write).expect("it is open");
        assert_eq!(recv(&theirs), b"");
        let sent = core.block_on(core.op(Send::new(theirs.clone(), "answer")));
        assert_eq!(sent.0.expect("this way is open"), 6);
        assert_eq!(recv(&ours), b"answer");
        shutdown(net::Shutdown::Read).expect("it is open");
        assert_eq!(recv(&ours), b"");
        let sent = core.block_on(core.op(Send::new(theirs, "too late")));
        assert_eq!(
            sent.0.expect_err("nobody reads").raw_os_error(),
            Some(libc::EPIPE)
        );
    });
}

/// The peer resets the connection under a receive that is in flight, and under a send after it.
#[test]
fn a_reset_by_the_peer_is_an_error() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (listener, address) = tcp_listener();
        let ours = tcp_socket(Domain::IPV4);
        let connect = core.op(Connect::new(ours.clone(), address.into()));
        let accept = core.op(Accept::new(listener));
        let (connected, accepted) = core.block_on(async { futures::join!(connect, accept) });
        connected.expect("somebody listens");
        let (theirs, _) = accepted.expect("somebody connects");
        let op = core.started(Recv::new(ours.clone(), vec![0; 8]));
        core.submit_all(1);
        set_socket_linger(&theirs, Some(Duration::ZERO)).expect("a socket");
        drop(theirs);
        let error = core.block_on(op).0.expect_err("it was reset");
        assert_eq!(error.raw_os_error(), Some(libc::ECONNRESET));
        let error = core
            .block_on(core.op(Send::new(ours, "?")))
            .0
            .expect_err("it was reset");
        assert_eq!(error.raw_os_error(), Some(libc::EPIPE));
    });
}

/// A watch waits for a socket on which nothing ever comes. A dropped receive leaves bytes in its lane (from another socket, so that the kernel
/// has nothing to say of the first): the watch is woken, and says that it can be read from.
#[test]
fn a_watch_is_told_of_what_its_lane_keeps() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (silent, _peer) = socket_pair();
        let (other, mut peer) = socket_pair();
        let lane = Lane::new();
        let readable = u32::try_from(libc::POLLIN).expect("it has no sign");
        let reactor = Rc::clone(&core.reactor);
        let mut watch = Watch::new(reactor, silent, Rc::clone(&lane), readable);
        let (told, waker) = counting_waker();
        assert!(poll_with(&mut watch, &waker).is_pending());
        let (received, waker) = counting_waker();
        let mut receive = core.in_turn(&lane, Recv::new(other, [0; 8]));
        assert!(poll_with(&mut receive, &waker).is_pending());
        peer.write_all(b"kept").expect("there is room");
        core.turn_until(|| received.count() == 1);
        assert_eq!(told.count(), 0);
        drop(receive);
        assert_eq!(told.count(), 1);
        let events = core.block_on(watch).expect("a readiness");
        assert_eq!(events, readable);
    });
}
