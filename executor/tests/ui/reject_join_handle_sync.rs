//! A join handle takes the output along.

use executor::JoinHandle;
use std::rc::Rc;

fn sync<T: Sync>() {}

fn main() {
    sync::<JoinHandle<Rc<u32>>>();
}
