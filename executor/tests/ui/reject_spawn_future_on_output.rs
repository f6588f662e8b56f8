//! The output of a task on another core comes back.

use std::rc::Rc;

fn main() {
    let _ = executor::spawn_future_on(1, async { Rc::new(1) });
}
