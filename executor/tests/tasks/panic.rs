//! Panics: each reaches the task's own join handle, or ends where it happened; the core and the other tasks go on.

use crate::common;

use common::{Drops, on_thread, run, settle, start, until};
use executor::net::{
    BufPool, ControlMessages, Filling, PoolOptions, TcpListener, TcpSocket, TcpStream, UdpSocket,
    UnixDatagram, UnixListener, UnixSeqpacket, UnixSeqpacketListener, UnixSocket, UnixStream,
    VsockAddr, VsockStream, lookup_host,
};
use executor::ring::io_uring::opcode;
use executor::ring::{Completion, Entry, Multishot, Operation};
use executor::signal::{Signal, SignalKind};
use executor::time::{Duration, Instant, interval_at, sleep, timeout};
use executor::yield_now;
use executor::{JoinError, JoinSet, Sharded, spawn, spawn_future_on, spawn_on};
use executor::{fs, io, process, ring, task, time};
use std::cell::RefCell;
use std::future::{Future, Ready, pending, ready};
use std::net;
use std::os::linux::net::SocketAddrExt;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, set_hook, take_hook};
use std::pin::{Pin, pin};
use std::sync::{Arc, Once};
use std::task::{Context, Poll, Wake, Waker};

/// Panics when it is dropped.
struct DropPanics(&'static str);

impl Drop for DropPanics {
    fn drop(&mut self) {
        panic_any(self.0);
    }
}

/// The text that a task, or a drop of ours, panicked with.
fn text(error: JoinError) -> &'static str {
    assert!(error.is_panic() && !error.is_cancelled());
    *error
        .into_panic()
        .downcast()
        .expect("the payload comes back as it was thrown")
}

/// A task panics in its poll, with a payload of a type of its own: the handle has it, and a task beside it goes on.
#[test]
fn in_the_poll() {
    #[derive(Debug, PartialEq)]
    struct Payload(Vec<u8>);
    run(1, async {
        let beside = spawn(async {
            settle().await;
            3
        });
        let task = spawn(async {
            executor::yield_now().await;
            panic_any(Payload(vec![1, 2]))
        });
        let error = task.await.unwrap_err();
        assert!(error.is_panic());
        let payload = error.try_into_panic().expect("it panicked");
        assert_eq!(*payload.downcast::<Payload>().unwrap(), Payload(vec![1, 2]));
        assert_eq!(beside.await.unwrap(), 3);
    });
}

/// What an error says of itself, cancelled and panicked; a cancelled one has no payload and gives itself back.
#[test]
fn the_error_tells_cancelled_from_panicked() {
    run(1, async {
        let task = spawn(pending::<()>());
        task.abort();
        let cancelled = task.await.unwrap_err();
        assert_eq!(cancelled.to_string(), "the task was cancelled");
        assert!(cancelled.try_into_panic().unwrap_err().is_cancelled());
        let panicked = spawn(async { panic!("number {}", 5) }).await.unwrap_err();
        assert_eq!(panicked.to_string(), "the task panicked: number 5");
        assert_eq!(
            format!("{panicked:?}"),
            "JoinError(the task panicked: number 5)"
        );
        let other = spawn(async { panic_any(5) }).await.unwrap_err();
        assert_eq!(other.to_string(), "the task panicked");
    });
}

/// The same on another core, and in the closure that makes the future.
#[test]
fn on_another_core() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let task = spawn_on(1, async || panic_any("there"));
        assert_eq!(text(task.await.unwrap_err()), "there");
        let task = spawn_on(1, || -> Ready<()> { panic_any("in the closure") });
        assert_eq!(text(task.await.unwrap_err()), "in the closure");
        assert_eq!(spawn_future_on(1, ready(4)).await.unwrap(), 4);
    });
}

