//! Descriptors: none is leaked when nobody is left to take it, and none is closed, and its number given to another file, while an
//! operation names it. Counted in /proc/self/fd, which is why the tests of this file run one at a time.

mod support;

use reactor::operation::{Accept, MultishotAccept, Op, OpStream, Recv};
use reactor::{Capabilities, Descriptor, Feature};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs;
use std::io::Write;
use std::iter;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Barrier, Mutex, PoisonError};
use std::task::Poll;
use std::thread;
use support::{
    Client, Core, Listener, PATIENCE, Readable, Witness, WitnessLog, all_features, dropping_waker,
    event, in_each_mode, poll, poll_next, poll_with, set, socket_pair,
};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("/proc").count()
}

/// What `number` stands for, by a name that no other file has.
fn file_at(number: RawFd) -> Option<PathBuf> {
    fs::read_link(format!("/proc/self/fd/{number}")).ok()
}

/// Plays `scenario`, alone in this process, in each mode. It must leave as many descriptors open as it found.
fn nothing_leaks(scenario: impl Fn(Capabilities) + Sync) {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    all_features();
    in_each_mode(|capabilities| {
        let before = open_descriptors();
        scenario(capabilities);
        assert_eq!(open_descriptors(), before);
    });
}

/// An accept in flight, whose outcome will be written down.
fn accepting(core: &Core, listener: &Listener) -> (Op<Witness<Accept>>, WitnessLog) {
    let log = WitnessLog::default();
    let op = core.started(Witness::new(Accept::new(listener.descriptor.clone()), &log));
    core.submit_all(1);
    (op, log)
}

fn accepting_many(core: &Core, listener: &Listener) -> OpStream<MultishotAccept> {
    let mut stream = core.stream(MultishotAccept::new(listener.descriptor.clone()));
    assert!(poll_next(&mut stream).is_pending());
    core.submit_all(1);
    stream
}

/// Starts something that completes when the event is set, and whose waker then drops `victim`.
fn dropping_on_event(core: &Core, victim: impl std::any::Any) -> (Op<Readable>, Rc<OwnedFd>) {
    let event = Rc::new(event());
    let mut op = core.op(Readable::new(&event));
    assert!(poll_with(&mut op, &dropping_waker(victim)).is_pending());
    core.submit_all(1);
    (op, event)
}

/// Cores come and go, with accepts and receives in flight.
#[test]
fn a_core_leaves_no_descriptor_behind() {
    nothing_leaks(|capabilities| {
        for _ in 0..20 {
            let core = Core::new(capabilities);
            let listener = Listener::new();
            let (socket, _peer) = socket_pair();
            drop(accepting(&core, &listener));
            drop(accepting_many(&core, &listener));
            drop(core.started(Recv::new(socket, [0; 64])));
        }
    });
}

/// The accept's future is dropped before a client comes. Whether or not the cancel is in time, nobody is left with a descriptor, and a
/// client that was not accepted still can be.
#[test]
fn a_cancelled_accept_leaks_nothing_and_loses_no_client() {
    nothing_leaks(|capabilities| {
        let core = Core::new(capabilities);
        let listener = Listener::new();
        let (op, log) = accepting(&core, &listener);
        drop(op);
        let mut client = listener.connect();
        core.turn_until_idle();
        match log.borrow()[..] {
            [Ok(_)] => assert!(client.is_closed()),
            [Err(libc::ECANCELED)] => {
                let (socket, _) = core
                    .block_on(core.op(Accept::new(listener.descriptor.clone())))
                    .expect("the client waits");
                assert!(client.is_peer_of(socket));
            }
            ref outcomes => panic!("one outcome, not {outcomes:?}"),
        };
    });
}

