//! The conventions of the public API that no lint holds: each future and stream has a name and can be stored, no signature shows the crate
//! below, and descriptors go in and out.

use crate::common;

use common::run;
use executor::fs::File;
use executor::io::{AsyncReadExt, PipeReader, PipeWriter};
use executor::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use executor::{fs, io, net, ring, signal, sync, task, time};
use futures::FutureExt;
use futures::future::FusedFuture;
use std::collections::BTreeSet;
use std::fs as files;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr as UnixAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

type Buffer = Vec<u8>;
type Buffers = [Buffer; 2];
type Nothing = std::future::Ready<()>;
type Predicate = fn(&u8) -> bool;

struct Nop;

// SAFETY: the entry points to nothing, and has one completion.
unsafe impl ring::Operation for Nop {
    type Output = ring::Completion;

    fn entry(&mut self) -> ring::Entry {
        ring::io_uring::opcode::Nop::new().build()
    }

    fn complete(self, completion: ring::Completion) -> Self::Output {
        completion
    }
}

// SAFETY: as above.
unsafe impl ring::Multishot for Nop {
    type Item = ring::Completion;

    fn entry(&mut self) -> ring::Entry {
        ring::io_uring::opcode::Nop::new().build()
    }

    fn item(&mut self, completion: ring::Completion) -> Self::Item {
        completion
    }
}

