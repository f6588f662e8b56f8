//! Socket operations that nobody waits for any more: nothing leaks, nothing that was not read is lost, nothing crosses over.

use crate::common;

use common::descriptors::{alone, descriptors, exhaust};
use common::{Drops, Random, modes, pair, settle, start, start_with, until};
use executor::buf::{BufResult, IoBuf, IoBufMut};
use executor::net::{TcpListener, TcpListenerBuilder, TcpStream};
use executor::time::{Duration, sleep, timeout};
use executor::{Runtime, spawn, spawn_on, yield_now};
use futures::future::{Either, join_all, poll_immediate, select};
use socket2::SockRef;
use std::mem::MaybeUninit;
use std::rc::Rc;
use std::{io, net};

/// A buffer whose drop is counted.
struct Counted(
    Vec<u8>,
    #[expect(dead_code, reason = "its drop counts")] common::Token,
);

impl IoBuf for Counted {
    fn as_init(&self) -> &[u8] {
        self.0.as_init()
    }
}

// SAFETY: all is left to the vector.
unsafe impl IoBufMut for Counted {
    unsafe fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: passed on to the caller.
        unsafe { self.0.as_uninit() }
    }

    unsafe fn set_len(&mut self, length: usize) {
        // SAFETY: passed on to the caller.
        unsafe { IoBufMut::set_len(&mut self.0, length) };
    }
}

/// A read is dropped before its first poll, in flight, and after it is done: its buffer is freed once, and when the kernel is done.
#[test]
fn a_dropped_read_frees_its_buffer_once() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let drops = Drops::new();
            let buffer = || Counted(Vec::with_capacity(64), drops.token());
            let (stream, peer) = pair().await;
            drop(stream.read(buffer()));
            assert_eq!(drops.count(), 1);

            let mut read = Box::pin(stream.read(buffer()));
            assert!(poll_immediate(&mut read).await.is_none());
            settle().await;
            drop(read);
            until(|| drops.count() == 2).await;

            let mut read = Box::pin(stream.read(buffer()));
            assert!(poll_immediate(&mut read).await.is_none());
            peer.write_all("kept").await.0.unwrap();
            settle().await;
            drop(read);
            until(|| drops.count() == 3).await;
            let BufResult(read, buffer) = stream.read(buffer()).await;
            assert_eq!(read.unwrap(), 4);
            assert_eq!(buffer.0, b"kept");
            drop(buffer);
            assert_eq!(drops.count(), 4);
        });
    }
}

/// A read in flight is dropped before, while or after bytes come, and another takes its place, with more room or less: it gets all of them.
#[test]
fn a_read_after_a_dropped_read_loses_nothing() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let (stream, peer) = pair().await;
            for round in 0..200u8 {
                let mut read = Box::pin(stream.read(vec![0; 8]));
                assert!(poll_immediate(&mut read).await.is_none());
                if round % 2 == 0 {
                    yield_now().await;
                }
                if round % 5 < 2 {
                    peer.write_all([round; 4]).await.0.unwrap();
                    drop(read);
                } else {
                    drop(read);
                    if round % 5 == 2 {
                        settle().await;
                    }
                    peer.write_all([round; 4]).await.0.unwrap();
                }
                let BufResult(read, buffer) = stream.read_exact([0; 3]).await;
                read.unwrap();
                assert_eq!(buffer, [round; 3]);
                assert_eq!(stream.read([0; 8]).await.0.unwrap(), 1);
            }
        });
    }
}

/// The peer resets the connection, and the read that is told of it has been dropped: the next read is told.
#[test]
fn a_reset_that_a_dropped_read_was_told_of_is_not_lost() {
    alone!();
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        let (stream, peer) = pair().await;
        let mut read = Box::pin(stream.read([0; 8]));
        assert!(poll_immediate(&mut read).await.is_none());
        settle().await;
        SockRef::from(&peer)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
        drop(peer);
        settle().await;
        drop(read);
        let error = stream.read([0; 8]).await.0.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(stream.read([0; 8]).await.0.unwrap(), 0);
    });
}

/// A read is cancelled while it waits, and while bytes come: it gives its buffer back, with what was read, and the next read has the rest.
#[test]
fn a_cancelled_read_gives_its_buffer_back() {
    alone!();
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        let (stream, peer) = pair().await;
        let mut read = stream.read(Vec::with_capacity(100));
        assert!(poll_immediate(&mut read).await.is_none());
        let BufResult(result, buffer) = read.cancel().await;
        assert_eq!(result.unwrap_err().raw_os_error(), Some(libc::ECANCELED));
        assert_eq!(buffer.capacity(), 100);
        let mut read = stream.read(buffer);
        assert!(poll_immediate(&mut read).await.is_none());
        peer.write_all("in time").await.0.unwrap();
        settle().await;
        let BufResult(result, buffer) = read.cancel().await;
        assert_eq!(result.unwrap(), 7);
        assert_eq!(buffer, b"in time");
        // Never polled: it has not begun.
        peer.write_all("later").await.0.unwrap();
        settle().await;
        let BufResult(result, buffer) = stream.read(buffer).cancel().await;
        assert!(result.is_err());
        assert_eq!(stream.read(buffer).await.1, b"later");
    });
}

