//! Sockets as descriptors, from elsewhere and to elsewhere; sockets before they are connected; options, and names.

use crate::child;
use crate::common;

use child::Child;
use common::{pair, run, settle, unix_pair};
use executor::buf::BufResult;
use executor::net::{
    TcpListener, TcpListenerBuilder, TcpSocket, TcpStream, UdpSocket, UnixDatagram, UnixListener,
    UnixSeqpacket, UnixSeqpacketListener, UnixSocket, UnixStream, VsockAddr, VsockListener,
    VsockStream, listen_fds, lookup_host,
};
use futures::future::poll_immediate;
use rustix::fs::{OFlags, fcntl_getfl};
use rustix::io::{FdFlags, fcntl_getfd};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr as UnixAddr;
use std::time::Duration;

fn abstract_name(what: &str) -> UnixAddr {
    let name = format!("executor-test-{what}-{}", std::process::id());
    UnixAddr::from_abstract_name(name).unwrap()
}

fn is_blocking(socket: &impl AsFd) -> bool {
    !fcntl_getfl(socket).unwrap().contains(OFlags::NONBLOCK)
}

/// A non-blocking socket of each type of the standard library is taken over, is blocking then, and is given away as the same descriptor.
#[test]
fn sockets_are_taken_over_and_given_away() {
    macro_rules! round_trip {
        ($std:expr, $ours:ty) => {{
            let socket = $std;
            socket.set_nonblocking(true).unwrap();
            let number = socket.as_raw_fd();
            let socket = <$ours>::from_std(socket);
            assert!(is_blocking(&socket));
            let owned: OwnedFd = socket.into_owned_fd().unwrap();
            assert_eq!(owned.as_raw_fd(), number);
        }};
    }
    run(1, async {
        use std::net;
        use std::os::unix::net as unix;
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        round_trip!(net::TcpStream::connect(address).unwrap(), TcpStream);
        round_trip!(listener, TcpListener);
        round_trip!(net::UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket);
        round_trip!(unix::UnixStream::pair().unwrap().0, UnixStream);
        round_trip!(unix::UnixDatagram::unbound().unwrap(), UnixDatagram);
        let name = abstract_name("listener");
        round_trip!(unix::UnixListener::bind_addr(&name).unwrap(), UnixListener);

        let socket = TcpSocket::from_std_stream(OwnedFd::from(TcpSocket::new_v4().unwrap()).into());
        socket.try_clone().unwrap().set_nodelay(true).unwrap();
        assert!(socket.nodelay().unwrap());
    });
}

/// A read is in flight: the stream is not given away, but comes back whole. The same while what a dropped read has left is to be read.
#[test]
fn a_socket_in_use_is_not_given_away() {
    run(1, async {
        let (stream, peer) = unix_pair();
        let mut read = Box::pin(stream.read([0; 8]));
        assert!(poll_immediate(&mut read).await.is_none());
        settle().await;
        let stream = stream.into_owned_fd().unwrap_err();
        peer.write_all("kept").await.0.unwrap();
        settle().await;
        drop(read);
        let stream = stream.into_owned_fd().unwrap_err();
        assert_eq!(&stream.read_exact([0; 4]).await.1, b"kept");
        stream.into_owned_fd().unwrap();
    });
}

/// A second stream for one socket: close-on-exec, both read what comes, and the peer reads to the end when both have gone.
#[test]
fn a_second_descriptor_is_of_the_same_socket() {
    run(1, async {
        let (stream, peer) = unix_pair();
        let second = stream.try_clone().unwrap();
        assert!(fcntl_getfd(&second).unwrap().contains(FdFlags::CLOEXEC));
        peer.write_all("onetwo").await.0.unwrap();
        assert_eq!(&stream.read_exact([0; 3]).await.1, b"one");
        assert_eq!(&second.read_exact([0; 3]).await.1, b"two");
        stream.close().await.unwrap();
        second.write_all("more").await.0.unwrap();
        second.close().await.unwrap();
        assert_eq!(&peer.read_exact([0; 4]).await.1, b"more");
        assert_eq!(peer.read([0; 1]).await.0.unwrap(), 0);

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let second = listener.try_clone().unwrap();
        drop(listener);
        let client = executor::spawn(TcpStream::connect(address));
        second.accept().await.unwrap();
        client.await.unwrap().unwrap();
    });
}

