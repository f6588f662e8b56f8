//! Receiving into pools: byte for byte, whatever the kernel has and whoever gives up, with memory that is as large as the pool and no
//! larger.

use crate::common;

use common::descriptors::{alone, descriptors};
use common::{Random, modes, pair, settle, start, start_with, unix_pair, until};
use executor::buf::BufResult;
use executor::net::{BufPool, Filling, PoolOptions, TcpStream};
use executor::time::{Duration, sleep};
use executor::{Builder, Feature, Foreign, spawn, spawn_on, yield_now};
use futures::TryStreamExt;
use futures::future::{Either, join, join_all, poll_immediate, select};
use std::cell::Cell;
use std::io::ErrorKind;
use std::net::Shutdown;
use std::pin::pin;
use std::rc::Rc;

/// In every mode, and by kernels that lack what receiving into pools is made of.
fn builders() -> Vec<(&'static str, Builder)> {
    let mut builders = modes();
    let without = |feature| Builder::new().without(feature);
    builders.push(("no multishot receive", without(Feature::MultishotReceive)));
    builders.push(("no buffer rings", without(Feature::BufferRings)));
    builders.push((
        "no incremental buffers",
        without(Feature::IncrementalBuffers),
    ));
    builders
}

fn pool(count: usize, buffer_bytes: usize, filling: Filling) -> BufPool {
    let options = PoolOptions {
        count,
        buffer_bytes,
        filling,
    };
    BufPool::new(options).unwrap()
}

const FILLINGS: [Filling; 2] = [Filling::Whole, Filling::Incremental];

/// Half a megabyte comes in pieces of random sizes, over TCP and within the machine, and is echoed from the pool's buffers: byte for byte,
/// and the stream ends with the peer's. The pool is whole then.
#[test]
fn an_echo_from_a_pool() {
    alone!();
    for (mode, builder) in builders() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            for filling in FILLINGS {
                let pool = pool(8, 1000, filling);
                macro_rules! echo {
                    ($pair:expr) => {
                        let (one, other) = $pair;
                        let sent = Random::new(5).bytes(500_000);
                        let server = async {
                            let mut arriving = other.receive(&pool);
                            while let Some(piece) = arriving.next().await {
                                let piece = piece.unwrap();
                                assert!(!piece.is_empty() && piece.len() <= 1000);
                                other.write_all(piece).await.0.unwrap();
                            }
                            assert!(arriving.next().await.is_none(), "it has ended");
                            other.shutdown(Shutdown::Write).await.unwrap();
                        };
                        let write = async {
                            let (mut random, mut rest) = (Random::new(6), &sent[..]);
                            while !rest.is_empty() {
                                let count = rest.len().min(1 + random.below(6000));
                                one.write_all(rest[..count].to_vec()).await.0.unwrap();
                                rest = &rest[count..];
                            }
                            one.shutdown(Shutdown::Write).await.unwrap();
                        };
                        let read = one.read_exact(vec![0; sent.len()]);
                        let (received, _) = join(read, join(write, server)).await;
                        received.0.unwrap();
                        assert!(received.1 == sent);
                        assert_eq!(pool.unheld(), 8);
                    };
                }
                echo!(pair().await);
                echo!(unix_pair());
            }
        });
    }
}

/// Every buffer is held when more comes: it waits, and comes in order as buffers are given back; also to two streams that share the pool,
/// neither of which starves.
#[test]
fn a_pool_that_is_held_is_waited_for() {
    alone!();
    for (mode, builder) in builders() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            for filling in FILLINGS {
                let pool = pool(4, 50, filling);
                let (one, other) = unix_pair();
                let sent = Random::new(9).bytes(1_000);
                one.write_all(sent.clone()).await.0.unwrap();
                let mut arriving = other.receive(&pool);
                let (mut received, mut held) = (Vec::new(), Vec::new());
                while pool.unheld() > 0 {
                    let piece = arriving.next().await.unwrap().unwrap();
                    received.extend_from_slice(&piece);
                    held.push(piece);
                }
                for _ in 0..3 {
                    assert!(poll_immediate(arriving.next()).await.is_none());
                    settle().await;
                }
                while received.len() < sent.len() {
                    held.remove(0);
                    let piece = arriving.next().await.unwrap().unwrap();
                    received.extend_from_slice(&piece);
                    held.push(piece);
                }
                assert!(received == sent);
                drop((held, arriving));

                let readers = (0..5u8).map(|number| {
                    let pool = pool.clone();
                    spawn(async move {
                        let (one, other) = pair().await;
                        let sent = vec![number; 20_000];
                        let writing = spawn(async move { one.write_all(sent).await.0.unwrap() });
                        let pieces = other.receive(&pool);
                        let pieces: Vec<_> = pieces
                            .map_ok(|piece| piece.to_vec())
                            .try_collect()
                            .await
                            .unwrap();
                        assert!(pieces.concat() == [number; 20_000]);
                        writing.await.unwrap();
                    })
                });
                for reader in join_all(readers).await {
                    reader.unwrap();
                }
                assert_eq!(pool.unheld(), 4);
            }
        });
    }
}

