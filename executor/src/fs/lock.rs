//! Locks on files (flock(2)), between programs.
//!
//! A lock that is not free is asked for again and again, by a thread that does not wait for it. A thread that waited in the kernel could not be called
//! off: it would be one of the threads for blocking work less, and the runtime could not end.

use super::File;
use crate::blocking;
use crate::time::{Duration, sleep};
use std::fs::TryLockError;
use std::io;

/// The first pause between two attempts, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

type Attempt = fn(&std::fs::File) -> Result<(), TryLockError>;

/// A lock that was got, and is given back if nobody takes it: the future that asked may have been dropped.
struct Unclaimed(Option<std::fs::File>);

impl Unclaimed {
    fn claim(mut self) {
        self.0 = None;
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            let _ = file.unlock();
        }
    }
}

impl File {
    /// Locks the file for this one alone, and waits until that can be done: until all others have [unlocked](Self::unlock) or closed it.
    ///
    /// The lock is that of flock(2): it keeps out those who lock the file as well, in this program or another, and nobody else. It belongs to
    /// the open file, with all its [clones](Self::try_clone) and [standard](Self::into_std) forms, and ends with the last of them. A file that
    /// is locked already changes its lock, and is unlocked meanwhile.
    ///
    /// Whether the lock is free is asked again every millisecond, after a while every 50, so who waits is in no order, and holds no thread.
    ///
    /// **Dropped** before it is ready, the file is not locked by it.
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

    /// Gives the lock up. **Dropped**, it takes place all the same, once it was begun.
    ///
    /// # Errors
    /// As flock(2) has them. A file that is not locked is no error.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn unlock(&self) -> io::Result<()> {
        let file = self.duplicate()?;
        blocking::call(move || file.unlock()).await
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

    /// On a thread that may block: the lock of a network file system is that of its server.
    async fn try_lock_by(&self, attempt: Attempt) -> Result<(), TryLockError> {
        let file = self.duplicate().map_err(TryLockError::Error)?;
        let attempted = blocking::call(move || match attempt(&file) {
            Ok(()) => Ok(Some(Unclaimed(Some(file)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        });
        match attempted.await {
            Ok(Some(lock)) => {
                lock.claim();
                Ok(())
            }
            Ok(None) => Err(TryLockError::WouldBlock),
            Err(error) => Err(TryLockError::Error(error)),
        }
    }
}