/// Every future and stream that the crate makes, as a user's struct would hold it. The last test compares it with the source.
#[derive(Debug, Default)]
#[expect(dead_code, reason = "that it compiles is the test")]
struct Everything<'a> {
    join_handle: Option<task::JoinHandle<u8>>,
    join_set: Option<task::JoinSet<u8>>,
    join_next: Option<task::JoinNext<'a, u8>>,
    join_next_with_id: Option<task::JoinNextWithId<'a, u8>>,
    join_all: Option<task::JoinAll<u8>>,
    join_set_shutdown: Option<task::Shutdown<'a, u8>>,
    yield_now: Option<executor::YieldNow>,
    consume_budget: Option<executor::ConsumeBudget>,
    unconstrained: Option<executor::Unconstrained<Nothing>>,
    task_local: Option<executor::TaskLocalFuture<u8, Nothing>>,
    next: Option<executor::Next<'a, net::Incoming<TcpStream>>>,

    accept: Option<net::Accept<TcpStream>>,
    accept_unix: Option<net::Accept<UnixStream, UnixAddr>>,
    connect: Option<net::Connect<TcpStream>>,
    lookup_host: Option<net::LookupHost>,
    socket_ready: Option<net::Ready>,
    socket_readable: Option<net::Readable>,
    socket_writable: Option<net::Writable>,
    recv_message: Option<net::RecvMessage<Buffer>>,
    send_message: Option<net::SendMessage<Buffer>>,
    read: Option<net::Read<Buffer>>,
    read_vectored: Option<net::ReadVectored<Buffers>>,
    read_with_descriptors: Option<net::ReadWithDescriptors<Buffer>>,
    write: Option<net::Write<Buffer>>,
    write_vectored: Option<net::WriteVectored<Buffers>>,
    write_zero_copy: Option<net::WriteZeroCopy<Buffer>>,
    write_with_descriptors: Option<net::WriteWithDescriptors<Buffer>>,
    shutdown: Option<net::ShutdownStream>,
    recv: Option<net::Recv<Buffer>>,
    recv_from: Option<net::RecvFrom<Buffer>>,
    recv_from_unix: Option<net::RecvFrom<Buffer, UnixAddr>>,
    recv_vectored: Option<net::RecvVectored<Buffers>>,
    recv_from_vectored: Option<net::RecvFromVectored<Buffers>>,
    recv_with_descriptors: Option<net::RecvWithDescriptors<Buffer>>,
    send: Option<net::SendDatagram<Buffer>>,
    send_to: Option<net::SendTo<Buffer>>,
    send_vectored: Option<net::SendVectored<Buffers>>,
    send_with_descriptors: Option<net::SendWithDescriptors<Buffer>>,
    incoming: Option<net::Incoming<TcpStream>>,
    receive: Option<net::Receive>,
    datagrams: Option<net::Datagrams>,

    io_read: Option<io::Read<Buffer>>,
    io_read_vectored: Option<io::ReadVectored<Buffers>>,
    io_write: Option<io::Write<Buffer>>,
    io_write_vectored: Option<io::WriteVectored<Buffers>>,
    ready: Option<io::Ready<OwnedFd>>,
    splice: Option<io::Splice>,
    tee: Option<io::Tee>,
    lines: Option<io::Lines<PipeReader>>,
    split: Option<io::Split<PipeReader>>,
    next_line: Option<io::NextLine<'a, PipeReader>>,
    next_segment: Option<io::NextSegment<'a, PipeReader>>,
    fill_buf: Option<io::FillBuf<'a, PipeReader>>,
    read_until: Option<io::ReadUntil<'a, PipeReader>>,
    read_line: Option<io::ReadLine<'a, PipeReader>>,

    read_at: Option<fs::ReadAt<Buffer>>,
    read_vectored_at: Option<fs::ReadVectoredAt<Buffers>>,
    read_fixed_at: Option<fs::ReadFixedAt<fs::RegisteredBuf>>,
    write_at: Option<fs::WriteAt<Buffer>>,
    write_vectored_at: Option<fs::WriteVectoredAt<Buffers>>,
    write_fixed_at: Option<fs::WriteFixedAt<fs::RegisteredBuf>>,
    sync_all: Option<fs::SyncAll>,
    sync_data: Option<fs::SyncData>,
    allocate: Option<fs::Allocate>,
    sendfile: Option<fs::Sendfile>,
    take: Option<fs::Take>,
    read_dir: Option<fs::ReadDir>,
    next_entry: Option<fs::NextEntry<'a>>,

    op: Option<ring::Op<Nop>>,
    op_stream: Option<ring::OpStream<Nop>>,

    signal: Option<signal::Signal>,
    signal_recv: Option<signal::Recv<'a>>,

    acquire: Option<sync::Acquire<&'a sync::Semaphore>>,
    acquire_owned: Option<sync::Acquire<Rc<sync::Semaphore>>>,
    lock: Option<sync::Lock<'a, u8>>,
    lock_owned: Option<sync::LockOwned<u8>>,
    rw_read: Option<sync::Read<'a, u8>>,
    rw_read_owned: Option<sync::ReadOwned<u8>>,
    rw_write: Option<sync::Write<'a, u8>>,
    rw_write_owned: Option<sync::WriteOwned<u8>>,
    notified: Option<sync::Notified<'a>>,
    notified_owned: Option<sync::NotifiedBy<Rc<sync::Notify>>>,
    event: Option<sync::Wait<'a>>,
    gate: Option<sync::Close<'a>>,
    barrier: Option<sync::BarrierWait<'a>>,
    mpsc_reserve: Option<sync::mpsc::Reserve<'a, u8>>,
    mpsc_reserve_owned: Option<sync::mpsc::ReserveOwned<u8>>,
    mpsc_send: Option<sync::mpsc::SendValue<'a, u8>>,
    mpsc_receiver: Option<sync::mpsc::Receiver<u8>>,
    mpsc_unbounded_receiver: Option<sync::mpsc::UnboundedReceiver<u8>>,
    mpsc_closed: Option<sync::mpsc::Closed<'a>>,
    oneshot: Option<sync::oneshot::Receiver<u8>>,
    oneshot_closed: Option<sync::oneshot::Closed<'a, u8>>,
    broadcast: Option<sync::broadcast::Receiver<u8>>,
    broadcast_recv: Option<sync::broadcast::Recv<'a, u8>>,
    watch: Option<sync::watch::Receiver<u8>>,
    watch_changed: Option<sync::watch::Changed<'a, u8>>,
    watch_wait_for: Option<sync::watch::WaitFor<'a, u8, Predicate>>,
    watch_closed: Option<sync::watch::Closed<'a>>,

    interval: Option<time::Interval>,
    sleep: Option<time::Sleep>,
    timeout: Option<time::Timeout<Nothing>>,
    tick: Option<time::Tick<'a>>,
}

