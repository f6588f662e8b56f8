//! Operations that users add: what they promise, and what the crate does with them when their futures go away.

use crate::common;

use common::run;
use executor::fs::File;
use executor::net::{
    TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixSeqpacket,
    UnixSeqpacketListener, UnixStream,
};
use executor::ring::io_uring::opcode;
use executor::ring::io_uring::types::{Fd, Timespec};
use executor::ring::{Completion, Entry, Multishot, Op, OpStream, Operation, SharedFd};
use executor::yield_now;
use futures::stream::FusedStream;
use futures::{FutureExt, StreamExt};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use std::cell::Cell;
use std::fmt;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

/// Bytes on the heap that say when they are freed.
struct Buffer {
    bytes: Box<[u8; 8]>,
    is_freed: Rc<Cell<bool>>,
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.is_freed.set(true);
    }
}

struct Read {
    fd: SharedFd,
    buffer: Buffer,
}

// SAFETY: the entry points to the buffer, on the heap, which nobody else gets before the completion; the descriptor is held.
unsafe impl Operation for Read {
    type Output = (io::Result<usize>, Buffer);

    fn entry(&mut self) -> Entry {
        let fd = Fd(self.fd.as_raw_fd());
        opcode::Read::new(fd, self.buffer.bytes.as_mut_ptr(), 8).build()
    }

    fn complete(self, completion: Completion) -> Self::Output {
        let count = completion.result().map(|count| count as usize);
        (count, self.buffer)
    }
}

fn read(fd: &SharedFd) -> (Op<Read>, Rc<Cell<bool>>) {
    let is_freed = Rc::<Cell<bool>>::default();
    let buffer = Buffer {
        bytes: Box::default(),
        is_freed: Rc::clone(&is_freed),
    };
    let fd = fd.clone();
    (Op::new(Read { fd, buffer }), is_freed)
}

fn pipe() -> (SharedFd, io::PipeWriter) {
    let (reader, writer) = io::pipe().unwrap();
    (OwnedFd::from(reader).into(), writer)
}

/// A read that is a user's own waits, gets its bytes, and gives its buffer back; one of a directory gives the error of the kernel.
#[test]
fn an_operation_has_an_output_or_an_error() {
    run(1, async {
        let (reader, mut writer) = pipe();
        let (mut op, is_freed) = read(&reader);
        assert!((&mut op).now_or_never().is_none());
        writer.write_all(b"hello").unwrap();
        let (count, buffer) = op.await;
        assert_eq!(&buffer.bytes[..count.unwrap()], b"hello");
        assert!(!is_freed.get());

        let folder = OwnedFd::from(std::fs::File::open("/").unwrap());
        let (count, _) = read(&folder.into()).0.await;
        assert_eq!(count.unwrap_err().kind(), io::ErrorKind::IsADirectory);
    });
}

/// The future of a read is dropped while the kernel has its buffer: that, and the descriptor, stay until the kernel has answered the cancel.
#[test]
fn a_dropped_operation_keeps_its_memory_until_the_kernel_is_done() {
    run(1, async {
        let (reader, _writer) = pipe();
        let (mut op, is_freed) = read(&reader);
        assert!((&mut op).now_or_never().is_none());
        drop(op);
        assert!(!is_freed.get(), "the kernel has the buffer");
        let reader = reader.try_into_owned().expect_err("it has the descriptor");
        while !is_freed.get() {
            yield_now().await;
        }
        reader.try_into_owned().expect("nobody else has it");
    });
}

/// One that was never polled is dropped at once: the kernel never had it.
#[test]
fn an_operation_that_has_not_begun_is_dropped_at_once() {
    run(1, async {
        let (reader, _writer) = pipe();
        let (op, is_freed) = read(&reader);
        drop(op);
        assert!(is_freed.get());
    });
}

/// A read is cancelled, in flight or before it has begun: it yields the buffer, with the error.
#[test]
fn a_cancelled_operation_gives_its_buffer_back() {
    run(1, async {
        let (reader, _writer) = pipe();
        for begin in [true, false] {
            let (mut op, is_freed) = read(&reader);
            if begin {
                assert!((&mut op).now_or_never().is_none());
            }
            let (count, _buffer) = op.cancel().await;
            let code = count.unwrap_err().raw_os_error();
            assert_eq!(code, Some(libc::ECANCELED));
            assert!(!is_freed.get());
        }
    });
}