/// A write for which the socket has no room is dropped, and another follows: the peer gets some of the first, then all of the second.
#[test]
fn a_write_after_a_dropped_write_comes_after_it() {
    alone!();
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        for round in 0..20 {
            let (stream, peer) = pair().await;
            // Nobody reads meanwhile, so there comes a write that waits: one that the kernel has, or one that it was just about to have.
            let mut written = 0;
            loop {
                let mut write = stream.write(vec![1; 1 << 20]);
                assert!(poll_immediate(&mut write).await.is_none());
                settle().await;
                match poll_immediate(&mut write).await {
                    Some(BufResult(result, _)) => written += result.unwrap(),
                    None => break drop(write),
                }
            }
            if round % 2 == 0 {
                assert!(poll_immediate(stream.write([1; 100])).await.is_none());
            }
            let second = spawn(async move { stream.write_all(vec![2; 1000]).await.0 });
            let mut came = Vec::new();
            loop {
                let BufResult(read, chunk) = peer.read(Vec::with_capacity(1 << 16)).await;
                if read.unwrap() == 0 {
                    break;
                }
                came.extend(chunk);
            }
            let twos = came
                .iter()
                .position(|byte| *byte == 2)
                .expect("it was sent");
            second.await.unwrap().unwrap();
            assert!(twos >= written);
            assert_eq!(came.len() - twos, 1000);
            assert!(came[twos..].iter().all(|byte| *byte == 2));
        }
    });
}

/// A stream is dropped while a read of it, held by a task, is in flight; the task is aborted: the connection closes.
#[test]
fn a_stream_closes_when_its_last_read_is_gone() {
    alone!();
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        let (stream, peer) = pair().await;
        let stream = Rc::new(stream);
        let reading = spawn({
            let stream = Rc::clone(&stream);
            async move { stream.read([0; 8]).await.0 }
        });
        settle().await;
        let stream = match Rc::try_unwrap(stream) {
            Ok(_) => panic!("the task has it as well"),
            Err(stream) => stream,
        };
        drop(stream);
        assert!(
            timeout(Duration::from_millis(1), peer.read([0; 8]))
                .await
                .is_err(),
            "it is still open"
        );
        reading.abort();
        assert!(reading.await.unwrap_err().is_cancelled());
        assert_eq!(peer.read([0; 8]).await.0.unwrap(), 0);
    });
}

/// A stream with a cancelled read in flight does not become a standard one yet; a while later it does.
#[test]
fn a_stream_with_an_operation_in_flight_is_not_given_away() {
    alone!();
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        let (mut stream, _peer) = pair().await;
        assert!(poll_immediate(stream.read([0; 8])).await.is_none());
        stream = stream
            .into_std()
            .expect_err("the kernel still has the read");
        loop {
            yield_now().await;
            match stream.into_std() {
                Ok(_) => break,
                Err(again) => stream = again,
            }
        }
    });
}

/// `select!` of a read and a short sleep, in a loop over a stream that comes in pieces, the read begun anew each time: byte for byte.
#[test]
fn select_of_read_and_sleep_is_exact() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let (stream, peer) = pair().await;
            let sent = Random::new(6).bytes(200_000);
            let writer = spawn({
                let sent = sent.clone();
                async move {
                    let mut random = Random::new(8);
                    let mut rest = &sent[..];
                    while !rest.is_empty() {
                        let (piece, after) = rest.split_at(rest.len().min(1 + random.below(4000)));
                        peer.write_all(piece.to_vec()).await.0.unwrap();
                        sleep(Duration::from_micros(random.below(100) as u64)).await;
                        rest = after;
                    }
                }
            });
            let (mut came, mut sleeps) = (Vec::new(), 0);
            loop {
                let read = stream.read(Vec::with_capacity(3000));
                match select(read, sleep(Duration::from_micros(30))).await {
                    Either::Left((BufResult(result, chunk), _)) => {
                        if result.unwrap() == 0 {
                            break;
                        }
                        came.extend_from_slice(&chunk);
                    }
                    Either::Right(((), read)) => {
                        sleeps += 1;
                        drop(read);
                    }
                }
            }
            println!("{sleeps} sleeps");
            assert!(came == sent);
            writer.await.unwrap();
        });
    }
}

