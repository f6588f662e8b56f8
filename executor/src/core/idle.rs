//! How long this core spins and watches the next time it has nothing to do, learnt from how long the last times took.
//!
//! One number is learnt: how many idle times there were since the last for which spinning paid, or would have. After `n` of them the core spins for
//! `max / 2^n`: so it stops spinning when that does not pay, and spins in full again as soon as it would have.
//!
//! But a core that blocks cannot see when its work came, only when the kernel had woken it: some 30 µs later; and what it waits for may come from one
//! that blocked as well, and was woken by this core's last message. Two such cores, or a core and a client over TCP, see idle times of 60 µs,
//! where both would answer in a microsecond if they spun. Judged by what it sees, neither would ever begin again. So a core tries: after 64 idle times in a
//! row that did not pay it spins in full, and for half as long each time after that. That finds an answer for which one kernel wake is needed; and the
//! other, answered without one, learns from its next idle time.
//!
//! What it costs: twice the longest spin in 64 idle times, 1.6 µs for each by default, where blocking and being woken take several. A core that nobody
//! wakes tries nothing.

use super::cpu_share;
use crate::idle::IdlePolicy;
use std::cell::Cell;

/// Below this a spin is not worth the clock it reads.
const SPIN_NS_MIN: u64 = 1_000;
/// Idle times that did not pay, from one attempt to the next. Two cores that call each other by the kernel alone come to it within 4 ms.
const ATTEMPT_INTERVAL: u32 = 64;

/// One core's idle policy, and what it has learnt.
pub(super) struct Idle {
    policy: IdlePolicy,
    cpu: usize,
    /// Idle times since the last for which spinning paid, or would have; counted from the last attempt. Stays 0 unless the policy is adaptive.
    unpaid: Cell<u32>,
    monitor_ns: u64,
}

impl Idle {
    /// For the core of this CPU. `can_monitor` says whether there is an instruction for it, and a line to watch.
    pub(super) fn new(policy: IdlePolicy, cpu: usize, can_monitor: bool) -> Self {
        Self {
            policy,
            cpu,
            unpaid: Cell::new(u32::from(policy.is_adaptive())),
            monitor_ns: if can_monitor { policy.monitor_ns() } else { 0 },
        }
    }

    /// Whether to spin or to watch at all.
    #[inline]
    pub(super) fn stays_awake(&self) -> bool {
        (self.spin_ns() > 0 || self.monitor_ns > 0)
            && !(self.policy.gives_way() && cpu_share::is_shared(self.cpu))
    }

    /// How long to spin.
    #[inline]
    pub(super) fn spin_ns(&self) -> u64 {
        let spin_ns = self.policy.spin_max_ns() >> self.unpaid.get();
        if spin_ns < SPIN_NS_MIN { 0 } else { spin_ns }
    }

    /// How long to watch after that.
    pub(super) fn monitor_ns(&self) -> u64 {
        self.monitor_ns
    }

    /// The core had nothing to do for `idle_ns`, however it spent them.
    #[inline]
    pub(super) fn learn(&self, idle_ns: u64) {
        if !self.policy.is_adaptive() {
            return;
        }
        let has_paid = idle_ns <= self.policy.spin_max_ns();
        self.unpaid.set(if has_paid {
            0
        } else {
            (self.unpaid.get() + 1) % ATTEMPT_INTERVAL
        });
    }
}

#[cfg(all(test, not(modelled)))]
mod tests {
    use super::*;
    use std::time::Duration;

    fn adaptive() -> Idle {
        let policy = IdlePolicy::block().spin_adaptively(Duration::from_micros(50));
        Idle::new(policy, 0, false)
    }

    /// Long idle times make it spin less and less, and in the end not at all.
    #[test]
    fn stops_spinning_when_it_does_not_pay() {
        let idle = adaptive();
        assert_eq!(idle.spin_ns(), 25_000);
        let mut times = 0;
        while idle.spin_ns() > 0 {
            idle.learn(1_000_000);
            times += 1;
        }
        assert_eq!(times, 5);
    }

    /// One idle time that spinning would have covered makes it spin again, in full.
    #[test]
    fn spins_again_when_it_would_have_paid() {
        let idle = adaptive();
        for _ in 0..10 {
            idle.learn(1_000_000);
        }
        assert_eq!(idle.spin_ns(), 0);
        idle.learn(50_000);
        assert_eq!(idle.spin_ns(), 50_000);
        idle.learn(50_001);
        assert_eq!(idle.spin_ns(), 25_000);
    }

    /// Cores that block and call each other: each idle time is two kernel wakes, too long to have paid, and would be an instant if they spun. Now
    /// and then one tries, and all is well; where that finds nothing it costs next to nothing.
    #[test]
    fn tries_now_and_then_whether_spinning_pays() {
        const KERNEL_WAKE_NS: u64 = 28_000;
        let idle_for = |idle: &Idle, other_blocks: bool| {
            let answered_ns = if other_blocks { KERNEL_WAKE_NS } else { 500 };
            let blocks = idle.spin_ns() < answered_ns;
            idle.learn(answered_ns + if blocks { KERNEL_WAKE_NS } else { 0 });
            blocks
        };
        let cores = [adaptive(), adaptive()];
        let mut blocks = [true, true];
        for idle in &cores {
            (0..10).for_each(|_| idle.learn(1_000_000));
        }
        for _ in 0..70 {
            blocks[0] = idle_for(&cores[0], blocks[1]);
            blocks[1] = idle_for(&cores[1], blocks[0]);
        }
        assert_eq!(blocks, [false, false]);

        let idle = adaptive();
        let spent_ns: u64 = (0..6_400)
            .map(|_| {
                idle.learn(60_000);
                idle.spin_ns()
            })
            .sum();
        assert!(spent_ns <= 6_400 * 2 * 50_000 / 64, "{spent_ns}");
    }

    /// A fixed time stays what it is; watching needs an instruction.
    #[test]
    fn fixed_times_are_kept() {
        let policy = IdlePolicy::latency().spin(Duration::from_micros(7));
        let idle = Idle::new(policy, 0, false);
        idle.learn(u64::MAX);
        assert_eq!((idle.spin_ns(), idle.monitor_ns()), (7_000, 0));
        assert_eq!(Idle::new(policy, 0, true).monitor_ns(), 100_000_000);
    }
}