/// Waits until something can be read.
struct Readable(SharedFd);

// SAFETY: the entry points to nothing; the descriptor is held.
unsafe impl Operation for Readable {
    type Output = ();

    fn entry(&mut self) -> Entry {
        opcode::PollAdd::new(Fd(self.0.as_raw_fd()), libc::POLLIN as u32).build()
    }

    fn complete(self, _: Completion) {}
}

/// The runtime ends with a user's read in flight: its buffer is freed, for the kernel answers.
#[test]
fn the_end_of_a_runtime_ends_operations() {
    let (reader, _writer) = io::pipe().unwrap();
    let (sender, freed) = std::sync::mpsc::channel();
    struct Tell(std::sync::mpsc::Sender<()>);
    impl Drop for Tell {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
        }
    }
    struct Poll(
        SharedFd,
        #[expect(dead_code, reason = "its drop is the test")] Tell,
    );
    // SAFETY: the entry points to nothing; the descriptor is held.
    unsafe impl Operation for Poll {
        type Output = ();

        fn entry(&mut self) -> Entry {
            opcode::PollAdd::new(Fd(self.0.as_raw_fd()), libc::POLLIN as u32).build()
        }

        fn complete(self, _: Completion) {}
    }
    run(1, async {
        let tell = Tell(sender);
        let mut op = Op::new(Poll(OwnedFd::from(reader).into(), tell));
        assert!((&mut op).now_or_never().is_none());
        executor::spawn(op).detach();
    });
    freed.try_recv().expect("it was dropped");
}

/// Polls for as long as it lives.
struct Polls(SharedFd);

// SAFETY: the entry points to nothing; the descriptor is held.
unsafe impl Multishot for Polls {
    type Item = io::Result<u32>;

    fn entry(&mut self) -> Entry {
        let fd = Fd(self.0.as_raw_fd());
        let poll = opcode::PollAdd::new(fd, libc::POLLIN as u32);
        poll.multi(true).build()
    }

    fn item(&mut self, completion: Completion) -> Self::Item {
        completion.result()
    }

    fn unfetched_max(&self) -> usize {
        2
    }
}

/// An eventfd is written to while nobody fetches: the stream is paused, yields what it had, and has ended then. One that is dropped in flight lets go of
/// the descriptor when the kernel has.
#[test]
fn a_multishot_operation_is_a_stream() {
    run(1, async {
        let event = SharedFd::from(eventfd(0, EventfdFlags::NONBLOCK).unwrap());
        let mut polls = OpStream::new(Polls(event.clone()));
        assert!(polls.next().now_or_never().is_none());
        for _ in 0..8 {
            rustix::io::write(&event, &1_u64.to_ne_bytes()).unwrap();
            // A turn for each.
            executor::fs::metadata("/").await.unwrap();
        }
        let mut items = 0;
        while let Some(item) = polls.next().await {
            match item {
                Ok(events) => assert_eq!(events & libc::POLLIN as u32, libc::POLLIN as u32),
                Err(error) => assert_eq!(error.raw_os_error(), Some(libc::ECANCELED)),
            }
            items += 1;
        }
        assert!((2..8).contains(&items), "{items}");
        assert!(polls.is_terminated());

        let mut polls = OpStream::new(Polls(event.clone()));
        polls.next().await.unwrap().unwrap();
        drop(polls);
        let mut event = event;
        loop {
            match event.try_into_owned() {
                Ok(_) => break,
                Err(held) => event = held,
            }
            yield_now().await;
        }
    });
}

/// How many bytes wait in a socket, asked by a command for sockets (`uring_cmd`). Kernels before 6.7 have none.
struct Waiting(SharedFd);

// SAFETY: the entry points to nothing; the descriptor is held.
unsafe impl Operation for Waiting {
    type Output = io::Result<u32>;

    fn entry(&mut self) -> Entry {
        const SIOCINQ: u32 = 0;
        opcode::UringCmd16::new(Fd(self.0.as_raw_fd()), SIOCINQ).build()
    }

    fn complete(self, completion: Completion) -> Self::Output {
        completion.result()
    }
}

