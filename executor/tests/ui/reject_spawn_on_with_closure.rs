//! The closure travels, with what it holds.

use std::rc::Rc;

fn main() {
    let local = Rc::new(1);
    let _ = executor::spawn_on_with(1, move || async move { drop(local) });
}
