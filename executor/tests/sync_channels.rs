//! What we recommend between cores: async-channel and the futures crate's oneshot, with our wakers.

mod common;

use common::{modes, start_with};
use executor::{spawn, spawn_on};
use futures::channel::oneshot;

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
