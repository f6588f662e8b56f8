//! What others wrote against `compio-io`, over streams of the executor, and back: TLS, codecs, buffered readers.

use compio_buf::bytes::Bytes;
use compio_io::framed::Framed;
use compio_io::framed::codec::bytes::BytesCodec;
use compio_io::framed::frame::LengthDelimited;
use compio_tls::{TlsAcceptor, TlsConnector, TlsStream};
use executor::buf::BufResult;
use executor::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, pipe};
use executor::net::{TcpListener, TcpStream, UnixStream};
use executor_compio::{FromCompio, ToCompio};
use futures::future::{join, poll_immediate};
use futures::{SinkExt, StreamExt};
use std::sync::Arc;

fn run<F: Future>(future: F) -> F::Output {
    let builder = executor::Builder::new().cores(1).pin(false);
    builder.build().expect("one core").block_on(future)
}

/// A server's and a client's side, for a name that the one has a certificate for.
fn tls() -> (TlsAcceptor, TlsConnector) {
    let names = vec!["localhost".into()];
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(names).expect("a key");
    let key = signing_key.serialize_der().try_into().expect("a key");
    let server = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("they fit each other");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(cert.der().clone()).expect("a certificate");
    let client = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server).into(), Arc::new(client).into())
}

async fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (client, server) = join(TcpStream::connect(address), listener.accept()).await;
    (client.expect("it listens"), server.expect("it came").0)
}

async fn tls_pair() -> (
    TlsStream<ToCompio<TcpStream>>,
    TlsStream<ToCompio<TcpStream>>,
) {
    let (acceptor, connector) = tls();
    let (client, server) = tcp_pair().await;
    let (client, server) = join(
        connector.connect("localhost", ToCompio::new(client)),
        acceptor.accept(ToCompio::new(server)),
    )
    .await;
    (client.expect("a handshake"), server.expect("a handshake"))
}

/// `compio-tls` over our sockets, and what it makes, which has `compio-io`'s traits, as a stream of ours: a large text there, lines back.
#[test]
fn tls_of_others_works_on_our_sockets() {
    run(async {
        let (client, server) = tls_pair().await;
        let sent: Vec<u8> = (0..300_000u32).map(|number| (number % 251) as u8).collect();
        let ask = async {
            let mut client = FromCompio::new(client);
            client.write_all(sent.clone()).await.0.expect("it is open");
            client.flush().await.expect("it is open");
            let mut lines = BufReader::new(client).lines();
            let first = lines.next_line().await.expect("it is open");
            (first, lines.next_line().await.expect("it ends in order"))
        };
        let answer = async {
            let mut server = FromCompio::new(server);
            let BufResult(read, received) = server.read_exact(vec![0; sent.len()]).await;
            read.expect("it was sent");
            assert!(received == sent);
            server.write_all("a line\n").await.0.expect("it is open");
            server.shutdown().await.expect("it is open");
        };
        let ((first, second), ()) = join(ask, answer).await;
        assert_eq!((first.as_deref(), second), (Some("a line"), None));
    });
}

/// A codec with a length before each frame, over the two halves of a socket, with frames that are larger than any buffer.
#[test]
fn a_codec_of_others_works_on_our_sockets() {
    run(async {
        let (one, other) = UnixStream::pair().expect("two sockets");
        let framed = |stream| {
            Framed::symmetric::<Bytes>(BytesCodec::new(), LengthDelimited::new())
                .with_duplex(ToCompio::new(stream))
        };
        let (mut one, mut other) = (framed(one), framed(other));
        for size in [1, 100, 200_000] {
            let frame = Bytes::from(vec![size as u8; size]);
            let (sent, received) = join(one.send(frame.clone()), other.next()).await;
            sent.expect("it is open");
            assert!(received.expect("it came").expect("it is open") == frame);
        }
        drop(one);
        assert!(other.next().await.is_none());
    });
}

/// Reads into buffers of theirs with room and without, single and several, and a read that is dropped and loses nothing.
#[test]
fn reads_by_their_traits_bring_what_was_written() {
    use compio_io::AsyncRead as _;
    run(async {
        let (reader, mut writer) = pipe().expect("a pipe");
        let mut reader = ToCompio::new(reader);
        assert!(
            poll_immediate(Box::pin(reader.read([0; 8])))
                .await
                .is_none()
        );
        writer.write_all("some text").await.0.expect("it is open");
        let (count, buffer) = reader.read(Vec::with_capacity(4)).await.unwrap();
        assert_eq!((count, &*buffer), (4, &b"some"[..]));
        let buffers = [Vec::with_capacity(2), Vec::with_capacity(20)];
        let (count, buffers) = reader.read_vectored(buffers).await.unwrap();
        assert_eq!(
            (count, &*buffers[0], &*buffers[1]),
            (5, &b" t"[..], &b"ext"[..])
        );
        assert_eq!(reader.read(Vec::new()).await.unwrap().0, 0);
        drop(writer);
        assert_eq!(reader.read([0; 8]).await.unwrap().0, 0);
    });
}

/// What is written by their traits arrives, from one buffer and several; what fails gives the buffers back.
#[test]
fn writes_by_their_traits_arrive() {
    use compio_io::{AsyncWrite as _, AsyncWriteExt as _};
    run(async {
        let (reader, writer) = pipe().expect("a pipe");
        let mut writer = ToCompio::new(writer);
        writer.write_all("one, ").await.unwrap();
        let (count, parts) = writer.write_vectored(["two, ", "three"]).await.unwrap();
        assert_eq!((count, parts), (10, ["two, ", "three"]));
        writer.flush().await.expect("it is open");
        let text = reader.read(Vec::with_capacity(100)).await.1;
        assert_eq!(text, b"one, two, three");
        drop(reader);
        let compio_buf::BufResult(result, buffer) = writer.write(vec![7; 3]).await;
        assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
        assert_eq!(buffer, [7; 3]);
    });
}

/// A reader and a writer of theirs by our traits. A reader that claims to have read more than it has is not believed.
#[test]
fn what_they_read_is_read_by_our_traits() {
    /// It says that it has filled the buffer.
    struct Boaster;

    impl compio_io::AsyncRead for Boaster {
        async fn read<B: compio_buf::IoBufMut>(
            &mut self,
            mut buffer: B,
        ) -> compio_buf::BufResult<usize, B> {
            compio_buf::BufResult(Ok(buffer.buf_capacity()), buffer)
        }
    }

    run(async {
        let mut reader = FromCompio::new(compio_io::BufReader::new(&b"some text"[..]));
        let BufResult(read, buffers) = reader
            .read_vectored([Vec::with_capacity(3), Vec::with_capacity(3)])
            .await;
        assert_eq!(read.expect("it is in memory"), 6);
        assert_eq!(buffers, [b"som", b"e t"]);
        let BufResult(read, rest) = reader.read_to_end(Vec::new()).await;
        assert_eq!((read.expect("it is in memory"), &*rest), (3, &b"ext"[..]));

        let mut writer = FromCompio::new(Vec::new());
        writer.write_all("one, ").await.0.expect("it is in memory");
        let parts = ["two, ", "three"];
        writer
            .write_vectored_all(parts)
            .await
            .0
            .expect("it is in memory");
        assert_eq!(writer.into_inner(), b"one, two, three");

        let BufResult(read, buffer) = FromCompio::new(Boaster).read(Vec::with_capacity(50)).await;
        assert_eq!((read.expect("it is in memory"), buffer.len()), (0, 0));
    });
}
