//! Locks on files (flock(2)), between programs.
//!
//! A lock that is not free is asked for again and again, by a thread that does not wait for it. A
//! thread that waited in the kernel could not be called off: it would be one of the threads for
//! blocking work less, and the runtime could not end.
//!
//! The calls of one open file take turns. A call whose future is dropped keeps its turn until the
//! thread is done with it, and what it got is given back. So it cannot undo what a later call got.

use super::File;
use crate::blocking;
use crate::core::context;
use crate::io::ends::descriptor;
use crate::sync::{Mutex, OwnedMutexGuard};
use crate::time::{Duration, sleep};
use reactor::Origin;
use std::fs::TryLockError;
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// The first pause between two attempts, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

type Attempt = fn(&std::fs::File) -> Result<(), TryLockError>;

/// Whose turn it is to call flock(2) for an open file, and whether an earlier call has locked it. Its
/// clones have it in common.
#[derive(Clone, Debug)]
pub(super) struct LockTurns(Rc<Mutex<bool>>);

impl LockTurns {
    pub(super) fn new() -> Self {
        Self(Rc::new(Mutex::new(false)))
    }

    /// Whether no call is under way, not even one that was dropped.
    pub(super) fn is_idle(&self) -> bool {
        self.0.try_lock().is_ok()
    }

    /// Waits until those that were asked for have ended.
    pub(super) async fn settled(&self) {
        drop(self.0.lock().await);
    }
}

/// A lock that was got, and is given back if nobody takes it: the future that asked may have been
/// dropped. Not if the file was locked before: that lock is an earlier call's.
struct Unclaimed {
    file: Option<std::fs::File>,
    was_locked: bool,
    origin: Origin,
}

impl Unclaimed {
    fn new(file: std::fs::File, was_locked: bool) -> Self {
        Self {
            file: Some(file),
            was_locked,
            origin: Origin::here(),
        }
    }

    fn claim(mut self) {
        if let Some(file) = self.file.take() {
            // Closed by a worker thread, where closing writes back what was written, as on NFS.
            drop(descriptor(OwnedFd::from(file)));
        }
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        // A forked child has the same open file: the lock is its parent's.
        if let Some(file) = self.file.take()
            && self.origin.is_here()
            && !self.was_locked
        {
            let _ = file.unlock();
        }
    }
}

type Call = Pin<Box<dyn Future<Output = io::Result<Option<Unclaimed>>>>>;

/// A call under way, with its turn; `None` when it has ended.
struct Begun(Option<(Call, OwnedMutexGuard<bool>)>);

impl Future for Begun {
    type Output = io::Result<Option<Unclaimed>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (call, is_locked) = self.0.as_mut().expect("it is polled until it is ready");
        let outcome = ready!(call.as_mut().poll(context));
        if let Ok(lock) = &outcome {
            **is_locked = lock.is_some();
        }
        self.0 = None;
        Poll::Ready(outcome)
    }
}

impl Drop for Begun {
    /// The turn lasts until the thread is done, and the lock, if it was got, is given back.
    fn drop(&mut self) {
        let Some((call, mut turn)) = self.0.take() else {
            return;
        };
        context::with(|core| {
            // Without a core the drop of the call gives the lock back.
            if let Some(core) = core.filter(|core| core.is_here()) {
                let end = async move {
                    match call.await {
                        Ok(Some(lock)) => {
                            // Not here: it may ask a server.
                            let give_back = move || {
                                drop(lock);
                                Ok(())
                            };
                            let _ = blocking::call(give_back).await;
                        }
                        // An attempt that fails gives up what was locked before, as an unlock does.
                        Ok(None) => *turn = false,
                        Err(_) => {}
                    }
                    drop(turn);
                };
                core.spawn(end).detach();
            }
        });
    }
}

