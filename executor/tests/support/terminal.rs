//! A terminal without a person: what a test types, and what the program inside shows.

#![allow(dead_code, reason = "each test file uses its own part of it")]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr;

pub(crate) struct Terminal {
    outside: File,
    inside: OwnedFd,
}

impl Terminal {
    /// None where the kernel has no pseudo-terminals.
    pub(crate) fn new() -> Option<Self> {
        let (mut outside, mut inside) = (0, 0);
        // SAFETY: both places can be written to, and the others may be null.
        let result = unsafe {
            libc::openpty(
                &raw mut outside,
                &raw mut inside,
                ptr::null_mut(),
                ptr::null(),
                ptr::null(),
            )
        };
        if result != 0 {
            eprintln!("skipped: no pseudo-terminal can be had here");
            return None;
        }
        // SAFETY: they were just made, and nobody else knows them.
        let (outside, inside) =
            unsafe { (File::from_raw_fd(outside), OwnedFd::from_raw_fd(inside)) };
        Some(Self { outside, inside })
    }

    /// The side on which a program reads and writes.
    pub(crate) fn inside(&self) -> OwnedFd {
        self.inside.try_clone().unwrap()
    }

    pub(crate) fn types(&mut self, keys: &[u8]) {
        self.outside.write_all(keys).unwrap();
    }

    /// Waits until it shows `text`, after whatever else.
    pub(crate) fn shows(&mut self, text: &str) {
        let mut shown = Vec::new();
        while !String::from_utf8_lossy(&shown).contains(text) {
            let mut some = [0; 256];
            let count = self.outside.read(&mut some).unwrap();
            shown.extend_from_slice(&some[..count]);
        }
    }

    /// Takes away so many bytes that it shows.
    pub(crate) fn takes(&mut self, count: usize) {
        let mut shown = vec![0; count];
        self.outside.read_exact(&mut shown).unwrap();
    }
}
