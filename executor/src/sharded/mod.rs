//! One value on each core, reached by closures that are sent to it.
//!
//! The values are in the cores' own tables (`core/locals.rs`), under a key that the handles and every closure carry: a call costs what a
//! `spawn_on` does, and a look into the table. Nothing is shared by the cores but the handle's reference count, which calls leave alone.

#![forbid(unsafe_code)]

mod call;
mod shard;

use crate::core::context;
use crate::local::{Key, OwnedKey};
use crate::runtime::Handle;
use crate::sending::{SendableClosure, SendableOutput};
use crate::task::{JoinError, JoinHandle};
use call::{Call, invoke};
use shard::{find, place, stop_here};
use std::fmt;
use std::future::{Future, ready};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

/// A value on each core of a runtime, its shards: made there, used there by closures that are sent to it, and dropped there. It need not be
/// `Send`. The handle is cheap to clone, and may go to any thread.
///
/// **Dropped**, the last handle sends word to the cores to drop their shards; those that are in use live on until they are not.
/// [`stop`](Self::stop) does it in an orderly way and waits. Shards that are there when the runtime shuts down are dropped on their core,
/// after its tasks.
///
/// # Examples
/// ```
/// use executor::Sharded;
/// use std::cell::Cell;
/// # #[executor::main]
/// # async fn main() -> Result<(), executor::JoinError> {
/// let counter = Sharded::new(|| Cell::new(0)).await?;
/// let last = executor::cores() - 1;
/// let before = counter.invoke_on(last, async |count| count.replace(5)).await?;
/// let sum = counter.map_reduce(async |count| count.get(), 0, |sum, count| sum + count).await?;
/// assert_eq!((before, sum), (0, 5));
/// counter.stop().await?;
/// # Ok(())
/// # }
/// ```
///
/// A map of which each core has a part: the key says which. The closure owns what it is sent with,
/// and yields owned values, for what is borrowed from the shard stays there. On one core there is
/// never more than one closure at a time, so a `RefCell` does for a lock; what is borrowed from it
/// must not be held across an `.await`.
/// ```
/// use executor::{JoinError, Sharded};
/// use std::cell::RefCell;
/// use std::collections::HashMap;
/// use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
///
/// #[derive(Clone)]
/// struct Store(Sharded<RefCell<HashMap<String, String>>>);
///
/// impl Store {
///     fn core_of(key: &str) -> usize {
///         let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key);
///         (hash % executor::cores() as u64) as usize
///     }
///
///     async fn set(&self, key: String, value: String) -> Result<Option<String>, JoinError> {
///         let core = Self::core_of(&key);
///         self.0.call_on(core, move |map| map.borrow_mut().insert(key, value)).await
///     }
///
///     async fn get(&self, key: String) -> Result<Option<String>, JoinError> {
///         let core = Self::core_of(&key);
///         self.0.call_on(core, move |map| map.borrow().get(&key).cloned()).await
///     }
/// }
/// # #[executor::main]
/// # async fn main() -> Result<(), JoinError> {
/// let store = Store(Sharded::new(RefCell::default).await?);
/// store.set("colour".into(), "blue".into()).await?;
/// assert_eq!(store.get("colour".into()).await?.as_deref(), Some("blue"));
/// # Ok(())
/// # }
/// ```
pub struct Sharded<T: 'static> {
    inner: Arc<Inner>,
    value: PhantomData<fn(T) -> T>,
}

struct Inner {
    key: Arc<OwnedKey>,
    handle: Handle,
    /// Set when nothing is left that the last handle would have to drop.
    is_stopped: OnceLock<()>,
}

