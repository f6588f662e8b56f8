//! Full queues, refused entries and much at once: nothing is lost, nothing comes twice, the order is kept. In each completion mode.

mod support;

use reactor::Feature;
use reactor::operation::Op;
use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::{iter, thread};
use support::{
    Core, Nop, Readable, Refused, all_features, counting_waker, event, in_each_mode, order_waker,
    poll_with, ready, set,
};

const SQ_CQ_OVERFLOW: u32 = 1 << 1;

/// Polls of one event, all in the kernel's hands. `waker` is woken by each.
fn polls_of_one_event(
    core: &Core,
    count: usize,
    waker: &Waker,
) -> (Rc<OwnedFd>, Vec<Op<Readable>>) {
    let event = Rc::new(event());
    let polls = iter::repeat_with(|| {
        let mut op = core.op(Readable::new(&event));
        assert!(poll_with(&mut op, waker).is_pending());
        op
    });
    let polls = polls.take(count).collect();
    core.submit_all(count);
    assert_eq!(core.reactor.in_flight(), count, "nothing is readable yet");
    (event, polls)
}

/// Makes `event` readable from another thread, and returns when that is done.
fn set_elsewhere(event: &OwnedFd) {
    thread::scope(|scope| {
        scope.spawn(|| set(event));
    });
}

/// Three hundred operations complete at once where the completion queue holds eight: each is delivered, once, with its result.
#[test]
fn a_completion_queue_overflow_loses_nothing() {
    in_each_mode(|capabilities| {
        let core = Core::tiny(capabilities);
        let (woken, waker) = counting_waker();
        let (event, polls) = polls_of_one_event(&core, 300, &waker);
        set(&event);
        // Elsewhere it overflows in the middle of a turn.
        if !capabilities.defers_taskrun() {
            let flags = core.reactor.with_header(|header| header.sq_flags());
            assert_ne!(flags & SQ_CQ_OVERFLOW, 0, "the scenario is an overflow");
        }
        core.turn_until_idle();
        assert_eq!(woken.count(), 300);
        for op in polls {
            assert_eq!(ready(op).expect("a poll"), libc::POLLIN as u32);
        }
    });
}

/// The same while the owner is blocked in the kernel, and never does anything but wait.
#[test]
fn a_completion_queue_overflow_while_waiting_loses_nothing() {
    in_each_mode(|capabilities| {
        let core = Core::tiny(capabilities);
        let (woken, waker) = counting_waker();
        let (event, polls) = polls_of_one_event(&core, 300, &waker);
        let event: &OwnedFd = &event;
        core.wait_until_acted(Some(support::PATIENCE), || set(event));
        core.wait_until(|| core.reactor.in_flight() == 0);
        assert_eq!(woken.count(), 300);
        for op in polls {
            assert_eq!(ready(op).expect("a poll"), libc::POLLIN as u32);
        }
    });
}

/// An overflow ends the standing poll of the wake's eventfd, whose completion stands behind the others in the full queue. It is armed
/// again: a later wake from another thread still ends a wait.
#[test]
fn the_wake_is_armed_again_after_an_overflow_has_ended_it() {
    in_each_mode(|capabilities| {
        let core = Core::tiny(capabilities);
        let (_, waker) = counting_waker();
        let (event, polls) = polls_of_one_event(&core, 12, &waker);
        set(&event);
        core.wake.wake();
        core.turn_until_idle();
        drop(polls);
        // What is left of the first wake, and of the arming.
        core.submit_all(10);
        let wake = &core.wake;
        let completions = core.wait_until_acted(Some(support::PATIENCE), || wake.wake());
        assert_eq!(completions, 1, "the wake ended the wait");
    });
}

/// Two hundred operations complete while the owner is away. One enter prepares some twenty: one turn makes as many enters as it takes.
#[test]
fn one_turn_delivers_far_more_than_one_enter_prepares() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (woken, waker) = counting_waker();
        let (event, polls) = polls_of_one_event(&core, 200, &waker);
        set_elsewhere(&event);
        assert_eq!(core.reactor.turn(), 200);
        assert_eq!(woken.count(), 200);
        drop(polls);
    });
}

