//! A gate before `io_uring_enter`: a seccomp filter asks us about each call of one thread, and we count it, and let it pass or answer it
//! with an error of our choice. Nothing else shows on demand what the kernel says when it is out of memory.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

/// What the gatekeeper, a thread of its own, has seen, and what it will answer.
#[derive(Default)]
struct Book {
    enters: usize,
    /// How long those that wait were to wait at most.
    limits: Vec<Duration>,
    refusals: VecDeque<i32>,
}

pub(crate) struct EnterGate(Arc<Mutex<Book>>);

impl EnterGate {
    /// Sets a gate up before the calling thread, for as long as that lives.
    pub(crate) fn before_this_thread() -> Self {
        let book = Arc::new(Mutex::new(Book::default()));
        let (hand_over, listener) = mpsc::channel();
        // Born before there is a filter, and so not behind the gate itself.
        thread::spawn({
            let book = Arc::clone(&book);
            move || keep_gate(&listener.recv().expect("the filter is installed"), &book)
        });
        let listener = install_filter().expect("seccomp filters with a listener (Linux 5.5)");
        hand_over.send(listener).expect("the gatekeeper waits");
        Self(book)
    }

    /// The next calls fail, one with each of these errors, before any passes.
    pub(crate) fn refuse(&self, errors: impl IntoIterator<Item = i32>) {
        self.0.lock().unwrap().refusals.extend(errors);
    }

    /// All calls pass again.
    pub(crate) fn relent(&self) {
        self.0.lock().unwrap().refusals.clear();
    }

    /// How many of the errors have not been given.
    pub(crate) fn refusals_left(&self) -> usize {
        self.0.lock().unwrap().refusals.len()
    }

    /// How long each call that had a limit was to wait at most, since this was last asked.
    pub(crate) fn take_limits(&self) -> Vec<Duration> {
        std::mem::take(&mut self.0.lock().unwrap().limits)
    }

    /// How often the thread has come to the gate since this was last asked.
    pub(crate) fn take_enters(&self) -> usize {
        std::mem::take(&mut self.0.lock().unwrap().enters)
    }
}

/// Has the kernel ask about each `io_uring_enter` of the calling thread, through the descriptor that is returned.
fn install_filter() -> io::Result<OwnedFd> {
    let statement = |code: u32, jump_if_false: u8, value: u32| libc::sock_filter {
        code: code as u16,
        jt: 0,
        jf: jump_if_false,
        k: value,
    };
    let mut program = [
        // The number of the system call is at the start of `struct seccomp_data`.
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        statement(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            1,
            libc::SYS_io_uring_enter as u32,
        ),
        statement(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_USER_NOTIF),
        statement(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: `program` is a valid filter for the length of the call; no_new_privs, which lets anyone install one, and the filter are
    // the calling thread's alone.
    let listener = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const program,
        )
    };
    if listener < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(listener as RawFd) })
}

/// Answers until the thread behind the gate has ended.
fn keep_gate(listener: &OwnedFd, book: &Mutex<Book>) {
    while has_caller(listener) {
        // SAFETY: all zero is valid, and what the kernel asks for.
        let mut call: libc::seccomp_notif = unsafe { std::mem::zeroed() };
        // SAFETY: `call` is a writable seccomp_notif.
        let received = unsafe {
            libc::ioctl(
                listener.as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_RECV,
                &raw mut call,
            )
        };
        if received < 0 {
            continue;
        }
        let refusal = {
            let mut book = book.lock().unwrap();
            book.enters += 1;
            book.limits.extend(limit(&call.data.args));
            book.refusals.pop_front()
        };
        let answer = libc::seccomp_notif_resp {
            id: call.id,
            val: 0,
            error: -refusal.unwrap_or(0),
            flags: match refusal {
                Some(_) => 0,
                None => libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32,
            },
        };
        // SAFETY: `answer` is a valid seccomp_notif_resp. It fails if the caller has died meanwhile, which is no concern of ours.
        unsafe {
            libc::ioctl(
                listener.as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_SEND,
                &raw const answer,
            )
        };
    }
}

/// The limit of a call with these arguments, if it has one.
fn limit(arguments: &[u64; 6]) -> Option<Duration> {
    const EXT_ARG: u64 = 1 << 3;
    let [_, _, _, flags, argument, _] = *arguments;
    if flags & EXT_ARG == 0 {
        return None;
    }
    // SAFETY: with this flag the argument is a `struct io_uring_getevents_arg`, which is as large,
    // and belongs to the caller, who is stopped in the call.
    let [_, _, timespec] = unsafe { *(argument as *const [u64; 3]) };
    // SAFETY: `sys::enter` gives such a struct only with a timespec: two words of the caller's.
    let [seconds, nanoseconds] = unsafe { *(timespec as *const [u64; 2]) };
    Some(Duration::new(seconds, nanoseconds as u32))
}

/// Blocks until somebody is at the gate; false if nobody can come any more.
fn has_caller(listener: &OwnedFd) -> bool {
    let mut event = libc::pollfd {
        fd: listener.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    loop {
        // SAFETY: `event` is one valid pollfd.
        unsafe { libc::poll(&raw mut event, 1, -1) };
        if event.revents & libc::POLLIN != 0 {
            return true;
        }
        if event.revents != 0 {
            return false;
        }
    }
}
