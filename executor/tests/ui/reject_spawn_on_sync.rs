//! The channels and locks of `sync` are for the tasks of one core.

use executor::sync::{Mutex, mpsc};
use std::rc::Rc;

async fn channel() {
    let (sender, _receiver) = mpsc::channel::<u32>(1);
    let _ = executor::spawn_on(1, async move || sender.send(5).await);
}

async fn guard(mutex: Rc<Mutex<u32>>) {
    let guard = mutex.lock_owned().await;
    let _ = executor::spawn_on(1, async move || drop(guard));
}

fn main() {}