/// Five hundred operations are started where the submission queue holds four: all are taken up, in the order they were started.
#[test]
fn a_full_submission_queue_keeps_everything_in_order() {
    in_each_mode(|capabilities| {
        let core = Core::tiny(capabilities);
        let order = Arc::default();
        let mut nops: Vec<Op<Nop>> = Vec::new();
        for number in 0..500 {
            let mut op = core.op(Nop);
            assert!(poll_with(&mut op, &order_waker(number, &order)).is_pending());
            nops.push(op);
            // Now and then some are taken up, as many as a turn can: the next finds room in the queue, with older ones still behind it.
            if number % 100 == 99 {
                core.reactor.turn();
            }
        }
        core.turn_until_idle();
        assert!(order.lock().unwrap().iter().copied().eq(0..500));
        for op in nops {
            assert_eq!(ready(op).expect("a nop"), 0);
        }
    });
}

/// More is started than the submission queue holds, and the owner does nothing but wait: it does not fall asleep on them.
#[test]
fn waiting_submits_everything_first() {
    in_each_mode(|capabilities| {
        for count in [1, 3, 4, 5, 100] {
            let core = Core::tiny(capabilities);
            let nops: Vec<Op<Nop>> = iter::repeat_with(|| core.started(Nop))
                .take(count)
                .collect();
            core.wait_until(|| core.reactor.in_flight() == 0);
            for op in nops {
                assert_eq!(ready(op).expect("a nop"), 0);
            }
        }
    });
}

/// Five hundred futures in flight are dropped at once where the submission queue holds four: each is cancelled.
#[test]
fn a_full_submission_queue_keeps_every_cancel() {
    in_each_mode(|capabilities| {
        let core = Core::tiny(capabilities);
        let (woken, waker) = counting_waker();
        let (_event, polls) = polls_of_one_event(&core, 500, &waker);
        drop(polls);
        assert_eq!(
            core.reactor.in_flight(),
            500,
            "the kernel does not know yet"
        );
        core.turn_until_idle();
        assert_eq!(woken.count(), 0, "nobody is woken for what was dropped");
    });
}

/// The same with futures of which most have not even reached the kernel: no cancel overtakes what it is to cancel.
#[test]
fn a_cancel_never_overtakes_its_operation() {
    in_each_mode(|capabilities| {
        let core = Core::tiny(capabilities);
        let event = Rc::new(event());
        let polls: Vec<Op<Readable>> = iter::repeat_with(|| core.started(Readable::new(&event)))
            .take(500)
            .collect();
        drop(polls);
        core.turn_until_idle();
    });
}

/// Entries that the kernel refuses stand between good ones, and end its run through the queue where it lacks SUBMIT_ALL: each is
/// answered, and so are those behind it.
#[test]
fn a_refused_entry_does_not_hold_up_those_behind_it() {
    in_each_mode(|capabilities| {
        for turns in [true, false] {
            let core = Core::with_entries(capabilities, 16, 32);
            let refused = iter::repeat_with(|| core.started(Refused));
            let nops = iter::repeat_with(|| core.started(Nop));
            let pairs: Vec<(Op<Refused>, Op<Nop>)> = refused.zip(nops).take(6).collect();
            if turns {
                core.turn_until_idle();
            } else {
                core.wait_until(|| core.reactor.in_flight() == 0);
            }
            for (refused, nop) in pairs {
                let error = ready(refused).expect_err("it was refused");
                assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
                assert_eq!(ready(nop).expect("a nop"), 0);
            }
        }
    });
}

thread_local! {
    /// What a [`Meddler`] meddles with: a waker is `Send`, a core is not.
    static MEDDLING: RefCell<Option<Meddling>> = const { RefCell::new(None) };
}

struct Meddling {
    core: Core,
    to_drop: Vec<Op<Readable>>,
    started: Vec<Op<Nop>>,
}

struct Meddler;

impl Wake for Meddler {
    fn wake(self: Arc<Self>) {
        MEDDLING.with_borrow_mut(|meddling| {
            let meddling = meddling.as_mut().expect("set by the test");
            for _ in 0..20 {
                meddling.started.push(meddling.core.started(Nop));
                meddling.to_drop.pop();
            }
        });
    }
}

