//! Other processes begin, by fork or by exec, while operations are in flight here: nobody feels it. And what a child that calls no exec can do
//! with what it inherits: drop it, and nothing else.

mod common;
#[path = "support/fork.rs"]
mod fork;

use common::{modes, pair, settle, start, start_with, until};
use executor::buf::BufResult;
use executor::fs::{File, RegisteredBufs};
use executor::io::AsyncFd;
use executor::net::{BufPool, Filling, PoolOptions, TcpListener, TcpStream};
use executor::signal::{Signal, SignalKind};
use executor::time::{Duration, sleep, timeout};
use executor::{
    Builder, Foreign, Handle, JoinSet, Sharded, spawn, spawn_blocking, spawn_on, yield_now,
};
use fork::{fork, in_child, is_refused, leave, says_forked};
use futures::future::poll_immediate;
use rustix::event::{EventfdFlags, eventfd};
use std::cell::Cell;
use std::future::Future;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

/// Programs are started, one after another, from a core with a read in flight: none inherits a ring, an eventfd or a socket, and the read
/// goes on.
#[test]
fn a_program_inherits_nothing_of_the_runtime() {
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        let (stream, peer) = pair().await;
        let reading = spawn(async move { stream.read_exact([0; 4]).await });
        settle().await;
        for byte in 0..4u8 {
            let listing = Command::new("ls").args(["-l", "/proc/self/fd"]).output();
            let listing = String::from_utf8(listing.expect("there is ls").stdout).unwrap();
            for foreign in ["io_uring", "eventfd", "socket"] {
                assert!(!listing.contains(foreign), "{listing}");
            }
            peer.write_all([byte]).await.0.unwrap();
            settle().await;
        }
        let BufResult(read, bytes) = reading.await.unwrap();
        read.unwrap();
        assert_eq!(bytes, [0, 1, 2, 3]);
    });
}

/// Polls a future once, which then is in flight.
async fn begun<F: Future>(future: F) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    assert!(poll_immediate(&mut future).await.is_none(), "it waits");
    settle().await;
    future
}

const POOL: PoolOptions = PoolOptions {
    count: 8,
    buffer_bytes: 1000,
    filling: Filling::Whole,
};

/// The process is forked with operations of each kind in flight, and not yet submitted, and the child drops everything it has of them. The parent goes
/// on with each, and its next operations come through as well: nothing was cancelled, submitted, shut down, unregistered or killed.
#[test]
fn a_child_that_drops_everything_changes_nothing() {
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let (stream, peer) = pair().await;
            let (reading, writing) = stream.into_split();
            let read = begun(reading.read(vec![0; 8])).await;
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let mut incoming = listener.incoming();
            assert!(poll_immediate(incoming.next()).await.is_none());
            let (pooled, pooled_peer) = pair().await;
            let pool = BufPool::new(POOL).unwrap();
            let mut pieces = pooled.receive(&pool);
            assert!(poll_immediate(pieces.next()).await.is_none());
            let buffers = RegisteredBufs::new(2, 4096).unwrap();
            let file = File::open("/dev/zero").await.unwrap();
            // One that is closed by a worker.
            let slow = File::open("/proc/self/status").await.unwrap();
            let flags = EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC;
            let event = AsyncFd::new(eventfd(0, flags).unwrap());
            let ready = begun(event.readable()).await;
            let mut signal = Signal::new(SignalKind::WINDOW_CHANGE).unwrap();
            let mut program = executor::process::Command::new("sleep");
            let mut program = program.arg("100").kill_on_drop(true).spawn().unwrap();
            let task = spawn(async {
                sleep(Duration::from_millis(1)).await;
                5
            });
            let dropped_later = begun(reading.read(vec![0; 1])).await;
            // In the queue, and not with the kernel yet.
            let mut unsubmitted = Box::pin(peer.read(vec![0; 8]));
            assert!(poll_immediate(&mut unsubmitted).await.is_none());
            let Some(child) = fork() else {
                raise_window_change();
                drop((read, dropped_later, unsubmitted, incoming, pieces, ready));
                drop((signal, program, task, file, slow, event, pool, buffers));
                drop((reading, writing, peer, listener, pooled, pooled_peer));
                leave(true);
            };
            child.ends_well();
            drop(dropped_later);
            peer.write_all("there").await.0.unwrap();
            let BufResult(count, bytes) = read.await;
            assert_eq!(&bytes[..count.unwrap()], b"there");
            writing.write_all("back").await.0.unwrap();
            assert_eq!(unsubmitted.await.0.unwrap(), 4);
            let connected = TcpStream::connect(address).await.unwrap();
            let accepted = incoming.next().await.unwrap().unwrap();
            connected.write_all("x").await.0.unwrap();
            assert_eq!(accepted.read([0; 1]).await.0.unwrap(), 1);
            for _ in 0..3 * POOL.count {
                pooled_peer.write_all("piece").await.0.unwrap();
                let piece = pieces.next().await.expect("it goes on").unwrap();
                assert_eq!(&*piece, b"piece");
            }
            let buffer = file.read_fixed_at(buffers.take().await, 0).await;
            assert_eq!(buffer.0.unwrap(), 4096);
            assert_eq!(file.read_at([1; 8], 0).await.0.unwrap(), 8);
            assert_eq!(slow.read_at([1; 8], 0).await.0.unwrap(), 8);
            rustix::io::write(event.get_ref(), &1u64.to_ne_bytes()).unwrap();
            ready.await.unwrap();
            assert_eq!(task.await.unwrap(), 5);
            assert!(program.try_wait().unwrap().is_none(), "nobody killed it");
            program.kill().await.unwrap();
            // The child's signal was not ours; our own is.
            assert!(poll_immediate(signal.recv()).await.is_none());
            raise_window_change();
            signal.recv().await.unwrap();
        });
    }
}

