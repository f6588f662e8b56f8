//! The hot paths, each walked as often as is asked, on one core that never waits: what it does while it looks out depends on the time.

use std::future::Future;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use executor::buf::BufResult;
use executor::net::TcpStream;
use executor::{Builder, IdlePolicy};

type Walked = Pin<Box<dyn Future<Output = io::Result<()>>>>;
pub(super) type Walk = fn(u64) -> Walked;

pub(super) const PATHS: [(&str, Walk); 4] = [
    ("spawn and join", |turns| Box::pin(spawn_and_join(turns))),
    ("wake and poll", |turns| Box::pin(wake_and_poll(turns))),
    ("read", |turns| Box::pin(read(turns))),
    ("timer", |turns| Box::pin(timer(turns))),
];

/// In a task: that is where a program does these things.
pub(super) fn walk(path: Walk, turns: u64) -> io::Result<()> {
    let builder = Builder::new().cores(1).idle(IdlePolicy::block());
    let runtime = builder.build().map_err(io::Error::other)?;
    runtime.block_on(async move {
        executor::spawn(path(turns))
            .await
            .map_err(io::Error::other)?
    })
}

async fn spawn_and_join(turns: u64) -> io::Result<()> {
    for number in 0..turns {
        let answer = executor::spawn(async move { number }).await;
        assert_eq!(answer.map_err(io::Error::other)?, number);
    }
    Ok(())
}

/// A future that wakes its own waker, and is polled for that.
async fn wake_and_poll(turns: u64) -> io::Result<()> {
    for _ in 0..turns {
        let mut is_woken = false;
        std::future::poll_fn(|context| {
            if std::mem::replace(&mut is_woken, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
    Ok(())
}

/// Of one byte, from a socket where all of them are already.
async fn read(turns: u64) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let stream = TcpStream::connect(listener.local_addr()?).await?;
    let (mut peer, _) = listener.accept()?;
    peer.write_all(&vec![7; turns as usize])?;
    let mut buffer = Vec::with_capacity(1);
    for _ in 0..turns {
        let BufResult(result, filled) = stream.read(buffer).await;
        assert_eq!((result?, &filled[..]), (1, &[7][..]));
        buffer = filled;
        buffer.clear();
    }
    Ok(())
}

/// Created, polled once, and dropped before it is due.
async fn timer(turns: u64) -> io::Result<()> {
    let mut context = Context::from_waker(Waker::noop());
    for number in 0..turns {
        let sleep = pin!(executor::time::sleep(Duration::from_secs(1 + number % 60)));
        assert!(sleep.poll(&mut context).is_pending());
    }
    Ok(())
}
