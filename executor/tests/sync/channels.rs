//! What we recommend of other crates: channels between cores, with our wakers, and `select!` around our futures.

use crate::common;

use common::{modes, start_with};
use executor::io::{AsyncWriteExt, BufReader, duplex};
use executor::sync::{Event, Mutex, mpsc, watch};
use executor::{spawn, spawn_on, yield_now};
use futures::channel::oneshot;
use futures::{FutureExt, StreamExt};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// However the cores sleep: numbers go to another core and come back one at a time, so each end sleeps until the other wakes it.
#[test]
fn a_channel_wakes_across_cores() {
    for (name, builder) in modes() {
        let Some(runtime) = start_with(builder, 2) else {
            return;
        };
        runtime.block_on(async {
            let (there, at_there) = async_channel::bounded(1);
            let (back, at_back) = async_channel::bounded(1);
            let echo = spawn_on(1, async move || {
                while let Ok(number) = at_there.recv().await {
                    back.send(number).await.expect("core 0 receives");
                }
            });
            for number in 0..500 {
                there.send(number).await.expect("core 1 receives");
                assert_eq!(at_back.recv().await, Ok(number), "{name}");
            }
            drop(there);
            echo.await.unwrap();
        });
    }
}

/// A channel that is full most of the time, between two tasks on each core: nothing is lost, and senders that wait for room are woken.
#[test]
fn a_full_channel_makes_its_senders_wait() {
    const EACH: usize = 2000;
    let Some(runtime) = common::start(2) else {
        return;
    };
    runtime.block_on(async {
        let (sender, receiver) = async_channel::bounded(4);
        let senders = (0..4).map(|number| {
            let sender = sender.clone();
            spawn_on(number % 2, async move || {
                for number in 0..EACH {
                    sender.send(number).await.expect("there are receivers");
                }
            })
        });
        let senders = Vec::from_iter(senders);
        drop(sender);
        let receivers = (0..4).map(|number| {
            let receiver = receiver.clone();
            spawn_on(number % 2, async move || {
                let mut sum = 0;
                while let Ok(number) = receiver.recv().await {
                    sum += number;
                }
                sum
            })
        });
        let receivers = Vec::from_iter(receivers);
        let mut sum = 0;
        for receiver in receivers {
            sum += receiver.await.unwrap();
        }
        assert_eq!(sum, 4 * EACH * (EACH - 1) / 2);
        for sender in senders {
            sender.await.unwrap();
        }
    });
}

/// One answer from another core, and the end of a sender that is dropped there.
#[test]
fn a_oneshot_wakes_across_cores() {
    let Some(runtime) = common::start(2) else {
        return;
    };
    runtime.block_on(async {
        for round in 0..200 {
            let (sender, receiver) = oneshot::channel();
            let waiting = spawn(receiver);
            spawn_on(1, async move || {
                if round % 2 == 0 {
                    sender.send(round).expect("core 0 waits");
                }
            })
            .detach();
            let received = waiting.await.unwrap();
            assert_eq!(received.ok(), (round % 2 == 0).then_some(round));
        }
    });
}

/// tokio's bounded queue between two cores, one value at a time and many: each end sleeps until the other wakes it, and the order is kept.
#[test]
fn tokio_mpsc_works_across_cores() {
    let Some(runtime) = common::start(2) else {
        return;
    };
    runtime.block_on(async {
        let (there, mut at_there) = tokio::sync::mpsc::channel(1);
        let (back, mut at_back) = tokio::sync::mpsc::unbounded_channel();
        let echo = spawn_on(1, async move || {
            while let Some(number) = at_there.recv().await {
                back.send(number).expect("core 0 receives");
            }
        });
        for number in 0..200 {
            there.send(number).await.expect("core 1 receives");
            assert_eq!(at_back.recv().await, Some(number));
        }
        spawn(async move {
            for number in 0..1000 {
                there.send(number).await.expect("core 1 receives");
            }
        })
        .detach();
        for number in 0..1000 {
            assert_eq!(at_back.recv().await, Some(number));
        }
        assert_eq!(at_back.recv().await, None);
        echo.await.unwrap();
    });
}

/// tokio's oneshot, watch and broadcast between two cores.
#[test]
fn tokio_oneshot_watch_and_broadcast_work_across_cores() {
    let Some(runtime) = common::start(2) else {
        return;
    };
    runtime.block_on(async {
        for round in 0..100 {
            let (sender, receiver) = tokio::sync::oneshot::channel();
            let waiting = spawn(receiver);
            let sending = spawn_on(1, async move || sender.send(round).expect("core 0 waits"));
            assert_eq!(waiting.await.unwrap(), Ok(round));
            sending.await.unwrap();
        }
        let (state, mut watched) = tokio::sync::watch::channel(0);
        let (shout, mut heard) = tokio::sync::broadcast::channel(200);
        let mut heard_here = shout.subscribe();
        let there = spawn_on(1, async move || {
            let last = *watched.wait_for(|state| *state == 100).await.unwrap();
            let mut sum = 0;
            while let Ok(number) = heard.recv().await {
                sum += number;
            }
            (last, sum)
        });
        for number in 1..=100 {
            state.send(number).expect("core 1 watches");
            shout.send(number).expect("core 1 hears");
            yield_now().await;
        }
        drop(shout);
        let mut sum_here = 0;
        while let Ok(number) = heard_here.recv().await {
            sum_here += number;
        }
        assert_eq!(there.await.unwrap(), (100, 5050));
        assert_eq!(sum_here, 5050);
    });
}