/// The accept has completed when its future is dropped, and was not polled since: the socket is closed there and then.
#[test]
fn an_accepted_socket_that_was_not_fetched_is_closed() {
    nothing_leaks(|capabilities| {
        let core = Core::new(capabilities);
        let listener = Listener::new();
        let (op, log) = accepting(&core, &listener);
        let mut client = listener.connect();
        core.turn_until_idle();
        assert!(!client.is_closed());
        drop(op);
        assert!(client.is_closed());
        assert!(matches!(log.borrow()[..], [Ok(_)]));
    });
}

/// The accept has completed, but the completion has not been delivered, when a waker that is delivered before it drops the future: the
/// socket arrives for nobody, and is closed.
#[test]
fn a_socket_that_arrives_for_nobody_is_closed() {
    nothing_leaks(|capabilities| {
        let core = Core::new(capabilities);
        let listener = Listener::new();
        let (op, log) = accepting(&core, &listener);
        let (_first, event) = dropping_on_event(&core, op);
        set(&event);
        let mut client = listener.connect();
        core.turn_until_idle();
        assert!(matches!(log.borrow()[..], [Ok(_)]), "it was accepted");
        assert!(client.is_closed());
    });
}

/// The same for a stream, of whose five sockets each arrives for nobody; the last word is the cancel's.
#[test]
fn sockets_that_arrive_for_a_dropped_stream_are_closed() {
    nothing_leaks(|capabilities| {
        if !capabilities.has(Feature::MultishotAccept) {
            return;
        }
        let core = Core::new(capabilities);
        let listener = Listener::new();
        let stream = accepting_many(&core, &listener);
        let (_first, event) = dropping_on_event(&core, stream);
        set(&event);
        let mut clients: Vec<Client> = iter::repeat_with(|| listener.connect()).take(5).collect();
        core.turn_until_idle();
        assert!(clients.iter_mut().all(Client::is_closed));
    });
}

/// Five sockets have arrived at a stream, which is dropped after one was fetched: the four are closed there and then.
#[test]
fn sockets_that_were_not_fetched_from_a_stream_are_closed() {
    nothing_leaks(|capabilities| {
        if !capabilities.has(Feature::MultishotAccept) {
            return;
        }
        let core = Core::new(capabilities);
        let listener = Listener::new();
        let mut stream = accepting_many(&core, &listener);
        let mut clients: Vec<Client> = iter::repeat_with(|| listener.connect()).take(5).collect();
        core.submit_all(5);
        let Poll::Ready(Some(Ok(socket))) = poll_next(&mut stream) else {
            panic!("five have arrived");
        };
        drop(stream);
        let mut fetched = clients.remove(0);
        assert!(clients.iter_mut().all(Client::is_closed));
        assert!(fetched.is_peer_of(socket));
        core.turn_until_idle();
    });
}

/// More sockets arrive at once than the completion queue holds, which ends the stream. It is dropped with none of them fetched: those that
/// were accepted are closed there and then, and the others still wait to be accepted.
#[test]
fn sockets_that_were_not_fetched_from_an_ended_stream_are_closed() {
    nothing_leaks(|capabilities| {
        if !capabilities.has(Feature::MultishotAccept) {
            return;
        }
        let core = Core::tiny(capabilities);
        let listener = Listener::new();
        let stream = accepting_many(&core, &listener);
        let mut clients: Vec<Client> = iter::repeat_with(|| listener.connect()).take(30).collect();
        core.turn_until_idle();
        drop(stream);
        assert!(!core.reactor.has_work(), "there is nothing to cancel");
        let closed = clients.iter_mut().map(Client::is_closed);
        let closed: Vec<bool> = closed.collect();
        assert!(
            closed.is_sorted_by(|first, second| first >= second),
            "in order"
        );
        let count = closed.iter().filter(|is_closed| **is_closed).count();
        assert!((8..30).contains(&count), "the scenario is that it ended");
        drop(listener);
        assert!(clients.iter_mut().all(Client::is_closed));
    });
}