/// The future's drop panics after it was ready: the handle gets the panic, and the output is dropped, once.
#[test]
fn in_the_drop_of_a_future_that_was_ready() {
    struct ReadyOnce(Option<common::Token>, #[expect(dead_code)] DropPanics);
    impl Future for ReadyOnce {
        type Output = common::Token;
        fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<common::Token> {
            Poll::Ready(self.0.take().expect("polled once"))
        }
    }
    run(1, async {
        let drops = Drops::new();
        let future = ReadyOnce(Some(drops.token()), DropPanics("dropping the future"));
        let error = spawn(future).await.map(drop).unwrap_err();
        assert_eq!(text(error), "dropping the future");
        assert_eq!(drops.count(), 1);
    });
}

/// The future's drop panics when it is aborted, from its core and from a thread: that is the outcome. Poll and drop both panic: it
/// is contained all the same.
#[test]
fn in_the_drop_of_a_future_that_is_cancelled() {
    run(1, async {
        for from_thread in [false, true] {
            let bomb = DropPanics("dropping the aborted");
            let task = spawn_on(0, async move || {
                let _bomb = bomb;
                pending::<()>().await;
            });
            settle().await;
            let task = if from_thread {
                on_thread(move || {
                    task.abort();
                    task
                })
                .await
            } else {
                task.abort();
                task
            };
            assert_eq!(text(task.await.unwrap_err()), "dropping the aborted");
        }
        struct Again;
        impl Drop for Again {
            fn drop(&mut self) {
                panic_any(DropPanics("a third time"));
            }
        }
        struct Twice<T>(T);
        impl<T> Future for Twice<T> {
            type Output = ();
            fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
                panic_any("in the poll");
            }
        }
        let twice = spawn(Twice(DropPanics("twice"))).await;
        assert_eq!(text(twice.unwrap_err()), "in the poll");
        let thrice = spawn(Twice(Again)).await;
        assert_eq!(text(thrice.unwrap_err()), "in the poll");
    });
}

/// A detached task's output panics when it is dropped on the core: contained there.
#[test]
fn in_the_drop_of_an_output_nobody_wants() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        for core in 0..2 {
            for _ in 0..3 {
                spawn_on(core, async || DropPanics("output")).detach();
            }
            assert_eq!(spawn_future_on(core, ready(1)).await.unwrap(), 1);
        }
    });
}

/// A handle is dropped after its task completed, with an output, or a payload, whose drop panics: contained in the handle's drop.
#[test]
fn in_the_drop_of_a_handle() {
    run(1, async {
        let task = spawn(async { DropPanics("output") });
        let payload = spawn(async { panic_any(DropPanics("payload")) });
        until(|| task.is_finished() && payload.is_finished()).await;
        drop(task);
        drop::<executor::JoinHandle<()>>(payload);
    });
}

/// Whoever awaits a task is woken by a waker that panics: the task, its core and the outcome are unharmed.
#[test]
fn in_the_waker_of_the_joiner() {
    struct WakePanics;
    impl Wake for WakePanics {
        fn wake(self: Arc<Self>) {
            panic!("waking");
        }
    }
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        for core in 0..2 {
            let mut task = spawn_on(core, async || {
                settle().await;
                8
            });
            let waker = Waker::from(Arc::new(WakePanics));
            let first = Pin::new(&mut task).poll(&mut Context::from_waker(&waker));
            assert!(first.is_pending() || core == 1);
            if first.is_pending() {
                until(|| task.is_finished()).await;
                assert_eq!(task.await.unwrap(), 8);
            }
            assert_eq!(spawn_future_on(core, ready(1)).await.unwrap(), 1);
        }
    });
}

/// Main panics: `block_on` panics with the same payload, and the runtime is as good as before.
#[test]
fn in_main() {
    let runtime = start(1).expect("one CPU");
    let caught = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            executor::yield_now().await;
            panic_any("main")
        })
    }));
    let payload = caught.unwrap_err();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "main");
    assert_eq!(
        runtime.block_on(async { spawn(ready(2)).await.unwrap() }),
        2
    );
}