fn raise_window_change() {
    // SAFETY: the signal has a handler.
    unsafe { libc::raise(SignalKind::WINDOW_CHANGE.as_raw()) };
}

/// The child tries each thing that one does with a runtime, and polls what is in flight: each says that it is a forked child, and the parent goes on.
#[test]
fn in_a_child_every_use_is_refused() {
    let runtime = start(1).expect("one CPU");
    let handle = runtime.handle();
    runtime.block_on(async {
        let (stream, peer) = pair().await;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let flags = EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC;
        let event = AsyncFd::new(eventfd(0, flags).unwrap());
        let pool = BufPool::new(POOL).unwrap();
        let mut signal = Signal::new(SignalKind::WINDOW_CHANGE).unwrap();
        let mut read = begun(stream.read(vec![0; 8])).await;
        let mut slept = begun(sleep(Duration::from_secs(100))).await;
        let mut task = begun(spawn(std::future::pending::<()>())).await;
        let mut set = JoinSet::new();
        set.spawn(std::future::pending::<()>());
        let mut sharded = Some(Sharded::new(|| Cell::new(0)).await.unwrap());
        let child = in_child(|| {
            macro_rules! refused {
                ($($call:expr),+ $(,)?) => {
                    $(assert!(is_refused(|| $call), "{}", stringify!($call));)+
                };
            }
            fn poll<F: Future>(future: F) -> bool {
                let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                pin!(future).poll(&mut context).is_pending()
            }
            refused!(
                poll(&mut read),
                poll(&mut slept),
                poll(&mut task),
                poll(set.join_next()),
                poll(stream.write("x")),
                poll(stream.shutdown(std::net::Shutdown::Both)),
                poll(peer.read([0; 1])),
                poll(listener.accept()),
                poll(TcpStream::connect("127.0.0.1:1")),
                poll(listener.incoming().next()),
                poll(stream.receive(&pool).next()),
                poll(event.readable()),
                poll(File::open("/dev/null")),
                poll(executor::fs::metadata("/dev/null")),
                poll(executor::fs::read_dir("/dev")),
                poll(sleep(Duration::from_secs(1))),
                poll(timeout(
                    Duration::from_secs(1),
                    std::future::pending::<()>()
                )),
                poll(signal.recv()),
                poll(executor::process::Command::new("true").status()),
                poll(executor::process::Command::new("true").output()),
                spawn(async {}),
                spawn_on(0, async || {}),
                spawn_blocking(|| ()),
                handle.spawn_on(0, async || {}),
                handle.spawn_blocking(|| ()),
                Handle::current(),
                handle.block_on(0, async || {}),
                executor::task::Builder::new().name("named").spawn(async {}),
                executor::task::Builder::new().spawn_on(0, async || {}),
                executor::current_core(),
                executor::stats(),
                BufPool::new(POOL),
                RegisteredBufs::new(1, 1),
                sharded.as_ref().map(Sharded::local),
                runtime.block_on(async {}),
            );
            assert!(Handle::try_current().is_err_and(|error| error.is_forked_child()));
            // These are foreign threads' ways: they end in nothing.
            task.abort();
            drop(sharded.take());
        });
        child.ends_well();
        peer.write_all("on").await.0.unwrap();
        assert_eq!(read.await.0.unwrap(), 2);
        assert!(poll_immediate(&mut task).await.is_none());
        sharded.unwrap().local().expect("it is there").set(1);
    });
}

