//! Taking away, for real, what a runtime needs to start: system calls, memory, descriptors, CPUs, privileges.

#![allow(dead_code, reason = "each test file uses its own part of it")]

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, Gid, Uid};
use rustix::thread::{sched_getaffinity, sched_setaffinity};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use seccompiler::{SeccompAction, SeccompFilter};
use std::fs::{self, File};

/// The user and the group that own nothing.
const NOBODY: u32 = 65534;
const IO_URING_DISABLED: &str = "/proc/sys/kernel/io_uring_disabled";

/// From now on the kernel answers `errno` to `system_call`, from this thread and those it starts.
pub(crate) fn deny(system_call: i64, errno: i32) {
    let filter = SeccompFilter::new(
        [(system_call, Vec::new())].into(),
        SeccompAction::Allow,
        SeccompAction::Errno(errno.unsigned_abs()),
        std::env::consts::ARCH.try_into().unwrap(),
    )
    .unwrap();
    let program: seccompiler::BpfProgram = filter.try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Makes this thread, and those it starts, an unprivileged user's, if it is not that already.
pub(crate) fn become_nobody() {
    if is_root() {
        let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
        set_thread_groups(&[]).unwrap();
        set_thread_res_gid(group, group, group).unwrap();
        set_thread_res_uid(user, user, user).unwrap();
    }
}

/// Sets the soft limit, calls `call`, and sets the limit back.
pub(crate) fn with_limit<T>(resource: Resource, limit: u64, call: impl FnOnce() -> T) -> T {
    let before = getrlimit(resource);
    let lower = Rlimit {
        current: Some(limit),
        ..before
    };
    setrlimit(resource, lower).unwrap();
    let result = call();
    setrlimit(resource, before).unwrap();
    result
}

/// The CPUs this thread may use, in ascending order.
pub(crate) fn cpus() -> Vec<usize> {
    let mask = sched_getaffinity(None).unwrap();
    (0..CpuSet::MAX_CPU)
        .filter(|cpu| mask.is_set(*cpu))
        .collect()
}

/// Confines this thread, and those it starts, to `cpus`.
pub(crate) fn confine_to(cpus: &[usize]) {
    let mut mask = CpuSet::new();
    for cpu in cpus {
        mask.set(*cpu);
    }
    sched_setaffinity(None, &mask).unwrap();
}

/// Address space this process has, in bytes.
pub(crate) fn address_space_bytes() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = pages.split(' ').next().unwrap().parse().unwrap();
    pages * rustix::param::page_size() as u64
}

/// The limit on descriptors that leaves this process `spare` of them.
pub(crate) fn descriptor_limit_leaving(spare: usize) -> u64 {
    let is_free = |number: &u64| fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_err();
    (0..).filter(is_free).nth(spare).unwrap()
}

/// Keeps `kernel.io_uring_disabled` as it is, or changes it, while other tests of this machine want it otherwise.
///
/// The setting is the whole machine's. At 1 it refuses the unprivileged alone, so tests that run as root do not care; those that do
/// not, and the one that changes it, hold the file's lock.
pub(crate) struct Sysctl {
    file: File,
    is_changed: bool,
}

/// Names the variable that allows it to be changed; CI sets it.
const ALLOWED: &str = "TESTS_MAY_SWITCH_IO_URING_OFF";

impl Sysctl {
    /// Keeps it at 0.
    ///
    /// # Errors
    /// Says why this cannot be done here.
    pub(crate) fn keep() -> Result<Self, String> {
        let file = Self::open()?;
        file.lock_shared().map_err(|error| error.to_string())?;
        Self::new(file)
    }

    /// Sets it to 1, which refuses the unprivileged, until this is dropped: only where that is allowed, for a test that is killed meanwhile
    /// leaves it so.
    ///
    /// # Errors
    /// Says why this cannot be done here.
    pub(crate) fn refuse_the_unprivileged() -> Result<Self, String> {
        if std::env::var_os(ALLOWED).is_none() {
            return Err(format!(
                "it changes {IO_URING_DISABLED} of the whole machine for a moment; set {ALLOWED}=1 to allow it"
            ));
        }
        let file = Self::open()?;
        file.lock().map_err(|error| error.to_string())?;
        let mut sysctl = Self::new(file)?;
        fs::write(IO_URING_DISABLED, "1").map_err(|error| format!("writing it: {error}"))?;
        sysctl.is_changed = true;
        Ok(sysctl)
    }

    fn open() -> Result<File, String> {
        File::open(IO_URING_DISABLED).map_err(|error| format!("{IO_URING_DISABLED}: {error}"))
    }

    fn new(file: File) -> Result<Self, String> {
        match fs::read_to_string(IO_URING_DISABLED).unwrap().trim() {
            "0" => Ok(Self {
                file,
                is_changed: false,
            }),
            value => Err(format!("{IO_URING_DISABLED} is {value} to begin with")),
        }
    }
}

impl Drop for Sysctl {
    fn drop(&mut self) {
        if self.is_changed {
            fs::write(IO_URING_DISABLED, "0").unwrap();
        }
        self.file.unlock().unwrap();
    }
}