/// Both sides have shut down and closed: shutting the sending side down again is no error, by the stream or a half. After a reset it is one,
/// if it was not shut down before.
#[test]
fn shutting_down_twice_is_no_error() {
    run(1, async {
        let (stream, peer) = pair().await;
        stream.shutdown(Shutdown::Write).await.unwrap();
        peer.shutdown(Shutdown::Write).await.unwrap();
        assert_eq!(stream.read([0; 1]).await.0.unwrap(), 0);
        peer.close().await.unwrap();
        settle().await;
        assert_eq!(
            stream.shutdown(Shutdown::Read).await.unwrap_err().kind(),
            ErrorKind::NotConnected
        );
        stream.shutdown(Shutdown::Write).await.unwrap();
        let (_reading, writing) = stream.split();
        writing.shutdown().await.unwrap();

        let (stream, peer) = pair().await;
        peer.set_zero_linger().unwrap();
        peer.close().await.unwrap();
        settle().await;
        let refused = stream.shutdown(Shutdown::Write).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotConnected);
    });
}

/// Each half of a stream says where the stream is from and to.
#[test]
fn halves_have_the_addresses_of_the_stream() {
    run(1, async {
        let (stream, peer) = pair().await;
        let addresses = (peer.peer_addr().unwrap(), peer.local_addr().unwrap());
        let (read, write) = stream.into_split();
        assert_eq!(
            (read.local_addr().unwrap(), read.peer_addr().unwrap()),
            addresses
        );
        assert_eq!(
            (write.local_addr().unwrap(), write.peer_addr().unwrap()),
            addresses
        );
        let (read, write) = UnixStream::pair().unwrap().0.into_split();
        assert!(read.local_addr().unwrap().is_unnamed());
        assert!(read.peer_addr().unwrap().is_unnamed());
        assert!(write.local_addr().unwrap().is_unnamed());
        assert!(write.peer_addr().unwrap().is_unnamed());
    });
}

/// Both kinds of sending halves send large buffers without a copy, and give them back.
#[test]
fn halves_send_without_a_copy() {
    run(1, async {
        let (stream, peer) = pair().await;
        let bytes = || vec![7; 20_000];
        let reading = executor::spawn(async move {
            let BufResult(read, buffer) = peer.read_exact(vec![0; 40_000]).await;
            read.unwrap();
            assert!(buffer == vec![7; 40_000]);
        });
        let BufResult(written, buffer) = stream.split().1.write_zero_copy(bytes()).await;
        assert_eq!((written.unwrap(), buffer), (20_000, bytes()));
        let (_reading, writing) = stream.into_split();
        assert_eq!(writing.write_zero_copy(bytes()).await.0.unwrap(), 20_000);
        reading.await.unwrap();
    });
}

/// Options are set, and read back.
#[test]
fn options_are_what_they_were_set_to() {
    run(1, async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.set_reuse_port(true).unwrap();
        assert!(socket.reuse_address().unwrap() && socket.reuse_port().unwrap());
        socket.set_fastopen_connect(true).unwrap();
        assert!(socket.fastopen_connect().unwrap());
        assert_eq!(socket.fastopen().unwrap(), 0);
        socket.set_fastopen(16).unwrap();
        assert_eq!(socket.fastopen().unwrap(), 16);
        let limit = Some(Duration::from_millis(1500));
        assert_eq!(socket.user_timeout().unwrap(), None);
        socket.set_user_timeout(limit).unwrap();
        assert_eq!(socket.user_timeout().unwrap(), limit);
        socket.set_tos_v4(0xb8).unwrap();
        assert_eq!(socket.tos_v4().unwrap(), 0xb8);
        assert_eq!(socket.device().unwrap(), None);
        let (stream, _peer) = pair().await;
        stream.set_quickack(false).unwrap();
        assert!(!stream.quickack().unwrap());
        stream.set_zero_linger().unwrap();
        assert_eq!(stream.linger().unwrap(), Some(Duration::ZERO));
        if let Ok(socket) = TcpSocket::new_v6() {
            socket.set_tclass_v6(0xb8).unwrap();
            assert_eq!(socket.tclass_v6().unwrap(), 0xb8);
        }
    });
}

