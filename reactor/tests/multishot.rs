//! Multishot accept: many completions for one submission, its end, and going on after it. In each completion mode.

mod support;

use reactor::operation::{MultishotAccept, OpStream};
use reactor::{Capabilities, Descriptor, Feature};
use std::iter;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::task::Poll;
use support::{Client, Core, Listener, PATIENCE, all_features, counting_waker, poll_next};

fn in_each_mode(scenario: impl Fn(Core, Listener) + Sync) {
    in_each_mode_with(Core::new, scenario);
}

fn in_each_mode_with(
    core: impl Fn(Capabilities) -> Core + Sync,
    scenario: impl Fn(Core, Listener) + Sync,
) {
    if !all_features().has(Feature::MultishotAccept) {
        eprintln!("skipped: this kernel has no multishot accept");
        return;
    }
    support::in_each_mode(|capabilities| scenario(core(capabilities), Listener::new()));
}

fn accepting(core: &Core, listener: &Listener) -> OpStream<MultishotAccept> {
    let mut stream = core.stream(MultishotAccept::new(listener.descriptor.clone()));
    assert!(poll_next(&mut stream).is_pending());
    core.submit_all(1);
    stream
}

fn accepted(item: Option<std::io::Result<OwnedFd>>) -> OwnedFd {
    item.expect("it goes on").expect("a connection")
}

fn clients(listener: &Listener, count: usize) -> Vec<Client> {
    iter::repeat_with(|| listener.connect())
        .take(count)
        .collect()
}

/// Clients connect one after the other, each waited for: one submission accepts them all, close-on-exec.
#[test]
fn one_submission_accepts_one_after_the_other() {
    in_each_mode(|core, listener| {
        let mut stream = accepting(&core, &listener);
        for _ in 0..5 {
            let mut client = listener.connect();
            let socket = accepted(core.next(&mut stream));
            let flags = rustix::io::fcntl_getfd(&socket).expect("it is open");
            assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
            assert!(client.is_peer_of(socket));
            assert_eq!(core.reactor.in_flight(), 1, "the same submission");
        }
    });
}

/// Clients connect while nobody looks: the stream yields them in the order they came, wakes for the first, and is pending after the last.
#[test]
fn connections_that_nobody_fetched_wait_in_order() {
    in_each_mode(|core, listener| {
        let mut stream = accepting(&core, &listener);
        let (woken, waker) = counting_waker();
        let mut context = std::task::Context::from_waker(&waker);
        assert!(stream.poll_next(&mut context).is_pending());
        let clients = clients(&listener, 40);
        core.turn_until(|| woken.count() > 0);
        core.submit_all(10);
        for mut client in clients {
            let Poll::Ready(item) = stream.poll_next(&mut context) else {
                panic!("a connection is missing");
            };
            assert!(client.is_peer_of(accepted(item)));
        }
        assert!(stream.poll_next(&mut context).is_pending());
        assert_eq!(woken.count(), 1, "it was not asked for in between");
        let mut client = listener.connect();
        core.turn_until(|| woken.count() == 2);
        assert!(client.is_peer_of(accepted(core.next(&mut stream))));
    });
}

/// The listener is shut down under the stream: the error is yielded, then `None`, and `None` again. TCP, because a Unix listener that is
/// shut down does not end a multishot accept (Linux 6.18).
#[test]
fn an_error_is_the_last_item() {
    in_each_mode(|core, _| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let listener = Descriptor::new(listener.into());
        let mut stream = core.stream(MultishotAccept::new(listener.clone()));
        assert!(poll_next(&mut stream).is_pending());
        let _client = TcpStream::connect(address).expect("it listens");
        drop(accepted(core.next(&mut stream)));
        // SAFETY: the kernel checks what it is given.
        unsafe { libc::shutdown(listener.as_raw_fd(), libc::SHUT_RDWR) };
        let last = core.next(&mut stream).expect("it is not over yet");
        let error = last.expect_err("nothing can connect");
        assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
        assert_eq!(core.reactor.in_flight(), 0);
        for _ in 0..3 {
            assert!(matches!(poll_next(&mut stream), Poll::Ready(None)));
        }
    });
}

/// The core shuts down under the stream: it ends as cancelled. One that is made later ends so at once.
#[test]
fn a_shutdown_ends_the_stream() {
    in_each_mode(|core, listener| {
        let mut stream = accepting(&core, &listener);
        core.reactor.shutdown(PATIENCE).expect("it answers");
        let mut late = core.stream(MultishotAccept::new(listener.descriptor.clone()));
        for stream in [&mut stream, &mut late] {
            let Poll::Ready(Some(Err(error))) = poll_next(stream) else {
                panic!("it was cancelled");
            };
            assert_eq!(error.raw_os_error(), Some(libc::ECANCELED));
            assert!(matches!(poll_next(stream), Poll::Ready(None)));
            assert!(matches!(poll_next(stream), Poll::Ready(None)));
        }
    });
}

/// Thirty connections come at once where the completion queue holds eight, which makes the kernel end the stream: a new one goes on where
/// it ended, and each connection is yielded once.
#[test]
fn a_new_stream_goes_on_where_one_ended() {
    in_each_mode_with(Core::tiny, |core, listener| {
        let mut stream = accepting(&core, &listener);
        let clients = clients(&listener, 30);
        let mut ends = 0;
        for mut client in clients {
            let item = core.next(&mut stream).or_else(|| {
                ends += 1;
                stream = accepting(&core, &listener);
                core.next(&mut stream)
            });
            assert!(client.is_peer_of(accepted(item)));
        }
        assert!(ends > 0, "the scenario is that it ends");
        assert!(poll_next(&mut stream).is_pending() || core.next(&mut stream).is_none());
    });
}
