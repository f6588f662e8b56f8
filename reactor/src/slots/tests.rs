//! What a slot does with completions that come early, late, for its earlier tenant, or for nobody. Orphans, which only the operations
//! can make, are tested from outside, in `tests/cancellation.rs` and `tests/descriptors.rs`.

use super::{Abandoned, Delivery, Key, Next, Slots};
use crate::operation::Completion;
use io_uring::cqueue;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

/// `IORING_CQE_F_MORE`.
const MORE: u32 = 1 << 1;

fn completion(result: i32) -> Completion {
    Completion { result, flags: 0 }
}

/// A completion that is not the last.
fn one_of_many(result: i32) -> Completion {
    assert!(cqueue::more(MORE));
    Completion {
        result,
        flags: MORE,
    }
}
