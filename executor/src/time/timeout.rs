//! A limit on how long a future may take.

use super::{Duration, Instant, Sleep, sleep, sleep_until};
use futures_core::FusedFuture;
use pin_project_lite::pin_project;
use reactor::budget;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::{error, fmt, io};

/// Gives `future` this long. If it is not ready by then, the result is [`Elapsed`], and the future is dropped with the [`Timeout`].
///
/// The future is polled first: one that is ready at once is never too late. What a dropped future does with data and buffers is
/// its own affair, and written where it is made.
///
/// The limit is looked at when the future is pending. A loop over what is always ready is pending now and then, because of its
/// [budget](crate::consume_budget), if it awaits futures of this crate. One that awaits nothing of it has to call
/// [`consume_budget`](crate::consume_budget), or no limit ends it.
///
/// # Panics
/// When polled outside of a runtime, unless the future is ready.
///
/// # Examples
/// ```
/// use executor::time::{Duration, sleep, timeout};
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let slow = sleep(Duration::from_secs(3600));
/// assert!(timeout(Duration::from_millis(1), slow).await.is_err());
/// # }
/// ```
pub fn timeout<F: Future>(duration: Duration, future: F) -> Timeout<F> {
    Timeout {
        future,
        sleep: sleep(duration),
    }
}

/// The same, until `deadline`. Cancellation and panics as for [`timeout`].
pub fn timeout_at<F: Future>(deadline: Instant, future: F) -> Timeout<F> {
    Timeout {
        future,
        sleep: sleep_until(deadline),
    }
}

pin_project! {
    /// The future of [`timeout`] and [`timeout_at`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Timeout<F> {
        #[pin]
        future: F,
        sleep: Sleep,
    }
}

impl<F> Timeout<F> {
    /// Gives the future back.
    pub fn into_inner(self) -> F {
        self.future
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let had_budget = !budget::is_spent();
        if let Poll::Ready(output) = this.future.poll(context) {
            return Poll::Ready(Ok(output));
        }
        let sleep = Pin::new(this.sleep);
        let slept = if had_budget && budget::is_spent() {
            // The future has used up what there was. It would do so the next time as well, and no time limit would ever hold.
            budget::unlimited(|| sleep.poll(context))
        } else {
            sleep.poll(context)
        };
        slept.map(|()| Err(Elapsed(())))
    }
}

impl<F: FusedFuture> FusedFuture for Timeout<F> {
    fn is_terminated(&self) -> bool {
        self.future.is_terminated() || self.sleep.is_terminated()
    }
}

/// The time was up before the future was ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed(());

impl fmt::Display for Elapsed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the time limit was reached")
    }
}

impl error::Error for Elapsed {}

impl From<Elapsed> for io::Error {
    fn from(elapsed: Elapsed) -> Self {
        Self::new(io::ErrorKind::TimedOut, elapsed)
    }
}
