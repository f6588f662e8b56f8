//! Two runtimes on one CPU: a core that spun, or watched, would keep the other from it.
//!
//! One test, since the cores of all runtimes of a process are counted.

mod common;

use common::start;
use executor::time::sleep;
use executor::{CoreStats, IdlePolicy};
use futures::channel::oneshot;
use std::thread;
use std::time::Duration;

/// Idle times of core 0 for which spinning pays, some of them with nothing else in its way.
async fn rest() {
    for _ in 0..20 {
        sleep(Duration::from_micros(20)).await;
    }
}

/// How often core 0 did not block at once.
fn times_awake() -> u64 {
    let CoreStats {
        spun, monitored, ..
    } = executor::stats()[0];
    spun.begun + monitored.begun
}

/// A core spins while it is alone on its CPU, not while the core of a second runtime is pinned there, which does not either, and again after that. A
/// third, which was told to, spins all the same.
#[test]
fn cores_that_share_a_cpu_block_at_once() {
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        let alone = times_awake();
        while times_awake() == alone {
            rest().await;
        }

        let (here, is_here) = oneshot::channel();
        let (end, ended) = oneshot::channel::<()>();
        let second = thread::spawn(move || {
            start(1).expect("one CPU").block_on(async {
                here.send(()).expect("it is waited for");
                rest().await;
                ended.await.expect("it is told");
                assert_eq!(times_awake(), 0);
            });
        });
        is_here.await.expect("it comes");
        let shared = times_awake();
        rest().await;
        assert_eq!(times_awake(), shared);

        let third = thread::spawn(|| {
            let builder = executor::Builder::new().idle(IdlePolicy::balanced());
            let runtime = common::start_with(builder, 1).expect("one CPU");
            runtime.block_on(async {
                while times_awake() == 0 {
                    rest().await;
                }
            });
        });
        common::until(|| third.is_finished()).await;
        third.join().expect("it does not panic");

        end.send(()).expect("it waits");
        second.join().expect("it does not panic");
        let alone = times_awake();
        while times_awake() == alone {
            rest().await;
        }
    });
}