/// The child comes out of `block_on`: with the future's value if that does not wait; else by a panic, as soon as it waits, before any other task
/// runs in the child; or by a panic of its own. Then it drops the runtime, on which `block_on` is refused, and all the while the parent goes on.
#[test]
fn a_child_comes_out_of_block_on() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Way {
        Returns,
        Waits,
        Panics,
    }
    for (mode, builder) in modes() {
        for way in [Way::Returns, Way::Waits, Way::Panics] {
            println!("{mode}, {way:?}");
            let runtime = start_with(builder.clone(), 1).expect("one CPU");
            let ran_elsewhere = Rc::new(Cell::new(false));
            let on_stack = String::from("borrowed");
            let came = catch_unwind(AssertUnwindSafe(|| {
                runtime.block_on(async {
                    let (stream, peer) = pair().await;
                    let read = begun(stream.read(vec![0; 8])).await;
                    let ran = Rc::clone(&ran_elsewhere);
                    let other = spawn(async move { ran.set(true) });
                    let child = fork();
                    let Some(child) = child else {
                        match way {
                            Way::Returns => return on_stack.len(),
                            Way::Waits => yield_now().await,
                            Way::Panics => panic!("the child's own"),
                        }
                        leave(false);
                    };
                    child.ends_well();
                    other.await.unwrap();
                    peer.write_all(on_stack.clone()).await.0.unwrap();
                    assert_eq!(read.await.0.unwrap(), 8);
                    0
                })
            }));
            if matches!(came, Ok(0)) {
                assert!(ran_elsewhere.get());
                runtime.block_on(settle());
                continue;
            }
            // The child.
            let is_right = match (way, came) {
                (Way::Returns, Ok(8)) => true,
                (Way::Waits, Err(payload)) => says_forked(&*payload),
                (Way::Panics, Err(payload)) => payload.downcast_ref() == Some(&"the child's own"),
                _ => false,
            };
            let is_over = is_refused(|| runtime.block_on(async {}));
            drop(runtime);
            leave(is_right && is_over && !ran_elsewhere.get());
        }
    }
}

/// What a runtime of its own does for a child.
fn uses_a_runtime(cores: usize) {
    let runtime = Builder::new().cores(cores).build().unwrap();
    runtime.block_on(async {
        let (stream, peer) = pair().await;
        let reading = spawn(async move { stream.read(vec![0; 8]).await.0.unwrap() });
        sleep(Duration::from_millis(1)).await;
        peer.write_all("child").await.0.unwrap();
        assert_eq!(reading.await.unwrap(), 5);
        for core in 0..cores {
            assert_eq!(spawn_on(core, async || { 6 }).await.unwrap(), 6);
        }
        assert_eq!(spawn_blocking(|| 7).await.unwrap(), 7);
        let status = executor::process::Command::new("true").status().await;
        assert!(status.unwrap().success());
        let mut signal = Signal::new(SignalKind::WINDOW_CHANGE).unwrap();
        raise_window_change();
        signal.recv().await.unwrap();
    });
}

/// A child builds a runtime of its own, with as many cores as there are, inside of the parent's `block_on` and after it, and so does its own
/// child: they work, end, and are told from the parents'.
#[test]
fn a_child_can_have_a_runtime_of_its_own() {
    let cores = common::cpus_allowed().min(2);
    let runtime = start(cores).expect("as many CPUs as there are");
    let is_child = runtime.block_on(async {
        let (stream, peer) = pair().await;
        let mut read = begun(stream.read(vec![0; 8])).await;
        let Some(child) = fork() else {
            uses_a_runtime(cores);
            let own = Builder::new().cores(1).build().unwrap();
            own.block_on(async {
                let (own_stream, own_peer) = pair().await;
                let mut own_read = begun(own_stream.read(vec![0; 8])).await;
                let grandchild = in_child(|| {
                    assert!(poll_refused(&mut own_read) && poll_refused(&mut read));
                    uses_a_runtime(cores);
                });
                grandchild.ends_well();
                own_peer.write_all("own").await.0.unwrap();
                assert_eq!(own_read.await.0.unwrap(), 3);
                // The parent's, from a task of our own.
                assert!(poll_refused(&mut read));
            });
            return true;
        };
        child.ends_well();
        peer.write_all("parent").await.0.unwrap();
        assert_eq!(read.await.0.unwrap(), 6);
        false
    });
    if is_child {
        uses_a_runtime(cores);
        leave(true);
    }
}

fn poll_refused<F: Future>(future: &mut Pin<Box<F>>) -> bool {
    is_refused(|| {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        future.as_mut().poll(&mut context).is_pending()
    })
}

