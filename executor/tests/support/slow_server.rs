//! A file system whose server does not answer when it should: FUSE, spoken by hand. One file, called `file`, with 4096 bytes in it.
//!
//! The structures are those of `include/uapi/linux/fuse.h`, protocol 7.31.

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub(crate) const OPEN: u32 = 14;
pub(crate) const READ: u32 = 15;
pub(crate) const WRITE: u32 = 16;
pub(crate) const FLUSH: u32 = 25;

const LOOKUP: u32 = 1;
const FORGET: u32 = 2;
const GETATTR: u32 = 3;
const RELEASE: u32 = 18;
const INIT: u32 = 26;
const INTERRUPT: u32 = 36;
const BATCH_FORGET: u32 = 42;

const ROOT: u64 = 1;
const FILE: u64 = 2;
const HEADER_BYTES: usize = 40;
const FILE_BYTES: u32 = 4096;

/// What is asked of the server and has not been answered.
struct Held {
    unique: u64,
    operation: u32,
    request: Vec<u8>,
}

#[derive(Default)]
struct State {
    /// Which operations are not answered for the time being.
    holds: Vec<u32>,
    held: Vec<Held>,
}

struct Shared {
    device: File,
    state: Mutex<State>,
}

/// A test that is not done by then waits for the server, which is in its own process: that could not even be killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Mounted as long as it lives, but for a limited time. What is held then fails.
pub(crate) struct SlowServer {
    mounted: PathBuf,
    shared: Arc<Shared>,
    /// Its drop ends the mount, as does the end of the patience.
    alive: Option<Sender<()>>,
    unmounts: Option<JoinHandle<()>>,
}

impl SlowServer {
    /// Mounts it at `directory`, which exists. `None`, with a word of why, where that cannot be done.
    pub(crate) fn mount(directory: &Path) -> Option<Self> {
        let device = OpenOptions::new().read(true).write(true).open("/dev/fuse");
        let device = match device {
            Ok(device) => device,
            Err(error) => {
                println!("skipped: /dev/fuse cannot be opened: {error}");
                return None;
            }
        };
        let place = CString::new(directory.as_os_str().as_bytes()).unwrap();
        let options = format!(
            "fd={},rootmode=40000,user_id=0,group_id=0",
            device.as_raw_fd()
        );
        let options = CString::new(options).unwrap();
        // SAFETY: all of these are C strings.
        let result = unsafe {
            libc::mount(
                c"slow".as_ptr(),
                place.as_ptr(),
                c"fuse".as_ptr(),
                0,
                options.as_ptr().cast(),
            )
        };
        if result != 0 {
            let error = std::io::Error::last_os_error();
            println!("skipped: a file system cannot be mounted here: {error}");
            return None;
        }
        let shared = Arc::new(Shared {
            device,
            state: Mutex::default(),
        });
        let server = Arc::clone(&shared);
        thread::spawn(move || server.serve());
        let (alive, ended) = channel::<()>();
        let unmounts = thread::spawn(move || {
            let _ = ended.recv_timeout(PATIENCE);
            // SAFETY: it is a C string.
            unsafe { libc::umount2(place.as_ptr(), libc::MNT_FORCE | libc::MNT_DETACH) };
        });
        Some(Self {
            mounted: directory.to_owned(),
            shared,
            alive: Some(alive),
            unmounts: Some(unmounts),
        })
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.mounted.join("file")
    }

    /// Does not answer this operation any more.
    pub(crate) fn hold(&self, operation: u32) {
        self.shared.state.lock().unwrap().holds.push(operation);
    }

    /// How many requests wait for their answers.
    pub(crate) fn held(&self) -> usize {
        self.shared.state.lock().unwrap().held.len()
    }

    /// Answers what it was asked, and goes on answering.
    pub(crate) fn release(&self) {
        let held = {
            let mut state = self.shared.state.lock().unwrap();
            state.holds.clear();
            std::mem::take(&mut state.held)
        };
        for Held {
            unique,
            operation,
            request,
        } in held
        {
            self.shared.answer(unique, operation, ROOT, &request);
        }
    }
}

impl Drop for SlowServer {
    fn drop(&mut self) {
        self.release();
        self.alive = None;
        if let Some(unmounts) = self.unmounts.take() {
            let _ = unmounts.join();
        }
    }
}

impl Shared {
    /// Until the file system is unmounted.
    fn serve(&self) {
        let mut buffer = vec![0; 1 << 20];
        while let Ok(count) = (&self.device).read(&mut buffer) {
            let request = &buffer[..count];
            let operation = number(request, 4);
            let unique = u64::from(number(request, 8)) | u64::from(number(request, 12)) << 32;
            let node = u64::from(number(request, 16));
            if matches!(operation, FORGET | BATCH_FORGET | INTERRUPT) {
                continue;
            }
            let request = request[HEADER_BYTES..].to_vec();
            let mut state = self.state.lock().unwrap();
            if state.holds.contains(&operation) {
                state.held.push(Held {
                    unique,
                    operation,
                    request,
                });
            } else {
                drop(state);
                self.answer(unique, operation, node, &request);
            }
        }
    }

    fn answer(&self, unique: u64, operation: u32, node: u64, request: &[u8]) {
        let (error, body) = match operation {
            INIT => (0, init()),
            LOOKUP if request == b"file\0" => (0, entry()),
            LOOKUP => (-libc::ENOENT, Vec::new()),
            GETATTR => (0, [words(&[3600, 0, 0, 0]), attributes(node)].concat()),
            // To be read from the server each time, past the kernel's cache.
            OPEN => (0, words(&[0, 0, 1, 0])),
            READ if number(request, 8) == 0 => {
                let asked = number(request, 16).min(FILE_BYTES);
                (0, vec![7; asked as usize])
            }
            READ | FLUSH | RELEASE => (0, Vec::new()),
            WRITE => (0, words(&[number(request, 16), 0])),
            _ => (-libc::ENOSYS, Vec::new()),
        };
        let length = (16 + body.len()) as u32;
        let header = words(&[length, error as u32, unique as u32, (unique >> 32) as u32]);
        // Whoever asked may have given up.
        let _ = (&self.device).write(&[header, body].concat());
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// `struct fuse_init_out`: the version, and a write at a time.
fn init() -> Vec<u8> {
    let mut out = vec![7, 31, 0, 0, 0, 1 << 16, 1, 1];
    out.resize(16, 0);
    words(&out)
}

/// `struct fuse_entry_out`, valid for an hour.
fn entry() -> Vec<u8> {
    let numbers = words(&[FILE as u32, 0, 0, 0, 3600, 0, 3600, 0, 0, 0]);
    [numbers, attributes(FILE)].concat()
}

/// `struct fuse_attr`.
fn attributes(node: u64) -> Vec<u8> {
    let (mode, size) = match node {
        FILE => (libc::S_IFREG | 0o666, FILE_BYTES),
        _ => (libc::S_IFDIR | 0o777, 0),
    };
    let mut out = vec![node as u32, 0, size, 0];
    out.resize(15, 0);
    out.extend([mode, 1, 0, 0, 0, 4096, 0]);
    words(&out)
}
