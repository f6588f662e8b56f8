//! Peers that behave badly: they reset at any byte, in the middle of what is sent to them, or do not read. The others are served, and
//! nothing piles up.

use crate::common;

use common::descriptors::{alone, descriptors};
use common::{Random, modes, pair, settle, start_with, unix_pair, until};
use executor::buf::BufResult;
use executor::net::{BufPool, Filling, PoolOptions, TcpListener, TcpStream};
use executor::spawn;
use executor::time::{Duration, sleep};
use futures::future::{join, poll_immediate};
use std::io::{self, ErrorKind};
use std::net::Shutdown;

/// What a connection may end with, when its peer resets it.
fn is_reset(error: &io::Error) -> bool {
    [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&error.kind())
}

/// Sends everything back, by one of the ways there are.
async fn echo(stream: &TcpStream, pool: &BufPool, way: usize) -> io::Result<()> {
    let mut arriving = (way == 3).then(|| stream.receive(pool));
    loop {
        match way {
            0 | 1 => {
                let BufResult(read, buffer) = stream.read(Vec::with_capacity(20_000)).await;
                if read? == 0 {
                    return Ok(());
                }
                if way == 0 {
                    stream.write_all(buffer).await.0?;
                } else {
                    let BufResult(written, buffer) = stream.write_zero_copy(buffer).await;
                    let rest = buffer[written?..].to_vec();
                    stream.write_all(rest).await.0?;
                }
            }
            2 => {
                let BufResult(read, buffers) = stream.read_vectored([[0; 100], [0; 100]]).await;
                let count = read?;
                if count == 0 {
                    return Ok(());
                }
                let bytes = buffers.concat();
                let parts = [
                    bytes[..count / 2].to_vec(),
                    bytes[count / 2..count].to_vec(),
                ];
                stream.write_vectored_all(parts).await.0?;
            }
            _ => match arriving.as_mut().expect("it is this way").next().await {
                None => return Ok(()),
                Some(piece) => stream.write_all(piece?).await.0?,
            },
        }
    }
}

/// Hundreds of clients send and read some bytes and reset the connection, at random; good ones come between them. The server is told, or
/// reads the end; the good ones are served; afterwards every descriptor and every buffer is back.
#[test]
fn clients_reset_at_random_bytes() {
    const CLIENTS: usize = 240;
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let pool = BufPool::new(PoolOptions {
                count: 8,
                buffer_bytes: 512,
                filling: Filling::Incremental,
            })
            .unwrap();
            let before = descriptors();
            let server = spawn({
                let pool = pool.clone();
                async move {
                    let mut incoming = listener.incoming();
                    let mut tasks = Vec::new();
                    for number in 0..CLIENTS {
                        // A client may have reset it before it was accepted: that is no error of the listener's.
                        let stream = incoming.next().await.unwrap().unwrap();
                        let pool = pool.clone();
                        let serve = async move { echo(&stream, &pool, number % 4).await };
                        tasks.push(spawn(serve));
                    }
                    let mut resets = 0;
                    for task in tasks {
                        if let Err(error) = task.await.unwrap() {
                            assert!(is_reset(&error), "{error}");
                            resets += 1;
                        }
                    }
                    resets
                }
            });
            let mut random = Random::new(21);
            for number in 0..CLIENTS {
                let stream = TcpStream::connect(address).await.unwrap();
                let size = 1 + random.below(30_000);
                let sent = random.bytes(size);
                if number % 8 == 0 {
                    let read = stream.read_exact(vec![0; sent.len()]);
                    let (written, read) = join(stream.write_all(sent.clone()), read).await;
                    written.0.unwrap();
                    read.0.unwrap();
                    assert!(read.1 == sent, "client {number}");
                    continue;
                }
                stream.set_linger(Some(Duration::ZERO)).unwrap();
                let cut = random.below(sent.len());
                stream.write_all(sent[..cut].to_vec()).await.0.unwrap();
                let room = random.below(cut + 1);
                drop(poll_immediate(stream.read_exact(vec![0; room])).await);
            }
            let resets = server.await.unwrap();
            println!("{resets} resets");
            assert!(resets > CLIENTS / 4);
            // One is the listener's, which has gone.
            until(|| descriptors() + 1 == before).await;
            assert_eq!(pool.unheld(), 8);
        });
    }
}

/// The peer reads some and resets while much more is being written, by each way to write: an error, the very buffer back, and the next
/// write fails at once.
#[test]
fn a_peer_resets_in_the_middle_of_a_write() {
    const BYTES: usize = 30 << 20;
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            for way in 0..3 {
                let (stream, peer) = pair().await;
                let resetting = spawn(async move {
                    peer.read_exact(vec![0; 100_000]).await.0.unwrap();
                    peer.set_linger(Some(Duration::ZERO)).unwrap();
                });
                let buffer = vec![7; BYTES];
                let place = buffer.as_ptr();
                let (error, buffer) = match way {
                    0 => {
                        let BufResult(result, buffer) = stream.write_all(buffer).await;
                        (result.unwrap_err(), buffer)
                    }
                    1 => {
                        let BufResult(result, [buffer, _]) =
                            stream.write_vectored_all([buffer, vec![8; 10]]).await;
                        (result.unwrap_err(), buffer)
                    }
                    _ => {
                        let mut buffer = buffer;
                        loop {
                            let BufResult(result, rest) = stream.write_zero_copy(buffer).await;
                            buffer = rest;
                            if let Err(error) = result {
                                break (error, buffer);
                            }
                        }
                    }
                };
                assert!(is_reset(&error), "{error}");
                assert_eq!((buffer.as_ptr(), buffer.len()), (place, BYTES));
                resetting.await.unwrap();
                let error = stream.write("more").await.0.unwrap_err();
                assert!(is_reset(&error), "{error}");
            }
        });
    }
}

/// The peer does not read: a write waits, having taken no more than the sockets hold, and goes on when it does. The same within the machine.
#[test]
fn a_peer_that_does_not_read_holds_a_write_back() {
    const BYTES: usize = 40 << 20;
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            macro_rules! hold_back {
                ($pair:expr) => {
                    let (stream, peer) = $pair;
                    let writing = spawn(async move {
                        stream.write_all(vec![9; BYTES]).await.0.unwrap();
                        stream.shutdown(Shutdown::Write).await.unwrap();
                    });
                    for _ in 0..10 {
                        settle().await;
                        sleep(Duration::from_micros(200)).await;
                    }
                    assert!(!writing.is_finished(), "nobody reads");
                    let mut count = 0;
                    loop {
                        let BufResult(read, _) = peer.read(Vec::with_capacity(1 << 18)).await;
                        match read.unwrap() {
                            0 => break,
                            more => count += more,
                        }
                    }
                    assert_eq!(count, BYTES);
                    writing.await.unwrap();
                };
            }
            hold_back!(pair().await);
            hold_back!(unix_pair());
        });
    }
}
