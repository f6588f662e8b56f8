//! What a slot does with completions that come early, late, for its earlier tenant, or for nobody. Orphans, which only operations can
//! make, are tested from outside: `tests/cancellation.rs`, `tests/descriptors.rs`.

use super::{Abandoned, Delivery, Key, Next, Slots};
use crate::operation::Completion;
use io_uring::cqueue;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Wake, Waker};

/// A waker is told apart from others by `will_wake`.
fn waker() -> Waker {
    struct Nobody;
    impl Wake for Nobody {
        fn wake(self: Arc<Self>) {}
    }
    Waker::from(Arc::new(Nobody))
}

fn completion_with_flags(result: i32, flags: u32) -> Completion {
    /// `struct io_uring_cqe`.
    #[repr(C)]
    struct Cqe {
        user_data: u64,
        result: i32,
        flags: u32,
    }
    let cqe = Cqe {
        user_data: 0,
        result,
        flags,
    };
    // SAFETY: `cqueue::Entry` is a C struct with an io_uring_cqe as its only field, which `Cqe` is, of 16 bytes.
    Completion::from_entry(&unsafe { std::mem::transmute::<Cqe, cqueue::Entry>(cqe) })
}

/// The only completion, or the last.
fn last(result: i32) -> Completion {
    completion_with_flags(result, 0)
}

/// One that has others behind it: `IORING_CQE_F_MORE`.
fn one_of_many(result: i32) -> Completion {
    completion_with_flags(result, 1 << 1)
}

fn woken_by(slots: &mut Slots, key: Key, completion: Completion) -> Option<Waker> {
    match slots.complete(key, completion) {
        Delivery::Wake(waker) => Some(waker),
        Delivery::Nothing | Delivery::Stray => None,
        Delivery::Pause(_) => panic!("it fetches"),
        Delivery::ToOrphan(_) | Delivery::ToOrphanAtLast(_) => panic!("nobody was orphaned"),
    }
}

#[track_caller]
fn assert_arrived(next: Next, result: u32) {
    match next {
        Next::Arrived(completion) => assert_eq!(completion.result().expect("no error"), result),
        Next::Pending | Next::NeedsWaker | Next::Finished => panic!("{result} has not arrived"),
    }
}

/// Occupies a slot and frees it again, as an operation does that completes.
fn pass_through(slots: &mut Slots) -> Key {
    let key = slots.occupy(waker());
    assert!(woken_by(slots, key, last(0)).is_some());
    assert_arrived(slots.poll(key, &waker()), 0);
    key
}

/// The kernel gives back the 64 bits it was given, whatever they are.
#[test]
fn a_key_survives_its_way_through_the_kernel() {
    for index in [0, 1, 1 << 31, u32::MAX - 1] {
        for generation in [0, 1, 1 << 31, u32::MAX] {
            let key = Key { index, generation };
            assert_eq!(Key::from_user_data(key.to_user_data()), key);
        }
    }
}

/// One operation from start to end: it is in flight until its completion, which wakes its waker and is there for the poll.
#[test]
fn a_completion_wakes_and_waits_for_the_poll() {
    let mut slots = Slots::new();
    let waker = waker();
    let key = slots.occupy(waker.clone());
    assert_eq!(slots.in_flight(), 1);
    assert!(matches!(slots.poll(key, &waker), Next::Pending));
    let woken = woken_by(&mut slots, key, last(7)).expect("somebody waits");
    assert!(woken.will_wake(&waker));
    assert_eq!(slots.in_flight(), 0);
    assert_arrived(slots.poll(key, &waker), 7);
}

/// A task is polled with another waker than before: the last one is woken, and it alone.
#[test]
fn the_last_waker_is_woken() {
    let mut slots = Slots::new();
    let (before, after) = (waker(), waker());
    let key = slots.occupy(before.clone());
    assert!(matches!(slots.poll(key, &after), Next::NeedsWaker));
    let replaced = slots.set_waker(key, after.clone()).expect("there was one");
    assert!(replaced.will_wake(&before));
    assert!(matches!(slots.poll(key, &after), Next::Pending));
    let woken = woken_by(&mut slots, key, last(0)).expect("somebody waits");
    assert!(woken.will_wake(&after));
}