/// Fork is called on another core's thread, and on one for blocking work: there a child has nothing to return to, and ends with 101 when the poll, or
/// the closure, is over. The core and the pool go on in the parent.
#[test]
fn a_child_of_another_thread_ends_with_its_task() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let child = Arc::new(AtomicI32::new(0));
        let forked = Arc::clone(&child);
        let task = spawn_on(1, async move || {
            let Some(child) = fork() else { return };
            forked.store(child.status(), Ordering::Relaxed);
        });
        task.await.unwrap();
        assert_eq!(child.load(Ordering::Relaxed), 101);
        assert_eq!(spawn_on(1, async || { 5 }).await.unwrap(), 5);

        let status = spawn_blocking(|| fork().map_or(-1, fork::Forked::status));
        assert_eq!(status.await.unwrap(), 101);
        assert_eq!(spawn_blocking(|| 6).await.unwrap(), 6);
    });
}

/// A value goes home to another core, and fork is called in the drop of a future when the runtime ends: the child does not wait for cores that it
/// does not have.
#[test]
fn a_child_does_not_wait_for_the_parent_s_cores() {
    struct Forks(Arc<AtomicI32>);

    impl Drop for Forks {
        fn drop(&mut self) {
            match fork() {
                Some(child) => self.0.store(child.status(), Ordering::Relaxed),
                None => self.0.store(-1, Ordering::Relaxed),
            }
        }
    }

    let cores = common::cpus_allowed().min(2);
    let runtime = start(cores).expect("as many CPUs as there are");
    let status = Arc::new(AtomicI32::new(1));
    let forks = Forks(Arc::clone(&status));
    runtime.block_on(async {
        spawn(async move {
            let _forks = forks;
            sleep(Duration::from_secs(100)).await;
        })
        .detach();
        settle().await;
        let away = spawn_on(cores - 1, async || Foreign::new(Rc::new(1)))
            .await
            .unwrap();
        in_child(move || drop(away)).ends_well();
    });
    drop(runtime);
    if status.load(Ordering::Relaxed) == -1 {
        leave(true);
    }
    assert_eq!(status.load(Ordering::Relaxed), 0);
}

/// Memory that the kernel has pinned stays the parent's when a child has a copy of it: while the child lives, parent and kernel see what each other
/// writes into registered buffers, large and small, and into the ring of a pool; and a receive that was in flight fills the buffer that the parent has.
#[test]
fn pinned_memory_stays_the_parent_s() {
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        for buffer_bytes in [4096, 4 << 20] {
            let (mut held, holds) = std::io::pipe().unwrap();
            let (stream, peer) = pair().await;
            let read = begun(stream.read(vec![0; 8])).await;
            let pool = BufPool::new(POOL).unwrap();
            let (pooled, pooled_peer) = pair().await;
            let buffers = RegisteredBufs::new(1, buffer_bytes).unwrap();
            let file = File::from(
                rustix::fs::memfd_create("pinned", rustix::fs::MemfdFlags::CLOEXEC)
                    .map(std::fs::File::from)
                    .unwrap(),
            );
            let mut buffer = buffers.take().await;
            buffer.resize(buffer_bytes);
            buffer.fill(1);
            let Some(child) = fork() else {
                drop(holds);
                // Until the parent is through.
                let ended = held.read(&mut [0]);
                leave(matches!(ended, Ok(0)) && buffer.iter().all(|byte| *byte == 1));
            };
            // Written after the fork, and read by the kernel.
            buffer.fill(2);
            let BufResult(written, mut buffer) = file.write_fixed_at(buffer, 0).await;
            assert_eq!(written.unwrap(), buffer_bytes);
            // Written by the kernel after the fork, and read here.
            buffer.fill(3);
            let BufResult(read_back, buffer) = file.read_fixed_at(buffer, 0).await;
            assert_eq!(read_back.unwrap(), buffer_bytes);
            assert!(buffer.iter().all(|byte| *byte == 2));
            // More than the ring has places: entries that are written after the fork are seen.
            let mut pieces = pooled.receive(&pool);
            for number in 0..4 * POOL.count as u8 {
                pooled_peer.write_all(vec![number; 10]).await.0.unwrap();
                let piece = pieces.next().await.expect("it goes on").unwrap();
                assert_eq!(*piece, [number; 10]);
            }
            peer.write_all("there").await.0.unwrap();
            let BufResult(count, bytes) = read.await;
            assert_eq!(&bytes[..count.unwrap()], b"there");
            drop(holds);
            child.ends_well();
        }
        until(|| true).await;
    });
}