/// Two streams wait for the one buffer of a pool, which another core has got in a `Foreign` and
/// drops. One of them is given up when both have been told: the other has the buffer.
#[test]
fn a_buffer_that_another_core_drops_reaches_whoever_still_waits() {
    alone!();
    for (mode, builder) in builders() {
        println!("{mode}");
        let Some(runtime) = start_with(builder, 2) else {
            return;
        };
        runtime.block_on(async {
            let pool = pool(1, 50, Filling::Whole);
            let pairs = [unix_pair(), unix_pair(), unix_pair()];
            for (number, (near, _)) in (0..).zip(&pairs) {
                near.write_all([number; 10]).await.0.unwrap();
            }
            let [mut holding, mut given_up, mut waiting] =
                pairs.each_ref().map(|(_, far)| far.receive(&pool));
            let piece = Foreign::new(holding.next().await.unwrap().unwrap());
            for _ in 0..3 {
                assert!(poll_immediate(given_up.next()).await.is_none());
                assert!(poll_immediate(waiting.next()).await.is_none());
                settle().await;
            }
            spawn_on(1, async move || drop(piece)).await.unwrap();
            until(|| pool.unheld() == 1).await;
            drop(given_up);
            let piece = waiting.next().await.unwrap().unwrap();
            assert_eq!(*piece, [2; 10]);
        });
    }
}

/// Two tasks wait for the one buffer of a pool: first one whose peer is silent, then one whose data
/// is there. When the buffer comes back, the first has no use for it: the second must be woken too.
#[test]
fn a_silent_stream_does_not_keep_a_buffer_from_the_next() {
    for (mode, builder) in builders() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            for filling in FILLINGS {
                let pool = pool(1, 50, filling);
                let pairs = [unix_pair(), unix_pair(), unix_pair()];
                let [mut holding, silent, busy] =
                    pairs.each_ref().map(|(_, far)| far.receive(&pool));
                // A whole buffer, so that the kernel is done with it.
                pairs[0].0.write_all([0; 50]).await.0.unwrap();
                let piece = holding.next().await.unwrap().unwrap();
                assert_eq!(pool.unheld(), 0);
                drop(holding);
                pairs[2].0.write_all([2; 10]).await.0.unwrap();
                let [silent, busy] = [silent, busy].map(|mut arriving| {
                    spawn(async move { arriving.next().await.unwrap().unwrap().to_vec() })
                });
                settle().await;
                assert!(!silent.is_finished() && !busy.is_finished());
                drop(piece);
                assert_eq!(busy.await.unwrap(), [2; 10]);
                assert!(!silent.is_finished());
                silent.abort();
            }
        });
    }
}

/// Receives are begun and dropped again and again over a stream that comes in pieces, plain and vectored reads between them: byte for byte.
#[test]
fn select_of_receive_and_sleep_is_exact() {
    alone!();
    for (mode, builder) in builders() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let pool = pool(8, 700, Filling::Incremental);
            let (stream, peer) = pair().await;
            let sent = Random::new(6).bytes(150_000);
            let writer = spawn({
                let sent = sent.clone();
                async move {
                    let mut random = Random::new(8);
                    let mut rest = &sent[..];
                    while !rest.is_empty() {
                        let (piece, after) = rest.split_at(rest.len().min(1 + random.below(3000)));
                        peer.write_all(piece.to_vec()).await.0.unwrap();
                        sleep(Duration::from_micros(random.below(60) as u64)).await;
                        rest = after;
                    }
                }
            });
            let (mut came, mut given_up) = (Vec::new(), 0);
            for round in 0u64.. {
                let patience = sleep(Duration::from_micros(round % 35));
                let piece = match round % 4 {
                    0 => match select(stream.read(vec![0; 900]), patience).await {
                        Either::Left((BufResult(count, buffer), _)) => {
                            count.unwrap();
                            Some(buffer)
                        }
                        Either::Right(_) => None,
                    },
                    1 => match select(stream.read_vectored([[0; 250], [0; 250]]), patience).await {
                        Either::Left((BufResult(count, buffers), _)) => {
                            Some(buffers.concat()[..count.unwrap()].to_vec())
                        }
                        Either::Right(_) => None,
                    },
                    _ => {
                        let mut arriving = stream.receive(&pool);
                        let mut pieces = Vec::new();
                        let mut patience = patience;
                        loop {
                            match select(pin!(arriving.next()), patience).await {
                                Either::Left((Some(piece), rest)) => {
                                    pieces.extend_from_slice(&piece.unwrap());
                                    patience = rest;
                                }
                                Either::Left((None, _)) => break Some(pieces),
                                Either::Right(_) if pieces.is_empty() => break None,
                                Either::Right(_) => break Some(pieces),
                            }
                        }
                    }
                };
                match piece {
                    Some(piece) if piece.is_empty() => break,
                    Some(piece) => came.extend(piece),
                    None => given_up += 1,
                }
                if came.len() == sent.len() {
                    break;
                }
            }
            println!("{given_up} given up");
            assert!(came == sent);
            writer.await.unwrap();
            until(|| pool.unheld() == 8).await;
        });
    }
}

