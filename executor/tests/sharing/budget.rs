//! What is always ready takes from the task's budget: so many futures in one poll, and the others run. And what a spent budget held back is not
//! lost.

use crate::common;
use crate::scratch;

use common::{pair, run, settle, until};
use executor::buf::{BufResult, IoBuf, IoBufMut};
use executor::fs::{File, RegisteredBufs, read_dir};
use executor::io::compat::{FromFutures, ToFutures};
use executor::io::{
    AsyncFd, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, BufWriter, Interest, copy,
    copy_buffered,
};
use executor::net::{BufPool, Filling, PoolOptions, UdpSocket};
use executor::process::Command;
use executor::signal::{Signal, SignalKind};
use executor::sync::{self, Event, Gate, Mutex, Notify, RwLock, Semaphore};
use executor::task::JoinSet;
use executor::time::{Duration, Instant, interval_at, sleep, sleep_until, timeout};
use executor::{JoinHandle, consume_budget, spawn, unconstrained, yield_now};
use futures::channel::mpsc;
use futures::{FutureExt, Stream, StreamExt};
use scratch::Scratch;
use signal_hook::low_level;
use std::cell::Cell;
use std::future::{Future, pending, poll_fn};
use std::io::{Cursor, SeekFrom};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// How many futures may be ready in one poll of a task.
const BUDGET: usize = 128;
/// More than that, and than there will be of what does not take from the budget.
const MANY: usize = 1000;

/// How often `operation` is ready in one poll of this task; `MANY` at most.
async fn ready_in_one_poll(mut operation: impl AsyncFnMut()) -> usize {
    // With a full budget.
    yield_now().await;
    let count = Cell::new(0);
    {
        let mut operations = pin!(async {
            while count.get() < MANY {
                operation().await;
                count.set(count.get() + 1);
            }
        });
        poll_fn(|context| {
            let _ = operations.as_mut().poll(context);
            Poll::Ready(())
        })
        .await;
    }
    count.get()
}

/// It is ready as often as the budget allows: each time takes one from it.
async fn takes_one(what: &str, operation: impl AsyncFnMut()) {
    let count = ready_in_one_poll(operation).await;
    assert_eq!(count, BUDGET, "{what}");
}

/// Spends all that this task has in this poll.
fn spend_all() {
    let mut context = Context::from_waker(Waker::noop());
    while pin!(consume_budget()).poll(&mut context).is_ready() {}
}

