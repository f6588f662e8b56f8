//! Counts the system calls of a whole process: a seccomp filter over all its threads asks us about each, and we let it pass. It cannot be
//! taken back, so this is for processes made for it.

use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::thread;

const NUMBERS: usize = 512;
static COUNTS: [AtomicU64; NUMBERS] = [const { AtomicU64::new(0) }; NUMBERS];
/// The descriptor to answer through, or one of the following.
static LISTENER: AtomicI32 = AtomicI32::new(NOBODY_LISTENS);
const NOBODY_LISTENS: i32 = -2;
/// The thread that will answer has made all system calls of its beginning.
const READY: i32 = -1;

/// What the thread that counts does itself, and what returns from a signal's handler.
const NOT_COUNTED: [libc::c_long; 2] = [libc::SYS_ioctl, libc::SYS_rt_sigreturn];

/// How often each was made.
#[derive(Clone)]
pub(crate) struct SystemCalls([u64; NUMBERS]);

impl SystemCalls {
    /// From now on they are counted, those of every thread that there is or will be.
    pub(crate) fn begin() {
        // The filter holds for this thread as well, which nobody would answer: so it spins for the descriptor.
        thread::spawn(answer);
        // Acquire and Release throughout: only the order with the filter matters, which the kernel makes.
        while LISTENER.load(Ordering::Acquire) != READY {
            thread::yield_now();
        }
        let listener = install_filter().expect("seccomp filters with a listener (Linux 5.7)");
        // Release: pairs with the Acquire in `answer`.
        LISTENER.store(listener, Ordering::Release);
    }

    /// Up to now.
    pub(crate) fn read() -> Self {
        // Relaxed: whoever made a call has gone on only after it was counted.
        Self(std::array::from_fn(|number| {
            COUNTS[number].load(Ordering::Relaxed)
        }))
    }

    /// Those since `earlier`, by number.
    pub(crate) fn since(&self, earlier: &Self) -> Vec<(usize, u64)> {
        let differences = self.0.iter().zip(&earlier.0).map(|(now, then)| now - then);
        differences
            .enumerate()
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}

/// Has the kernel ask about each system call of all threads, through the descriptor that is returned.
fn install_filter() -> io::Result<RawFd> {
    let statement = |code: u32, jump_if_true: u8, value: u32| libc::sock_filter {
        code: code as u16,
        jt: jump_if_true,
        jf: 0,
        k: value,
    };
    let is = |number: libc::c_long, jump: u8| {
        statement(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            jump,
            number as u32,
        )
    };
    let mut program = [
        // The number of the system call is at the start of `struct seccomp_data`.
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        is(NOT_COUNTED[0], 2),
        is(NOT_COUNTED[1], 1),
        statement(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_USER_NOTIF),
        statement(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: `program` is a valid filter for the length of the call, after which this process does what it did before, more slowly.
    let listener = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER
                | libc::SECCOMP_FILTER_FLAG_TSYNC
                | libc::SECCOMP_FILTER_FLAG_TSYNC_ESRCH,
            &raw const program,
        )
    };
    if listener < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(listener as RawFd)
}

/// Counts each call and lets it pass, as long as the process lives. Makes no system call that is asked about, and so allocates nothing.
fn answer() {
    LISTENER.store(READY, Ordering::Release);
    let listener = loop {
        // Acquire: pairs with the Release in `begin`.
        match LISTENER.load(Ordering::Acquire) {
            READY => std::hint::spin_loop(),
            listener => break listener,
        }
    };
    loop {
        // SAFETY: all zero is valid, and what the kernel asks for.
        let mut call: libc::seccomp_notif = unsafe { std::mem::zeroed() };
        // SAFETY: `call` is a writable seccomp_notif.
        let received =
            unsafe { libc::ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut call) };
        if received < 0 {
            continue;
        }
        let number = usize::try_from(call.data.nr).unwrap_or(NUMBERS);
        // Relaxed: a count.
        COUNTS[number.min(NUMBERS - 1)].fetch_add(1, Ordering::Relaxed);
        let answer = libc::seccomp_notif_resp {
            id: call.id,
            val: 0,
            error: 0,
            flags: libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32,
        };
        // SAFETY: `answer` is a valid seccomp_notif_resp. It fails if the caller has been interrupted or died, and then needs none.
        unsafe { libc::ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_SEND, &raw const answer) };
    }
}
