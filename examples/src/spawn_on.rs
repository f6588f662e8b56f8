//! Work on every core: a sum in parts, a future that is not `Send`, a panic that stays where it belongs, and an abort.
//!
//! ```sh
//! cargo run --release --example spawn_on
//! ```

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;

#[executor::main]
async fn main() {
    let cores = executor::cores();

    // The closure travels, and makes its future there.
    let parts: Vec<_> = (0..cores)
        .map(|core| {
            executor::spawn_on(core, async move || {
                (1..=1_000_000u64).skip(core).step_by(cores).sum::<u64>()
            })
        })
        .collect();
    let mut sum = 0;
    for part in parts {
        sum += part.await.expect("summing does not panic");
    }
    println!("1 + 2 + ... + 1,000,000 = {sum}, on {cores} cores");

    // So the future may hold what is not `Send`.
    let last = cores - 1;
    let names = executor::spawn_on(last, async || {
        let names = Rc::new(RefCell::new(Vec::new()));
        for name in ["Ada", "Grace"] {
            let names = Rc::clone(&names);
            let push = executor::spawn(async move { names.borrow_mut().push(name) });
            push.await.expect("pushing does not panic");
        }
        names.take()
    });
    println!(
        "core {last} says {:?}",
        names.await.expect("it does not panic")
    );

    // A panic ends its task and reaches who waits for it.
    let panics = executor::spawn_on(last, async || panic!("this one is meant to"));
    println!("the next task: {}", panics.await.expect_err("it panics"));

    // A task can be ended from any core.
    let endless = executor::spawn_future_on(last, pending::<()>());
    endless.abort();
    println!(
        "the last one: {}",
        endless.await.expect_err("it is aborted")
    );
}