/// A connection with fast open requested and offered, whatever the system allows: it carries what
/// is written first, and the answer.
#[test]
fn a_connection_with_fast_open_carries_data() {
    run(1, async {
        let builder = TcpListenerBuilder::new().fastopen(16);
        let listener = builder.bind("127.0.0.1:0").unwrap();
        for _ in 0..2 {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_fastopen_connect(true).unwrap();
            let address = listener.local_addr().unwrap();
            let connecting = executor::spawn(async move {
                let stream = socket.connect(address).await.unwrap();
                stream.write_all("question").await.0.unwrap();
                stream.read_exact([0; 6]).await.1
            });
            let (stream, _) = listener.accept().await.unwrap();
            assert_eq!(&stream.read_exact([0; 8]).await.1, b"question");
            stream.write_all("answer").await.0.unwrap();
            assert_eq!(&connecting.await.unwrap(), b"answer");
        }
    });
}

/// Fast open is asked for before a listener listens, of each of several, or afterwards. A
/// connection cannot be asked.
#[test]
fn listeners_offer_fast_open() {
    run(1, async {
        let builder = TcpListenerBuilder::new().fastopen(16);
        let listeners = builder.bind_many("127.0.0.1:0", 2).unwrap();
        for listener in listeners {
            let listener = TcpListener::from(listener);
            assert_eq!(listener.fastopen().unwrap(), 16);
        }

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(listener.fastopen().unwrap(), 0);
        listener.set_fastopen(8).unwrap();
        assert_eq!(listener.fastopen().unwrap(), 8);
        listener.set_fastopen(0).unwrap();
        assert_eq!(listener.fastopen().unwrap(), 0);

        let address = listener.local_addr().unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let socket = TcpSocket::from(stream.into_owned_fd().unwrap());
        let error = socket.set_fastopen(8).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

/// A Unix socket is bound before it is connected: the listener learns the address. A datagram socket is made of one, and of a stream
/// socket none.
#[test]
fn unix_sockets_are_bound_before_they_are_used() {
    run(1, async {
        let (server, client) = (abstract_name("server"), abstract_name("client"));
        let socket = UnixSocket::new_stream().unwrap();
        socket.bind_addr(&server).unwrap();
        let listener = socket.listen(4).unwrap();
        let socket = UnixSocket::new_stream().unwrap();
        socket.bind_addr(&client).unwrap();
        let stream = socket.connect_addr(&server).await.unwrap();
        let (peer, address) = listener.accept().await.unwrap();
        assert_eq!(address.as_abstract_name(), client.as_abstract_name());
        stream.write_all("hello").await.0.unwrap();
        assert_eq!(&peer.read_exact([0; 5]).await.1, b"hello");

        let socket = UnixSocket::new_datagram().unwrap();
        let address = abstract_name("datagram");
        socket.bind_addr(&address).unwrap();
        let datagram = socket.datagram().unwrap();
        assert_eq!(
            datagram.local_addr().unwrap().as_abstract_name(),
            address.as_abstract_name()
        );
        let refused = UnixSocket::new_stream().unwrap().datagram().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
        assert!(UnixSocket::new_datagram().unwrap().listen(1).is_err());
    });
}

/// A name waits for a thread of the pool, whose only one is busy. An address needs none, and what stands for nothing is an error.
#[test]
fn hosts_are_looked_up() {
    let builder = executor::Builder::new().cores(1).pin(false);
    let runtime = builder.blocking_threads_max(1).build().unwrap();
    runtime.block_on(async {
        let (free, wait) = std::sync::mpsc::channel::<()>();
        let busy = executor::spawn_blocking(move || wait.recv().unwrap());
        let mut lookup = lookup_host("localhost:80");
        assert!(poll_immediate(&mut lookup).await.is_none());
        free.send(()).unwrap();
        busy.await.unwrap();
        let mut found = lookup.await.unwrap();
        assert!(found.all(|address| address.ip().is_loopback() && address.port() == 80));
        let addresses = [
            SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
            ([10, 0, 0, 1], 2).into(),
        ];
        let known = poll_immediate(lookup_host(addresses)).await;
        assert!(known.expect("at once").unwrap().eq(addresses));
        let nothing = lookup_host(Vec::new()).await.unwrap_err();
        assert_eq!(nothing.kind(), ErrorKind::InvalidInput);
        let nonsense = lookup_host("no port").await.unwrap_err();
        assert_eq!(nonsense.kind(), ErrorKind::InvalidInput);
        let text = nonsense.to_string();
        assert!(
            text.contains("\"no port\"") && text.contains("localhost:80"),
            "{text}"
        );
        let unknown = TcpStream::connect(("no.such.host.invalid", 80))
            .await
            .unwrap_err();
        let text = unknown.to_string();
        assert!(text.contains("\"no.such.host.invalid\""), "{text}");
    });
}

/// A connection that carries messages: each is received alone, with its descriptors; a dropped receive loses none; the end is told, and
/// a send after it is an error.
#[test]
fn a_seqpacket_connection_carries_messages() {
    run(1, async {
        let address = abstract_name("seqpacket");
        let listener = UnixSeqpacketListener::bind_addr(&address).unwrap();
        let connecting = executor::spawn(UnixSeqpacket::connect_addr(&address));
        let (server, _) = listener.accept().await.unwrap();
        let client = connecting.await.unwrap().unwrap();
        let mut receive = Box::pin(server.recv(Vec::with_capacity(8)));
        assert!(poll_immediate(&mut receive).await.is_none());
        settle().await;
        client.send("one").await.0.unwrap();
        client.send_vectored(["t", "wo"]).await.0.unwrap();
        settle().await;
        drop(receive);
        assert_eq!(server.recv(Vec::with_capacity(8)).await.1, b"one");
        assert_eq!(server.peek(Vec::with_capacity(8)).await.1, b"two");
        assert_eq!(server.recv(Vec::with_capacity(8)).await.1, b"two");
        let null = OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
        client
            .send_with_descriptors("null", vec![null])
            .await
            .0
            .unwrap();
        let BufResult(received, buffer) = server.recv_with_descriptors([0; 8], 1).await;
        let (count, descriptors) = received.unwrap();
        assert_eq!((&buffer[..count], descriptors.len()), (&b"null"[..], 1));
        client.shutdown(Shutdown::Write).await.unwrap();
        assert_eq!(server.recv([0; 8]).await.0.unwrap(), 0);
        server.send("still").await.0.unwrap();
        assert_eq!(&client.recv([0; 5]).await.1, b"still");
        server.close().await.unwrap();
        let refused = client.send("nobody").await.0.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::BrokenPipe);
    });
}

/// A stream to a listener of the same machine, by vsock: bytes go both ways. It needs the loopback of the kernel.
#[test]
fn a_vsock_stream_carries_bytes() {
    run(1, async {
        let any = VsockAddr::new(VsockAddr::CID_ANY, VsockAddr::PORT_ANY);
        let listener = match VsockListener::bind(any) {
            Ok(listener) => listener,
            Err(error) => return println!("skipped: this kernel has no vsock: {error}"),
        };
        if !std::path::Path::new("/sys/module/vsock_loopback").exists() {
            return println!("skipped: this kernel has no vsock loopback");
        }
        let port = listener.local_addr().unwrap().port;
        let connecting = VsockStream::connect(VsockAddr::new(VsockAddr::CID_LOCAL, port));
        let client = connecting.await.unwrap();
        let (server, peer) = listener.accept().await.unwrap();
        assert_eq!(client.local_addr().unwrap().port, peer.port);
        let (reading, writing) = client.into_split();
        writing.write_all("hello").await.0.unwrap();
        assert_eq!(&server.read_exact([0; 5]).await.1, b"hello");
        server.write_all("there").await.0.unwrap();
        assert_eq!(&reading.read_exact([0; 5]).await.1, b"there");
        drop(writing);
        assert_eq!(server.read([0; 1]).await.0.unwrap(), 0);
    });
}

/// A machine that is not there never answers. Where there is a device for asking, the connect fails when the kernel has waited for it,
/// and not when the request has been sent.
#[test]
fn a_vsock_connect_waits_for_the_answer() {
    run(1, async {
        let nowhere = VsockAddr::new(u32::MAX - 7, 5000);
        let refused = VsockStream::connect(nowhere).await.unwrap_err();
        match refused.raw_os_error() {
            Some(libc::ECONNRESET | libc::ETIMEDOUT) => {}
            Some(libc::EALREADY) => panic!("it did not wait"),
            _ => println!("skipped: there is nobody to ask: {refused}"),
        }
    });
}

/// Addresses of vsock are those that the kernel has, and are shown as machine and port.
#[test]
fn vsock_addresses_are_shown() {
    let address = VsockAddr::new(VsockAddr::CID_HOST, 5000);
    assert_eq!(address.to_string(), "2:5000");
}

/// A process is started with a listener, a UDP socket and /dev/null. As long as the environment
/// promises more, or something that the process has opened itself, nothing is given out. Then each
/// is, once, and is taken for what it is alone.
#[test]
fn sockets_are_passed_to_a_process() {
    let child = Child::of(|| {
        let set = |variable: &str, value: String| {
            // SAFETY: the other thread, libtest's, waits for this one.
            unsafe { std::env::set_var(variable, value) };
        };
        let refused = |variable: &str, value: String, lack: &str| {
            set(variable, value);
            let error = listen_fds().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(lack), "{error}");
        };
        let own = std::process::id().to_string();
        assert!(listen_fds().unwrap().is_empty(), "they are for no process");
        refused("LISTEN_PID", format!("{own}x"), "should be a number");
        set("LISTEN_PID", own);
        assert!(listen_fds().unwrap().is_empty(), "there are none");
        refused("LISTEN_FDS", "three".to_owned(), "should be a number");
        set("LISTEN_FDNAMES", "web:dns".to_owned());
        let mut files = vec![std::fs::File::open("/dev/null").unwrap()];
        while files.last().unwrap().as_raw_fd() < 6 {
            files.push(std::fs::File::open("/dev/null").unwrap());
        }
        refused("LISTEN_FDS", "4".to_owned(), "descriptor 6 should");
        drop(files);
        refused("LISTEN_FDS", u16::MAX.to_string(), "should have been");

        set("LISTEN_FDS", "3".to_owned());
        let passed = listen_fds().unwrap();
        let names: Vec<_> = passed.iter().map(|fd| fd.name()).collect();
        assert_eq!(names, ["web", "dns", ""]);
        assert!(listen_fds().unwrap().is_empty(), "each has one owner");
        for fd in &passed {
            assert_eq!(fcntl_getfd(fd).unwrap(), FdFlags::CLOEXEC);
            assert!(!fd.is_unix_listener() && !fd.is_unix_datagram());
        }
        let [web, dns, null] = passed.try_into().unwrap();
        assert!(web.is_tcp_listener() && !dns.is_tcp_listener() && !null.is_tcp_listener());
        assert!(!web.is_udp_socket() && dns.is_udp_socket() && !null.is_udp_socket());
        run(1, async {
            let is_wrong = |error: std::io::Error| error.kind() == ErrorKind::InvalidInput;
            let number = null.as_fd().as_raw_fd();
            assert!(is_wrong(null.into_unix_datagram().unwrap_err()));
            let file = std::fs::File::open("/dev/null").unwrap();
            assert_eq!(file.as_raw_fd(), number, "it was closed");
            assert!(is_wrong(
                web.try_clone().unwrap().into_udp_socket().unwrap_err()
            ));
            let listener = web.into_tcp_listener().unwrap();
            let udp = dns.into_udp_socket().unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap());
            let (accepted, connected) = futures::join!(listener.accept(), client);
            assert!(accepted.is_ok() && connected.is_ok());
            let address = udp.local_addr().unwrap();
            udp.send_to("hello", address).await.0.unwrap();
            assert_eq!(udp.recv_from([0; 5]).await.0.unwrap(), (5, address));
        });
    });
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let datagrams = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let test = child.command();
    // As descriptors 3 and 4, in place of its input and output.
    let script = r#"exec "$0" "$@" 3<&0 4<&1 5</dev/null 0</dev/null 1>&2"#;
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", script])
        .arg(test.get_program())
        .args(test.get_args());
    for (variable, value) in test.get_envs() {
        match value {
            Some(value) => command.env(variable, value),
            None => command.env_remove(variable),
        };
    }
    command
        .stdin(OwnedFd::from(listener))
        .stdout(OwnedFd::from(datagrams));
    let output = command.stderr(std::process::Stdio::piped()).output();
    let output = output.unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("running 1 test"), "{told}");
}