impl<T: 'static> Sharded<T> {
    /// Calls `make` on each core of this runtime, where [`current_core`](crate::current_core) says which one it is, and waits for all.
    /// **Dropped** before that, the future leaves no shard behind.
    ///
    /// # Errors
    /// If `make` panics on a core. Then the shards of the others are dropped.
    ///
    /// # Panics
    /// Outside of a runtime; and if there are 65,536 of them and of [`CoreLocal`](crate::CoreLocal)s already.
    pub async fn new<C>(make: C) -> Result<Self, JoinError>
    where
        C: FnOnce() -> T + Clone + SendableClosure + 'static,
    {
        let inner = Arc::new(Inner {
            key: Arc::new(OwnedKey::new()),
            handle: Handle::current(),
            is_stopped: OnceLock::new(),
        });
        let sharded = Self {
            inner,
            value: PhantomData,
        };
        let made = all(sharded.each_core(|core| {
            let (make, key) = (make.clone(), Arc::clone(&sharded.inner.key));
            let owner = Arc::downgrade(&sharded.inner);
            let place = move || {
                place(make, key, owner);
                ready(())
            };
            sharded.inner.handle.spawn_on(core, place)
        }));
        if let Err(error) = made.await {
            // Its own error is no news.
            let _ = sharded.stop().await;
            return Err(error);
        }
        Ok(sharded)
    }

    /// Calls `closure` on the core numbered `core`, with the value there, and runs the future that it makes, as a task: an async closure is the
    /// short form. Only the closure and the result travel; the future need not be `Send`. [`stop`](Self::stop) waits for it. If the shard has
    /// been stopped, the closure is not called, and the handle yields a cancelled error.
    ///
    /// For what awaits nothing, [`call_on`](Self::call_on) is cheaper.
    ///
    /// # Panics
    /// If there is no such core.
    ///
    /// # Examples
    /// ```
    /// use executor::Sharded;
    /// use executor::sync::Mutex;
    /// # #[executor::main]
    /// # async fn main() -> Result<(), executor::JoinError> {
    /// let logs = Sharded::new(|| Mutex::new(Vec::new())).await?;
    /// let length = logs.invoke_on(executor::cores() - 1, async |log| {
    ///     let mut lines = log.lock().await;
    ///     lines.push("a line");
    ///     lines.len()
    /// });
    /// assert_eq!(length.await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn invoke_on<C, F>(&self, core: usize, closure: C) -> JoinHandle<F::Output>
    where
        C: FnOnce(Rc<T>) -> F + SendableClosure + 'static,
        F: Future + 'static,
        F::Output: SendableOutput + 'static,
    {
        let key = self.key();
        let call = move || invoke(key, closure);
        self.inner.handle.spawn_on(core, call)
    }

    /// Calls `closure` on the core numbered `core`, with the value there, and awaits nothing: it costs what a [`spawn_on`](crate::spawn_on) does.
    /// Calls that one core sends to another are made in the order in which they were sent. Otherwise as
    /// [`invoke_on`](Self::invoke_on).
    ///
    /// # Panics
    /// If there is no such core.
    #[track_caller]
    pub fn call_on<C, R>(&self, core: usize, closure: C) -> JoinHandle<R>
    where
        C: FnOnce(&T) -> R + SendableClosure + 'static,
        R: SendableOutput + 'static,
    {
        let call = Call::new(self.key(), closure);
        self.inner.handle.spawn_future_on(core, call)
    }

    /// Calls `closure` on every core, with the value there, runs the futures, and waits for all. **Dropped**, it waits no more; they run all
    /// the same, if it was polled.
    ///
    /// # Errors
    /// The first in the order of the cores; all are called nonetheless.
    pub async fn invoke_on_all<C, F>(&self, closure: C) -> Result<(), JoinError>
    where
        C: FnOnce(Rc<T>) -> F + Clone + SendableClosure + 'static,
        F: Future<Output = ()> + 'static,
    {
        all(self.each_core(|core| self.invoke_on(core, closure.clone()))).await
    }

    /// Calls `map` on every core, with the value there, and runs the futures; here `reduce` is called with each result, in the order of the
    /// cores. **Dropped**, it waits no more; the futures run all the same, if it was polled.
    ///
    /// # Errors
    /// The first in the order of the cores; all are called nonetheless.
    pub async fn map_reduce<C, F, A>(
        &self,
        map: C,
        initial: A,
        mut reduce: impl FnMut(A, F::Output) -> A,
    ) -> Result<A, JoinError>
    where
        C: FnOnce(Rc<T>) -> F + Clone + SendableClosure + 'static,
        F: Future + 'static,
        F::Output: SendableOutput + 'static,
    {
        let mut reduced = initial;
        for call in self.each_core(|core| self.invoke_on(core, map.clone())) {
            reduced = reduce(reduced, call.await?);
        }
        Ok(reduced)
    }

    /// The value on this core. `None` if it was stopped, and on a core of another runtime.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn local(&self) -> Option<Rc<T>> {
        find::<T>(self.key()).map(|shard| Rc::clone(&shard.value))
    }

    /// Ends all shards: each takes no more calls, waits for those [under way](Self::invoke_on), and drops its value on its core, unless
    /// somebody there still has it. Returns when all have done so; to stop what is stopped does nothing, and to stop what is being stopped
    /// waits for that. **Dropped** after its first poll, it waits no more; they end all the same.
    ///
    /// # Errors
    /// If the runtime shuts down meanwhile.
    pub async fn stop(&self) -> Result<(), JoinError> {
        self.stop_with(|_| ready(())).await
    }

    /// The same; each shard, after the calls and before its value is dropped, runs the future that `end` makes. All do so at once: what one
    /// of them asks of another may find it stopped.
    ///
    /// # Errors
    /// If `end` or its future panicked (then the value is dropped nonetheless), or the runtime shuts down
    /// meanwhile: the first in the order of the cores.
    pub async fn stop_with<C, F>(&self, end: C) -> Result<(), JoinError>
    where
        C: FnOnce(Rc<T>) -> F + Clone + SendableClosure + 'static,
        F: Future<Output = ()> + 'static,
    {
        let key = self.key();
        let stopped = all(self.each_core(|core| {
            let end = end.clone();
            let stop = move || stop_here(key, end);
            self.inner.handle.spawn_on(core, stop)
        }));
        stopped.await?;
        let _ = self.inner.is_stopped.set(());
        Ok(())
    }

    fn key(&self) -> Key {
        self.inner.key.get()
    }

    /// Begins something on every core before anything is awaited.
    fn each_core<R>(&self, begin: impl FnMut(usize) -> JoinHandle<R>) -> Vec<JoinHandle<R>> {
        (0..self.inner.handle.cores()).map(begin).collect()
    }
}

/// Waits for all, and yields the first error.
async fn all(tasks: Vec<JoinHandle<()>>) -> Result<(), JoinError> {
    let mut outcome = Ok(());
    for task in tasks {
        outcome = outcome.and(task.await);
    }
    outcome
}

impl Drop for Inner {
    fn drop(&mut self) {
        // In a forked child the shards are the parent's.
        if self.is_stopped.get().is_some() || !self.handle.is_here() {
            return;
        }
        let key = self.key.get();
        for core in 0..self.handle.cores() {
            let remove = move || {
                let shard = context::expect("a Sharded", |core| core.locals().take_any(key));
                drop(shard);
                ready(())
            };
            self.handle.spawn_on(core, remove).detach();
        }
    }
}

impl<T: 'static> Clone for Sharded<T> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            value: PhantomData,
        }
    }
}

impl<T: 'static> fmt::Debug for Sharded<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sharded")
            .field("cores", &self.inner.handle.cores())
            .finish_non_exhaustive()
    }
}