/// The last clone of a waker is in a task's cell, and its drop panics: contained where the task is freed.
#[test]
fn in_the_drop_of_the_waker_of_the_joiner() {
    struct DropPanics;
    impl Wake for DropPanics {
        fn wake(self: Arc<Self>) {
            std::mem::forget(self);
        }
        fn wake_by_ref(self: &Arc<Self>) {}
    }
    impl Drop for DropPanics {
        fn drop(&mut self) {
            panic!("dropping a waker");
        }
    }
    let runtime = start(1).expect("one CPU");
    let caught = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let mut task = spawn(yield_now());
            let waker = Waker::from(Arc::new(DropPanics));
            assert!(
                Pin::new(&mut task)
                    .poll(&mut Context::from_waker(&waker))
                    .is_pending()
            );
            // From here on the clone in the cell is the only one.
            std::thread::spawn(move || drop(waker)).join().unwrap();
            task.detach();
            settle().await;
        });
    }));
    assert!(caught.is_ok());
}

/// Where the panic of `call` is said to be, and its text.
fn panic_at(call: impl FnOnce()) -> (String, u32, String) {
    thread_local! {
        static LAST: RefCell<Option<(String, u32)>> = const { RefCell::new(None) };
    }
    static HOOK: Once = Once::new();
    // Other tests of this process panic as well, on threads of their own.
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            let location = info.location().map(|at| (at.file().to_owned(), at.line()));
            LAST.set(location);
            before(info);
        }));
    });
    let payload = catch_unwind(AssertUnwindSafe(call)).expect_err("it panics");
    let (file, line) = LAST.take().expect("the hook was called");
    let text = payload.downcast::<String>().expect("a text");
    (file, line, *text)
}

/// Reads nothing.
struct Nop;

// SAFETY: the entry points to nothing.
unsafe impl Operation for Nop {
    type Output = ();

    fn entry(&mut self) -> Entry {
        opcode::Nop::new().build()
    }

    fn complete(self, _: Completion) {}
}

// SAFETY: as above.
unsafe impl Multishot for Nop {
    type Item = ();

    fn entry(&mut self) -> Entry {
        opcode::Nop::new().build()
    }

    fn item(&mut self, _: Completion) {}
}

