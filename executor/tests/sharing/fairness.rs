//! A task that wakes itself for ever takes its turns and no more: I/O, timers, the inboxes and the other tasks get theirs.

use crate::common;

use common::{modes, on_thread, run, start, start_with, until};
use executor::net::{TcpListener, TcpStream};
use executor::time::{Duration, Instant, sleep};
use executor::{JoinHandle, spawn, spawn_on, yield_now};
use futures::future::join_all;
use std::cell::Cell;
use std::future::Future;
use std::io::{Read, Write};
use std::net;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Wake, Waker};
use std::thread;

/// A task that is always ready.
fn greedy() -> JoinHandle<()> {
    spawn(async {
        loop {
            yield_now().await;
        }
    })
}

/// Two hundred greedy tasks, more than a turn polls: after any number of turns, none has run twice more often than another.
#[test]
fn greedy_tasks_take_turns() {
    run(1, async {
        let polls: Rc<[Cell<usize>]> = (0..200).map(|_| Cell::new(0)).collect();
        let tasks: Vec<_> = (0..polls.len())
            .map(|index| {
                let polls = Rc::clone(&polls);
                spawn(async move {
                    loop {
                        polls[index].set(polls[index].get() + 1);
                        yield_now().await;
                    }
                })
            })
            .collect();
        for _ in 0..100 {
            yield_now().await;
            let least = polls.iter().map(Cell::get).min().expect("not empty");
            let most = polls.iter().map(Cell::get).max().expect("not empty");
            assert!(most - least <= 1, "{least} to {most}");
        }
        tasks.iter().for_each(JoinHandle::abort);
    });
}

/// A hundred tasks are always ready, and each poll takes a millisecond: a turn ends after sixteen
/// of them, for its time is up. So a timer of 5 ms is fired by the end of the turn in which it is
/// due.
#[test]
fn slow_polls_end_a_turn_early() {
    const POLL_TIME: Duration = Duration::from_millis(1);
    struct AtWake {
        polls: Arc<AtomicUsize>,
        polls_at_wake: AtomicUsize,
    }
    impl Wake for AtWake {
        fn wake(self: Arc<Self>) {
            self.polls_at_wake.store(self.polls.load(SeqCst), SeqCst);
        }
    }
    run(1, async {
        let polls = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let polls = Arc::clone(&polls);
                spawn(async move {
                    loop {
                        let start = Instant::now();
                        while start.elapsed() < POLL_TIME {
                            std::hint::spin_loop();
                        }
                        polls.fetch_add(1, SeqCst);
                        yield_now().await;
                    }
                })
            })
            .collect();
        let at_wake = Arc::new(AtWake {
            polls: Arc::clone(&polls),
            polls_at_wake: AtomicUsize::new(0),
        });
        let waker = Waker::from(Arc::clone(&at_wake));
        let mut context = Context::from_waker(&waker);
        let mut timer = Box::pin(sleep(5 * POLL_TIME));
        // Ready at once: this thread was held up for so long.
        while timer.as_mut().poll(&mut context).is_ready() {
            timer.set(sleep(5 * POLL_TIME));
        }
        until(|| at_wake.polls_at_wake.load(SeqCst) > 0).await;
        // The rest of the turn in which it began to wait, and the turn in which it was due.
        let polls = at_wake.polls_at_wake.load(SeqCst);
        assert!(polls <= 2 * 16, "{polls} polls");
        tasks.iter().for_each(JoinHandle::abort);
    });
}

/// Beside three greedy tasks, in every mode: a read, an accept, a timer, and what a thread sends are all served.
#[test]
fn greedy_tasks_starve_nobody() {
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        let handle = runtime.handle();
        runtime.block_on(async {
            let greedy: Vec<_> = (0..3).map(|_| greedy()).collect();
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let client = on_thread(move || {
                let mut stream = net::TcpStream::connect(address)?;
                stream.write_all(b"ping")?;
                let mut answer = [0; 4];
                stream.read_exact(&mut answer).map(|()| answer)
            });
            let server = async {
                let (stream, _) = listener.accept().await.unwrap();
                let read = stream.read_exact([0; 4]).await;
                read.0.unwrap();
                stream.write_all(read.1).await.0.unwrap();
            };
            let (answer, ()) = futures::join!(client, server);
            assert_eq!(&answer.unwrap(), b"ping");

            sleep(Duration::from_millis(1)).await;
            let sent = on_thread(move || common::block_on(handle.spawn_on(0, async || 4)));
            assert_eq!(sent.await.unwrap(), 4);
            greedy.iter().for_each(JoinHandle::abort);
        });
    }
}

