//! The echo server seen from outside: plain sockets and signals, and what the kernel tells about its process.

mod support;

use rustix::process::{Resource, Signal, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::env;
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};
use support::batch::Batch;
use support::client::{End, cut_short};
use support::exchange::Exchange;
use support::process::{Ended, Process};
use support::server::{Server, binary, command};
use support::{PATIENCE, on_threads, until};

/// Client threads, and connections that each has open at once: 1,024 together.
const THREADS: usize = 16;
const BATCH: usize = 64;

/// How often that is done.
const ROUNDS: usize = 4;

/// What the server receives at once, in bytes: a message of this length makes it use all of a connection's memory.
const BUFFER: usize = 16 * 1024;

/// How much more memory it may occupy in the end: 512 bytes for each connection; a leaked task is more. Up to 0.8 MiB have been seen,
/// as the shares of the two cores vary.
const GROWTH_MAX_KIB: usize = ROUNDS * THREADS * BATCH / 2;

/// 4,096 connections, 1,024 at a time, with 1 byte to 1 MiB each: streams, ping-pong, peers that reset in the middle and peers that
/// never receive. Every byte is right, and the server is left with the descriptors and the memory that it had before.
#[test]
fn thousands_of_connections_leave_nothing_behind() {
    allow_all_descriptors();
    let server = Server::on_two_cores();
    let idle = server.descriptors();
    let all_closed = || {
        until(
            "all to be closed",
            || server.descriptors(),
            |&open| open == idle,
        )
    };
    let filled = fill_all_at_once(&server) + fill_all_at_once(&server);
    all_closed();
    let resident = server.resident_kib();
    let rounds = (0..ROUNDS).map(|round| serve_all_at_once(&server, round));
    let bytes: usize = rounds.sum();
    // As much in use as at first: what has leaked in between comes on top, and cannot hide in what was free.
    let filled = filled + fill_all_at_once(&server);
    all_closed();
    let growth = server.resident_kib().saturating_sub(resident);
    if env::var_os("ASAN_OPTIONS").is_some() {
        eprintln!(
            "memory not compared: AddressSanitizer keeps freed memory; it looks for leaks itself"
        );
    } else {
        assert!(
            growth <= GROWTH_MAX_KIB,
            "{growth} KiB more than {resident}"
        );
    }

    Exchange::start(server.address, 0, BUFFER).expect_echo();
    server.signal(Signal::INT);
    let (connections, echoed) = server.end();
    assert_eq!(connections, filled + ROUNDS * THREADS * BATCH + 1);
    let bytes = bytes + (filled + 1) * BUFFER;
    assert!(
        echoed >= bytes,
        "it counted {echoed} bytes of at least {bytes}"
    );
}

/// Clients open connections and fill them as fast as they can when the server is interrupted. It ends in good order, and what they
/// see is an end or a reset, never a wrong byte.
#[test]
fn an_interrupt_under_load_ends_it_cleanly() {
    let server = Server::on_two_cores();
    let address = server.address;
    let (complete, leaving) = (AtomicUsize::new(0), AtomicBool::new(false));
    let hammer = |thread: usize| {
        for serial in (thread << 20..).step_by(8) {
            match Batch::open(address, serial..serial + 8) {
                Ok(batch) => batch.run().iter().for_each(|end| match end {
                    End::Complete(_) => drop(complete.fetch_add(1, SeqCst)),
                    End::Reset => {}
                    End::CutShort(error) => assert!(leaving.load(SeqCst), "{error}"),
                }),
                Err(error) if leaving.load(SeqCst) && cut_short(&error) => return,
                Err(error) => panic!("{error}"),
            }
        }
    };
    let complete = || complete.load(SeqCst);
    std::thread::scope(|scope| {
        // Owned by this closure: if it panics, the server is killed, and the clients end too.
        let server = server;
        for thread in 0..THREADS {
            scope.spawn(move || hammer(thread));
        }
        until("connections to be served", complete, |&count| count >= 200);
        leaving.store(true, SeqCst);
        let interrupted = Instant::now();
        server.signal(Signal::INT);
        let (connections, _) = server.end();
        assert!(interrupted.elapsed() < Duration::from_secs(10));
        assert!(connections >= 200, "it counted {connections}");
    });
}

/// What the short messages of the tests below have, in bytes.
const MESSAGE: usize = 100;

/// Two connections are open when it is told to terminate. The one that goes on is served to its end, although nobody is accepted any
/// more; the other one, which does nothing, is closed.
#[test]
fn open_connections_get_a_moment_to_finish() {
    let server = Server::start(&mut command(&[]));
    let [active, idle] = [0, 1].map(|serial| Exchange::start(server.address, serial, MESSAGE));
    active.expect_echo();
    idle.expect_echo();
    server.signal(Signal::TERM);
    let connect = || TcpStream::connect_timeout(&server.address, PATIENCE);
    until("connections to be refused", connect, |result| {
        result.as_ref().is_err_and(cut_short)
    });
    active.send();
    active.expect_echo();
    active.expect_end();
    let (connections, bytes) = server.end();
    assert!(connections >= 2 && bytes >= 2 * MESSAGE, "{bytes}");
    idle.expect_end();
}