impl File {
    /// Locks the file for this one alone, and waits until that can be done: until all others have
    /// [unlocked](Self::unlock) or closed it.
    ///
    /// The lock is that of flock(2): it keeps out those who lock the file as well, in this program
    /// or another, and nobody else. It belongs to the open file, with all its
    /// [clones](Self::try_clone) and [standard](Self::into_std) forms, and ends with the last of
    /// them. A file that is locked already changes its lock, and is unlocked meanwhile.
    ///
    /// A thread for [blocking work](crate::spawn_blocking) asks whether the lock is free: again
    /// after a millisecond, then less often, up to every 50. Those who wait are in no order. None
    /// holds a thread between two attempts.
    ///
    /// **Dropped** before it is ready, it leaves the file unlocked, even if the lock is got at that
    /// moment, unless another call on the same open file had locked it; others may find it locked until the attempt has been undone. A lock that the file
    /// had before the call may be lost with it. Later calls on the same open file wait for that:
    /// so a lock that they get is not undone. A future that is polled once and then neither
    /// polled nor dropped blocks later calls.
    ///
    /// # Errors
    /// As flock(2) has them; `Unsupported` where the file system has no locks.
    ///
    /// # Panics
    /// Outside of a runtime.
    ///
    /// # Examples
    /// ```
    /// use executor::fs::{File, TryLockError};
    /// # #[executor::main(cores = 1)]
    /// # async fn main() -> std::io::Result<()> {
    /// # let path = std::env::temp_dir().join("executor-doc-lock");
    /// let (one, other) = (File::create(&path).await?, File::open(&path).await?);
    /// one.lock().await?;
    /// assert!(matches!(other.try_lock_shared().await, Err(TryLockError::WouldBlock)));
    /// one.unlock().await?;
    /// other.lock_shared().await?;
    /// # executor::fs::remove_file(&path).await
    /// # }
    /// ```
    pub async fn lock(&self) -> io::Result<()> {
        self.lock_by(std::fs::File::try_lock).await
    }

    /// Locks the file for those who lock it shared, and waits until nobody has it locked for himself alone. As for [`lock`](Self::lock).
    ///
    /// # Errors
    /// As for [`lock`](Self::lock).
    pub async fn lock_shared(&self) -> io::Result<()> {
        self.lock_by(std::fs::File::try_lock_shared).await
    }

    /// Locks the file for this one alone, if that can be done at once. As for [`lock`](Self::lock).
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] if somebody else has it locked; those of [`lock`](Self::lock).
    pub async fn try_lock(&self) -> Result<(), TryLockError> {
        self.try_lock_by(std::fs::File::try_lock).await
    }

    /// Locks the file for those who lock it shared, if that can be done at once. As for [`lock`](Self::lock).
    ///
    /// # Errors
    /// As for [`try_lock`](Self::try_lock).
    pub async fn try_lock_shared(&self) -> Result<(), TryLockError> {
        self.try_lock_by(std::fs::File::try_lock_shared).await
    }

    /// Gives the lock up. **Dropped** before it is ready, the file may stay locked, or be unlocked:
    /// but before a later call on the same open file gets the lock, not after.
    ///
    /// # Errors
    /// As flock(2) has them. A file that is not locked is no error.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn unlock(&self) -> io::Result<()> {
        let unlock = |file: std::fs::File, _| file.unlock().map(|()| None);
        self.lock_call(unlock).await.map(drop)
    }

    async fn lock_by(&self, attempt: Attempt) -> io::Result<()> {
        let mut pause = PAUSES.0;
        loop {
            match self.try_lock_by(attempt).await {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => sleep(pause).await,
                Err(TryLockError::Error(error)) => return Err(error),
            }
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    async fn try_lock_by(&self, attempt: Attempt) -> Result<(), TryLockError> {
        let attempt = move |file, was_locked| match attempt(&file) {
            Ok(()) => Ok(Some(Unclaimed::new(file, was_locked))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        };
        match self.lock_call(attempt).await {
            Ok(Some(lock)) => {
                lock.claim();
                Ok(())
            }
            Ok(None) => Err(TryLockError::WouldBlock),
            Err(error) => Err(TryLockError::Error(error)),
        }
    }

    /// Calls `call` with the file, and whether it is locked, when its turn has come, on a thread that may block: the lock of a network file
    /// system is that of its server.
    async fn lock_call(
        &self,
        call: impl FnOnce(std::fs::File, bool) -> io::Result<Option<Unclaimed>> + Send + 'static,
    ) -> io::Result<Option<Unclaimed>> {
        let turn = Rc::clone(&self.lock_turns.0).lock_owned().await;
        let file = self.duplicate()?;
        let was_locked = *turn;
        let call = blocking::call(move || call(file, was_locked));
        Begun(Some((Box::pin(call), turn))).await
    }
}
