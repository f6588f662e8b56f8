//! What a core does when it has nothing to do: for how long it looks out for work, and in which way, before it blocks.

#![forbid(unsafe_code)]

use std::time::Duration;

/// How long a core that has nothing to do stays awake, and how, before it blocks in the kernel.
///
/// It spins first: it looks at everything there is to look at, and uses all of its CPU. Work that comes meanwhile is found within a
/// fraction of a microsecond. Then, where the processor has an instruction for it, it watches its cache line: the CPU
/// rests, and is back within about a microsecond, woken by a store or by a completion; for the scheduler it still runs. Then it blocks: the CPU is free,
/// and coming back takes a system call of who wakes it and some 30 to 50 µs.
///
/// | preset | spins | watches | work is found within |
/// |---|---|---|---|
/// | [`latency`](Self::latency) | 1 ms | 100 ms | 1 µs until then, 50 µs after that |
/// | [`balanced`](Self::balanced), the default | up to 50 µs, as long as that pays | 1 ms | the same |
/// | [`energy`](Self::energy) | not at all | 100 µs | the same |
/// | [`block`](Self::block) | not at all | not at all | 50 µs |
///
/// **What it costs.** A core that has blocked uses no CPU time until it is woken, and then some microseconds. Before that, spinning uses the CPU, and
/// watching counts as if it did: in the kernel's accounts, and for whoever would have the CPU instead. So each time it has nothing to do, a core is charged
/// for the times of the table, or until work comes if that is sooner:
///
/// | preset | quiet after the last work, at most | charged for a whole CPU while work comes each |
/// |---|---|---|
/// | [`latency`](Self::latency) | 1 ms; 101 ms where it can watch | 1 ms; 101 ms |
/// | [`balanced`](Self::balanced) | 50 µs; 1.05 ms | 50 µs; 1.05 ms |
/// | [`energy`](Self::energy) | at once; 100 µs | never; 100 µs |
/// | [`block`](Self::block) | at once | never |
///
/// Where it cannot watch, and its work comes more rarely than each 50 µs, `balanced` stops spinning after six idle times, and costs 1.6 µs for each on average
/// from then on. Where it can, work each 0.9 ms makes it a whole CPU in the accounts, though most of it is rest.
///
/// These are orders of magnitude, the part about watching by the processors' manuals: it has not been measured on hardware here.
///
/// A core that is not alone on its CPU does neither, since it may keep whoever has the work from it; unless the policy was chosen for it. Such is a core
/// that is not pinned, and one as long as a core of another runtime in this process is pinned to the same CPU. Of other processes it knows nothing.
///
/// # Examples
/// ```
/// use executor::IdlePolicy;
/// let builder = executor::Builder::new().idle(IdlePolicy::latency());
/// # drop(builder);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdlePolicy {
    spin: Duration,
    is_adaptive: bool,
    monitor: Duration,
    gives_way: bool,
}

impl Default for IdlePolicy {
    fn default() -> Self {
        Self::balanced()
    }
}

impl IdlePolicy {
    /// Answers as fast as can be, whatever it costs: 1 ms of CPU time each time there is nothing to do.
    pub const fn latency() -> Self {
        Self {
            spin: Duration::from_millis(1),
            is_adaptive: false,
            monitor: Duration::from_millis(100),
            gives_way: false,
        }
    }

    /// Spins while that pays, and is quiet when idle.
    pub const fn balanced() -> Self {
        Self {
            spin: Duration::from_micros(50),
            is_adaptive: true,
            monitor: Duration::from_millis(1),
            gives_way: false,
        }
    }

    /// Blocks early: does not spin, and watches for 100 µs where it can.
    pub const fn energy() -> Self {
        Self {
            spin: Duration::ZERO,
            is_adaptive: false,
            monitor: Duration::from_micros(100),
            gives_way: false,
        }
    }

    /// Blocks at once: no spinning, no watching.
    pub const fn block() -> Self {
        Self {
            spin: Duration::ZERO,
            is_adaptive: false,
            monitor: Duration::ZERO,
            gives_way: false,
        }
    }

    /// Spins for `spin`, each time.
    #[must_use]
    pub const fn spin(mut self, spin: Duration) -> Self {
        self.spin = spin;
        self.is_adaptive = false;
        self
    }

    /// Spins for at most `spin`. A core begins with half of it; an idle time that was over before `spin` brings it back to `spin`,
    /// since spinning so long would have paid; each longer one halves it, until below a microsecond it does not spin at all. After 64
    /// longer ones in a row it spins for `spin` as well, to find out whether that pays by now: whoever sleeps cannot tell.
    #[must_use]
    pub const fn spin_adaptively(mut self, spin: Duration) -> Self {
        self.spin = spin;
        self.is_adaptive = true;
        self
    }

    /// Watches for at most `monitor` after that, where the processor can. It counts as CPU time.
    #[must_use]
    pub const fn monitor(mut self, monitor: Duration) -> Self {
        self.monitor = monitor;
        self
    }

    /// Blocks at once while the core shares its CPU with another core of this process.
    pub(crate) const fn giving_way(mut self) -> Self {
        self.gives_way = true;
        self
    }

    pub(crate) fn gives_way(self) -> bool {
        self.gives_way
    }

    pub(crate) fn spin_max_ns(self) -> u64 {
        nanoseconds(self.spin)
    }

    pub(crate) fn is_adaptive(self) -> bool {
        self.is_adaptive
    }

    pub(crate) fn monitor_ns(self) -> u64 {
        nanoseconds(self.monitor)
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
