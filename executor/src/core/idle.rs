//! How long this core spins and watches the next time it has nothing to do, learnt from how long the last times took.

use crate::idle::IdlePolicy;
use std::cell::Cell;

/// Below this a spin is not worth the clock it reads.
const SPIN_NS_MIN: u64 = 1_000;

/// One core's idle policy, and what it has learnt.
pub(super) struct Idle {
    policy: IdlePolicy,
    spin_ns: Cell<u64>,
    monitor_ns: u64,
}

impl Idle {
    /// `can_monitor` says whether there is an instruction for it, and a line to watch.
    pub(super) fn new(policy: IdlePolicy, can_monitor: bool) -> Self {
        let spin_ns = if policy.is_adaptive() {
            policy.spin_max_ns() / 2
        } else {
            policy.spin_max_ns()
        };
        Self {
            policy,
            spin_ns: Cell::new(spin_ns),
            monitor_ns: if can_monitor { policy.monitor_ns() } else { 0 },
        }
    }

    /// How long to spin.
    pub(super) fn spin_ns(&self) -> u64 {
        self.spin_ns.get()
    }

    /// How long to watch after that.
    pub(super) fn monitor_ns(&self) -> u64 {
        self.monitor_ns
    }

    /// The core had nothing to do for `idle_ns`, however it spent them.
    pub(super) fn learn(&self, idle_ns: u64) {
        if !self.policy.is_adaptive() {
            return;
        }
        let spin_ns = if idle_ns <= self.policy.spin_max_ns() {
            self.policy.spin_max_ns()
        } else {
            self.spin_ns.get() / 2
        };
        self.spin_ns
            .set(if spin_ns < SPIN_NS_MIN { 0 } else { spin_ns });
    }
}

#[cfg(all(test, not(modelled)))]
mod tests {
    use super::*;
    use std::time::Duration;

    fn adaptive() -> Idle {
        let policy = IdlePolicy::block().spin_adaptively(Duration::from_micros(50));
        Idle::new(policy, false)
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

    /// A fixed time stays what it is; watching needs an instruction.
    #[test]
    fn fixed_times_are_kept() {
        let policy = IdlePolicy::latency().spin(Duration::from_micros(7));
        let idle = Idle::new(policy, false);
        idle.learn(u64::MAX);
        assert_eq!((idle.spin_ns(), idle.monitor_ns()), (7_000, 0));
        assert_eq!(Idle::new(policy, true).monitor_ns(), 100_000_000);
    }
}
