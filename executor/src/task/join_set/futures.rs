//! What waits for the tasks of a set.

use super::JoinSet;
use crate::task::{Id, JoinError};
use futures_core::{FusedFuture, FusedStream};
use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The future of [`JoinSet::join_next`]. **Dropped**, it loses nothing.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct JoinNext<'a, T> {
    pub(super) set: &'a mut JoinSet<T>,
}

impl<T> Future for JoinNext<'_, T> {
    type Output = Option<Result<T, JoinError>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.set.poll_join_next(context)
    }
}

/// For `futures::select!`: it is terminated when the set has said that it is empty, until that is filled again.
impl<T> FusedFuture for JoinNext<'_, T> {
    fn is_terminated(&self) -> bool {
        self.set.is_terminated()
    }
}

/// The future of [`JoinSet::join_next_with_id`]. **Dropped**, it loses nothing.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct JoinNextWithId<'a, T> {
    pub(super) set: &'a mut JoinSet<T>,
}

impl<T> Future for JoinNextWithId<'_, T> {
    type Output = Option<(Id, Result<T, JoinError>)>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.set.poll_member(context)
    }
}

/// As [`JoinNext`].
impl<T> FusedFuture for JoinNextWithId<'_, T> {
    fn is_terminated(&self) -> bool {
        self.set.is_terminated()
    }
}

/// The future of [`JoinSet::join_all`]. **Dropped**, it aborts the tasks that have not ended, and drops the outputs of the others.
#[must_use = "futures do nothing unless polled"]
pub struct JoinAll<T> {
    pub(super) set: JoinSet<T>,
    pub(super) outputs: Vec<T>,
}

impl<T> Unpin for JoinAll<T> {}

impl<T> Future for JoinAll<T> {
    type Output = Vec<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<T>> {
        let this = &mut *self;
        while let Some(outcome) = ready!(this.set.poll_join_next(context)) {
            match outcome {
                Ok(output) => this.outputs.push(output),
                Err(error) => {
                    this.set.abort_all();
                    match error.try_into_panic() {
                        Ok(payload) => resume_unwind(payload),
                        Err(error) => panic!("a task of a JoinSet has no output: {error}"),
                    }
                }
            }
        }
        Poll::Ready(std::mem::take(&mut this.outputs))
    }
}

impl<T> fmt::Debug for JoinAll<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("JoinAll")
            .field("set", &self.set)
            .field("joined", &self.outputs.len())
            .finish()
    }
}

/// The future of [`JoinSet::shutdown`]. **Dropped** after its first poll, it has aborted the tasks, and leaves those that have not ended in the set.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Shutdown<'a, T> {
    pub(super) set: &'a mut JoinSet<T>,
    pub(super) has_aborted: bool,
}

impl<T> Future for Shutdown<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if !std::mem::replace(&mut self.has_aborted, true) {
            self.set.abort_all();
        }
        while let Some(outcome) = ready!(self.set.poll_join_next(context)) {
            reactor::contain_panic("dropping the outcome of a task", || drop(outcome));
        }
        Poll::Ready(())
    }
}
