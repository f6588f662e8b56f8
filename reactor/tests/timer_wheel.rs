//! The timer wheel, from outside: what fires, when, in which order, and what it answers
//! about the next deadline. Time is a plain number here; no test reads a clock or sleeps.

use std::collections::BTreeMap;

use reactor::timer::{TimerKey, TimerWheel};

const SECOND_NS: u64 = 1_000_000_000;
const TEN_YEARS_NS: u64 = 10 * 365 * 24 * 3_600 * SECOND_NS;

/// Odd, so that its multiples are all different, with its bits well mixed.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// A seeded xorshift generator, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Any number of bits is equally likely, so that every level of the wheel is.
    fn of_any_magnitude(&mut self) -> u64 {
        let bits = self.below(65) as u32;
        let value = self.next();
        if bits == 0 { 0 } else { value >> (64 - bits) }
    }
}

fn advance<T>(wheel: &mut TimerWheel<T>, now_ns: u64) -> Vec<T> {
    let mut due = Vec::new();
    wheel.advance(now_ns, &mut due);
    due
}

// Timers are inserted with deadlines before and at the present: neither waits for time to
// move on, and the next deadline says that there is no reason to park.
#[test]
fn a_deadline_in_the_past_fires_at_the_next_advance() {
    let mut wheel = TimerWheel::new(1_000);
    wheel.insert(1_000, "now");
    wheel.insert(1_001, "later");
    wheel.insert(3, "long ago");
    assert_eq!(wheel.next_deadline_ns(), Some(3));
    assert_eq!(advance(&mut wheel, 1_000), ["long ago", "now"]);
    assert_eq!(wheel.next_deadline_ns(), Some(1_001));
    assert_eq!(wheel.len(), 1);
}

// Time has moved without anything being due, so that the wheel had no reason to look at
// its slots; a deadline between then and now is nevertheless in the past.
#[test]
fn a_deadline_passed_by_an_idle_advance_fires_at_the_next_one() {
    let mut wheel = TimerWheel::new(0);
    wheel.insert(SECOND_NS, "far");
    assert!(advance(&mut wheel, 5_000).is_empty());
    let cancelled = wheel.insert(4_990, "cancelled");
    wheel.insert(5_010, "later");
    wheel.cancel(cancelled);
    assert_eq!(wheel.next_deadline_ns(), Some(5_010));
    wheel.insert(4_990, "past");
    assert_eq!(advance(&mut wheel, 5_000), ["past"]);
    assert_eq!(wheel.next_deadline_ns(), Some(5_010));
}

// A timer is approached one nanosecond at a time, across the borders of slots and levels:
// it fires at its deadline, not one nanosecond before.
#[test]
fn nothing_fires_early() {
    let mut wheel = TimerWheel::new(0);
    for deadline_ns in [1, 63, 64, 65, 4_095, 4_096, 4_097, 8_191, 8_192] {
        wheel.insert(deadline_ns, deadline_ns);
    }
    for now_ns in 0..10_000 {
        let due = advance(&mut wheel, now_ns);
        assert!(due.iter().all(|deadline_ns| *deadline_ns == now_ns));
    }
    assert!(wheel.is_empty());
}

// Ten thousand timers share one deadline; they were inserted while time drew nearer, so
// that some have been sorted into finer slots and some have not.
#[test]
fn equal_deadlines_fire_in_insertion_order() {
    let deadline_ns = 10 * SECOND_NS;
    let mut wheel = TimerWheel::new(0);
    for number in 0..10_000 {
        wheel.insert(deadline_ns, number);
        // Halves the distance every 300 timers, and makes the wheel look at its slots.
        let now_ns = deadline_ns - (deadline_ns >> (number / 300));
        wheel.insert(now_ns, u64::MAX);
        assert_eq!(advance(&mut wheel, now_ns), [u64::MAX]);
    }
    assert!(advance(&mut wheel, deadline_ns - 1).is_empty());
    let due = advance(&mut wheel, deadline_ns);
    assert!(due.into_iter().eq(0..10_000));
}

// Deadlines of all magnitudes, some of them equal, fall due in one step: they come out by
// deadline, and by insertion where deadlines are equal. What `due` held stays in front.
#[test]
fn one_advance_fires_in_order_across_ticks() {
    let mut random = Random(SEED);
    let mut wheel = TimerWheel::new(77);
    let mut expected = Vec::new();
    for sequence in 0..5_000 {
        let deadline_ns = random.of_any_magnitude() & !7;
        wheel.insert(deadline_ns, (deadline_ns, sequence));
        expected.push((deadline_ns, sequence));
    }
    expected.sort_unstable();
    expected.insert(0, (9, 9));
    let mut due = vec![(9, 9)];
    wheel.advance(u64::MAX, &mut due);
    assert_eq!(due, expected);
}