/// What needs a core is called on a thread that is none: the panic is said to be at the caller's
/// line, and says what to do. These are all functions that do; methods that several types have by
/// one text are here once.
#[test]
fn outside_of_a_runtime_the_callers_line_is_told() {
    let tcp = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = net::TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
    let stream = TcpStream::from(stream);
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let here = udp.local_addr().unwrap();
    let (unix, _peer) = UnixDatagram::pair().unwrap();
    let (unix_stream, _peer) = UnixStream::pair().unwrap();
    let (receiving, sending) = unix_stream.split();
    let (owned_stream, _peer) = UnixStream::pair().unwrap();
    let (_owned_receiving, owned_sending) = owned_stream.into_split();
    let (seqpacket, _peer) = UnixSeqpacket::pair().unwrap();
    let unix_address = std::os::unix::net::SocketAddr::from_pathname("/nowhere").unwrap();
    let name = |kind: &str| {
        let name = format!("executor-panics-{kind}-{}", std::process::id());
        std::os::unix::net::SocketAddr::from_abstract_name(name).unwrap()
    };
    let unix_listener = UnixListener::bind_addr(&name("stream")).unwrap();
    let seqpacket_listener = UnixSeqpacketListener::bind_addr(&name("seqpacket")).unwrap();
    let tcp_socket = || TcpSocket::new_v4().unwrap();
    let unix_socket = || UnixSocket::new_stream().unwrap();
    let file = fs::File::from(std::fs::File::open("/dev/null").unwrap());
    let watched = io::AsyncFd::new(std::io::pipe().unwrap().0);
    let (reader, writer) = io::pipe().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (stdin, stdout) = (io::stdin().unwrap(), io::stdout().unwrap());
    let buffer = || Vec::with_capacity(1);
    let noop = || Context::from_waker(Waker::noop());
    let second = Duration::from_secs(1);
    executor::core_local! { static LOCAL: u8 = 0; }
    let options = PoolOptions {
        count: 1,
        buffer_bytes: 64,
        filling: Filling::Whole,
    };
    let runtime = start(1).expect("one CPU");
    let (pool, buffers, sharded) = runtime.block_on(async {
        let buffers = fs::RegisteredBufs::new(2, 1).unwrap();
        let sharded = Sharded::new(|| ()).await.unwrap();
        (BufPool::new(options).unwrap(), buffers, sharded)
    });
    let registered = || buffers.try_take().unwrap();
    let slice = &mut [0][..];
    macro_rules! at_their_line {
        ($($call:expr),+ $(,)?) => {$(
            let (file, line, text) = panic_at(|| { let _unused = $call; });
            assert_eq!((file.as_str(), line), (file!(), line!()), "{}: {text}", stringify!($call));
            assert!(text.contains("outside of a runtime"), "{text}");
            assert!(text.contains("handle.spawn_on"), "{text}");
        )+};
    }
    at_their_line!(spawn(async {}));
    at_their_line!(spawn_on(0, async || {}));
    at_their_line!(spawn_future_on(0, async {}));
    at_their_line!(executor::spawn_blocking(|| ()));
    at_their_line!(executor::Handle::current());
    at_their_line!(executor::current_core());
    at_their_line!(executor::cores());
    at_their_line!(executor::cpus());
    at_their_line!(executor::stats());
    at_their_line!(executor::Foreign::new(0));
    at_their_line!(LOCAL.with(|local| *local));
    at_their_line!(stream.read(buffer()));
    at_their_line!(stream.peek(buffer()));
    at_their_line!(stream.read_vectored([buffer()]));
    at_their_line!(stream.write("x"));
    at_their_line!(stream.write_vectored(["x"]));
    at_their_line!(stream.write_zero_copy("x"));
    at_their_line!(stream.shutdown(net::Shutdown::Write));
    at_their_line!(receiving.read(buffer()));
    at_their_line!(sending.write("x"));
    at_their_line!(sending.shutdown());
    at_their_line!(unix_stream.read_with_descriptors(buffer(), 1));
    at_their_line!(unix_stream.write_with_descriptors("x", Vec::new()));
    at_their_line!(TcpStream::connect("127.0.0.1:1"));
    at_their_line!(TcpStream::connect("localhost:1"));
    at_their_line!(tcp_socket().connect(here));
    at_their_line!(UnixStream::connect("/nowhere"));
    at_their_line!(UnixStream::connect_addr(&unix_address));
    at_their_line!(listener.accept());
    at_their_line!(unix_listener.accept());
    at_their_line!(unix_listener.incoming());
    at_their_line!(unix.recv(buffer()));
    at_their_line!(unix.recv_from(buffer()));
    at_their_line!(unix.peek(buffer()));
    at_their_line!(unix.recv_with_descriptors(buffer(), 1));
    at_their_line!(unix.send("x"));
    at_their_line!(unix.send_to("x", "/nowhere"));
    at_their_line!(unix.send_to_addr("x", &unix_address));
    at_their_line!(unix.send_vectored(["x"]));
    at_their_line!(unix.send_with_descriptors("x", Vec::new()));
    at_their_line!(udp.recv(buffer()));
    at_their_line!(udp.recv_from(buffer()));
    at_their_line!(udp.peek_from(buffer()));
    at_their_line!(udp.recv_vectored([buffer()]));
    at_their_line!(udp.recv_from_vectored([buffer()]));
    at_their_line!(udp.send_vectored(["x"]));
    at_their_line!(udp.send_to_vectored(["x"], here));
    at_their_line!(udp.send("x"));
    at_their_line!(udp.send_to("x", here));
    at_their_line!(listener.incoming());
    at_their_line!(reader.read(buffer()));
    at_their_line!(reader.read_vectored([buffer()]));
    at_their_line!(writer.write("x"));
    at_their_line!(writer.write_vectored(["x"]));
    at_their_line!(io::splice(&reader, &writer, 1));
    at_their_line!(io::tee(&reader, &writer, 1));
    at_their_line!(fs::sendfile(&file, 0, &writer, 1));
    at_their_line!(stdin.read(buffer()));
    at_their_line!(stdout.write("x"));
    at_their_line!(stdout.write_vectored(["x"]));
    at_their_line!(watched.ready(io::Interest::READABLE));
    at_their_line!(watched.readable());
    at_their_line!(watched.writable());
    at_their_line!(file.read_at(buffer(), 0));
    at_their_line!(file.read_vectored_at([buffer()], 0));
    at_their_line!(file.write_at("x", 0));
    at_their_line!(file.write_vectored_at(["x"], 0));
    at_their_line!(file.sync_all());
    at_their_line!(file.sync_data());
    at_their_line!(file.allocate(0, 1));
    at_their_line!(BufPool::new(options));
    at_their_line!(executor::fs::RegisteredBufs::new(1, 1));
    at_their_line!(task::Builder::new().spawn(async {}));
    at_their_line!(task::Builder::new().spawn_on(0, async || {}));
    at_their_line!(task::Builder::new().spawn_future_on(0, async {}));
    at_their_line!(JoinSet::new().spawn(async {}));
    at_their_line!(JoinSet::new().spawn_on(0, async || {}));
    at_their_line!(JoinSet::new().spawn_blocking(|| ()));
    at_their_line!(JoinSet::from_iter([async {}]));
    at_their_line!(sharded.local());
    at_their_line!(stream.receive(&pool));
    at_their_line!(stream.ready(io::Interest::READABLE));
    at_their_line!(stream.readable());
    at_their_line!(stream.writable());
    at_their_line!(stream.try_read(slice));
    at_their_line!(stream.try_read_vectored(&mut []));
    at_their_line!(stream.try_write(b"x"));
    at_their_line!(stream.try_write_vectored(&[]));
    at_their_line!(stream.try_io(io::Interest::READABLE, || Ok(())));
    at_their_line!(owned_sending.shutdown());
    at_their_line!(unix_socket().connect("/nowhere"));
    at_their_line!(unix_socket().connect_addr(&unix_address));
    at_their_line!(unix_stream.shutdown(net::Shutdown::Write));
    at_their_line!(TcpListener::bind_all("127.0.0.1:0"));
    at_their_line!(UdpSocket::bind_all("127.0.0.1:0"));
    at_their_line!(VsockStream::connect(VsockAddr::new(1, 1)));
    at_their_line!(unix.recv_vectored([buffer()]));
    at_their_line!(unix.try_recv_from(slice));
    at_their_line!(unix.try_send_to(b"x", "/nowhere"));
    at_their_line!(UnixSeqpacket::connect("/nowhere"));
    at_their_line!(UnixSeqpacket::connect_addr(&unix_address));
    at_their_line!(seqpacket.recv(buffer()));
    at_their_line!(seqpacket.peek(buffer()));
    at_their_line!(seqpacket.recv_vectored([buffer()]));
    at_their_line!(seqpacket.recv_with_descriptors(buffer(), 1));
    at_their_line!(seqpacket.send("x"));
    at_their_line!(seqpacket.send_vectored(["x"]));
    at_their_line!(seqpacket.send_with_descriptors("x", Vec::new()));
    at_their_line!(seqpacket.shutdown(net::Shutdown::Write));
    at_their_line!(seqpacket_listener.accept());
    at_their_line!(seqpacket_listener.incoming());
    at_their_line!(udp.peek(buffer()));
    at_their_line!(udp.receive(&pool));
    at_their_line!(udp.recv_msg(buffer()));
    at_their_line!(udp.send_msg("x", None, ControlMessages::new()));
    at_their_line!(udp.ready(io::Interest::READABLE));
    at_their_line!(udp.readable());
    at_their_line!(udp.writable());
    at_their_line!(udp.try_recv(slice));
    at_their_line!(udp.try_recv_from(slice));
    at_their_line!(udp.try_send(b"x"));
    at_their_line!(udp.try_send_to(b"x", here));
    at_their_line!(udp.try_io(io::Interest::READABLE, || Ok(())));
    at_their_line!(stdin.read_vectored([buffer()]));
    at_their_line!(file.read_fixed_at(registered(), 0));
    at_their_line!(file.write_fixed_at(registered(), 0));
    at_their_line!(file.allocate_keep_size(0, 1));
    at_their_line!(file.punch_hole(0, 1));
    at_their_line!(ring::Op::new(Nop));
    at_their_line!(ring::OpStream::new(Nop));
    at_their_line!(time::pause());
    at_their_line!(time::resume());
    at_their_line!(time::is_paused());
    at_their_line!(pin!(sleep(second)).poll(&mut noop()));
    at_their_line!(pin!(timeout(second, pending::<()>())).poll(&mut noop()));
    at_their_line!(pin!(interval_at(Instant::now() + second, second).tick()).poll(&mut noop()));
}

