//! Our wakers under the combinators of `futures`, and other people's wakers, some of which panic, under our futures.

use crate::common;

use common::{Random, pair, run, settle, start, until};
use executor::time::{Duration, Instant, sleep, sleep_until};
use executor::{spawn, spawn_on};
use futures::channel::mpsc;
use futures::future::{Either, FutureExt, join_all, pending, select};
use futures::stream::{FuturesUnordered, StreamExt};
use futures::{SinkExt, select_biased};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

/// Counts how often it wakes, and panics each time.
#[derive(Default)]
struct WakePanics(AtomicUsize);

impl Wake for WakePanics {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
        panic!("a waker that panics");
    }
}

/// A hundred tasks on all cores, joined together: each output in its place.
#[test]
fn join_all_joins() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let tasks = (0..100).map(|number| {
            spawn_on(number % 2, async move || {
                sleep(Duration::from_micros(100 * (number as u64 % 7))).await;
                number
            })
        });
        let outputs: Vec<usize> = join_all(tasks)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(outputs, Vec::from_iter(0..100));
    });
}

/// Sleeps and tasks in one set, which polls only what was woken: all of them come out, once.
#[test]
fn a_set_of_futures_yields_each_once() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let mut random = Random::new(1);
        let set = FuturesUnordered::new();
        for number in 0..300 {
            let limit = Duration::from_micros(random.below(3000) as u64);
            let future = match number % 3 {
                0 => async move {
                    sleep(limit).await;
                    number
                }
                .boxed_local(),
                core => spawn_on(core - 1, async move || number)
                    .map(Result::unwrap)
                    .boxed_local(),
            };
            set.push(future);
        }
        let mut numbers: Vec<usize> = set.collect().await;
        numbers.sort_unstable();
        assert_eq!(numbers, Vec::from_iter(0..300));
    });
}

/// Of a task and a sleep the first that is ready wins, and the other is still good.
#[test]
fn select_takes_the_first() {
    run(1, async {
        let task = spawn(async {
            settle().await;
            1
        });
        let hour = sleep(Duration::from_secs(3600));
        let Either::Left((output, mut sleep)) = select(task, hour).await else {
            panic!("the sleep was faster");
        };
        assert_eq!(output.unwrap(), 1);
        sleep.reset(Instant::now());
        sleep.await;
        let Either::Right(((), task)) = select(spawn(pending::<()>()), sleep_a_little()).await
        else {
            panic!("a task that never ends has ended");
        };
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    });
}

fn sleep_a_little() -> executor::time::Sleep {
    sleep(Duration::from_millis(1))
}

/// A channel between two cores with room for one item, and `select!` around it: ten thousand items, in order.
#[test]
fn a_bounded_channel_carries_everything_in_order() {
    let Some(runtime) = start(2) else { return };
    runtime.block_on(async {
        let (mut send, receive) = mpsc::channel(1);
        let sending = spawn_on(1, async move || {
            for number in 0..10_000 {
                send.send(number).await.unwrap();
            }
        });
        let (mut receive, mut sending) = (receive.fuse(), sending.fuse());
        let (mut next, mut has_ended) = (0, false);
        while next < 10_000 || !has_ended {
            select_biased! {
                number = receive.select_next_some() => {
                    assert_eq!(number, next);
                    next += 1;
                }
                result = sending => {
                    result.unwrap();
                    has_ended = true;
                }
            }
        }
    });
}

/// A task's waker equals its clones, on whatever core they are, and not another task's.
#[test]
fn a_waker_knows_its_clones() {
    async fn waker() -> Waker {
        poll_fn(|context| Poll::Ready(context.waker().clone())).await
    }
    run(1, async {
        let mine = waker().await;
        assert!(mine.will_wake(&mine.clone()));
        assert!(mine.will_wake(&waker().await));
        assert!(!mine.will_wake(&spawn(waker()).await.unwrap()));
    });
}

/// A timer and a read wait with wakers that panic: the core contains it, others go on, and polled again both are ready.
#[test]
fn a_panicking_waker_harms_nobody() {
    run(1, async {
        let panics = Arc::new(WakePanics::default());
        let waker = Waker::from(Arc::clone(&panics));
        let mut context = Context::from_waker(&waker);

        // Far enough that it is pending now, however long this thread is held up.
        let mut first = pin!(sleep(Duration::from_millis(200)));
        assert!(first.as_mut().poll(&mut context).is_pending());
        let second = spawn(sleep_until(first.deadline()));
        second.await.unwrap();
        assert_eq!(panics.0.load(SeqCst), 1);
        first.await;

        let (stream, peer) = pair().await;
        let mut read = pin!(stream.read(vec![0; 8]));
        assert!(read.as_mut().poll(&mut context).is_pending());
        peer.write_all("x").await.0.unwrap();
        until(|| panics.0.load(SeqCst) == 2).await;
        assert_eq!(read.await.1, b"x");
    });
}