/// A struct holds an accept and its listener, then a read and its stream: none borrows, each knows when it has ended, and after that the
/// listener can be closed though the accept is still there.
#[test]
fn operations_are_stored_beside_what_they_are_of() {
    struct Server {
        accept: net::Accept<TcpStream>,
        listener: TcpListener,
    }
    run(1, async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut connect = TcpStream::connect(listener.local_addr().unwrap());
        let accept = listener.accept();
        let mut server = Server { accept, listener };
        assert!(!server.accept.is_terminated() && !connect.is_terminated());
        let (accepted, connected) = futures::join!(&mut server.accept, &mut connect);
        let ((stream, _), peer) = (accepted.unwrap(), connected.unwrap());
        assert!(server.accept.is_terminated() && connect.is_terminated());
        server.listener.close().await.unwrap();

        let mut read = stream.read(Vec::with_capacity(8));
        assert!((&mut read).now_or_never().is_none());
        peer.write_all("x").await.0.unwrap();
        assert_eq!((&mut read).await.1, b"x");
        assert!(read.is_terminated());
    });
}

/// A listener is dropped and its accept kept: it still accepts. When that is dropped as well, the address is free at once.
#[test]
fn an_accept_keeps_the_address_of_its_listener() {
    run(1, async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (first, mut second) = (listener.accept(), listener.accept());
        drop(listener);
        let (accepted, connected) = futures::join!(first, TcpStream::connect(address));
        accepted.unwrap();
        connected.unwrap();
        assert!((&mut second).now_or_never().is_none());
        TcpListener::bind(address).expect_err("the second accept has it");
        drop(second);
        TcpListener::bind(address).unwrap();
    });
}

/// The source files of the crate, with the name of the public module that each belongs to.
fn sources() -> Vec<(PathBuf, String, String)> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in files::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &mut found);
    let library = files::read_to_string(root.join("lib.rs")).unwrap();
    let described = found.into_iter().map(|path| {
        let below = path.strip_prefix(&root).unwrap().with_extension("");
        let mut folders = below.iter().map(|name| name.to_str().unwrap());
        let module = folders.next().unwrap();
        let module = match folders.next() {
            _ if !library.contains(&format!("\npub mod {module};")) => "executor".to_owned(),
            Some(inner) if is_public_in(&root.join(module).join("mod.rs"), inner) => {
                format!("{module}::{inner}")
            }
            _ => module.to_owned(),
        };
        let text = files::read_to_string(&path).unwrap();
        (path, module, text)
    });
    described.collect()
}

fn is_public_in(parent: &Path, module: &str) -> bool {
    let parent = files::read_to_string(parent).unwrap();
    parent.contains(&format!("\npub mod {module};"))
}

/// The identifiers in a text, in order.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
        .filter(|word| !word.is_empty())
}

/// The names of the public structs in a file that are futures or streams.
fn waits(text: &str) -> Vec<&str> {
    let structs = text.lines().filter_map(|line| {
        let rest = line.trim_start().strip_prefix("pub struct ")?;
        let is_operation = line.starts_with(' ') && text.contains("\noperations! {");
        words(rest).next().map(|name| (name, is_operation))
    });
    let is_wait = |name: &str| {
        text.lines().any(|line| {
            let target = [" Future for ", " Stream for "]
                .iter()
                .find_map(|of| line.split_once(of));
            line.starts_with("impl")
                && target.is_some_and(|(_, target)| words(target).next() == Some(name))
        })
    };
    structs
        .filter(|(name, is_operation)| *is_operation || is_wait(name))
        .map(|(name, _)| name)
        .collect()
}

/// Whoever adds a future or a stream has to say here under which name users store it.
#[test]
fn every_future_and_stream_is_among_everything() {
    let here = include_str!("public_api.rs");
    let (_, fields) = here.split_once("struct Everything<'a> {").unwrap();
    let (fields, _) = fields.split_once("\n}").unwrap();
    let (mut all, mut missing) = (0, Vec::new());
    for (_, module, text) in sources() {
        for name in waits(&text) {
            all += 1;
            let named = [">", "<"]
                .iter()
                .any(|end| fields.contains(&format!("Option<{module}::{name}{end}")));
            if !named {
                missing.push(format!("{module}::{name}"));
            }
        }
    }
    assert!(missing.is_empty(), "not in Everything: {missing:?}");
    assert!(all > 40, "{all} were found: the search has become blind");
}