/// A completion comes for the earlier tenant of a slot: it finds nobody, and the new tenant notices nothing.
#[test]
fn a_stale_completion_finds_nobody() {
    let mut slots = Slots::new();
    let stale = pass_through(&mut slots);
    let waker = waker();
    for streaming in [false, true] {
        let key = if streaming {
            slots.occupy_streaming(100, waker.clone())
        } else {
            slots.occupy(waker.clone())
        };
        assert_eq!(key.index, stale.index, "the scenario is that it is reused");
        assert_ne!(key, stale);
        assert!(woken_by(&mut slots, stale, last(9)).is_none());
        assert!(woken_by(&mut slots, stale, one_of_many(9)).is_none());
        assert_eq!(slots.in_flight(), 1);
        assert!(woken_by(&mut slots, key, last(1)).is_some());
        if streaming {
            assert_arrived(slots.poll_next(key, &waker), 1);
            assert!(matches!(slots.poll_next(key, &waker), Next::Finished));
        } else {
            assert_arrived(slots.poll(key, &waker), 1);
        }
    }
}

/// Completions come for a slot that never was, for one that is free, and a second time for one that has its own: they find nobody, and
/// what is in flight stays counted.
#[test]
fn a_completion_too_many_finds_nobody() {
    let mut slots = Slots::new();
    let never = Key {
        index: 5,
        generation: 0,
    };
    let done = slots.occupy(waker());
    let freed = pass_through(&mut slots);
    let free = Key {
        generation: freed.generation + 1,
        ..freed
    };
    assert!(woken_by(&mut slots, done, last(1)).is_some());
    for key in [never, freed, free, done] {
        assert!(woken_by(&mut slots, key, last(9)).is_none());
        assert_eq!(slots.in_flight(), 0);
    }
    assert_arrived(slots.poll(done, &waker()), 1);
}

/// There were 2^31 operations: generations begin again, and the last tenant's key is still stale.
#[test]
fn generations_begin_again() {
    let mut slots = Slots::new();
    slots.begun = u32::MAX - 1;
    let last_of_all = pass_through(&mut slots);
    assert_eq!(last_of_all.generation, u32::MAX >> 1);
    let key = slots.occupy(waker());
    assert_eq!((key.index, key.generation), (0, 0));
    assert!(woken_by(&mut slots, last_of_all, last(9)).is_none());
    assert!(woken_by(&mut slots, key, last(1)).is_some());
}

/// A thousand operations in flight at a time, of which two thirds end, wave after wave: their slots are used again, no two operations ever
/// share one, and no more slots are made than are needed at once.
#[test]
fn freed_slots_are_used_again() {
    let mut slots = Slots::new();
    let mut keys: Vec<Key> = Vec::new();
    for wave in 0..10 {
        while keys.len() < 1_000 {
            keys.push(slots.occupy(waker()));
        }
        let mut indices: Vec<u32> = keys.iter().map(|key| key.index).collect();
        indices.sort_unstable();
        indices.dedup();
        assert_eq!(indices.len(), 1_000);
        let (ending, staying) = keys
            .into_iter()
            .enumerate()
            .partition::<Vec<_>, _>(|(number, _)| number % 3 != wave % 3);
        for (_, key) in ending {
            assert!(woken_by(&mut slots, key, last(1)).is_some());
            assert_arrived(slots.poll(key, &waker()), 1);
        }
        keys = staying.into_iter().map(|(_, key)| key).collect();
        assert_eq!(slots.in_flight(), keys.len());
    }
    assert_eq!(slots.slots.len(), 1_000);
}

/// Three completions come for a stream before it looks: it is woken once, gets them in order, and must leave its waker for the next.
#[test]
fn a_stream_keeps_what_was_not_fetched_in_order() {
    let mut slots = Slots::new();
    let waker = waker();
    let key = slots.occupy_streaming(100, waker.clone());
    assert!(matches!(slots.poll_next(key, &waker), Next::Pending));
    assert!(woken_by(&mut slots, key, one_of_many(1)).is_some());
    assert!(woken_by(&mut slots, key, one_of_many(2)).is_none());
    assert!(woken_by(&mut slots, key, one_of_many(3)).is_none());
    for result in 1..=3 {
        assert_arrived(slots.poll_next(key, &waker), result);
    }
    assert!(matches!(slots.poll_next(key, &waker), Next::NeedsWaker));
    assert!(slots.set_waker(key, waker.clone()).is_none());
    let woken = woken_by(&mut slots, key, one_of_many(4)).expect("it waits again");
    assert!(woken.will_wake(&waker));
    assert_eq!(slots.in_flight(), 1);
}