/// tokio's semaphore bounds what tasks of two cores do at once, and its notifications are for one of them each.
#[test]
fn tokio_semaphore_and_notify_work_across_cores() {
    let Some(runtime) = common::start(2) else {
        return;
    };
    runtime.block_on(async {
        let semaphore = Arc::new(tokio::sync::Semaphore::new(2));
        let notify = Arc::new(tokio::sync::Notify::new());
        let (inside, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let tasks = (0..8).map(|number| {
            let (semaphore, notify) = (Arc::clone(&semaphore), Arc::clone(&notify));
            let (inside, done) = (Arc::clone(&inside), Arc::clone(&done));
            spawn_on(number % 2, async move || {
                for _ in 0..50 {
                    let _permit = semaphore.acquire().await.expect("nobody closes it");
                    assert!(inside.fetch_add(1, Relaxed) < 2);
                    yield_now().await;
                    inside.fetch_sub(1, Relaxed);
                }
                done.fetch_add(1, Relaxed);
                notify.notify_one();
            })
        });
        let tasks = Vec::from_iter(tasks);
        // Several may be told as one; the last of them is told after it was counted.
        while done.load(Relaxed) < 8 {
            notify.notified().await;
        }
        for task in tasks {
            task.await.unwrap();
        }
    });
}

/// `futures::select!` in a loop over a channel, lines, a changed value and an event, as they come: nothing is lost, and what has ended is left out.
#[test]
fn futures_select_loses_nothing() {
    common::run(1, async {
        let (sender, mut numbers) = mpsc::channel(1);
        let (client, server) = duplex(7);
        let (state, mut states) = watch::channel(0);
        let stop = Rc::new(Event::new());
        let feeding = spawn({
            let stop = Rc::clone(&stop);
            async move {
                let mut client = client;
                for number in 0..100 {
                    sender.send(number).await.unwrap();
                    client
                        .write_all(format!("line {number}\n"))
                        .await
                        .0
                        .unwrap();
                    state.send(number + 1).unwrap();
                }
                drop((sender, client));
                stop.set();
                state
            }
        });
        let (mut lines, mut stopped) = (BufReader::new(server).lines(), stop.wait());
        let (mut sum, mut texts, mut is_stopped) = (0, Vec::new(), false);
        loop {
            futures::select! {
                number = numbers.select_next_some() => sum += number,
                line = lines.select_next_some() => texts.push(line.unwrap()),
                changed = states.changed() => changed.unwrap(),
                () = stopped => is_stopped = true,
                complete => unreachable!("somebody can change the state"),
            }
            if is_stopped && sum == 4950 && texts.len() == 100 {
                break;
            }
        }
        assert_eq!(*states.borrow(), 100);
        assert!(
            texts
                .iter()
                .enumerate()
                .all(|(number, text)| *text == format!("line {number}"))
        );
        feeding.await.unwrap();
    });
}

/// `tokio::select!` and the combinators of futures-lite over the same: branches that lose are dropped each time, with what they were granted.
#[test]
fn tokio_select_and_futures_lite_lose_nothing() {
    common::run(1, async {
        let (sender, mut numbers) = mpsc::channel(2);
        let total = Rc::new(Mutex::new(0));
        let feeding = spawn(async move {
            for number in 0..200 {
                sender.send(number).await.unwrap();
            }
        });
        let adding = spawn({
            let total = Rc::clone(&total);
            async move {
                for _ in 0..100 {
                    let mut total = total.lock().await;
                    yield_now().await;
                    *total += 1;
                }
            }
        });
        let (mut sum, mut locked, mut has_ended) = (0, 0, false);
        while !has_ended {
            tokio::select! {
                number = numbers.recv() => match number {
                    Some(number) => sum += number,
                    None => has_ended = true,
                },
                _guard = total.lock() => locked += 1,
                () = yield_now() => {}
            }
        }
        assert_eq!(sum, 199 * 200 / 2);
        adding.await.unwrap();
        assert_eq!(*total.lock().await, 100);
        assert!(locked > 0);
        feeding.await.unwrap();

        let (sender, numbers) = mpsc::unbounded_channel();
        (0..10).for_each(|number| sender.send(number).unwrap());
        let first = futures_lite::future::or(std::future::pending(), async { sender.is_closed() });
        assert!(!first.await);
        drop(sender);
        let even = futures_lite::StreamExt::filter(numbers, |number| number % 2 == 0);
        let even: Vec<u32> = futures_lite::StreamExt::collect(even).await;
        assert_eq!(even, [0, 2, 4, 6, 8]);
        assert!(Event::new().wait().now_or_never().is_none());
    });
}
