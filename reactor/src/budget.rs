//! How many futures may be ready at once, one after another, before the one that polls them has the thread back.
//!
//! A loop over what is always ready (a lock that is free, a stream that always has an item) never returns from its poll, and nothing else on
//! the thread gets its turn: no timer, no completion, no other task. So each future that can be ready without having waited takes one from a
//! budget: by [`spend`], when it is about to be ready, or by [`limit`] around what makes it so. When the budget is spent it wakes its waker and is
//! pending: what it would have yielded stays where it was, for its next poll.
//!
//! Who polls sets the budget: the executor, before each poll of a task. This knows no tasks; the budget is a number of the thread, and where
//! nobody has set it, it has no end.
//!
//! Somebody may poll in a loop until the future is ready, and give the thread back only then: an executor inside of a task. For that loop to end,
//! a spent budget is renewed when it has refused about a thousand polls (`REFUSALS_MAX`).

use std::cell::Cell;
use std::task::{Context, Poll, Waker};

/// The budget of one poll of a task: the same as tokio's. Small futures take some nanoseconds each.
pub const PER_POLL: i64 = 128;

/// More than one poll of a task usually polls in different futures; a loop that waits is through it in some microseconds.
const REFUSALS_MAX: i64 = 1024;

/// Not counted to its end within the life of a thread.
const UNLIMITED: i64 = i64::MAX;

thread_local! {
    /// What is left; below zero, how often it was asked for more.
    static LEFT: Cell<i64> = const { Cell::new(UNLIMITED) };
}

/// A poll of a task begins: its budget is [`PER_POLL`]. For every poll of every task, inside of [`limited`]: one store.
#[inline]
pub fn renew() {
    LEFT.set(PER_POLL);
}

/// Calls `call`, which polls tasks, with a budget. Afterwards there is no limit.
#[inline]
pub fn limited<T>(call: impl FnOnce() -> T) -> T {
    renew();
    let result = call();
    LEFT.set(UNLIMITED);
    result
}

/// Calls `call` with a budget that has no end. Afterwards, also after a panic, it is what it was before.
#[inline]
pub fn unlimited<T>(call: impl FnOnce() -> T) -> T {
    struct Before(i64);

    impl Drop for Before {
        fn drop(&mut self) {
            LEFT.set(self.0);
        }
    }

    let _before = Before(LEFT.replace(UNLIMITED));
    call()
}

/// Whether nothing is left.
#[inline]
pub fn is_spent() -> bool {
    LEFT.get() <= 0
}

/// For a future that is about to be ready: takes one from the budget. Pending, with the waker woken, if it is spent.
#[inline]
pub fn spend(context: &mut Context<'_>) -> Poll<()> {
    limit(context, |_| Poll::Ready(()))
}

/// Calls `poll`, which takes one from the budget if it is ready. Pending, with the waker woken, if the budget is spent; then `poll` is not called.
#[inline]
pub fn limit<T>(
    context: &mut Context<'_>,
    poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
) -> Poll<T> {
    if is_spent() {
        refuse(context.waker());
        return Poll::Pending;
    }
    let polled = poll(context);
    if polled.is_ready() {
        // What `poll` itself polls may have taken the last.
        LEFT.set((LEFT.get() - 1).max(0));
    }
    polled
}

/// For a future that keeps what it is ready with until its next poll, since the budget [is spent](is_spent): wakes it for that.
#[cold]
pub fn refuse(waker: &Waker) {
    let left = LEFT.get() - 1;
    let is_loop = left < -REFUSALS_MAX;
    LEFT.set(if is_loop { PER_POLL } else { left });
    waker.wake_by_ref();
}

#[cfg(test)]
mod tests;