/// There is no core of that number: that is said at the caller's line as well.
#[test]
fn without_such_a_core_the_callers_line_is_told() {
    run(1, async {
        let handle = executor::Handle::current();
        let tasks: [&dyn Fn(); 4] = [
            &|| spawn_on(7, async || {}).detach(),
            &|| spawn_on(7, async || {}).detach(),
            &|| handle.spawn_on(7, async || {}).detach(),
            &|| handle.spawn_on(7, async || {}).detach(),
        ];
        for (number, task) in (1..).zip(tasks) {
            let (file, line, text) = panic_at(task);
            assert_eq!((file.as_str(), line), (file!(), line!() - 8 + number));
            assert!(text.contains("there is no core 7"), "{text}");
        }
    });
}

/// An `async fn` cannot know its caller, and other futures find out when they are polled: these
/// panic with the same text at their first poll.
#[test]
fn outside_of_a_runtime_futures_panic_when_they_are_polled() {
    let file = || fs::File::from(std::fs::File::open("/dev/null").unwrap());
    let runtime = start(1).expect("one CPU");
    let entry = runtime.block_on(async {
        let mut entries = fs::read_dir("/").await.unwrap();
        entries.next_entry().await.unwrap().unwrap()
    });
    let mut user_defined = Signal::new(SignalKind::USER_DEFINED_1).unwrap();
    let (reader, _writer) = io::pipe().unwrap();
    let program = || process::Command::new("true");
    let running = || {
        let mut program = process::Command::new("sleep");
        program.arg("60").kill_on_drop(true).spawn().unwrap()
    };
    macro_rules! when_polled {
        ($($future:expr),+ $(,)?) => {$(
            let (_, _, text) = panic_at(|| { let _unused = common::block_on($future); });
            assert!(text.contains("outside of a runtime"), "{}: {text}", stringify!($future));
        )+};
    }
    when_polled!(time::advance(Duration::ZERO));
    when_polled!(Sharded::new(|| ()));
    when_polled!(lookup_host("localhost:1"));
    when_polled!(user_defined.recv());
    when_polled!(program().status(), program().output());
    when_polled!(running().wait(), running().wait_with_output());
    when_polled!(reader.close());
    when_polled!(
        fs::File::open("/"),
        fs::File::create("/"),
        fs::File::create_new("/")
    );
    when_polled!(fs::OpenOptions::new().read(true).open("/"));
    when_polled!(fs::DirectFile::open("/", fs::OpenOptions::new().read(true)));
    when_polled!(fs::DirBuilder::new().create("/"));
    when_polled!(fs::create_dir("/"), fs::create_dir_all("/nowhere"));
    when_polled!(
        fs::remove_dir("/"),
        fs::remove_dir_all("/nowhere"),
        fs::remove_file("/")
    );
    when_polled!(
        fs::rename("/", "/"),
        fs::hard_link("/", "/"),
        fs::symlink("/", "/")
    );
    when_polled!(
        fs::metadata("/"),
        fs::symlink_metadata("/"),
        fs::try_exists("/")
    );
    when_polled!(
        fs::read_link("/"),
        fs::canonicalize("/"),
        fs::copy("/", "/")
    );
    when_polled!(fs::read("/"), fs::read_to_string("/"), fs::write("/", "x"));
    when_polled!(fs::read_dir("/"), entry.metadata());
    when_polled!(file().metadata(), file().set_len(0), file().close());
    when_polled!(file().set_times(fs::FileTimes::new()));
    when_polled!(file().lock(), file().lock_shared(), file().unlock());
    when_polled!(file().try_lock(), file().try_lock_shared());
}

/// A future that needs a core is awaited by an executor that has none: the panic is said to be at the line of the `await`.
#[test]
fn outside_of_a_runtime_the_line_of_the_await_is_told() {
    let wait = async || {
        sleep(Duration::from_secs(1)).await;
    };
    let (file, line, _) = panic_at(|| common::block_on(wait()));
    assert_eq!((file.as_str(), line), (file!(), line!() - 3));
}
