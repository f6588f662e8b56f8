//! What stays on its core need not be `Send`, nor `'static` if it is waited for.

use executor::time::{Duration, sleep};
use executor::{Builder, JoinHandle};
use std::rc::Rc;

fn send<T: Send + Sync>() {}

fn main() {
    send::<JoinHandle<u32>>();
    send::<executor::Handle>();
    send::<executor::JoinError>();
    send::<executor::StartError>();

    let runtime = Builder::new().cores(1).build().unwrap();

    // A future and an output that are not Send.
    let shared = Rc::new(1);
    let task = runtime.block_on(async {
        let shared = Rc::clone(&shared);
        executor::spawn(async move {
            executor::yield_now().await;
            shared
        })
        .await
    });
    assert_eq!(*task.unwrap(), 1);

    // A closure that is Send makes a future that is not.
    let task = runtime.block_on(async {
        executor::spawn_on(0, async || {
            let local = Rc::new(2);
            sleep(Duration::ZERO).await;
            *local
        })
        .await
    });
    assert_eq!(task.unwrap(), 2);

    // A future that borrows, and an output that does.
    let text = String::from("three");
    let mut length = 0;
    let borrowed = runtime.block_on(async {
        executor::yield_now().await;
        length = text.len();
        text.as_str()
    });
    assert_eq!((borrowed, length), ("three", 5));
}