/// The last completion of a stream comes while others have not been fetched: it is out of flight at once, yields them all, and then has
/// finished and freed its slot.
#[test]
fn a_stream_finishes_after_its_last_item() {
    let mut slots = Slots::new();
    let waker = waker();
    let key = slots.occupy_streaming(100, waker.clone());
    assert!(woken_by(&mut slots, key, one_of_many(1)).is_some());
    assert!(woken_by(&mut slots, key, last(2)).is_none());
    assert_eq!(slots.in_flight(), 0);
    assert!(slots.keys_in_flight().is_empty());
    assert_arrived(slots.poll_next(key, &waker), 1);
    assert_arrived(slots.poll_next(key, &waker), 2);
    assert!(matches!(slots.poll_next(key, &waker), Next::Finished));
    assert_eq!(slots.occupy(waker).index, key.index);
}

/// Futures are dropped in each state: what was not fetched is handed over, and the slot is free where, and only where, the kernel is done.
#[test]
fn abandoning_hands_over_what_was_not_fetched() {
    let mut slots = Slots::new();
    let pending = slots.occupy(waker());
    assert!(matches!(slots.abandon(pending), Abandoned::InFlight(rest) if rest.is_empty()));
    let streaming = slots.occupy_streaming(100, waker());
    assert!(woken_by(&mut slots, streaming, one_of_many(1)).is_some());
    let rest = VecDeque::from([one_of_many(1)]);
    assert!(matches!(slots.abandon(streaming), Abandoned::InFlight(arrived) if arrived == rest));
    assert_eq!(slots.in_flight(), 2);

    let done = slots.occupy(waker());
    assert!(woken_by(&mut slots, done, last(3)).is_some());
    let rest = VecDeque::from([last(3)]);
    assert!(matches!(slots.abandon(done), Abandoned::Ended(arrived) if arrived == rest));
    let finished = slots.occupy_streaming(100, waker());
    assert_eq!(finished.index, done.index, "its slot was freed");
    assert!(woken_by(&mut slots, finished, one_of_many(4)).is_some());
    assert!(woken_by(&mut slots, finished, last(5)).is_none());
    let rest = VecDeque::from([one_of_many(4), last(5)]);
    assert!(matches!(slots.abandon(finished), Abandoned::Ended(arrived) if arrived == rest));
    assert_eq!(
        slots.occupy(waker()).index,
        done.index,
        "its slot was freed"
    );
}

/// Slots in every state: those that the kernel still has are the ones to cancel.
#[test]
fn keys_in_flight_are_those_the_kernel_has() {
    let mut slots = Slots::new();
    let free = slots.occupy(waker());
    let done = slots.occupy(waker());
    let waiting = slots.occupy(waker());
    let streaming = slots.occupy_streaming(100, waker());
    let finished = slots.occupy_streaming(100, waker());
    for key in [free, done, finished] {
        assert!(woken_by(&mut slots, key, last(0)).is_some());
    }
    assert!(woken_by(&mut slots, streaming, one_of_many(0)).is_some());
    assert_arrived(slots.poll(free, &waker()), 0);
    assert_eq!(slots.keys_in_flight(), [waiting, streaming]);
    assert_eq!(slots.in_flight(), 2);
}

/// A one-shot operation has its outcome, and then the kernel lets go of its memory: only then it is out of flight, its owner is woken, once,
/// by the waker it set meanwhile, and gets the outcome. Dropped in between, the rest belongs to an orphan.
#[test]
fn an_operation_settles_before_it_is_done() {
    let mut slots = Slots::new();
    let (before, after) = (waker(), waker());
    let key = slots.occupy(before.clone());
    let abandoned = slots.occupy(before.clone());
    assert!(woken_by(&mut slots, key, one_of_many(7)).is_none());
    assert!(woken_by(&mut slots, abandoned, one_of_many(7)).is_none());
    assert_eq!(slots.in_flight(), 2);
    assert!(matches!(slots.poll(key, &before), Next::Pending));
    assert!(matches!(slots.poll(key, &after), Next::NeedsWaker));
    slots.set_waker(key, after.clone()).expect("there was one");
    let woken = woken_by(&mut slots, key, last(0)).expect("somebody waits");
    assert!(woken.will_wake(&after));
    assert_arrived(slots.poll(key, &after), 7);
    assert_eq!(slots.in_flight(), 1);
    assert!(matches!(slots.abandon(abandoned), Abandoned::InFlight(first) if first.len() == 1));
    assert_eq!(slots.keys_in_flight(), [abandoned]);
}

