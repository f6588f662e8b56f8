//! A join handle takes the output along.

use executor::JoinHandle;
use std::rc::Rc;

fn send<T: Send>() {}

fn main() {
    send::<JoinHandle<Rc<u32>>>();
}