/// Polls once, with nothing left to spend. It is pending, though it could be ready, and the task is woken: or this would hang.
async fn polled_when_spent<F: Future + Unpin>(future: &mut F) {
    yield_now().await;
    spend_all();
    let mut polls = 0;
    poll_fn(|context| {
        polls += 1;
        if polls == 1 {
            assert!(future.poll_unpin(context).is_pending());
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}

/// Always has something, and counts nothing.
struct Endless;

impl AsyncRead for Endless {
    async fn read<B: IoBufMut>(&mut self, buffer: B) -> BufResult<usize, B> {
        let mut bytes: &[u8] = &[b'\n'; 64];
        bytes.read(buffer).await
    }
}

/// Always takes everything.
struct Void;

impl AsyncWrite for Void {
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
        BufResult(Ok(buffer.buf_len()), buffer)
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    async fn shutdown(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Locks that are free, notifications that are stored, flags that are set, and what has been closed.
#[test]
fn what_tasks_wait_in_takes_from_the_budget() {
    run(1, async {
        let semaphore = Rc::new(Semaphore::new(1));
        takes_one("acquire", async || drop(semaphore.acquire().await)).await;
        let owned = async || drop(semaphore.clone().acquire_owned().await);
        takes_one("acquire_owned", owned).await;
        semaphore.close();
        takes_one("a closed one", async || drop(semaphore.acquire().await)).await;
        let mutex = Mutex::new(0);
        takes_one("lock", async || *mutex.lock().await += 1).await;
        let lock = RwLock::new(0);
        takes_one("read", async || drop(lock.read().await)).await;
        takes_one("write", async || *lock.write().await += 1).await;
        let notify = Notify::new();
        takes_one("stored", async || {
            notify.notify_one();
            notify.notified().await;
        })
        .await;
        let notify = Notify::new();
        takes_one("granted", async || {
            let mut notified = pin!(notify.notified());
            let _ = notified.as_mut().now_or_never();
            notify.notify_waiters();
            notified.await;
        })
        .await;
        let event = Event::new();
        event.set();
        takes_one("event", async || event.wait().await).await;
        let gate = Gate::new();
        takes_one("gate", async || gate.close().await).await;
    });
}

/// Times that are past, and tasks that are complete.
#[test]
fn time_and_tasks_take_from_the_budget() {
    run(1, async {
        let past = Instant::now();
        takes_one("sleep", async || sleep(Duration::ZERO).await).await;
        takes_one("sleep_until", async || sleep_until(past).await).await;
        let mut ticks = interval_at(past, Duration::from_nanos(1));
        takes_one("tick", async || {
            ticks.tick().await;
        })
        .await;
        takes_one("timeout", async || {
            assert!(timeout(Duration::ZERO, pending::<()>()).await.is_err());
        })
        .await;
        let mut tasks: Vec<_> = (0..MANY).map(|_| spawn(async {})).collect();
        until(|| tasks.iter().all(JoinHandle::is_finished)).await;
        takes_one("join", async || {
            tasks.pop().expect("enough").await.unwrap();
        })
        .await;
        takes_one("consume_budget", async || consume_budget().await).await;
        let (sender, mut receiver) = mpsc::unbounded();
        (0..MANY).for_each(|number| sender.unbounded_send(number).unwrap());
        takes_one("another crate's channel", async || {
            assert!(receiver.next().await.is_some());
            consume_budget().await;
        })
        .await;
    });
}

fn raise(signal: SignalKind) {
    low_level::raise(signal.as_raw()).unwrap();
}

/// Streams that always have an item: a signal that comes again and again, ticks that are late,
/// tasks that are complete, what was sent to a channel, what an operation of a user's own has
/// brought. Each item takes from the budget.
#[test]
fn streams_take_from_the_budget() {
    async fn takes_one_each<S: Stream + Unpin>(what: &str, mut stream: S) {
        takes_one(what, async || assert!(stream.next().await.is_some())).await;
    }

    run(1, async {
        let kind = SignalKind::USER_DEFINED_1;
        let mut signal = Signal::new(kind).unwrap();
        takes_one("signal", async || {
            raise(kind);
            signal.recv().await.unwrap();
        })
        .await;
        // The one that the budget did not suffice for.
        signal.recv().await.unwrap();
        takes_one("signal, as a stream", async || {
            raise(kind);
            signal.next().await.unwrap().unwrap();
        })
        .await;
        let late = interval_at(Instant::now(), Duration::from_nanos(1));
        takes_one_each("ticks", late).await;
        let mut tasks: JoinSet<()> = (0..MANY).map(|_| async {}).collect();
        let ended = tasks.spawn(async {});
        until(|| ended.is_finished()).await;
        takes_one_each("tasks", tasks).await;

        let (sender, receiver) = sync::mpsc::unbounded_channel();
        (0..MANY).for_each(|number| sender.send(number).unwrap());
        takes_one_each("mpsc", receiver).await;
        let (sender, receiver) = sync::broadcast::channel(MANY);
        (0..MANY).for_each(|number| assert!(sender.send(number).is_ok()));
        takes_one_each("broadcast", receiver).await;
        let (sender, mut receiver) = sync::watch::channel(0);
        takes_one("watch", async || {
            sender.send_modify(|number| *number += 1);
            assert!(receiver.next().await.is_some());
        })
        .await;

        let text = "a line\n".repeat(2 * MANY).into_bytes();
        let reader = || BufReader::with_capacity(1 << 16, Cursor::new(text.clone()));
        let (mut lines, mut pieces) = (reader().lines(), reader().split(b'l'));
        // The first of each fills the buffer as well.
        assert!(lines.next().await.is_some() && pieces.next().await.is_some());
        takes_one_each("lines", lines).await;
        takes_one_each("pieces", pieces).await;
    });
}

/// Bytes that a dropped read has left, reads and writes of nothing, operations that are cancelled before they begin or refused, and what
/// multishot operations have brought.
#[test]
fn operations_that_ask_nobody_take_from_the_budget() {
    run(1, async {
        let (stream, peer) = pair().await;
        peer.write_all(vec![7; 2 * MANY]).await.0.unwrap();
        let dropped = timeout(Duration::ZERO, stream.read(Vec::with_capacity(2 * MANY))).await;
        assert!(dropped.is_err());
        settle().await;
        takes_one("kept bytes", async || {
            let BufResult(read, bytes) = stream.read(Vec::with_capacity(1)).await;
            assert_eq!((read.unwrap(), bytes), (1, vec![7]));
        })
        .await;
        takes_one("nothing to read", async || {
            assert_eq!(stream.read(Vec::<u8>::new()).await.0.unwrap(), 0);
        })
        .await;
        takes_one("cancelled", async || {
            assert!(stream.read(Vec::with_capacity(1)).cancel().await.0.is_err());
        })
        .await;

        let options = PoolOptions {
            count: 1024,
            buffer_bytes: 256,
            filling: Filling::Whole,
        };
        let pool = BufPool::new(options).unwrap();
        let (busy, _peer) = pair().await;
        let mut receive = busy.receive(&pool);
        assert!(receive.next().now_or_never().is_none());
        takes_one("refused", async || {
            assert!(busy.read(Vec::with_capacity(1)).await.0.is_err());
        })
        .await;

        // Each fetches 16 ahead at most.
        let sockets: Vec<_> = (0..MANY / 16)
            .map(|_| UdpSocket::bind("127.0.0.1:0").unwrap())
            .collect();
        let mut streams: Vec<_> = sockets
            .iter()
            .map(|socket| socket.receive(&pool).unwrap())
            .collect();
        for (socket, stream) in sockets.iter().zip(&mut streams) {
            assert!(stream.next().now_or_never().is_none());
            let sender = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            for _ in 0..8 {
                let target = socket.local_addr().unwrap();
                sender.send_to(b"x", target).unwrap();
            }
        }
        settle().await;
        let mut next = 0;
        let count = ready_in_one_poll(async || {
            streams[next / 8].next().await.unwrap().unwrap();
            next += 1;
        });
        let count = count.await;
        assert!((8..=BUDGET).contains(&count), "{count} datagrams");
    });
}

/// Readers and writers with buffers, over what always has something and takes everything.
#[test]
fn buffered_streams_take_from_the_budget() {
    run(1, async {
        let text = "a line\n".repeat(2 * MANY).into_bytes();
        let reader = || BufReader::with_capacity(1 << 16, Cursor::new(text.clone()));
        let mut lines = reader().lines();
        // The first of them fills the buffer as well.
        let first = lines.next_line().await.unwrap();
        assert_eq!(first.as_deref(), Some("a line"));
        takes_one("lines", async || drop(lines.next_line().await.unwrap())).await;
        let mut pieces = reader().split(b'l');
        assert!(pieces.next_segment().await.unwrap().is_some());
        takes_one("pieces", async || {
            drop(pieces.next_segment().await.unwrap())
        })
        .await;
        let mut bytes = reader();
        bytes.fill_buf().await.unwrap();
        takes_one("fill_buf", async || {
            assert!(!bytes.fill_buf().await.unwrap().is_empty());
            bytes.consume(1);
        })
        .await;
        takes_one("reads", async || {
            assert_eq!(bytes.read(Vec::with_capacity(1)).await.0.unwrap(), 1);
        })
        .await;
        let mut writer = BufWriter::with_capacity(16, Void);
        takes_one("writes", async || {
            writer.write_all("some bytes").await.0.unwrap()
        })
        .await;
        let mut endless = FromFutures::new(futures::io::repeat(7));
        takes_one("from futures", async || {
            assert_eq!(endless.read(Vec::with_capacity(1)).await.0.unwrap(), 1);
        })
        .await;
        let mut stream = ToFutures::new((Endless, Void));
        takes_one("to futures, reading", async || {
            let mut byte = [0];
            let read = futures::AsyncReadExt::read(&mut stream, &mut byte);
            read.await.unwrap();
        })
        .await;
        takes_one("to futures, writing", async || {
            let write = futures::AsyncWriteExt::write(&mut stream, b"x");
            write.await.unwrap();
        })
        .await;
        // These never end: what matters is that they give way.
        let (mut from, mut to) = (Endless, Void);
        assert!(copy(&mut from, &mut to).now_or_never().is_none());
        let (mut from, mut to) = (BufReader::new(Endless), BufWriter::new(Void));
        assert!(copy_buffered(&mut from, &mut to).now_or_never().is_none());
    });
}

/// Descriptors that are always ready, files, directories, buffers of a group, a child that has ended.
#[test]
fn files_and_processes_take_from_the_budget() {
    run(1, async {
        let zero = AsyncFd::new(std::fs::File::open("/dev/zero").unwrap());
        takes_one("when", async || {
            zero.when(Interest::READABLE, |_| Ok(())).await.unwrap();
        })
        .await;
        for scratch in Scratch::each("budget") {
            for number in 0..2 * BUDGET {
                std::fs::write(scratch.path(&number.to_string()), "").unwrap();
            }
            let mut entries = read_dir(scratch.path("")).await.unwrap();
            let next = async || drop(entries.next_entry().await.unwrap());
            let count = ready_in_one_poll(next).await;
            assert!(count <= BUDGET, "{count} entries");
            let mut file = File::open(scratch.path("0")).await.unwrap();
            takes_one("seek", async || {
                file.seek(SeekFrom::Start(1)).await.unwrap();
            })
            .await;
        }
        let buffers = RegisteredBufs::new(1, 4096).unwrap();
        takes_one("buffers", async || drop(buffers.take().await)).await;
        let mut child = Command::new("true").spawn().unwrap();
        child.wait().await.unwrap();
        takes_one("wait", async || {
            child.wait().await.unwrap();
        })
        .await;
    });
}

/// Loops over what is always ready, under time limits, one around the other: the inner one ends it. Beside them another task runs.
#[test]
fn a_timeout_around_what_is_always_ready_ends_it() {
    run(1, async {
        let has_run = Rc::new(Cell::new(0));
        let beside = spawn({
            let has_run = Rc::clone(&has_run);
            async move {
                loop {
                    has_run.set(has_run.get() + 1);
                    yield_now().await;
                }
            }
        });
        let mutex = Mutex::new(0);
        let busy = async {
            loop {
                *mutex.lock().await += 1;
            }
        };
        let hour = Duration::from_secs(3600);
        let limited = timeout(hour, timeout(Duration::from_millis(1), busy)).await;
        assert!(limited.expect("an hour is long").is_err());
        assert!(has_run.get() > 0);
        beside.abort();
        // A loop over limits that have been reached gives way as well.
        let count = ready_in_one_poll(async || {
            let busy = async {
                loop {
                    drop(mutex.lock().await);
                }
            };
            assert!(timeout(Duration::ZERO, busy).await.is_err());
        });
        assert_eq!(count.await, 1);
    });
}

/// Without a budget, all is ready at once; afterwards there is one again. Threads that are no core have none.
#[test]
fn what_is_unconstrained_has_no_budget() {
    run(1, async {
        let mutex = Mutex::new(0);
        let lock_many = async {
            for _ in 0..MANY {
                *mutex.lock().await += 1;
            }
        };
        assert!(unconstrained(lock_many).now_or_never().is_some());
        takes_one("lock", async || *mutex.lock().await += 1).await;
        spend_all();
        assert!(mutex.lock().now_or_never().is_none());
        assert!(unconstrained(mutex.lock()).now_or_never().is_some());
    });
    let mutex = Mutex::new(0);
    for _ in 0..MANY {
        assert!(mutex.lock().now_or_never().is_some());
    }
}

/// An executor of another crate, inside of a task, polls until it is done: it is not refused for ever.
#[test]
fn a_nested_executor_is_not_held_up() {
    run(1, async {
        let mutex = Mutex::new(0);
        for _ in 0..MANY {
            common::block_on(async { *mutex.lock().await += 1 });
        }
        assert_eq!(mutex.into_inner(), MANY);
    });
}

/// A future finds what it waits for when the budget is spent: it has it at its next poll; dropped before that, it leaves it to the next.
#[test]
fn what_a_spent_budget_holds_back_is_not_lost() {
    run(1, async {
        for is_dropped in [false, true] {
            let semaphore = Semaphore::new(1);
            let mut acquire = Box::pin(semaphore.acquire());
            polled_when_spent(&mut acquire).await;
            // It was first: it has its permit.
            assert!(semaphore.try_acquire().is_err());
            if is_dropped {
                drop(acquire);
                assert_eq!(semaphore.available_permits(), 1);
            } else {
                drop(acquire.await.unwrap());
            }

            let notify = Notify::new();
            notify.notify_one();
            let mut notified = Box::pin(notify.notified());
            polled_when_spent(&mut notified).await;
            if is_dropped {
                drop(notified);
                notify.notified().await;
            } else {
                notified.await;
            }

            // Told while it waits, and polled when the budget is spent.
            let mut notified = Box::pin(notify.notified());
            assert!(notified.as_mut().now_or_never().is_none());
            notify.notify_one();
            polled_when_spent(&mut notified).await;
            if is_dropped {
                drop(notified);
                notify.notified().await;
            } else {
                notified.await;
            }

            let mut task = spawn(async { 7 });
            until(|| task.is_finished()).await;
            polled_when_spent(&mut task).await;
            assert_eq!(task.await.unwrap(), 7);

            let mut tick = interval_at(Instant::now(), Duration::from_secs(3600));
            polled_when_spent(&mut tick.tick()).await;
            tick.tick().await;

            let (stream, peer) = pair().await;
            peer.write_all("kept").await.0.unwrap();
            let early = timeout(Duration::ZERO, stream.read(Vec::with_capacity(4))).await;
            assert!(early.is_err());
            settle().await;
            let mut read = stream.read(Vec::with_capacity(4));
            polled_when_spent(&mut read).await;
            let BufResult(count, bytes) = if is_dropped {
                drop(read);
                stream.read(Vec::with_capacity(4)).await
            } else {
                read.await
            };
            assert_eq!((count.unwrap(), &bytes[..]), (4, &b"kept"[..]));

            let buffers = RegisteredBufs::new(1, 4096).unwrap();
            let mut take = Box::pin(buffers.take());
            polled_when_spent(&mut take).await;
            if is_dropped {
                drop(take);
                assert_eq!(buffers.unheld(), 1);
            } else {
                drop(take.await);
            }
        }
    });
}

/// A loop over a lock that is always free is polled before what waits in the same task, and takes
/// the whole budget each time. Sleeps, also those that are past when they are first polled, ticks
/// and signals are ready all the same.
#[test]
fn what_waits_is_ready_beside_what_spends_everything() {
    async fn beside_greed(what: impl Future<Output = ()>) {
        let mutex = Mutex::new(());
        let mut greedy = pin!(async {
            loop {
                drop(mutex.lock().await);
            }
        });
        let mut what = pin!(what);
        poll_fn(|context| {
            let polled: Poll<()> = greedy.as_mut().poll(context);
            assert!(polled.is_pending());
            what.as_mut().poll(context)
        })
        .await;
    }

    run(1, async {
        beside_greed(sleep(Duration::from_millis(2))).await;
        beside_greed(sleep(Duration::ZERO)).await;
        // It stays behind.
        let mut ticks = interval_at(Instant::now(), Duration::from_nanos(1));
        beside_greed(async {
            for _ in 0..3 {
                ticks.tick().await;
            }
        })
        .await;
        let mut signal = Signal::new(SignalKind::USER_DEFINED_2).unwrap();
        beside_greed(async {
            for _ in 0..3 {
                raise(SignalKind::USER_DEFINED_2);
                signal.recv().await.unwrap();
            }
        })
        .await;
    });
}
