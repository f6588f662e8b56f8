//! Files and directories.
//!
//! What the ring can do goes through it: opening, reading, writing, syncing, sizes, metadata, names. What it has no operation for (listing
//! directories, permissions, resolving links), or not on this kernel, is done by threads that may block; the docs say so where it
//! matters, since there **dropping** a future ends the wait and not the work.
//!
//! The names are those of [`std::fs`]. A future that is **dropped** leaks nothing, neither memory nor descriptors.
//!
//! # Other crates
//! Temporary files and directories: [`tempfile`](https://docs.rs/tempfile); `File::from(tempfile::tempfile()?)` is one of this core. Whole trees, with
//! filters, an order and protection from circles of links: [`walkdir`](https://docs.rs/walkdir) on a thread that may block, which sends what it
//! finds:
//! ```
//! # #[executor::main(cores = 1)]
//! # async fn main() {
//! let (sender, mut entries) = tokio::sync::mpsc::channel(256);
//! executor::spawn_blocking(move || {
//!     for entry in walkdir::WalkDir::new("src/fs") {
//!         if sender.blocking_send(entry).is_err() {
//!             break; // Nobody wants more.
//!         }
//!     }
//! })
//! .detach();
//! let mut files = 0;
//! while let Some(entry) = entries.recv().await {
//!     files += usize::from(entry.unwrap().file_type().is_file());
//! }
//! assert!(files > 5);
//! # }
//! ```
//!
//! # Examples
//! ```
//! use executor::fs::{self, File};
//! use executor::io::BufReader;
//! # #[executor::main(cores = 1)]
//! # async fn main() -> std::io::Result<()> {
//! let path = std::env::temp_dir().join("executor-doc-fs");
//! fs::write(&path, "one\ntwo\n").await.0?;
//! let mut lines = BufReader::new(File::open(&path).await?).lines();
//! while let Some(line) = lines.next_line().await? {
//!     println!("{line}");
//! }
//! fs::remove_file(&path).await
//! # }
//! ```

#![forbid(unsafe_code)]

mod cursor;
mod dir;
mod dir_builder;
mod dir_entry;
mod direct;
mod directory;
mod file;
mod lock;
mod metadata;
mod open_options;
mod operations;
mod paths;
mod registered;
mod sendfile;
mod whole;

pub use dir::Dir;
pub use dir_builder::DirBuilder;
pub use dir_entry::DirEntry;
pub use direct::{Alignment, DirectFile};
pub use directory::{NextEntry, ReadDir, create_dir_all, read_dir, remove_dir_all};
pub use file::File;
pub use metadata::{FileType, Metadata};
pub use open_options::OpenOptions;
pub use operations::{
    Allocate, ReadAt, ReadFixedAt, ReadVectoredAt, Sendfile, SyncAll, SyncData, WriteAt,
    WriteFixedAt, WriteVectoredAt,
};
pub use paths::{
    canonicalize, create_dir, hard_link, metadata, read_link, remove_dir, remove_file, rename,
    set_permissions, symlink, symlink_metadata, try_exists,
};
#[doc(inline)]
pub use reactor::buffers::{AlignedBuf, Registered, RegisteredBuf};
pub use registered::{RegisteredBufs, Take};
pub use sendfile::sendfile;
pub use std::fs::{FileTimes, Permissions, TryLockError};
pub use whole::{copy, read, read_to_string, write};