/// A command for sockets, on the descriptor of a stream of ours.
#[test]
fn a_command_is_sent_to_a_stream() {
    run(1, async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connect = TcpStream::connect(listener.local_addr().unwrap());
        let (accepted, connected) = futures::join!(listener.accept(), connect);
        let ((server, _), client) = (accepted.unwrap(), connected.unwrap());
        client.write_all("hello").await.0.unwrap();
        assert_eq!(server.peek([0; 1]).await.0.unwrap(), 1);
        match Op::new(Waiting(SharedFd::from(&server))).await {
            Ok(count) => assert_eq!(count, 5),
            Err(error) => println!("skipped: this kernel has no commands for sockets: {error}"),
        }
        server.into_std().expect("nobody shares it any more");
    });
}

/// How often a future was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// A socket of any kind lends its descriptor to operations of the user's own. Meanwhile it is not
/// given away; afterwards it is.
#[test]
fn operations_use_sockets_of_every_kind() {
    async fn awaits<S: fmt::Debug, G: fmt::Debug>(
        socket: S,
        shared: SharedFd,
        into_owned: fn(S) -> Result<G, S>,
    ) {
        Op::new(Readable(shared.clone())).await;
        let socket = into_owned(socket).expect_err("it is shared");
        drop(shared);
        into_owned(socket).expect("nobody else has it");
    }

    run(1, async {
        let (peer, socket) = UnixDatagram::pair().unwrap();
        peer.send("hello").await.0.unwrap();
        let shared = SharedFd::from(&socket);
        awaits(socket, shared, UnixDatagram::into_owned_fd).await;

        let (peer, socket) = UnixSeqpacket::pair().unwrap();
        peer.send("hello").await.0.unwrap();
        let shared = SharedFd::from(&socket);
        awaits(socket, shared, UnixSeqpacket::into_owned_fd).await;

        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        socket.send_to("hello", address).await.0.unwrap();
        let shared = SharedFd::from(&socket);
        awaits(socket, shared, UdpSocket::into_owned_fd).await;

        let name = format!("executor-test-shared-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let listener = UnixListener::bind_addr(&address).unwrap();
        let _stream = UnixStream::connect_addr(&address).await.unwrap();
        let shared = SharedFd::from(&listener);
        awaits(listener, shared, UnixListener::into_owned_fd).await;

        let listener = UnixSeqpacketListener::bind_addr(&address).unwrap();
        let _stream = UnixSeqpacket::connect_addr(&address).await.unwrap();
        let shared = SharedFd::from(&listener);
        awaits(listener, shared, UnixSeqpacketListener::into_owned_fd).await;

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let _stream = TcpStream::connect(address).await.unwrap();
        let shared = SharedFd::from(&listener);
        awaits(listener, shared, TcpListener::into_owned_fd).await;
    });
}

/// A listener that is dropped while its descriptor is shared keeps its address.
#[test]
fn a_shared_listener_keeps_its_address() {
    run(1, async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = SharedFd::from(&listener);
        drop(listener);
        let error = TcpListener::bind(address).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        drop(shared);
        TcpListener::bind(address).unwrap();
    });
}

/// Closing what shares its descriptor waits for the last holder, which is an operation that was
/// dropped in flight. Meanwhile nobody wakes it, however long that takes, and the descriptor cannot
/// be taken away from it.
#[test]
fn close_waits_for_the_last_holder() {
    async fn closes(
        what: &str,
        close: impl Future<Output = io::Result<()>>,
        shared: SharedFd,
        other: impl AsFd,
    ) {
        let mut close = pin!(close);
        let woken = Arc::<Woken>::default();
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        assert!(close.as_mut().poll(&mut context).is_pending(), "{what}");
        executor::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(woken.0.load(Relaxed), 0, "{what}");

        let shared = shared.try_into_owned().expect_err("close waits for it");
        let mut op = Op::new(Readable(shared.clone()));
        assert!((&mut op).now_or_never().is_none());
        drop((shared, op));
        assert_eq!(woken.0.load(Relaxed), 0, "the kernel has it");
        while woken.0.load(Relaxed) == 0 {
            yield_now().await;
        }
        close.await.unwrap();
        let mut ended = [PollFd::new(&other, PollFlags::empty())];
        poll(&mut ended, Some(&rustix::event::Timespec::default())).unwrap();
        let is_closed = PollFlags::HUP | PollFlags::ERR;
        assert!(ended[0].revents().intersects(is_closed), "{what}");
    }

    run(1, async {
        executor::time::pause();
        let (stream, peer) = UnixStream::pair().unwrap();
        let shared = SharedFd::from(&stream);
        closes("a stream", stream.close(), shared, peer).await;
        let (reader, writer) = executor::io::pipe().unwrap();
        let shared = SharedFd::from(&reader);
        closes("a pipe", reader.close(), shared, writer).await;
        let (reader, writer) = io::pipe().unwrap();
        let file = File::from(OwnedFd::from(reader));
        let shared = SharedFd::from(&file);
        closes("a file", file.close(), shared, writer).await;
    });
}

