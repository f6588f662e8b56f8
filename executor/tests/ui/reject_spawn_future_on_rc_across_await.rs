//! A future that is sent to another core holds nothing that must not go there.

use std::rc::Rc;

fn main() {
    let _ = executor::spawn_future_on(1, async {
        let local = Rc::new(1);
        executor::yield_now().await;
        drop(local);
    });
}
