//! The keys and values of one core, and the commands on them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io::Write;

thread_local! {
    /// A core is a thread, and nobody else has its keys: no lock.
    static STORE: RefCell<HashMap<Box<[u8]>, Vec<u8>>> = RefCell::default();
}

/// The core that has the key, if any has.
pub(crate) fn home_of(key: &[u8]) -> usize {
    let hash = BuildHasherDefault::<DefaultHasher>::new().hash_one(key);
    hash as usize % executor::cores()
}

/// A command on one key.
#[derive(Clone, Copy)]
pub(crate) enum Command {
    Get,
    Set,
    Delete,
    Increment,
}

/// Executes it on this core, which must be the key's home, and appends the answer.
pub(crate) fn execute(command: Command, key: &[u8], value: &[u8], answer: &mut Vec<u8>) {
    STORE.with_borrow_mut(|store| match command {
        Command::Get => match store.get(key) {
            Some(value) => bulk(value, answer),
            None => answer.extend_from_slice(b"$-1\r\n"),
        },
        Command::Set => {
            match store.get_mut(key) {
                Some(place) => value.clone_into(place),
                None => drop(store.insert(key.into(), value.to_vec())),
            }
            answer.extend_from_slice(b"+OK\r\n");
        }
        Command::Delete => {
            let count = i64::from(store.remove(key).is_some());
            integer(count, answer);
        }
        Command::Increment => {
            let before = store.get(key).map_or(Some(0), |value| parse(value));
            match before.and_then(|before: i64| before.checked_add(1)) {
                Some(after) => {
                    store.insert(key.into(), after.to_string().into_bytes());
                    integer(after, answer);
                }
                None => {
                    answer.extend_from_slice(b"-ERR value is not an integer or out of range\r\n")
                }
            }
        }
    });
}

fn parse(value: &[u8]) -> Option<i64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Appends a byte string.
pub(crate) fn bulk(bytes: &[u8], answer: &mut Vec<u8>) {
    let _ = write!(answer, "${}\r\n", bytes.len());
    answer.extend_from_slice(bytes);
    answer.extend_from_slice(b"\r\n");
}

fn integer(number: i64, answer: &mut Vec<u8>) {
    let _ = write!(answer, ":{number}\r\n");
}