/// A waker starts and drops operations by the dozen, with both queues full, from inside the delivery that wakes it. Some of what it drops
/// has completed already, and stands behind it in the queue.
#[test]
fn a_waker_may_start_and_drop_operations() {
    in_each_mode(|capabilities| {
        let core = Core::tiny(capabilities);
        let reactor = Rc::clone(&core.reactor);
        let (event, mut polls) = polls_of_one_event(&core, 10, &Waker::from(Arc::new(Meddler)));
        let (_, waker) = counting_waker();
        let never = Rc::new(support::event());
        polls.extend((0..95).map(|number| {
            let event = if number % 2 == 0 { &event } else { &never };
            let mut op = core.op(Readable::new(event));
            assert!(poll_with(&mut op, &waker).is_pending());
            op
        }));
        core.submit_all(95);
        let to_drop = polls.split_off(10);
        MEDDLING.set(Some(Meddling {
            core,
            to_drop,
            started: Vec::new(),
        }));
        set(&event);
        let deadline = std::time::Instant::now() + support::PATIENCE;
        while reactor.in_flight() > 0 {
            reactor.turn();
            assert!(std::time::Instant::now() < deadline, "something is lost");
        }
        let meddling = MEDDLING.take().expect("set above");
        assert!(meddling.to_drop.is_empty());
        assert_eq!(meddling.started.len(), 200);
        for op in meddling.started {
            assert_eq!(ready(op).expect("a nop"), 0);
        }
        drop(polls);
    });
}

/// An operation completes while the owner computes, and the kernel defers preparing the completion: the queue is empty, and yet
/// there is work.
#[test]
fn deferred_work_with_an_empty_queue_is_work() {
    let capabilities = all_features();
    if !capabilities.defers_taskrun() || !capabilities.has(Feature::TaskrunFlag) {
        eprintln!("skipped: this kernel defers no completions, or does not tell");
        return;
    }
    let core = Core::new(capabilities);
    let (woken, waker) = counting_waker();
    let (event, _polls) = polls_of_one_event(&core, 1, &waker);
    assert!(!core.reactor.has_work());
    set(&event);
    core.reactor.with_header(|header| {
        assert!(!header.has_completions());
        assert!(header.wants_enter());
    });
    assert!(core.reactor.has_work());
    assert_eq!(core.reactor.turn(), 1);
    assert_eq!(woken.count(), 1);
    assert!(!core.reactor.has_work());
}

/// In every mode an owner that does nothing but turn, without a reason, gets what completes.
#[test]
fn turning_alone_finds_what_completes() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (woken, waker) = counting_waker();
        let (event, _polls) = polls_of_one_event(&core, 1, &waker);
        set(&event);
        core.turn_until(|| woken.count() == 1);
    });
}

/// An owner that spins asks whether there is work: there is from the moment something completes until it is delivered.
#[test]
fn asking_for_work_finds_what_completes() {
    in_each_mode(|capabilities| {
        if !capabilities.has(Feature::TaskrunFlag) {
            return;
        }
        let core = Core::new(capabilities);
        let (woken, waker) = counting_waker();
        let (event, _polls) = polls_of_one_event(&core, 1, &waker);
        assert!(!core.reactor.has_work());
        set_elsewhere(&event);
        assert!(core.reactor.has_work());
        core.reactor.turn();
        assert_eq!(woken.count(), 1);
        assert!(!core.reactor.has_work());
    });
}

/// An operation was started: there is work, until it is submitted and delivered.
#[test]
fn what_was_started_is_work() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        core.submit_all(1);
        assert!(!core.reactor.has_work());
        let op = core.started(Nop);
        assert!(core.reactor.has_work());
        core.reactor.turn();
        assert!(!core.reactor.has_work());
        assert_eq!(ready(op).expect("a nop"), 0);
    });
}

/// Far more is started than one turn submits: as long as some of it has not been submitted, there is work.
#[test]
fn what_a_turn_left_unsubmitted_is_work() {
    in_each_mode(|capabilities| {
        let core = Core::tiny(capabilities);
        let nops: Vec<Op<Nop>> = iter::repeat_with(|| core.started(Nop)).take(500).collect();
        while core.reactor.has_work() {
            core.reactor.turn();
        }
        assert_eq!(core.reactor.in_flight(), 0);
        drop(nops);
    });
}

/// Two hundred operations are started and complete, wave after wave, so that both queues, which hold 4 and 8, go round many times.
#[test]
fn the_queues_go_round() {
    in_each_mode(|capabilities| {
        let core = Core::tiny(capabilities);
        for wave in 0..200 {
            let nops: Vec<Op<Nop>> = iter::repeat_with(|| core.started(Nop))
                .take(1 + wave % 11)
                .collect();
            core.turn_until_idle();
            for op in nops {
                assert_eq!(ready(op).expect("a nop"), 0);
            }
        }
    });
}
