//! Signals to a thread of this process, and what it does when one comes.

/// From now on `handle` runs on the thread to which `signal` is sent, and an interrupted system call fails.
///
/// # Safety
/// `handle` does nothing but what a signal handler may.
pub(crate) unsafe fn on_signal(signal: libc::c_int, handle: extern "C" fn(libc::c_int)) {
    // SAFETY: the handler is as it must be, by the caller's word; the action is zero but for it, which is valid: no flags, an empty mask.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handle as usize;
        assert_eq!(
            libc::sigaction(signal, &raw const action, std::ptr::null_mut()),
            0
        );
    }
}

/// Sends `signal` to `thread` of this process. If that is the calling thread, it is handled on return.
pub(crate) fn interrupt(thread: libc::pid_t, signal: libc::c_int) {
    // SAFETY: the kernel checks what it is given.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, signal) };
}