/// Nobody asks for the next piece: what the peer can send is bounded by the pool and the sockets' buffers, and when somebody asks, all of
/// it comes.
#[test]
fn a_slow_reader_holds_the_sender_back() {
    alone!();
    for (mode, builder) in builders() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let pool = pool(16, 4096, Filling::Whole);
            let (stream, peer) = pair().await;
            stream.set_recv_buffer_size(64 << 10).unwrap();
            peer.set_send_buffer_size(64 << 10).unwrap();
            let mut arriving = stream.receive(&pool);
            assert!(poll_immediate(arriving.next()).await.is_none());
            let written = Rc::new(Cell::new(0usize));
            let writer = spawn({
                let written = Rc::clone(&written);
                async move {
                    for _ in 0..400 {
                        peer.write_all(vec![3; 16 << 10]).await.0.unwrap();
                        written.set(written.get() + (16 << 10));
                    }
                }
            });
            let mut before = usize::MAX;
            while before != written.get() {
                before = written.get();
                for _ in 0..20 {
                    settle().await;
                }
                sleep(Duration::from_millis(5)).await;
            }
            println!(
                "{before} bytes were taken, {} buffers held",
                16 - pool.unheld()
            );
            assert!(
                before < 3 << 20,
                "nobody reads, and {before} bytes were taken"
            );
            assert!(!writer.is_finished());
            let mut count = 0;
            while let Some(piece) = arriving.next().await {
                count += piece.unwrap().len();
            }
            assert_eq!(count, 400 * (16 << 10));
            writer.await.unwrap();
        });
    }
}

/// A hundred connections that wait hold no buffer, and the one that speaks is served from a pool of two.
#[test]
fn connections_that_wait_hold_no_buffer() {
    alone!();
    for (mode, builder) in builders() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let pool = pool(2, 64, Filling::Whole);
            let mut pairs = Vec::new();
            for _ in 0..100 {
                let (one, other) = unix_pair();
                let mut arriving = other.receive(&pool);
                assert!(poll_immediate(arriving.next()).await.is_none());
                pairs.push((one, arriving));
            }
            settle().await;
            assert_eq!(pool.unheld(), 2);
            for (one, arriving) in pairs.iter_mut().rev() {
                one.write_all("me").await.0.unwrap();
                assert_eq!(&*arriving.next().await.unwrap().unwrap(), b"me");
            }
        });
    }
}

/// While a receive is there plain reads are refused, or wait; a reset is told, and then the stream ends.
#[test]
fn a_receive_has_its_side_for_itself_and_tells_of_a_reset() {
    alone!();
    for (mode, builder) in builders() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let pool = pool(4, 64, Filling::Incremental);
            let (stream, peer) = pair().await;
            let mut arriving = stream.receive(&pool);
            assert!(poll_immediate(arriving.next()).await.is_none());
            if let Some(BufResult(refused, _)) = poll_immediate(stream.read([0; 1])).await {
                assert_eq!(refused.unwrap_err().raw_os_error(), Some(libc::EBUSY));
            }
            stream.write_all("the other way").await.0.unwrap();
            assert_eq!(&peer.read_exact([0; 13]).await.1, b"the other way");
            peer.set_linger(Some(Duration::ZERO)).unwrap();
            drop(peer);
            let error = arriving.next().await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            assert!(arriving.next().await.is_none());
            assert!(arriving.next().await.is_none());
            drop(arriving);
            assert_eq!(stream.read([0; 1]).await.0.unwrap(), 0);
        });
    }
}

/// Runtimes are dropped with receives of every kind in flight, and with pieces held: no descriptor stays behind, and the pieces can be read.
#[test]
fn a_runtime_goes_away_under_receives() {
    alone!();
    let before = descriptors();
    for (mode, builder) in builders() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        let held = runtime.block_on(async {
            let pool = pool(16, 64, Filling::Incremental);
            for index in 0..50 {
                let (one, other): (TcpStream, TcpStream) = pair().await;
                let mut arriving = other.receive(&pool);
                spawn(async move { arriving.next().await.map(drop) }).detach();
                spawn(async move {
                    yield_now().await;
                    one.write_all(vec![1; index]).await.0
                })
                .detach();
            }
            let (one, other) = unix_pair();
            one.write_all("held").await.0.unwrap();
            other.receive(&pool).next().await.unwrap().unwrap()
        });
        drop(runtime);
        assert_eq!(&*held, b"held");
        drop(held);
        assert_eq!(descriptors(), before);
    }
}

/// A pool of a runtime that has ended is refused by the next one of the thread.
#[test]
#[should_panic(expected = "a pool of another runtime")]
fn a_pool_of_another_runtime_is_refused() {
    let pool = start(1)
        .expect("one CPU")
        .block_on(async { pool(4, 64, Filling::Whole) });
    start(1).expect("one CPU").block_on(async {
        let (_one, other) = unix_pair();
        drop(other.receive(&pool));
    });
}