/// Two hundred accepts are in flight, half of them dropped, and clients connect from another thread, when the core shuts down. Each
/// accept has one outcome, and what arrives for nobody is closed.
#[test]
fn a_shutdown_amid_connecting_clients_leaks_nothing() {
    nothing_leaks(|capabilities| {
        for _ in 0..5 {
            let core = Core::new(capabilities);
            let listener = Listener::new();
            let log = WitnessLog::default();
            let accept = || Witness::new(Accept::new(listener.descriptor.clone()), &log);
            let mut ops: Vec<_> = iter::repeat_with(|| core.started(accept()))
                .take(200)
                .collect();
            core.submit_all(1);
            ops.truncate(100);
            let begin = Barrier::new(2);
            let shared = listener.address();
            let mut clients: Vec<Client> = thread::scope(|scope| {
                let connecting = scope.spawn(|| {
                    begin.wait();
                    iter::repeat_with(|| Client::connect(&shared))
                        .take(100)
                        .collect()
                });
                begin.wait();
                core.turn_until(|| log.borrow().len() >= 10);
                assert_eq!(core.reactor.shutdown(PATIENCE), Ok(()));
                connecting.join().expect("all can connect")
            });
            drop(ops);
            drop(listener);
            assert_eq!(log.borrow().len(), 200, "each has one outcome");
            assert!(clients.iter_mut().all(Client::is_closed));
        }
    });
}

/// Future and descriptor are dropped while the receive is in flight: the number stays open, the kernel may not have looked at it yet,
/// and is closed with the last completion.
#[test]
fn a_descriptor_outlives_the_operations_that_name_it() {
    nothing_leaks(|capabilities| {
        for is_submitted in [false, true] {
            let core = Core::new(capabilities);
            let (socket, mut peer) = socket_pair();
            let number = socket.as_raw_fd();
            let file = file_at(number);
            let op = core.started(Recv::new(socket, vec![0; 8]));
            if is_submitted {
                core.submit_all(1);
            }
            drop(op);
            assert_eq!(file_at(number), file);
            peer.write_all(b"open").expect("it is open");
            core.turn_until_idle();
            assert_eq!(file_at(number), None);
            let error = peer.write_all(b"closed").expect_err("it is closed");
            assert_eq!(error.raw_os_error(), Some(libc::EPIPE));
        }
    });
}

/// A descriptor is asked for its file while an operation is in flight, then again when that is over.
#[test]
fn a_descriptor_in_use_is_not_given_back() {
    nothing_leaks(|capabilities| {
        let core = Core::new(capabilities);
        let (socket, _peer) = socket_pair();
        let op = core.started(Recv::new(socket.clone(), vec![0; 8]));
        let socket = socket.try_into_owned().expect_err("the operation has it");
        drop(op);
        let socket = socket.try_into_owned().expect_err("the orphan has it");
        core.turn_until_idle();
        socket.try_into_owned().expect("nobody else has it");
    });
}

/// A receive is cancelled and its socket let go of; others are opened, one of them under the same number as soon as that is free. What
/// is sent to them does not go to the cancelled receive.
#[test]
fn a_reopened_number_is_not_taken_for_the_old_file() {
    nothing_leaks(|capabilities| {
        for is_submitted in [false, true] {
            let core = Core::new(capabilities);
            let (socket, _old_peer) = socket_pair();
            let number = socket.as_raw_fd();
            let log = WitnessLog::default();
            let op = core.started(Witness::new(Recv::new(socket, vec![0; 64]), &log));
            if is_submitted {
                core.submit_all(1);
            }
            drop(op);
            // Takes the number, if it is free too early.
            let (early, mut early_peer) = socket_pair();
            early_peer.write_all(b"early").expect("it is open");
            core.turn_until_idle();
            let (late, mut late_peer) = socket_pair();
            assert!([late.as_raw_fd(), late_peer.as_raw_fd()].contains(&number));
            late_peer.write_all(b"late").expect("it is open");
            for (socket, sent) in [(early, "early"), (late, "late")] {
                let result = core.block_on(core.op(Recv::new(socket, vec![0; 64])));
                assert_eq!(result.1, sent.as_bytes());
            }
            assert_eq!(log.borrow()[..], [Err(libc::ECANCELED)]);
        }
    });
}