// Cancelled before firing: the payload comes back, once, and does not fire.
#[test]
fn a_cancelled_timer_does_not_fire() {
    let mut wheel = TimerWheel::new(0);
    let keys: Vec<TimerKey> = (0..5).map(|number| wheel.insert(100, number)).collect();
    for number in [2, 0, 4] {
        assert_eq!(wheel.cancel(keys[number]), Some(number));
        assert_eq!(wheel.cancel(keys[number]), None);
    }
    assert_eq!(wheel.len(), 2);
    assert_eq!(advance(&mut wheel, 100), [1, 3]);
    assert!(wheel.is_empty());
}

// Cancelled after firing: nobody is found.
#[test]
fn a_fired_timer_cannot_be_cancelled() {
    let mut wheel = TimerWheel::new(0);
    let key = wheel.insert(100, "fired");
    assert_eq!(advance(&mut wheel, 100), ["fired"]);
    assert_eq!(wheel.cancel(key), None);
    assert_eq!(wheel.get_mut(key), None);
}

// A thousand times, the place of a timer that is gone is used again, by the next timer:
// no key from before finds that one.
#[test]
fn a_stale_key_of_a_reused_place_finds_nobody() {
    let mut wheel = TimerWheel::new(0);
    let mut stale = Vec::new();
    for round in 0..1_000 {
        let key = wheel.insert(round, round);
        for old in &stale {
            assert_ne!(*old, key);
            assert_eq!(wheel.cancel(*old), None);
            assert_eq!(wheel.get_mut(*old), None);
        }
        assert_eq!(wheel.len(), 1);
        if round % 2 == 0 {
            assert_eq!(wheel.cancel(key), Some(round));
        } else {
            assert_eq!(advance(&mut wheel, round), [round]);
        }
        stale.push(key);
    }
}

// A task is polled with another waker than before: the timer fires with the new one.
#[test]
fn a_replaced_payload_is_the_one_that_fires() {
    let mut wheel = TimerWheel::new(0);
    let key = wheel.insert(100, "old");
    *wheel.get_mut(key).expect("the timer is pending") = "new";
    assert_eq!(advance(&mut wheel, 100), ["new"]);
}

// A timer waits alone, at any distance up to the end of time: the wheel names its exact
// deadline at once, so that the caller parks once, and it fires then and not before.
#[test]
fn a_far_timer_alone_takes_no_extra_rounds() {
    for now_ns in [0, 1, 12_345_678_901_234_567] {
        for bits in 0..64 {
            for deadline_ns in [now_ns + (1 << bits), now_ns | (u64::MAX >> bits)] {
                alone(now_ns, deadline_ns);
            }
        }
        alone(now_ns, now_ns + 10 * SECOND_NS);
        alone(now_ns, now_ns + TEN_YEARS_NS);
        alone(now_ns, u64::MAX);
    }
}

fn alone(now_ns: u64, deadline_ns: u64) {
    let mut wheel = TimerWheel::new(now_ns);
    wheel.insert(deadline_ns, ());
    assert_eq!(wheel.next_deadline_ns(), Some(deadline_ns));
    if deadline_ns > now_ns {
        assert_eq!(advance(&mut wheel, deadline_ns - 1).len(), 0);
        assert_eq!(wheel.next_deadline_ns(), Some(deadline_ns));
    }
    assert_eq!(advance(&mut wheel, deadline_ns).len(), 1);
    assert_eq!(wheel.next_deadline_ns(), None);
}

// Ten years are waited for while a short timer fires every few hours: each round fires
// something, that is to say the far timer never causes a round of its own.
#[test]
fn a_far_timer_among_short_ones_takes_no_extra_rounds() {
    let mut wheel = TimerWheel::new(0);
    wheel.insert(TEN_YEARS_NS, "far");
    let mut now_ns = 0;
    while now_ns < TEN_YEARS_NS - 20_000 * SECOND_NS {
        wheel.insert(now_ns + 9_999 * SECOND_NS, "short");
        now_ns = wheel.next_deadline_ns().expect("two are pending");
        assert_eq!(advance(&mut wheel, now_ns), ["short"]);
    }
    assert_eq!(wheel.next_deadline_ns(), Some(TEN_YEARS_NS));
    assert_eq!(advance(&mut wheel, TEN_YEARS_NS), ["far"]);
}

// A thousand request timeouts, all in one slot, are cancelled but for the last: the bound
// they leave behind costs one round in which nothing is due, not a thousand.
#[test]
fn cancelled_timers_of_one_slot_leave_one_extra_round() {
    let mut wheel = TimerWheel::new(0);
    let start_ns = 1 << 35;
    let keys: Vec<TimerKey> = (0..1_000)
        .map(|number| wheel.insert(start_ns + 1_000 * number, number))
        .collect();
    for key in &keys[..999] {
        wheel.cancel(*key);
    }
    let bound_ns = wheel.next_deadline_ns().expect("one is pending");
    assert!(bound_ns > 0 && bound_ns <= start_ns + 999_000);
    assert!(advance(&mut wheel, bound_ns).is_empty());
    assert_eq!(wheel.next_deadline_ns(), Some(start_ns + 999_000));
    assert_eq!(advance(&mut wheel, start_ns + 999_000), [999]);
}

