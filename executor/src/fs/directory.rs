//! Directories: what is in them, and whole trees. The ring has no operations for it, so a thread that may block does it, many entries at a
//! time.

use super::DirEntry;
use crate::blocking;
use futures_core::Stream;
use futures_core::stream::FusedStream;
use reactor::budget;
use std::collections::VecDeque;
use std::future::Future;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::{fmt, io};

/// How many entries are fetched at once.
const BATCH: usize = 256;

type Batch = (Listing, VecDeque<io::Result<DirEntry>>, bool);
type Fetch = Pin<Box<dyn Future<Output = io::Result<Batch>>>>;

/// A directory that is being listed.
enum Listing {
    /// Of a path, which begins the paths of its entries.
    Named(std::fs::ReadDir),
    /// Of an open directory, which its entries are relative to.
    Open(rustix::fs::Dir, Arc<OwnedFd>),
}

enum Stage {
    Idle(Listing),
    Fetching(Fetch),
    Over,
}

/// What is in a directory; also a [`Stream`]. In no order, and without `.` and `..`.
///
/// **Dropping** a future of it loses no entry.
pub struct ReadDir {
    fetched: VecDeque<io::Result<DirEntry>>,
    stage: Stage,
}

/// Opens a directory, to see what is in it.
///
/// # Errors
/// As opendir(3) has them: `NotFound`, `NotADirectory` and so on.
///
/// # Panics
/// Outside of a runtime.
///
/// # Examples
/// ```
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let mut entries = executor::fs::read_dir("/proc/self").await?;
/// let mut found = false;
/// while let Some(entry) = entries.next_entry().await? {
///     found |= entry.file_name() == "fd" && entry.file_type().is_dir();
/// }
/// assert!(found);
/// # Ok(())
/// # }
/// ```
pub async fn read_dir(path: impl AsRef<Path>) -> io::Result<ReadDir> {
    let path = path.as_ref().to_owned();
    let (rest, fetched, is_over) =
        blocking::call(move || Ok(fetch(Listing::Named(std::fs::read_dir(path)?)))).await?;
    Ok(ReadDir {
        fetched,
        stage: Stage::after(rest, is_over),
    })
}

/// The same for a directory that is open.
pub(super) async fn read_open(directory: OwnedFd) -> io::Result<ReadDir> {
    let begin = move || {
        let listed = rustix::fs::Dir::read_from(&directory)?;
        Ok(fetch(Listing::Open(listed, Arc::new(directory))))
    };
    let (rest, fetched, is_over) = blocking::call(begin).await?;
    Ok(ReadDir {
        fetched,
        stage: Stage::after(rest, is_over),
    })
}

impl Iterator for Listing {
    type Item = io::Result<DirEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Named(directory) => Some(directory.next()?.and_then(DirEntry::of)),
            Self::Open(listed, directory) => loop {
                match listed.next()? {
                    Ok(entry) if matches!(entry.file_name().to_bytes(), b"." | b"..") => {}
                    Ok(entry) => return Some(DirEntry::within(directory, &entry)),
                    Err(error) => return Some(Err(error.into())),
                }
            },
        }
    }
}

/// Fetches some entries, and says whether these were the last.
fn fetch(mut directory: Listing) -> Batch {
    let mut entries = VecDeque::new();
    while entries.len() < BATCH {
        match directory.next() {
            Some(entry) => entries.push_back(entry),
            None => return (directory, entries, true),
        }
    }
    (directory, entries, false)
}

impl Stage {
    fn after(rest: Listing, is_over: bool) -> Self {
        if is_over {
            Self::Over
        } else {
            Self::Idle(rest)
        }
    }
}

impl ReadDir {
    /// The next entry; `None` after the last.
    ///
    /// **Dropped**, no entry is lost.
    ///
    /// # Errors
    /// As readdir(3) has them; and, for file systems that do not say in the directory what each thing is, those of lstat(2), which cost
    /// one entry.
    ///
    /// # Panics
    /// When polled outside of a runtime, if it has no more entries at hand.
    pub fn next_entry(&mut self) -> NextEntry<'_> {
        NextEntry(self)
    }

    fn poll_entry(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Option<DirEntry>>> {
        loop {
            if !self.fetched.is_empty() {
                ready!(budget::spend(context));
            }
            if let Some(entry) = self.fetched.pop_front() {
                return Poll::Ready(entry.map(Some));
            }
            match std::mem::replace(&mut self.stage, Stage::Over) {
                Stage::Idle(directory) => {
                    let fetching = blocking::call(move || Ok(fetch(directory)));
                    self.stage = Stage::Fetching(Box::pin(fetching));
                }
                Stage::Fetching(mut fetching) => {
                    let Poll::Ready(batch) = fetching.as_mut().poll(context) else {
                        self.stage = Stage::Fetching(fetching);
                        return Poll::Pending;
                    };
                    let (rest, fetched, is_over) = batch?;
                    self.fetched = fetched;
                    self.stage = Stage::after(rest, is_over);
                }
                Stage::Over => return budget::spend(context).map(|()| Ok(None)),
            }
        }
    }
}

impl Stream for ReadDir {
    type Item = io::Result<DirEntry>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(ready!(self.poll_entry(context)).transpose())
    }
}

impl FusedStream for ReadDir {
    fn is_terminated(&self) -> bool {
        self.fetched.is_empty() && matches!(self.stage, Stage::Over)
    }
}

/// The future of [`ReadDir::next_entry`]. It yields `None` after the last entry.
///
/// **Dropped**, it loses no entry: the next call goes on.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct NextEntry<'a>(&'a mut ReadDir);

impl Future for NextEntry<'_> {
    type Output = io::Result<Option<DirEntry>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_entry(context)
    }
}

impl fmt::Debug for ReadDir {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ReadDir")
            .field("fetched", &self.fetched.len())
            .finish_non_exhaustive()
    }
}

/// Makes a directory, and those that it is to be in; those that are there already are left alone. **Dropped**, it takes place all the
/// same, once it was begun.
///
/// # Errors
/// As mkdir(2) has them.
///
/// # Panics
/// Outside of a runtime.
pub async fn create_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    blocking::call(move || std::fs::create_dir_all(path)).await
}

/// Removes a directory and all that is in it; symbolic links are removed, and not followed. **Dropped**, it takes place all the same, once
/// it was begun.
///
/// # Errors
/// As unlinkat(2) has them; some of it may be gone then.
///
/// # Panics
/// Outside of a runtime.
pub async fn remove_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    blocking::call(move || std::fs::remove_dir_all(path)).await
}