/// Command lines that cannot be served: each is answered by a message that names what is wrong, and a status that says so.
#[test]
fn mistakes_are_explained() {
    let options: [(&[&str], &str); 5] = [
        (&["--frobnicate"], "--frobnicate"),
        (&["stray"], "stray"),
        (&["--cores"], "--cores"),
        (&["--cores", "many"], "many"),
        (&["--listen", "nowhere"], "nowhere"),
    ];
    for (arguments, named) in options {
        assert_eq!(refusal(arguments, named).status.code(), Some(2));
    }
    refusal(&["--listen", "127.0.0.1:0", "--cores", "0"], "core");
    refusal(&["--listen", "127.0.0.1:0", "--cores", "100000"], "core");

    let other = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = other.local_addr().expect("it is bound").to_string();
    refusal(&["--listen", &address], "in use");
}

/// A second server is started at the address of one that runs, with as many cores: it is refused, and the first goes on.
#[test]
fn a_second_server_at_the_same_address_is_refused() {
    let server = Server::on_two_cores();
    let (address, cores) = (server.address.to_string(), server.cores.to_string());
    refusal(&["--listen", &address, "--cores", &cores], "in use");
    Exchange::start(server.address, 0, MESSAGE).expect_echo();
}

/// The first line on stdout tells the port that was picked, and the number of cores: those of the affinity mask if none is asked for.
#[test]
fn the_first_line_tells_port_and_cores() {
    let mask = sched_getaffinity(None).expect("this thread has one");
    let every = Server::start(&mut command(&[]));
    assert_ne!(every.address.port(), 0);
    assert_eq!(every.cores, mask.count() as usize);

    // On a thread of its own, as the mask is the thread's: the server inherits it.
    let narrow = on_threads([mask], |mask| {
        let last = (0..CpuSet::MAX_CPU).rfind(|&cpu| mask.is_set(cpu));
        let mut narrow = CpuSet::new();
        narrow.set(last.expect("this thread runs on one"));
        sched_setaffinity(None, &narrow).expect("it is part of the mask");
        Server::start(&mut command(&[])).cores
    });
    assert_eq!(narrow, [1]);
}

/// Twice as many connections as it has descriptors left: those that do not fit wait, and are served when others have gone.
#[test]
fn out_of_descriptors_it_serves_when_some_are_free() {
    const LIMIT: usize = 64;
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!(r#"ulimit -n {LIMIT} && exec "$0" "$@""#)]);
    shell
        .arg(binary("echo-server"))
        .args(["--listen", "127.0.0.1:0"]);
    let server = Server::start(&mut shell);
    let open = || server.descriptors_below(LIMIT);
    let idle = open();
    let room = LIMIT - idle;
    let clients = (0..2 * room).map(|serial| Exchange::start(server.address, serial, MESSAGE));
    let clients: Vec<_> = clients.collect();
    until("descriptors to run out", open, |&open| open == LIMIT);
    let answered = || clients.iter().filter(|client| client.is_answered()).count();
    until("those accepted to be served", answered, |&count| {
        count == room
    });

    let (served, waiting): (Vec<_>, Vec<_>) = clients.into_iter().partition(Exchange::is_answered);
    for clients in [served, waiting] {
        clients.iter().for_each(Exchange::expect_echo);
        clients.into_iter().for_each(Exchange::expect_end);
    }
    until("all to be closed", open, |&open| open == idle);
    server.signal(Signal::INT);
    assert_eq!(server.end(), (2 * room, 2 * room * MESSAGE));
}

/// Makes the server use as much memory as it ever will in this test: half as many connections again as in a round, all open at once,
/// and with all of their buffers in use. Returns how many.
fn fill_all_at_once(server: &Server) -> usize {
    let address = server.address;
    let exchanges = on_threads(0..THREADS, |thread| {
        let serials = (0..BATCH * 3 / 2).map(|number| thread * BATCH * 3 / 2 + number);
        let exchanges = serials.map(|serial| Exchange::start(address, serial, BUFFER));
        let exchanges: Vec<_> = exchanges.collect();
        exchanges.iter().for_each(Exchange::expect_echo);
        exchanges
    });
    exchanges.iter().map(Vec::len).sum()
}

/// Runs clients that are all open at the same time, and returns how many bytes came back to those who received.
fn serve_all_at_once(server: &Server, round: usize) -> usize {
    let (address, first) = (server.address, round * THREADS * BATCH);
    let batches = on_threads(0..THREADS, |thread| {
        let serials = first + thread * BATCH..first + (thread + 1) * BATCH;
        Batch::open(address, serials).expect("it accepts and answers")
    });
    assert!(server.descriptors() > THREADS * BATCH);
    let ends = on_threads(batches, Batch::run).into_iter().flatten();
    ends.map(|end| match end {
        End::Complete(bytes) => bytes,
        End::Reset => 0,
        End::CutShort(error) => panic!("the server ended a connection: {error}"),
    })
    .sum()
}

/// What the server says and returns to a command line that it cannot serve: on stderr only, with `named` in it.
#[track_caller]
fn refusal(arguments: &[&str], named: &str) -> Ended {
    let ended = Process::start(Command::new(binary("echo-server")).args(arguments)).end();
    assert!(!ended.status.success(), "{arguments:?}: {ended:?}");
    assert!(ended.stderr.contains(named), "{arguments:?}: {ended:?}");
    assert!(
        !ended.stderr.contains("panicked"),
        "{arguments:?}: {ended:?}"
    );
    assert!(ended.lines.is_empty(), "{arguments:?}: {ended:?}");
    ended
}

fn allow_all_descriptors() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("the soft limit may be raised to the hard one");
}
