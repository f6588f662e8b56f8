//! The future may stay where it is made, but its output comes back.

use std::rc::Rc;

fn main() {
    let _ = executor::spawn_on(1, async || { Rc::new(1) });
}