/// What a signature says, and what the file has imported from the crate below without giving it a name of ours: they have nothing in common.
#[test]
fn no_public_signature_shows_the_crate_below() {
    let sources = sources();
    let statements = |text: &str, start: &str| -> Vec<String> {
        let lines = text.split('\n').filter(|line| line.starts_with(start));
        let places = lines.map(|line| line.as_ptr() as usize - text.as_ptr() as usize);
        let ends = places.map(|place| text[place..].split(';').next().unwrap().to_owned());
        ends.collect()
    };
    let ours: BTreeSet<String> = sources
        .iter()
        .flat_map(|(_, _, text)| statements(text, "pub use reactor::"))
        .flat_map(|names| words(&names).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let mut all = 0;
    for (path, _, text) in &sources {
        let foreign: BTreeSet<String> = statements(text, "use reactor::")
            .iter()
            .flat_map(|names| words(names).map(str::to_owned).collect::<Vec<_>>())
            .filter(|name| name != "self" && !ours.contains(name))
            .chain(["reactor".to_owned()])
            .collect();
        for signature in signatures(text) {
            all += 1;
            let shown: Vec<_> = words(signature)
                .filter(|word| foreign.contains(*word))
                .collect();
            assert!(
                shown.is_empty(),
                "{}: {shown:?} in\n{signature}",
                path.display()
            );
        }
    }
    assert!(all > 400, "{all} were found: the search has become blind");
}

/// What a file declares for users, each without its body: functions, associated types, public fields.
fn signatures(text: &str) -> Vec<&str> {
    let starts = [
        "pub fn ",
        "pub async fn ",
        "pub const fn ",
        "pub const ",
        "pub static ",
        "type Output = ",
        "type Item = ",
    ];
    let mut found = Vec::new();
    let mut place = 0;
    for line in text.split_inclusive('\n') {
        let code = line.trim_start();
        let declaration = place + line.len() - code.len();
        let is_field = code.strip_prefix("pub ").is_some_and(|rest| {
            rest.split_once(':')
                .is_some_and(|(name, _)| words(name).eq([name]))
        });
        if is_field {
            found.push(code);
        } else if starts.iter().any(|start| code.starts_with(start)) {
            let rest = &text[declaration..];
            let end = rest.find(['{', ';']).unwrap_or(rest.len());
            found.push(&rest[..end]);
        }
        place += line.len();
    }
    found
}

/// A file is duplicated after some of it was read: the duplicate stands where the original does, and moves on alone.
#[test]
fn a_duplicated_file_has_a_position_of_its_own() {
    run(1, async {
        let mut file = File::open("/proc/self/exe").await.unwrap();
        file.read_exact([0; 1]).await.0.unwrap();
        let mut duplicate = file.try_clone().unwrap();
        for handle in [&mut duplicate, &mut file] {
            assert_eq!(&handle.read_exact([0; 3]).await.1, b"ELF");
        }
    });
}

/// Each kind of socket, pipe and file is duplicated; then its bare descriptor is taken out, and makes another one.
#[test]
fn descriptors_are_duplicated_given_back_and_taken_over() {
    macro_rules! round_trip {
        ($($type:ident($value:expr)),+ $(,)?) => {$(
            let original = $value;
            let duplicate = original.try_clone().unwrap();
            assert_ne!(original.as_raw_fd(), duplicate.as_raw_fd());
            let number = duplicate.as_raw_fd();
            let bare = duplicate.into_owned_fd().expect("nothing is in flight");
            assert_eq!(bare.as_raw_fd(), number);
            let standard = $type::from(bare).into_std().expect("nothing is in flight");
            assert_eq!($type::from_std(standard).as_raw_fd(), number);
            drop(original);
        )+};
    }
    run(1, async {
        let (unix, _other) = UnixStream::pair().unwrap();
        let (datagram, _another) = UnixDatagram::pair().unwrap();
        let (reader, writer) = io::pipe().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await;
        let file = File::from_std(files::File::open("/proc/self/exe").unwrap());
        let name = UnixAddr::from_abstract_name(format!("executor-api-{}", std::process::id()));
        let unix_listener = UnixListener::bind_addr(&name.unwrap()).unwrap();

        // An operation of the one is that of the other.
        writer.try_clone().unwrap().write("x").await.0.unwrap();
        assert_eq!(&reader.try_clone().unwrap().read([0; 1]).await.1, b"x");

        round_trip!(
            TcpListener(listener),
            TcpStream(stream.unwrap()),
            UdpSocket(UdpSocket::bind("127.0.0.1:0").unwrap()),
            UnixListener(unix_listener),
            UnixStream(unix),
            UnixDatagram(datagram),
            PipeReader(reader),
            PipeWriter(writer),
            File(file),
        );
    });
}
