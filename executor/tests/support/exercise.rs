//! All that a runtime does, in short, on one that lacks features: operations, timers, messages, and a completion beside a busy task.

use crate::log::logged;
use crate::restraint;
use executor::buf::BufResult;
use executor::net::{TcpListener, TcpStream};
use executor::time::{Duration, Instant, sleep};
use executor::{Builder, Feature};
use std::io::Write;

/// Runs it all on two cores, if there are so many CPUs, and gives what was logged about the start.
///
/// # Panics
/// If something does not work, or a feature of `masked` was not done without.
pub(crate) fn works_without(masked: &[Feature]) -> String {
    eprintln!("without {masked:?}");
    let builder = Builder::new().cores(restraint::cpus().len().min(2));
    let builder = masked
        .iter()
        .fold(builder, |builder, feature| builder.without(*feature));
    let (runtime, logged) = logged(|| builder.build().unwrap());
    runtime.block_on(async {
        echo_between_cores().await;
        wait_for_a_timer().await;
        read_beside_a_busy_task().await;
    });
    let is_start = |line: &String| line.contains("runtime started");
    let started = logged
        .into_iter()
        .find(is_start)
        .expect("a start is logged");
    for feature in masked {
        let lacks = format!("lacks {} ", feature.name());
        assert!(started.contains(&lacks), "{lacks:?} is not in: {started}");
    }
    started
}

async fn echo_between_cores() {
    let last = executor::cores() - 1;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = executor::spawn_on(last, async move || {
        let stream = TcpStream::connect(address).await.unwrap();
        for round in 0..50u8 {
            stream.write_all([round; 100]).await.0.unwrap();
            let BufResult(read, echo) = stream.read_exact([0; 100]).await;
            read.unwrap();
            assert_eq!(echo, [round; 100]);
        }
        executor::current_core()
    });
    let (stream, _) = listener.accept().await.unwrap();
    let mut buffer = Vec::with_capacity(100);
    loop {
        let BufResult(read, filled) = stream.read(buffer).await;
        if read.unwrap() == 0 {
            break;
        }
        let BufResult(written, emptied) = stream.write_all(filled).await;
        written.unwrap();
        buffer = emptied;
    }
    assert_eq!(client.await.unwrap(), last);
}

async fn wait_for_a_timer() {
    let start = Instant::now();
    sleep(Duration::from_millis(3)).await;
    assert!(start.elapsed() >= Duration::from_millis(3));
}

/// A completion comes when the core has nothing to submit and always something to run, so that it never waits in the kernel.
async fn read_beside_a_busy_task() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let stream = TcpStream::from(listener.accept().unwrap().0);
    let read = executor::spawn(async move { stream.read(Vec::with_capacity(8)).await });
    // More polls than a turn has: the read is submitted.
    for _ in 0..1000 {
        executor::yield_now().await;
    }
    peer.write_all(b"late").unwrap();
    while !read.is_finished() {
        executor::yield_now().await;
    }
    let BufResult(count, buffer) = read.await.unwrap();
    assert_eq!((count.unwrap(), buffer.as_slice()), (4, &b"late"[..]));
}