/// The kernel would be at odds with us about what was asked: better to stop than to free what it still uses.
#[test]
#[should_panic(expected = "only the first of two completions has another behind it")]
fn a_one_shot_operation_has_two_completions_at_most() {
    let mut slots = Slots::new();
    let key = slots.occupy(waker());
    let _ = slots.complete(key, one_of_many(0));
    let _ = slots.complete(key, one_of_many(0));
}

/// A stream's owner does not fetch: at the limit it is paused, once. All that comes until the cancel gets there is yielded, the cancel is
/// not, and the owner who waits for it is woken to find the end. Cancelled by anyone else it yields the error.
#[test]
fn a_stream_that_nobody_fetches_is_paused() {
    let waker = waker();
    for others in [0, 2] {
        let mut slots = Slots::new();
        let key = slots.occupy_streaming(3, waker.clone());
        assert!(woken_by(&mut slots, key, one_of_many(1)).is_some());
        assert!(woken_by(&mut slots, key, one_of_many(2)).is_none());
        let third = slots.complete(key, one_of_many(3));
        assert!(matches!(third, Delivery::Pause(None)));
        for other in 0..others {
            assert!(woken_by(&mut slots, key, one_of_many(4 + other)).is_none());
        }
        for result in 1..=3 + others {
            assert_arrived(slots.poll_next(key, &waker), result as u32);
        }
        assert!(matches!(slots.poll_next(key, &waker), Next::NeedsWaker));
        slots.set_waker(key, waker.clone());
        assert!(woken_by(&mut slots, key, last(-libc::ECANCELED)).is_some());
        assert_eq!(slots.in_flight(), 0);
        assert!(matches!(slots.poll_next(key, &waker), Next::Finished));
    }
    let mut slots = Slots::new();
    let key = slots.occupy_streaming(3, waker.clone());
    assert!(woken_by(&mut slots, key, last(-libc::ECANCELED)).is_some());
    assert!(matches!(slots.poll_next(key, &waker), Next::Arrived(_)));
}

/// Nobody asked for the operation to be cancelled or interrupted, and it was. Its owner is told something else; the rest of what the kernel said stays:
/// that it still has the memory, and which buffer it brings.
#[test]
fn what_nobody_asked_for_keeps_its_flags() {
    for (told, instead) in [
        (libc::ECANCELED, libc::EAGAIN),
        (libc::EINTR, libc::ERESTART),
    ] {
        let completion = completion_with_flags(-told, 1 << 1 | 1 | 7 << 16).of_uncancelled();
        let error = completion.result().expect_err("it is one");
        assert_eq!(error.raw_os_error(), Some(instead));
        assert!(completion.has_more());
        assert_eq!(completion.buffer(), Some(7));
        assert_eq!(completion.was_not_begun(), told == libc::ECANCELED);
    }
    let by_a_server = last(-libc::EAGAIN);
    assert!(!by_a_server.was_not_begun());
}

/// The operation was interrupted, and would be repeated; before its owner knows, he cancels it. Then it is not.
#[test]
fn a_cancel_after_an_interrupt_counts() {
    let mut slots = Slots::new();
    let waker = waker();
    let key = slots.occupy(waker.clone());
    let interrupted = last(-libc::EINTR).of_uncancelled();
    assert!(woken_by(&mut slots, key, interrupted).is_some());
    slots.note_cancel(key);
    let Next::Arrived(completion) = slots.poll(key, &waker) else {
        panic!("it has arrived");
    };
    let error = completion.result().expect_err("it is one");
    assert_eq!(error.raw_os_error(), Some(libc::EINTR));
}

/// Work on a file is in flight, a receive, and an open that waits for another process: only the first ends by itself.
#[test]
fn only_work_that_ends_by_itself_counts_as_such() {
    let mut slots = Slots::new();
    let open_ended = slots.occupy_queued_open_ended(waker());
    let _receive = slots.occupy(waker());
    assert!(!slots.has_work_in_flight());
    let work = slots.occupy_queued(waker());
    assert!(slots.has_work_in_flight());
    slots.end(work);
    assert!(!slots.has_work_in_flight());
    // The next tenant of a slot is what it says itself.
    slots.end(open_ended);
    let _work = slots.occupy_queued(waker());
    assert!(slots.has_work_in_flight());
}