// The earliest timer is cancelled and the others are in other slots: the next deadline is
// theirs at once.
#[test]
fn a_slot_that_empties_forgets_its_deadline() {
    let mut wheel = TimerWheel::new(0);
    wheel.insert(10 * SECOND_NS, "far");
    let near = wheel.insert(1_000, "near");
    assert_eq!(wheel.next_deadline_ns(), Some(1_000));
    wheel.cancel(near);
    assert_eq!(wheel.next_deadline_ns(), Some(10 * SECOND_NS));
}

// The wheel was empty for hours, and the caller told it so: slots are fine again for what
// is inserted now, and timers milliseconds apart do not share one.
#[test]
fn an_empty_wheel_keeps_up_with_time() {
    let mut wheel = TimerWheel::new(0);
    let now_ns = 36_000 * SECOND_NS;
    assert!(advance(&mut wheel, now_ns).is_empty());
    let near = wheel.insert(now_ns + 1_000_000, "near");
    wheel.insert(now_ns + 30 * SECOND_NS, "far");
    wheel.cancel(near);
    assert_eq!(wheel.next_deadline_ns(), Some(now_ns + 30 * SECOND_NS));
}

// The caller's time steps back, as no monotonic clock should: the latest time stays in
// force, nothing fires twice or early, and what is due by the latest time is due.
#[test]
fn time_does_not_go_back() {
    let mut wheel = TimerWheel::new(1_000);
    wheel.insert(2_000, "first");
    assert!(advance(&mut wheel, 10).is_empty());
    assert!(advance(&mut wheel, 1_500).is_empty());
    wheel.insert(1_400, "past");
    assert_eq!(advance(&mut wheel, 1_300), ["past"]);
    assert_eq!(advance(&mut wheel, 2_500), ["first"]);
    wheel.insert(2_501, "second");
    assert!(advance(&mut wheel, 0).is_empty());
    wheel.insert(2_400, "third");
    assert_eq!(advance(&mut wheel, 0), ["third"]);
    assert_eq!(wheel.next_deadline_ns(), Some(2_501));
    assert_eq!(advance(&mut wheel, 2_501), ["second"]);
}

// A million timers over half a minute; every second one is cancelled, in random order.
// The others all fire, in order, in steps of a tenth of a second.
#[test]
fn a_million_pending_timers() {
    const COUNT: usize = 1_000_000;
    let mut random = Random(SEED);
    let mut wheel = TimerWheel::new(0);
    let mut timers: Vec<(TimerKey, u64)> = Vec::with_capacity(COUNT);
    for _ in 0..COUNT {
        let deadline_ns = random.below(30 * SECOND_NS);
        timers.push((wheel.insert(deadline_ns, deadline_ns), deadline_ns));
    }
    assert_eq!(wheel.len(), COUNT);
    for place in 0..COUNT / 2 {
        let other = place + random.below((COUNT - place) as u64) as usize;
        timers.swap(place, other);
        let (key, deadline_ns) = timers[place];
        assert_eq!(wheel.cancel(key), Some(deadline_ns));
    }
    assert_eq!(wheel.len(), COUNT / 2);

    let mut due = Vec::with_capacity(COUNT / 2);
    for step in 1..=300 {
        wheel.advance(step * SECOND_NS / 10, &mut due);
        assert!(due.last().is_none_or(|last| *last <= step * SECOND_NS / 10));
    }
    let mut expected: Vec<u64> = timers[COUNT / 2..].iter().map(|timer| timer.1).collect();
    expected.sort_unstable();
    assert_eq!(due.len(), expected.len());
    assert!(due == expected, "fired out of order");
    assert!(wheel.is_empty());
}

/// The wheel next to an obvious implementation of the same contract.
struct Model {
    wheel: TimerWheel<u64>,
    pending: BTreeMap<(u64, u64), TimerKey>,
    gone: Vec<TimerKey>,
    now_ns: u64,
    sequence: u64,
    cancelled_count: u64,
    extra_rounds: u64,
}

impl Model {
    fn new(now_ns: u64) -> Self {
        Self {
            wheel: TimerWheel::new(now_ns),
            pending: BTreeMap::new(),
            gone: Vec::new(),
            now_ns,
            sequence: 0,
            cancelled_count: 0,
            extra_rounds: 0,
        }
    }

