//! A call to a shard, as the task on its core.

use super::shard::find;
use crate::local::Key;
use crate::task::cancel_current;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A call that is over in one poll. Not an async block, nor one with an `Option` of the result: it would be the larger, and have to be fetched by
/// its core, and the result from there, in two cache lines for one.
pub(super) struct Call<T, C> {
    key: Key,
    closure: Option<C>,
    value: PhantomData<fn(T)>,
}

impl<T, C> Call<T, C> {
    pub(super) fn new(key: Key, closure: C) -> Self {
        Self {
            key,
            closure: Some(closure),
            value: PhantomData,
        }
    }
}

// The closure is moved out before it is called: nothing in it is pinned.
impl<T, C> Unpin for Call<T, C> {}

impl<T: 'static, C: FnOnce(&T) -> R, R> Future for Call<T, C> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        let shard = find::<T>(self.key).filter(|shard| !shard.gate.is_closed());
        match (shard, self.closure.take()) {
            (Some(shard), Some(closure)) => Poll::Ready(closure(&shard.value)),
            _ => {
                cancel_current(context.waker());
                Poll::Pending
            }
        }
    }
}

/// A call whose closure makes a future; inside of the shard's gate until that has ended.
pub(super) fn invoke<T: 'static, F: Future>(
    key: Key,
    closure: impl FnOnce(Rc<T>) -> F,
) -> impl Future<Output = F::Output> {
    let shard = find::<T>(key).and_then(|shard| {
        let inside = Rc::clone(&shard.gate).enter_owned().ok()?;
        Some((Rc::clone(&shard.value), inside))
    });
    async move {
        let Some((value, _inside)) = shard else {
            return poll_fn(|context| {
                cancel_current(context.waker());
                Poll::Pending
            })
            .await;
        };
        closure(value).await
    }
}