/// Accepts with a time limit race the connections that come: whether accepted or given up, none is lost, and no descriptor stays behind.
#[test]
fn an_accept_that_is_given_up_loses_no_connection() {
    alone!();
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        let listener = Rc::new(TcpListener::bind("127.0.0.1:0").unwrap());
        let address = listener.local_addr().unwrap();
        let before = descriptors();
        let (mut accepted, mut connected) = (Vec::new(), Vec::new());
        let mut given_up = 0;
        for round in 0..300 {
            let connecting = spawn(async move {
                for _ in 0..round % 8 {
                    yield_now().await;
                }
                TcpStream::connect(address).await
            });
            match timeout(Duration::from_micros(round % 120), listener.accept()).await {
                Ok(connection) => accepted.push(connection.unwrap().1),
                Err(_) => given_up += 1,
            }
            let stream = connecting.await.unwrap().unwrap();
            connected.push(stream.local_addr().unwrap());
        }
        println!("{} accepted at once, {given_up} given up", accepted.len());
        while accepted.len() < connected.len() {
            accepted.push(listener.accept().await.unwrap().1);
        }
        accepted.sort();
        connected.sort();
        assert_eq!(accepted, connected);
        until(|| descriptors() == before).await;
    });
}

fn reads_and_accepts_in_flight(runtime: &Runtime, cores: usize) {
    runtime.block_on(async {
        let tasks = (0..cores).map(|core| {
            spawn_on(core, async || {
                for index in 0..50 {
                    let (stream, peer) = pair().await;
                    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                    spawn(async move { stream.read([0; 64]).await.0 }).detach();
                    spawn(async move { peer.write_all(vec![0; 16 << 20]).await.0 }).detach();
                    spawn(async move { listener.accept().await.map(drop) }).detach();
                    if index % 2 == 0 {
                        yield_now().await;
                    }
                }
            })
        });
        for task in join_all(tasks).await {
            task.unwrap();
        }
    });
}

/// Runtimes are dropped with hundreds of reads, writes and accepts in flight, or only just begun: no descriptor stays behind.
#[test]
fn a_runtime_dropped_with_operations_in_flight_leaks_no_descriptor() {
    alone!();
    let cores = common::cpus_allowed().min(2);
    let before = descriptors();
    for (mode, builder) in modes() {
        println!("{mode}");
        for _ in 0..3 {
            let runtime = start_with(builder.clone(), cores).expect("as many CPUs as there are");
            reads_and_accepts_in_flight(&runtime, cores);
            drop(runtime);
            assert_eq!(descriptors(), before, "{mode}");
        }
    }
}

/// A read is in flight when its stream goes, and the descriptor's number is used again at once: neither sees the other's bytes.
#[test]
fn a_descriptor_number_used_again_sees_only_its_own() {
    alone!();
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        for round in 0..200u8 {
            let (old, old_peer) = pair().await;
            let _ = poll_immediate(old.read(vec![0; 8])).await;
            drop(old);
            let (new, new_peer) = pair().await;
            let _ = old_peer.write_all("old").await;
            new_peer.write_all([round; 3]).await.0.unwrap();
            assert_eq!(new.read_exact([0; 3]).await.1, [round; 3]);
        }
    });
}

/// All descriptors are taken when connections come: accept says so, again and again, and serves them when some are free. In a child
/// process, since the limit is the process's.
#[test]
fn accept_without_descriptors_serves_later() {
    alone!();
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let clients: Vec<_> = (0..5)
            .map(|_| net::TcpStream::connect(address).unwrap())
            .collect();
        let mut taken = exhaust();
        for _ in 0..3 {
            let error: io::Error = listener.accept().await.unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
        }
        let waiting = spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => break (stream, listener),
                    Err(error) => assert_eq!(error.raw_os_error(), Some(libc::EMFILE)),
                }
                yield_now().await;
            }
        });
        settle().await;
        assert!(!waiting.is_finished());
        taken.truncate(taken.len() - clients.len());
        let (first, listener) = waiting.await.unwrap();
        let mut streams = vec![first];
        for _ in 1..clients.len() {
            streams.push(listener.accept().await.unwrap().0);
        }
        let mut clients: Vec<_> = clients
            .iter()
            .flat_map(|client| client.local_addr())
            .collect();
        let mut served: Vec<_> = streams.iter().flat_map(TcpStream::peer_addr).collect();
        clients.sort();
        served.sort();
        assert_eq!(clients, served);
    });
}

/// A group of listeners for which there are not enough descriptors: there is none of them, and the address is free. In a child process, since the
/// limit is the process's.
#[test]
fn a_group_of_listeners_is_whole_or_not_at_all() {
    alone!();
    let free = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let mut taken = exhaust();
    taken.truncate(taken.len() - 3);
    let builder = TcpListenerBuilder::new();
    let error = builder.bind_many(address, 4).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
    assert_eq!(builder.bind_many(address, 3).unwrap().len(), 3);
}
