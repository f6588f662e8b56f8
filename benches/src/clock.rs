//! CPU clocks: how long a thread or another process has been running, as opposed to how long it took.
//!
//! On a kernel without `CONFIG_IRQ_TIME_ACCOUNTING` these clocks include the softirq work done in the thread's
//! context, which on the loopback is half of TCP; with it they do not. README.md says so too.

use std::io;
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

/// Wall time, and the CPU time of the calling thread or of this process, both since it was started.
pub(crate) struct Stopwatch {
    wall: Instant,
    cpu: Duration,
    clock: CpuClock,
}

impl Stopwatch {
    /// With the calling thread's CPU time; to be stopped on the same thread.
    pub(crate) fn start() -> Self {
        Self::with(CpuClock::THREAD)
    }

    /// With the CPU time of all threads of this process.
    pub(crate) fn of_process() -> Self {
        Self::with(CpuClock::PROCESS)
    }

    fn with(clock: CpuClock) -> Self {
        Stopwatch {
            cpu: clock.own(),
            wall: Instant::now(),
            clock,
        }
    }

    pub(crate) fn stop(self) -> Elapsed {
        Elapsed {
            wall: self.wall.elapsed(),
            cpu: self.clock.own() - self.cpu,
        }
    }
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Elapsed {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

/// A share of a time, in nanoseconds.
pub(crate) fn ns_each(time: Duration, operations: usize) -> f64 {
    time.as_secs_f64() * 1e9 / operations as f64
}

impl std::ops::AddAssign for Elapsed {
    fn add_assign(&mut self, other: Self) {
        self.wall += other.wall;
        self.cpu += other.cpu;
    }
}

/// From libc and not from rustix, whose own way to the vDSO ends in a fault under valgrind.
pub(crate) struct CpuClock(libc::clockid_t);

impl CpuClock {
    const THREAD: Self = CpuClock(libc::CLOCK_THREAD_CPUTIME_ID);
    const PROCESS: Self = CpuClock(libc::CLOCK_PROCESS_CPUTIME_ID);

    /// Of one of the two above, which cannot fail.
    fn own(&self) -> Duration {
        self.now().expect("threads and processes have CPU clocks")
    }

    /// Of a whole process, kernel workers of its rings included, to be read from outside it.
    pub(crate) fn of_process(process: u32) -> io::Result<Self> {
        let mut clock = MaybeUninit::uninit();
        // SAFETY: `clock` is valid for the one write the call makes; any process id is a valid argument.
        let error =
            unsafe { libc::clock_getcpuclockid(process as libc::pid_t, clock.as_mut_ptr()) };
        if error != 0 {
            return Err(io::Error::from_raw_os_error(error));
        }
        // SAFETY: the call succeeded, so it has written the clock.
        Ok(CpuClock(unsafe { clock.assume_init() }))
    }

    /// Of any thread of this process, by its number.
    pub(crate) fn of_thread(thread: rustix::thread::Pid) -> Self {
        // The kernel's own numbering (linux/posix-timers_types.h), which glibc's pthread_getcpuclockid uses as well.
        const THREAD: libc::clockid_t = 4;
        const SCHEDULED: libc::clockid_t = 2;
        CpuClock(((!thread.as_raw_nonzero().get()) << 3) | THREAD | SCHEDULED)
    }

    /// Fails when the process or the thread is gone.
    pub(crate) fn now(&self) -> io::Result<Duration> {
        let mut time = MaybeUninit::<libc::timespec>::uninit();
        // SAFETY: `time` is valid for the one write the call makes; a stale clock is an error, not a fault.
        if unsafe { libc::clock_gettime(self.0, time.as_mut_ptr()) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call succeeded, so it has written the time.
        let time = unsafe { time.assume_init() };
        Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
    }
}