    fn insert(&mut self, deadline_ns: u64) {
        let key = self.wheel.insert(deadline_ns, self.sequence);
        self.pending.insert((deadline_ns, self.sequence), key);
        self.sequence += 1;
        self.check();
    }

    /// Cancels the first timer at or after a random one, so that near ones have their turn.
    fn cancel(&mut self, from_ns: u64) {
        let Some((&timer, &key)) = self.pending.range((from_ns, 0)..).next() else {
            return;
        };
        self.pending.remove(&timer);
        assert_eq!(self.wheel.get_mut(key), Some(&mut timer.1.clone()));
        assert_eq!(self.wheel.cancel(key), Some(timer.1));
        self.cancelled_count += 1;
        self.gone.push(key);
        self.check();
    }

    fn cancel_stale(&mut self, random: &mut Random) {
        if !self.gone.is_empty() {
            let key = self.gone[random.below(self.gone.len() as u64) as usize];
            assert_eq!(self.wheel.cancel(key), None);
            self.check();
        }
    }

    fn advance(&mut self, now_ns: u64) {
        self.now_ns = self.now_ns.max(now_ns);
        let mut expected = Vec::new();
        while let Some(entry) = self.pending.first_entry()
            && entry.key().0 <= self.now_ns
        {
            expected.push(entry.key().1);
            self.gone.push(entry.remove());
        }
        assert_eq!(advance(&mut self.wheel, now_ns), expected);
        self.check();
    }

    /// What the reactor does: parks until the next deadline, and advances.
    fn park(&mut self) {
        if let Some(next_ns) = self.wheel.next_deadline_ns() {
            let fired_from = self.gone.len();
            self.advance(next_ns);
            self.extra_rounds += u64::from(self.gone.len() == fired_from);
        }
    }

    fn check(&self) {
        assert_eq!(self.wheel.len(), self.pending.len());
        assert_eq!(self.wheel.is_empty(), self.pending.is_empty());
        let next_ns = self.wheel.next_deadline_ns();
        let earliest_ns = self.pending.first_key_value().map(|timer| timer.0.0);
        assert_eq!(next_ns.is_some(), earliest_ns.is_some());
        if let (Some(next_ns), Some(earliest_ns)) = (next_ns, earliest_ns) {
            assert!(next_ns <= earliest_ns, "the caller would sleep too long");
            assert!(
                next_ns > self.now_ns || earliest_ns <= self.now_ns,
                "the caller would not park although nothing is due"
            );
            if self.cancelled_count == 0 {
                assert_eq!(next_ns, earliest_ns);
            }
        }
        assert!(self.extra_rounds <= self.cancelled_count);
    }
}

/// One random history. Each run has a magnitude of its own for deadlines and for steps, so
/// that some stay within a slot for long and some leap across all levels.
fn run_model(seed: u64, with_cancels: bool) {
    let mut random = Random(seed);
    let mut model = Model::new(random.of_any_magnitude() >> 1);
    let reach_bits = random.below(64) as u32;
    let step_bits = random.below(64) as u32;
    for _ in 0..400 {
        let reach_ns = random.of_any_magnitude() >> reach_bits;
        match random.below(16) {
            0..6 => model.insert(model.now_ns.saturating_add(reach_ns)),
            6 => model.insert(model.now_ns.saturating_sub(reach_ns)),
            7 => {
                // Once more a deadline that is pending, from before time moved on.
                let from = (model.now_ns.saturating_add(reach_ns), 0);
                let known = model.pending.range(from..).next();
                model.insert(known.map_or(u64::MAX, |timer| timer.0.0));
            }
            8..10 if with_cancels => model.cancel(model.now_ns.saturating_add(reach_ns)),
            10 if with_cancels => model.cancel(0),
            11 => model.cancel_stale(&mut random),
            12 => model.advance(model.now_ns.saturating_sub(reach_ns)),
            13 => {
                let step_ns = random.of_any_magnitude() >> step_bits;
                // Not to the end of time, where all that follows would be overdue.
                let now_ns = model.now_ns.saturating_add(step_ns);
                model.advance(if now_ns < u64::MAX / 4 * 3 { now_ns } else { 0 });
            }
            _ => {
                if model.wheel.next_deadline_ns() < Some(u64::MAX / 4 * 3) {
                    model.park();
                }
            }
        }
    }
    while !model.pending.is_empty() {
        model.park();
    }
}

// Random histories of inserting, cancelling, parking and leaping, against a sorted map.
#[test]
fn behaves_as_a_sorted_map() {
    for seed in 1..=2_000 {
        run_model(u64::wrapping_mul(seed, SEED), true);
    }
}

// The same without cancelling: then the next deadline is exact at all times.
#[test]
fn the_next_deadline_is_exact_without_cancels() {
    for seed in 1..=1_000 {
        run_model(u64::wrapping_mul(seed, SEED), false);
    }
}
