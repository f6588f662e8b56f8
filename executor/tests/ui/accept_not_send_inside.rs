//! What stays on its core, and what travels without being looked at, need not be `Send`.

use executor::{Foreign, Sharded, core_local, task_local};
use std::rc::Rc;

core_local! {
    static CORE: Rc<u32> = Rc::new(1);
    /// With a comment, visible, and no semicolon at the end.
    pub(crate) static OTHER: Rc<u32> = Rc::new(2)
}

task_local! {
    static TASK: Rc<u32>
}

fn send<T: Send + Sync>(_: &T) {}

fn main() {
    let runtime = executor::Builder::new().cores(1).pin(false).build().unwrap();
    runtime.block_on(async {
        let sharded = Sharded::new(|| Rc::new(1)).await.unwrap();
        send(&sharded);
        let held = sharded.invoke_on(0, async move |value| {
            executor::yield_now().await;
            **value
        });
        assert_eq!(held.await.unwrap(), 1);
        let foreign = Foreign::new(Rc::new(1));
        send(&foreign);
        let sum = CORE.with(|one| OTHER.with(|two| **one + **two));
        assert_eq!(TASK.scope(Rc::new(sum), async { TASK.get() }).await, Rc::new(3));
    });
}
