//! Values that follow a task, or any future, through everything it calls.

use pin_project_lite::pin_project;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::LocalKey;
use std::{error, fmt};

/// Declares statics that have a value while a future runs that was given one: [`TaskLocal`]s. As tokio's.
///
/// # Examples
/// ```
/// executor::task_local! {
///     /// The request that is being served.
///     static REQUEST: u64;
/// }
///
/// fn log(text: &str) -> String {
///     REQUEST.with(|number| format!("request {number}: {text}"))
/// }
///
/// # #[executor::main(cores = 1)]
/// # async fn main() {
/// let serving = REQUEST.scope(7, async {
///     executor::yield_now().await;
///     log("done")
/// });
/// assert_eq!(executor::spawn(serving).await.unwrap(), "request 7: done");
/// # }
/// ```
#[macro_export]
macro_rules! task_local {
    ($($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty);* $(;)?) => {
        $(
            $(#[$attribute])*
            $visibility static $name: $crate::TaskLocal<$type> = {
                ::std::thread_local! {
                    static SLOT: ::std::cell::RefCell<::std::option::Option<$type>> =
                        const { ::std::cell::RefCell::new(::std::option::Option::None) };
                }
                $crate::TaskLocal::new(&SLOT)
            };
        )*
    };
}

/// A static that has a value while a future runs that was given one by [`scope`](Self::scope). Declared by
/// [`task_local!`](crate::task_local). A task that is spawned inside does not inherit it. The value may be `!Send`; then so is the future.
pub struct TaskLocal<T: 'static> {
    /// The value of the scope that runs now on this thread.
    slot: &'static LocalKey<RefCell<Option<T>>>,
}

/// There is no value: this is not inside of a scope of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessError;

impl fmt::Display for AccessError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a task-local value was used outside of its scope")
    }
}

impl error::Error for AccessError {}

impl<T: 'static> TaskLocal<T> {
    /// What [`task_local!`](crate::task_local) expands to.
    #[doc(hidden)]
    pub const fn new(slot: &'static LocalKey<RefCell<Option<T>>>) -> Self {
        Self { slot }
    }

    /// Runs `future` with this value: in its polls and in its drop, it is what [`with`](Self::with) gives. Scopes nest; the innermost counts.
    /// **Dropped**, the future goes first, then the value.
    pub fn scope<F: Future>(&'static self, value: T, future: F) -> TaskLocalFuture<T, F> {
        TaskLocalFuture {
            key: self,
            value: Some(value),
            future: Some(future),
        }
    }

    /// Calls `call` with this value, which is dropped afterwards.
    ///
    /// # Panics
    /// From inside of [`with`](Self::with) on the same key.
    #[track_caller]
    pub fn sync_scope<R>(&'static self, value: T, call: impl FnOnce() -> R) -> R {
        self.within(&mut Some(value), call)
    }

    /// Calls `call` with the value.
    ///
    /// # Panics
    /// Outside of a scope of this key.
    #[track_caller]
    pub fn with<R>(&'static self, call: impl FnOnce(&T) -> R) -> R {
        match self.try_with(call) {
            Ok(result) => result,
            Err(error) => panic!("{error}"),
        }
    }

    /// Calls `call` with the value.
    ///
    /// # Errors
    /// Outside of a scope of this key.
    pub fn try_with<R>(&'static self, call: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        let with_slot = |slot: &RefCell<Option<T>>| slot.borrow().as_ref().map(call);
        self.slot
            .try_with(with_slot)
            .ok()
            .flatten()
            .ok_or(AccessError)
    }

    /// A copy of the value.
    ///
    /// # Panics
    /// Outside of a scope of this key.
    #[track_caller]
    pub fn get(&'static self) -> T
    where
        T: Clone,
    {
        self.with(T::clone)
    }

    /// A copy of the value.
    ///
    /// # Errors
    /// Outside of a scope of this key.
    pub fn try_get(&'static self) -> Result<T, AccessError>
    where
        T: Clone,
    {
        self.try_with(T::clone)
    }

    /// Calls `call` with `value` in the slot.
    #[track_caller]
    fn within<R>(&'static self, value: &mut Option<T>, call: impl FnOnce() -> R) -> R {
        match self.try_within(value, call) {
            Some(result) => result,
            None => panic!(
                "a scope of a task-local key was entered where its value is in use, or at the end of the thread"
            ),
        }
    }

    /// The same, or `None` if the slot is in use or gone. In the end, also by a panic, the value is back where it was.
    fn try_within<R>(&'static self, value: &mut Option<T>, call: impl FnOnce() -> R) -> Option<R> {
        struct Exchanged<'a, T: 'static> {
            key: &'static TaskLocal<T>,
            value: &'a mut Option<T>,
        }

        impl<T> Drop for Exchanged<'_, T> {
            fn drop(&mut self) {
                // The slot is there, and free again: what borrowed it in `call` has ended.
                let _ = self.key.exchange(self.value);
            }
        }

        if !self.exchange(value) {
            return None;
        }
        let _exchanged = Exchanged { key: self, value };
        Some(call())
    }

    /// Swaps the value and the slot's; false if that is in use or gone.
    fn exchange(&'static self, value: &mut Option<T>) -> bool {
        let swap = |slot: &RefCell<Option<T>>| {
            let slot = slot.try_borrow_mut();
            slot.map(|mut slot| std::mem::swap(&mut *slot, value))
                .is_ok()
        };
        self.slot.try_with(swap).unwrap_or(false)
    }
}

impl<T: 'static> fmt::Debug for TaskLocal<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TaskLocal").finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of [`TaskLocal::scope`].
    #[must_use = "futures do nothing unless polled"]
    pub struct TaskLocalFuture<T, F>
    where
        T: 'static,
    {
        key: &'static TaskLocal<T>,
        value: Option<T>,
        // `None` once it is complete.
        #[pin]
        future: Option<F>,
    }

    impl<T, F> PinnedDrop for TaskLocalFuture<T, F>
    where
        T: 'static,
    {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // Where the value cannot be had, the future is dropped without.
            if this.future.is_some() {
                let _ = this.key.try_within(this.value, || this.future.set(None));
            }
        }
    }
}

impl<T: 'static, F> TaskLocalFuture<T, F> {
    /// Takes the value out, to have it back when the future is complete. `None` if it was taken already. A future that is polled after this runs without a
    /// value: [`TaskLocal::with`] panics in it.
    ///
    /// # Examples
    /// ```
    /// use std::{cell::Cell, pin::pin};
    ///
    /// executor::task_local! {
    ///     static ROWS: Cell<u32>;
    /// }
    /// # #[executor::main(cores = 1)]
    /// # async fn main() {
    /// let mut query = pin!(ROWS.scope(Cell::new(0), async {
    ///     ROWS.with(|rows| rows.set(rows.get() + 3));
    /// }));
    /// query.as_mut().await;
    /// assert_eq!(query.take_value(), Some(Cell::new(3)));
    /// # }
    /// ```
    pub fn take_value(self: Pin<&mut Self>) -> Option<T> {
        self.project().value.take()
    }
}

impl<T: 'static, F: Future> Future for TaskLocalFuture<T, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        this.key.within(this.value, || {
            let future = this.future.as_mut().as_pin_mut();
            let polled = future
                .expect("a completed future is not polled")
                .poll(context);
            if polled.is_ready() {
                this.future.set(None);
            }
            polled
        })
    }
}

impl<T: 'static, F> fmt::Debug for TaskLocalFuture<T, F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TaskLocalFuture")
            .finish_non_exhaustive()
    }
}
