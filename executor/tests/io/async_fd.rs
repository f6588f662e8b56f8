//! Descriptors of somebody else: waiting until they are ready, and letting go of it.

use crate::common;
use crate::common::descriptors;

use common::{modes, run, settle, start, start_with, until};
use descriptors::{alone, descriptors};
use executor::io::{AsyncFd, Interest};
use executor::time::{Duration, timeout};
use executor::{spawn, yield_now};
use futures::future::poll_immediate;
use rustix::event::{EventfdFlags, eventfd};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::rc::Rc;

fn event() -> OwnedFd {
    eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).unwrap()
}

fn set(event: impl AsFd) {
    rustix::io::write(event, &1u64.to_ne_bytes()).unwrap();
}

fn take(event: &OwnedFd) -> io::Result<u64> {
    let mut count = [0; 8];
    rustix::io::read(event, &mut count)?;
    Ok(u64::from_ne_bytes(count))
}

/// An eventfd is set by another task, again and again: each time whoever waits sees it, and having read it, waits again.
#[test]
fn an_eventfd_is_waited_for() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let event = Rc::new(AsyncFd::new(event()));
            assert!(poll_immediate(pin!(event.readable())).await.is_none());
            event.writable().await.unwrap();
            let setting = spawn({
                let event = Rc::clone(&event);
                async move {
                    for _ in 0..100 {
                        set(&*event);
                        settle().await;
                    }
                }
            });
            let mut seen = 0;
            while seen < 100 {
                seen += event.when(Interest::READABLE, take).await.unwrap();
            }
            setting.await.unwrap();
            assert!(poll_immediate(pin!(event.readable())).await.is_none());
        });
    }
}

/// Waiting with a time limit races the event: none is lost, whoever is told.
#[test]
fn a_wait_that_is_given_up_loses_nothing() {
    alone!();
    run(1, async {
        let event = Rc::new(AsyncFd::new(event()));
        let (mut seen, mut given_up) = (0, 0);
        for round in 0..300 {
            let setting = spawn({
                let event = Rc::clone(&event);
                async move {
                    for _ in 0..round % 8 {
                        yield_now().await;
                    }
                    set(&*event);
                }
            });
            let taking = event.when(Interest::READABLE, take);
            match timeout(Duration::from_micros(round % 50), taking).await {
                Ok(count) => seen += count.unwrap(),
                Err(_) => given_up += 1,
            }
            setting.await.unwrap();
        }
        println!("{given_up} given up");
        seen += take(event.get_ref()).unwrap_or(0);
        assert_eq!(seen, 300);
    });
}

/// A socket that a library would own: readable when there is something, writable until it is full, closed when the peer goes.
#[test]
fn readiness_says_what_for() {
    alone!();
    run(1, async {
        let (ours, mut peer) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let ours = AsyncFd::new(ours);
        let both = Interest::READABLE | Interest::WRITABLE;
        let ready = ours.ready(both).await.unwrap();
        assert!(ready.is_writable() && !ready.is_readable() && !ready.is_closed());
        peer.write_all(b"abc").unwrap();
        ours.readable().await.unwrap();
        assert!(ours.ready(both).await.unwrap().is_readable());
        while ours.get_ref().write(&[0; 4096]).is_ok() {}
        let ready = ours.ready(both).await.unwrap();
        assert!(ready.is_readable() && !ready.is_writable());
        let mut bytes = [0; 8];
        let mut read = |mut stream: &UnixStream| stream.read(&mut bytes);
        assert_eq!(ours.when(Interest::READABLE, &mut read).await.unwrap(), 3);
        drop(peer);
        let ready = ours.ready(Interest::READABLE).await.unwrap();
        assert!(ready.is_closed() && ready.is_readable());
        // Of errors only the call itself says which.
        assert!(ours.when(Interest::READABLE, &mut read).await.is_err() || bytes[0] == b'a');
    });
}

/// A call that fails, or was interrupted: the one is handed on, the other made again.
#[test]
fn errors_of_the_call_are_the_callers() {
    alone!();
    run(1, async {
        let event = AsyncFd::new(event());
        let mut calls = 0;
        let result = event.when(Interest::WRITABLE, |_| {
            calls += 1;
            match calls {
                1 => Err(io::ErrorKind::Interrupted.into()),
                2 => Err(io::ErrorKind::WouldBlock.into()),
                3 => Err::<(), _>(io::ErrorKind::PermissionDenied.into()),
                _ => Ok(()),
            }
        });
        let error = result.await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(calls, 3);
    });
}

/// A descriptor whose drop counts.
struct Counted(
    OwnedFd,
    #[expect(dead_code, reason = "its drop counts")] common::Token,
);

impl AsFd for Counted {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// It is dropped, or asked back, while the kernel waits on it: it stays open until the kernel has let go, and then is closed once.
#[test]
fn a_descriptor_is_closed_when_the_kernel_has_let_go() {
    alone!();
    run(1, async {
        let drops = common::Drops::new();
        let before = descriptors();
        for _ in 0..10 {
            let waiting = AsyncFd::new(Counted(event(), drops.token()));
            assert!(poll_immediate(pin!(waiting.readable())).await.is_none());
            assert!(waiting.into_inner().is_err(), "it is being cancelled");
        }
        until(|| drops.count() == 10).await;
        assert_eq!(descriptors(), before);
        let mut idle = AsyncFd::new(event());
        assert!(poll_immediate(pin!(idle.readable())).await.is_none());
        loop {
            match idle.into_inner() {
                Ok(_) => break,
                Err(again) => idle = again,
            }
            yield_now().await;
        }
    });
}

/// A runtime ends while descriptors are waited on: they are closed.
#[test]
fn a_runtime_that_ends_closes_what_is_waited_on() {
    alone!();
    let before = descriptors();
    let drops = common::Drops::new();
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        for _ in 0..50 {
            let waiting = AsyncFd::new(Counted(event(), drops.token()));
            spawn(async move { waiting.readable().await }).detach();
        }
        settle().await;
    });
    drop(runtime);
    assert_eq!(drops.count(), 50);
    assert_eq!(descriptors(), before);
}
