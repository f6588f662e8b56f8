//! A proxy made of `copy_bidirectional`, on sockets: bytes, half-closes and errors go through it both ways.

use crate::common;

use common::{Random, modes, pair, run, start_with, unix_pair};
use executor::buf::BufResult;
use executor::io::{
    AsyncReadExt, AsyncWrite, BufReader, BufWriter, Splittable, compat::ToFutures,
    copy_bidirectional, copy_buffered,
};
use executor::net::TcpStream;
use executor::spawn;
use socket2::SockRef;
use std::io::ErrorKind;
use std::net::Shutdown;
use std::time::Duration;

/// Everything that comes, until the end.
async fn all(mut stream: &TcpStream) -> Vec<u8> {
    let BufResult(result, bytes) = stream.read_to_end(Vec::new()).await;
    result.unwrap();
    bytes
}

/// Both sides send more than their sockets hold, one of them much more, and close when they have sent it: each gets all of the other's, and
/// the proxy says how much that was.
#[test]
fn everything_goes_both_ways() {
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let (client, front) = pair().await;
            let (back, server) = pair().await;
            let proxy = spawn(copy_bidirectional(front, back));
            let question = Random::new(61).bytes(3_000_000);
            let answer = Random::new(62).bytes(400_000);
            let serving = spawn({
                let (question, answer) = (question.clone(), answer.clone());
                async move {
                    assert!(all(&server).await == question);
                    server.write_all(answer).await.0.unwrap();
                }
            });
            let sending = async {
                let mut client = &client;
                client.write_all(question).await.0.unwrap();
                // The other direction stays open.
                AsyncWrite::shutdown(&mut client).await.unwrap();
            };
            let (came, ()) = futures::join!(all(&client), sending);
            assert!(came == answer);
            serving.await.unwrap();
            assert_eq!(proxy.await.unwrap().unwrap(), (3_000_000, 400_000));
        });
    }
}

/// One side is reset: the proxy ends with the error, and the other side is closed.
#[test]
fn an_error_of_one_side_ends_both() {
    run(1, async {
        let (client, front) = pair().await;
        let (back, server) = pair().await;
        let proxy = spawn(copy_bidirectional(front, back));
        client.write_all("hello").await.0.unwrap();
        assert_eq!(server.read(Vec::with_capacity(5)).await.1, b"hello");
        SockRef::from(&client)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
        drop(client);
        proxy.await.unwrap().unwrap_err();
        assert_eq!(server.read([0; 1]).await.0.unwrap(), 0);
    });
}

/// The halves of a connection behind a buffered reader and writer, and the whole of it behind the adapter for `futures::io`.
#[test]
fn connections_are_buffered_and_adapted() {
    run(1, async {
        let (client, server) = pair().await;
        let echoing = spawn(async move {
            let (reader, writer) = Splittable::split(server);
            let (mut reader, mut writer) = (BufReader::new(reader), BufWriter::new(writer));
            let copied = copy_buffered(&mut reader, &mut writer).await.unwrap();
            writer.shutdown().await.unwrap();
            copied
        });
        let mut client = ToFutures::new(client);
        let mut text = String::new();
        futures::AsyncWriteExt::write_all(&mut client, b"by futures")
            .await
            .unwrap();
        futures::AsyncWriteExt::close(&mut client).await.unwrap();
        futures::AsyncReadExt::read_to_string(&mut client, &mut text)
            .await
            .unwrap();
        assert_eq!(text, "by futures");
        assert_eq!(echoing.await.unwrap(), 10);
    });
}

/// Request and answer through a proxy whose writers both have buffers, a hundred times, in every mode: nothing waits for the sake of a full
/// buffer. Then the one side ends its sending, the other answers that, and ends.
#[test]
fn requests_and_answers_pass_through_buffers() {
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let (client, front) = pair().await;
            let (back, server) = pair().await;
            let buffered = |stream| {
                let (reader, writer) = Splittable::split(stream);
                (reader, BufWriter::new(writer))
            };
            let proxy = spawn(copy_bidirectional(buffered(front), buffered(back)));
            let serving = spawn(async move {
                loop {
                    let BufResult(read, bytes) = server.read(Vec::with_capacity(64)).await;
                    if read.unwrap() == 0 {
                        return server.write_all("bye").await.0.unwrap();
                    }
                    server.write_all(bytes).await.0.unwrap();
                }
            });
            for round in 0..100 {
                let request = format!("request {round:03}").into_bytes();
                client.write_all(request.clone()).await.0.unwrap();
                let BufResult(read, answer) = client.read_exact(vec![0; request.len()]).await;
                read.unwrap();
                assert_eq!(answer, request);
            }
            client.shutdown(Shutdown::Write).await.unwrap();
            assert_eq!(all(&client).await, b"bye");
            serving.await.unwrap();
            assert_eq!(proxy.await.unwrap().unwrap(), (1_100, 1_103));
        });
    }
}

/// The far side vanishes while nothing is sent: the near side sees an end, and what it sends then ends the proxy with an error.
#[test]
fn a_peer_that_vanishes_ends_the_proxy() {
    run(1, async {
        let (client, front) = unix_pair();
        let (back, server) = unix_pair();
        let proxy = spawn(copy_bidirectional(front, back));
        drop(server);
        assert_eq!(client.read([0; 1]).await.0.unwrap(), 0);
        client.write_all("into the void").await.0.unwrap();
        let error = proxy.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
}