/// A close that waits is dropped: the last holder closes the descriptor. So it does if close has
/// had the descriptor by then, and has not been polled.
#[test]
fn a_close_that_is_given_up_leaves_it_to_the_last_holder() {
    run(1, async {
        for is_inherited in [false, true] {
            let (stream, peer) = UnixStream::pair().unwrap();
            let shared = SharedFd::from(&stream);
            let mut close = Box::pin(stream.close());
            assert!((&mut close).now_or_never().is_none());
            let read = peer.read([0; 1]);
            if is_inherited {
                drop(shared);
                drop(close);
            } else {
                drop(close);
                drop(shared);
            }
            assert_eq!(read.await.0.unwrap(), 0);
        }
    });
}

/// A timer of the kernel, in real time.
struct Elapses(Box<Timespec>);

// SAFETY: the entry points to the time, on the heap, which nobody writes.
unsafe impl Operation for Elapses {
    type Output = Option<i32>;

    fn entry(&mut self) -> Entry {
        opcode::Timeout::new(&raw const *self.0).build()
    }

    fn complete(self, completion: Completion) -> Self::Output {
        completion.result().unwrap_err().raw_os_error()
    }

    fn ends_by_itself(&self) -> bool {
        true
    }
}

/// An operation that says that it ends by itself is in flight: paused time waits for it. One that
/// does not say so is no reason to wait.
#[test]
fn paused_time_waits_for_what_ends_by_itself() {
    run(1, async {
        executor::time::pause();
        let (reader, _writer) = pipe();
        let mut waits = Op::new(Readable(reader));
        assert!((&mut waits).now_or_never().is_none());
        executor::time::sleep(Duration::from_secs(3600)).await;

        let soon = Timespec::new().nsec(20_000_000);
        let start = executor::time::Instant::now();
        let elapses = Op::new(Elapses(Box::new(soon)));
        let hour = executor::time::sleep(Duration::from_secs(3600));
        let (elapsed, ()) = futures::join!(
            async {
                let code = elapses.await;
                assert_eq!(code, Some(libc::ETIME));
                start.elapsed()
            },
            hour
        );
        assert_eq!(elapsed, Duration::ZERO);
    });
}

/// Counts what it is given, and panics.
struct Panics(SharedFd, Rc<Cell<usize>>);

impl Panics {
    fn given(&self) -> ! {
        self.1.set(self.1.get() + 1);
        panic!("what came is not expected");
    }
}

// SAFETY: the entry points to nothing; the descriptor is held.
unsafe impl Operation for Panics {
    type Output = ();

    fn entry(&mut self) -> Entry {
        opcode::PollAdd::new(Fd(self.0.as_raw_fd()), libc::POLLIN as u32).build()
    }

    fn complete(self, _: Completion) {
        self.given()
    }
}

// SAFETY: as above; the kernel ends a poll that is cancelled.
unsafe impl Multishot for Panics {
    type Item = ();

    fn entry(&mut self) -> Entry {
        let poll = opcode::PollAdd::new(Fd(self.0.as_raw_fd()), libc::POLLIN as u32);
        poll.multi(true).build()
    }

    fn item(&mut self, _: Completion) {
        self.given()
    }
}

/// An operation of either kind is dropped in flight, and its methods panic about the completion
/// that says so: the core goes on, and the descriptor is let go of.
#[test]
fn a_panic_about_what_came_for_nobody_is_contained() {
    run(1, async {
        let (reader, _writer) = pipe();
        let given = Rc::<Cell<usize>>::default();
        let mut op = Op::new(Panics(reader.clone(), Rc::clone(&given)));
        assert!((&mut op).now_or_never().is_none());
        let mut stream = OpStream::new(Panics(reader.clone(), Rc::clone(&given)));
        assert!(stream.next().now_or_never().is_none());
        drop((op, stream));
        while Rc::strong_count(&given) > 1 {
            yield_now().await;
        }
        assert_eq!(given.get(), 2);
        reader.try_into_owned().expect("nobody else has it");
    });
}