/// A greedy task on each of two cores: they still answer each other.
#[test]
fn greedy_tasks_do_not_keep_cores_apart() {
    for (mode, builder) in modes() {
        println!("{mode}");
        let Some(runtime) = start_with(builder, 2) else {
            return;
        };
        runtime.block_on(async {
            let here = greedy();
            let there = spawn_on(1, async || greedy().detach());
            for number in 0..500 {
                assert_eq!(spawn_on(1, async move || { number }).await.unwrap(), number);
            }
            there.await.unwrap();
            here.abort();
        });
    }
}

/// A thread keeps sending tasks faster than they can be run: a timer, a read and a task of the core itself are served all the same.
#[test]
fn a_storm_from_a_thread_starves_nobody() {
    let runtime = start(1).expect("one CPU");
    let handle = runtime.handle();
    let stop = Arc::new(AtomicBool::new(false));
    let stopping = Arc::clone(&stop);
    let storm = thread::spawn(move || {
        while !stopping.load(SeqCst) {
            let burst: Vec<_> = (0..2000).map(|_| handle.spawn_on(0, async || {})).collect();
            // Far ahead of the core, but not without bound.
            while !burst[0].is_finished() && !stopping.load(SeqCst) {
                thread::yield_now();
            }
        }
    });
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = spawn(async move { TcpStream::connect(address).await.unwrap() });
        let (stream, _) = listener.accept().await.unwrap();
        let client = client.await.unwrap();
        for _ in 0..20 {
            let start = Instant::now();
            sleep(Duration::from_millis(1)).await;
            assert!(start.elapsed() >= Duration::from_millis(1));
            client.write_all(b"x").await.0.unwrap();
            assert_eq!(stream.read(vec![0; 4]).await.0.unwrap(), 1);
            spawn(yield_now()).await.unwrap();
        }
        stop.store(true, SeqCst);
        until(|| storm.is_finished()).await;
    });
    storm.join().unwrap();
}

/// One connection is flooded without end; a thousand others, which are quiet, each have ten messages echoed meanwhile.
#[test]
fn one_chatty_connection_among_many() {
    const QUIET: usize = 999;
    // Two for each, and as many again for the other tests.
    common::allow_descriptors(4 * QUIET as u64);
    async fn echo(stream: TcpStream) {
        let mut buffer = Vec::with_capacity(4096);
        loop {
            let read = stream.read(buffer).await;
            if read.0.is_err() || read.1.is_empty() {
                return;
            }
            let written = stream.write_all(read.1).await;
            if written.0.is_err() {
                return;
            }
            buffer = written.1;
        }
    }
    run(1, async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                spawn(echo(stream)).detach();
            }
        });
        let chatty = net::TcpStream::connect(address).unwrap();
        let mut answers = chatty.try_clone().unwrap();
        let flood = thread::spawn(move || while (&chatty).write_all(&[1; 65536]).is_ok() {});
        let drain = thread::spawn(move || {
            let mut buffer = vec![0; 65536];
            let mut total = 0;
            while let Ok(count @ 1..) = answers.read(&mut buffer) {
                total += count;
                if total > 1 << 30 {
                    break;
                }
            }
        });
        let quiet = (0..QUIET).map(|_| async move {
            let stream = TcpStream::connect(address).await.unwrap();
            for number in 0..10 {
                stream.write_all([number; 8]).await.0.unwrap();
                let read = stream.read_exact([0; 8]).await;
                read.0.unwrap();
                assert_eq!(read.1, [number; 8]);
            }
        });
        join_all(quiet).await;
        assert!(!flood.is_finished(), "the flood went on all the time");
        drop(drain);
        server.abort();
    });
}
