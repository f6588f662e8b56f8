//! Directories to make a mess in: one in memory, one on the disk.
#![allow(dead_code, reason = "each test file uses its own part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A directory that is removed, with all that is in it, when this is dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    fn new(place: &str, name: &str) -> Self {
        // Tests of one process may choose the same name.
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(place).join(format!("executor-{}-{number}-{name}", process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a directory can be made");
        Self(path)
    }

    pub(crate) fn on_disk(name: &str) -> Self {
        Self::new(env!("CARGO_TARGET_TMPDIR"), name)
    }

    /// In memory, if there is a place for that, and on the disk.
    pub(crate) fn each(name: &str) -> Vec<Self> {
        let in_memory = "/dev/shm";
        let mut places = vec![Self::on_disk(name)];
        if Path::new(in_memory).is_dir() {
            places.push(Self::new(in_memory, name));
        } else {
            println!("skipped: there is no {in_memory}");
        }
        places
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
