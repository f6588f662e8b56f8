//! The closure travels, with what it holds.

use std::rc::Rc;

fn main() {
    let local = Rc::new(1);
    let _ = executor::spawn_on(1, async move || { drop(local) });
}
