//! A task's cooperative budget, as users see it. How it works is in [`reactor::budget`].

#![forbid(unsafe_code)]

use pin_project_lite::pin_project;
use reactor::budget;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Takes one from the task's budget, and if that is spent, lets the others run first.
///
/// In each poll, a task may go on through so many futures of this crate that are ready at once (128); then the next one is pending, once, and
/// the task goes to the end of its core's run queue. So a loop over a lock that is always free, or over a socket that always has data, does not
/// keep timers, I/O and other tasks waiting, and a [`timeout`](crate::time::timeout) around it holds.
///
/// Only what this crate makes is counted. A loop that awaits nothing of it, such as one over a channel of another crate that always has an
/// item, or over computations, takes part by a call of this. Without one, such a loop does not end, not even under a `timeout`, which is
/// in the same task. It costs a few instructions; [`yield_now`](crate::yield_now()) lets the others run each time.
///
/// Outside of a runtime there is no budget, and it does nothing. **Dropped**, it has no effect.
///
/// # Examples
/// ```
/// use futures::{StreamExt, channel::mpsc};
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let (sender, mut receiver) = mpsc::unbounded();
/// std::thread::spawn(move || (0..1000).try_for_each(|number| sender.unbounded_send(number)));
/// let mut sum = 0;
/// while let Some(number) = receiver.next().await {
///     sum += number;
///     executor::consume_budget().await;
/// }
/// assert_eq!(sum, 499_500);
/// # }
/// ```
pub fn consume_budget() -> ConsumeBudget {
    ConsumeBudget { _private: () }
}

/// The future of [`consume_budget`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct ConsumeBudget {
    _private: (),
}

impl Future for ConsumeBudget {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        budget::spend(context)
    }
}

/// Runs `future` without a [budget](consume_budget): it is pending only when it has to wait, and holds its core as long as it does not.
///
/// For a future that is polled by hand, once, to see whether it is ready (`now_or_never`), and for work that is known to be short. **Dropped**,
/// it drops the future.
///
/// # Examples
/// ```
/// use executor::sync::Mutex;
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let numbers = Mutex::new(Vec::new());
/// executor::unconstrained(async {
///     for number in 0..1000 {
///         // No other task runs in between: the lock is free, each time.
///         numbers.lock().await.push(number);
///     }
/// })
/// .await;
/// assert_eq!(numbers.into_inner().len(), 1000);
/// # }
/// ```
pub fn unconstrained<F: Future>(future: F) -> Unconstrained<F> {
    Unconstrained { future }
}

pin_project! {
    /// The future of [`unconstrained`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Unconstrained<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Unconstrained<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let future = self.project().future;
        budget::unlimited(|| future.poll(context))
    }
}
