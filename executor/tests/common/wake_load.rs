//! The load of the wake stress, of the test and of the bench: two cores and two threads that are none wake each other at pseudo-random moments, around the
//! times at which a core stops spinning, stops watching and blocks. A lost wake ends the process, with the cores' counts and states.

use super::common::{Random, block_on, on_thread};
use super::round_watchdog::{RoundWatchdog, Rounds};
use executor::time::sleep;
use executor::{Builder, CoreStats, Handle, IdlePolicy};
use std::thread;
use std::time::{Duration, Instant};

/// Tasks in a burst, at most: more than a turn takes from an inbox.
const BURST_MAX: usize = 300;

const fn us(time_us: u64) -> Duration {
    Duration::from_micros(time_us)
}

/// How a core waits: for how long it spins, and watches after that. Without the instruction the latter makes no difference. The last watches
/// until it is told: where no system's limit ends its waits (`UMWAIT_MAX_TIME=0`, in CI), a store that is lost is a hang.
pub(crate) fn policies() -> Vec<IdlePolicy> {
    let block = IdlePolicy::block();
    let spins = [
        block,
        block.spin(us(5)),
        block.spin(us(50)),
        block.spin_adaptively(us(50)),
    ];
    let monitors = [us(0), us(5), us(50)];
    let with_monitors = |spin: IdlePolicy| monitors.map(|monitor| spin.monitor(monitor));
    let mut policies: Vec<_> = spins.into_iter().flat_map(with_monitors).collect();
    policies.push(block.monitor(Duration::from_secs(3_600)));
    policies
}

/// Two cores that wait by this policy, and two threads beside them, for so long. How the cores slept and were woken. `beside` starts what else
/// the cores do until the end; it is waited for.
pub(crate) fn stress(
    policy: IdlePolicy,
    time: Duration,
    beside: impl AsyncFnOnce(&RoundWatchdog, Instant),
) -> Vec<CoreStats> {
    let builder = Builder::new().cores(2).idle(policy);
    let runtime = builder.build().expect("the runtime starts");
    let watchdog = RoundWatchdog::new(format!("{policy:?}"), runtime.handle());
    let end = Instant::now() + time;
    runtime.block_on(async {
        let there = watchdog.actor("core 1, calling core 0");
        let there = executor::spawn_on(1, move || call(0, there, Random::new(1), end));
        let thread = watchdog.actor("a thread, calling both cores");
        let thread = in_thread(move |handle| call_from_thread(handle, &thread, end));
        let bursts = watchdog.actor("a thread, sending bursts");
        let bursts = in_thread(move |handle| send_bursts(handle, &bursts, end));
        let here = watchdog.actor("core 0, calling core 1");
        let here = call(1, here, Random::new(2), end);
        futures::future::join(here, beside(&watchdog, end)).await;
        let ending = watchdog.actor("the end of the others");
        there.await.unwrap();
        ending.done();
        thread.await.unwrap();
        ending.done();
        bursts.await.unwrap();
    });
    let stats = runtime.handle().stats();
    let ending = watchdog.actor("the end of the runtime");
    drop(runtime);
    drop(ending);
    stats
}

/// Runs `act` on a thread that is no core, from now on.
fn in_thread(act: impl FnOnce(&Handle) + Send + 'static) -> executor::JoinHandle<()> {
    let handle = Handle::current();
    executor::spawn(on_thread(move || act(&handle)))
}

/// A core calls another and waits for the answer, with pauses in which it works or sleeps.
async fn call(core: usize, rounds: Rounds, mut random: Random, end: Instant) {
    while Instant::now() < end {
        let number = rounds.count();
        let answer = executor::spawn_on(core, async move || number);
        assert_eq!(answer.await.unwrap(), number);
        rounds.done();
        match random.below(4) {
            0 => {}
            1 => spin(random.below(70)),
            2 => sleep(us(random.below(120) as u64)).await,
            _ => executor::yield_now().await,
        }
    }
}

/// The same from a thread; the answer wakes nobody but this thread.
fn call_from_thread(handle: &Handle, rounds: &Rounds, end: Instant) {
    let mut random = Random::new(3);
    while Instant::now() < end {
        let (core, number) = (random.below(2), rounds.count());
        let answer = handle.spawn_on(core, async move || number);
        assert_eq!(block_on(answer).unwrap(), number);
        rounds.done();
        spin(random.below(120));
    }
}

/// Bursts to both cores, all answers awaited at last.
fn send_bursts(handle: &Handle, rounds: &Rounds, end: Instant) {
    let mut random = Random::new(4);
    while Instant::now() < end {
        let answers: Vec<_> = (0..=random.below(BURST_MAX))
            .map(|number| {
                let there = (number + 1) % 2;
                // Half of them have another message sent by the core they come to.
                handle.spawn_on(number % 2, async move || {
                    if number % 4 < 2 {
                        executor::spawn_on(there, async || {}).await.unwrap();
                    }
                    number
                })
            })
            .collect();
        for (number, answer) in answers.into_iter().enumerate() {
            assert_eq!(block_on(answer).unwrap(), number);
        }
        rounds.done();
        spin(random.below(200));
    }
}

/// Lets time pass that a core that waits spends spinning, watching or blocked. Every so often whoever shares this CPU gets a turn.
fn spin(time_us: usize) {
    let (start, time) = (Instant::now(), us(time_us as u64));
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
    if time_us.is_multiple_of(8) {
        thread::yield_now();
    }
}