/// Lowers the process's limit of descriptors to what is open, until dropped.
struct NoDescriptorsLeft {
    limit: Rlimit,
    fillers: Vec<OwnedFd>,
}

impl NoDescriptorsLeft {
    fn new(any: &Descriptor) -> Self {
        let limit = getrlimit(Resource::Nofile);
        let lower = Rlimit {
            current: Some(64),
            ..limit
        };
        setrlimit(Resource::Nofile, lower).expect("lowering is allowed");
        let fillers = iter::from_fn(|| any.as_fd().try_clone_to_owned().ok()).collect();
        Self { limit, fillers }
    }
}

impl Drop for NoDescriptorsLeft {
    fn drop(&mut self) {
        setrlimit(Resource::Nofile, self.limit).expect("it was so before");
    }
}

/// A client comes when no descriptor is left: accept says so (EMFILE), the client waits, and is served when there are some again.
#[test]
fn a_client_that_found_no_descriptor_is_served_later() {
    nothing_leaks(|capabilities| {
        let core = Core::new(capabilities);
        let listener = Listener::new();
        let mut client = listener.connect();
        let accept = || core.op(Accept::new(listener.descriptor.clone()));
        let mut full = NoDescriptorsLeft::new(&listener.descriptor);
        let error = core.block_on(accept()).expect_err("there is no descriptor");
        assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
        full.fillers.pop();
        let (socket, _) = core.block_on(accept()).expect("the client waits");
        assert!(client.is_peer_of(socket));
    });
}

/// The same for a stream, which ends of it: a new one serves the client.
#[test]
fn a_stream_that_found_no_descriptor_ends_and_the_next_goes_on() {
    nothing_leaks(|capabilities| {
        if !capabilities.has(Feature::MultishotAccept) {
            return;
        }
        let core = Core::new(capabilities);
        let listener = Listener::new();
        let mut client = listener.connect();
        let mut full = NoDescriptorsLeft::new(&listener.descriptor);
        let mut stream = accepting_many(&core, &listener);
        let error = core
            .next(&mut stream)
            .expect("the error")
            .expect_err("no descriptor");
        assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
        assert!(core.next(&mut stream).is_none());
        full.fillers.pop();
        let mut stream = accepting_many(&core, &listener);
        let socket = core
            .next(&mut stream)
            .expect("the client")
            .expect("a socket");
        assert!(client.is_peer_of(socket));
        drop(stream);
        core.turn_until_idle();
    });
}

/// An operation is made and dropped without ever being polled: it releases what it holds, and the kernel hears nothing.
#[test]
fn an_operation_that_was_never_polled_releases_what_it_holds() {
    nothing_leaks(|capabilities| {
        let core = Core::new(capabilities);
        core.submit_all(1);
        let (socket, _peer) = socket_pair();
        let number = socket.as_raw_fd();
        drop(core.op(Recv::new(socket.clone(), vec![0; 8])));
        drop(core.stream(MultishotAccept::new(socket)));
        assert_eq!(file_at(number), None);
        assert_eq!(core.reactor.in_flight(), 0);
        assert!(!core.reactor.has_work());
    });
}

/// A future that was dropped with its outcome fetched cancels nothing and holds nothing.
#[test]
fn a_completed_operation_holds_nothing() {
    nothing_leaks(|capabilities| {
        let core = Core::new(capabilities);
        let (socket, mut peer) = socket_pair();
        let number = socket.as_raw_fd();
        let mut op = core.started(Recv::new(socket, vec![0; 8]));
        peer.write_all(b"all").expect("it is open");
        core.turn_until_idle();
        let Poll::Ready(result) = poll(&mut op) else {
            panic!("it has completed");
        };
        assert_eq!(result.1, b"all");
        assert_eq!(file_at(number), None);
        drop(op);
        assert!(!core.reactor.has_work(), "no cancel");
    });
}
