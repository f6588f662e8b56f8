//! Wakers that only take notes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

/// How often a waker was woken.
pub(crate) struct Woken(AtomicUsize);

impl Woken {
    pub(crate) fn count(&self) -> usize {
        // Relaxed: woken and asked on one thread.
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        // Relaxed: as in `count`.
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A waker that counts.
pub(crate) fn counting_waker() -> (Arc<Woken>, Waker) {
    let woken = Arc::new(Woken(AtomicUsize::new(0)));
    (Arc::clone(&woken), Waker::from(woken))
}

struct Numbered {
    number: usize,
    order: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Numbered {
    fn wake(self: Arc<Self>) {
        self.order.lock().expect("nobody panics").push(self.number);
    }
}

/// A waker that appends `number` to `order`.
pub(crate) fn order_waker(number: usize, order: &Arc<Mutex<Vec<usize>>>) -> Waker {
    Waker::from(Arc::new(Numbered {
        number,
        order: Arc::clone(order),
    }))
}
