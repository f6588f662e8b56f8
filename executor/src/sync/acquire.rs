//! Waiting for permits of a semaphore.

use super::{AcquireError, Permit, Semaphore, TryAcquireError};
use futures_core::FusedFuture;
use reactor::waiters::{Left, Place};
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The future of [`Semaphore::acquire`] and its kin: waits for permits. `S` is how the semaphore is reached: `&Semaphore` or `Rc<Semaphore>`.
///
/// It enters the queue when it is first polled. **Dropped** before it is ready, it leaves the queue; permits that it had been granted by then go
/// to the next.
///
/// # Panics
/// When polled after it was ready.
#[must_use = "futures do nothing unless polled"]
pub struct Acquire<S: Deref<Target = Semaphore>> {
    /// `None` when it is done.
    semaphore: Option<S>,
    count: usize,
    place: Place,
}

impl<S: Deref<Target = Semaphore>> Acquire<S> {
    pub(super) fn new(semaphore: S, count: usize) -> Self {
        Self {
            semaphore: Some(semaphore),
            count,
            place: None,
        }
    }
}

// What it holds is moved, never pinned.
impl<S: Deref<Target = Semaphore>> Unpin for Acquire<S> {}

impl<S: Deref<Target = Semaphore>> Future for Acquire<S> {
    type Output = Result<Permit<S>, AcquireError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let semaphore = this.semaphore.as_ref().expect("polled after it was ready");
        let acquired = ready!(poll_acquire(
            semaphore,
            this.count,
            &mut this.place,
            context
        ));
        let semaphore = this.semaphore.take().expect("just used");
        Poll::Ready(acquired.map(|()| Permit::new(semaphore, this.count)))
    }
}

fn poll_acquire(
    semaphore: &Semaphore,
    count: usize,
    place: &mut Place,
    context: &mut Context<'_>,
) -> Poll<Result<(), AcquireError>> {
    if place.is_none() {
        let outcome = match semaphore.try_take(count) {
            Ok(()) => Some(Ok(())),
            Err(TryAcquireError::Closed) => Some(Err(AcquireError)),
            Err(TryAcquireError::NoPermits) => None,
        };
        if let Some(outcome) = outcome {
            return semaphore.waiters.grant_at_once(place, outcome, context);
        }
    }
    semaphore.waiters.wait(place, count, context)
}

impl<S: Deref<Target = Semaphore>> FusedFuture for Acquire<S> {
    fn is_terminated(&self) -> bool {
        self.semaphore.is_none()
    }
}

impl<S: Deref<Target = Semaphore>> Drop for Acquire<S> {
    fn drop(&mut self) {
        let Some(semaphore) = &self.semaphore else {
            return;
        };
        match semaphore.waiters.leave(&mut self.place) {
            Left::Granted(Ok(())) => semaphore.add_permits(self.count),
            // It may have been the one that asked for too much.
            Left::Waiting => semaphore.hand_out(),
            Left::Nothing | Left::Granted(Err(AcquireError)) => {}
        }
    }
}

impl<S: Deref<Target = Semaphore>> fmt::Debug for Acquire<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Acquire")
            .field("count", &self.count)
            .field("is_done", &self.semaphore.is_none())
            .finish_non_exhaustive()
    }
}
