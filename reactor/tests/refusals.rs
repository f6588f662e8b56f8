//! What the kernel gives up by itself, and the limit on its workers.

mod support;

use reactor::FILE_WORKERS_MAX;
use reactor::operation::Open;
use std::ffi::CString;
use std::fs;
use std::rc::Rc;
use support::{Core, Scripted, in_each_mode, poll};

/// Whether the kernel completes an operation with what it is told; says so if not.
fn is_scripted(core: &Core) -> bool {
    let is_scripted = core.block_on(core.op(Scripted::new([5]))).ok() == Some(5);
    if !is_scripted {
        println!("skipped: this kernel answers no operation with a result of ours");
    }
    is_scripted
}

/// The kernel interrupts an operation three times, though nobody asked it to: it is submitted again each time, and its future ends once, with what came
/// in the end. An operation that cannot be repeated ends with an error that does not ask for it.
#[test]
fn what_is_interrupted_by_nobody_is_repeated() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        if !is_scripted(&core) {
            return;
        }
        let interrupted = -libc::EINTR;
        let results = [interrupted, interrupted, interrupted, 7];
        let result = core.block_on(core.op(Scripted::new(results)));
        assert_eq!(result.expect("it is repeated"), 7);
        let once = Scripted::new([interrupted]).not_repeatable();
        let error = core
            .block_on(core.op(once))
            .expect_err("it was interrupted");
        assert_eq!(error.raw_os_error(), Some(libc::EIO));
        assert_eq!(core.reactor.in_flight(), 0);
    });
}

/// An operation is interrupted in the moment in which its owner cancels it: he is told, and it is not repeated. Dropped in that moment, it is over.
#[test]
fn what_is_interrupted_by_its_owner_is_not_repeated() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        if !is_scripted(&core) {
            return;
        }
        let op = core.started(Scripted::new([-libc::EINTR]));
        let error = core.block_on(op.cancel()).expect_err("it was interrupted");
        assert_eq!(error.raw_os_error(), Some(libc::EINTR));
        drop(core.started(Scripted::new([-libc::EINTR])));
        // Its completion has come, and it was not polled again.
        let op = core.started(Scripted::new([-libc::EINTR]));
        core.submit_all(1);
        core.reactor.turn();
        drop(op);
        core.turn_until_idle();
    });
}

/// The kernel cancels an operation by itself, as it does when it can start no worker for it: its owner, who cancelled nothing, is told that resources
/// were short. Who did cancel is told of that.
#[test]
fn only_who_cancels_is_told_of_a_cancel() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        if !is_scripted(&core) {
            return;
        }
        let cancelled = || Scripted::new([-libc::ECANCELED]);
        let error = core.block_on(core.op(cancelled())).expect_err("refused");
        assert_eq!(error.raw_os_error(), Some(libc::EAGAIN));
        let error = core.block_on(core.started(cancelled()).cancel());
        let code = error.expect_err("cancelled").raw_os_error();
        assert_eq!(code, Some(libc::ECANCELED));
    });
}

/// Two reactors on one thread: each has its limit when it asks for it. An open that waits raises the limit by one, until it has ended, in whatever
/// way.
#[test]
fn each_reactor_has_its_limit_of_workers() {
    let path = std::env::temp_dir().join(format!("reactor-{}-limit", std::process::id()));
    fs::write(&path, "content").expect("a file");
    let text = CString::new(path.to_str().expect("it is plain")).expect("no zero byte");
    in_each_mode(|capabilities| {
        let (one, other) = (Core::new(capabilities), Core::new(capabilities));
        let Ok(limit) = one.reactor.file_workers_max() else {
            return println!("skipped: this kernel chooses the limit by itself");
        };
        assert_eq!(limit, FILE_WORKERS_MAX);
        other.reactor.set_file_workers_max(5);
        one.reactor.set_file_workers_max(3);
        assert_eq!(other.reactor.file_workers_max().expect("it tells"), 3);
        other.reactor.apply_worker_limit();
        assert_eq!(one.reactor.file_workers_max().expect("it tells"), 5);

        let waiting = || Open::waiting(&one.reactor, text.clone(), libc::O_RDONLY, 0);
        let mut opens: Vec<_> = (0..4).map(|_| one.op(waiting())).collect();
        assert_eq!(other.reactor.file_workers_max().expect("it tells"), 3 + 4);
        drop(opens.pop());
        let mut dropped = opens.pop().expect("there are four");
        assert!(poll(&mut dropped).is_pending());
        drop(dropped);
        one.turn_until_idle();
        for open in opens {
            one.block_on(open).expect("it is there");
        }
        assert_eq!(other.reactor.file_workers_max().expect("it tells"), 3);
        assert_eq!(Rc::strong_count(&one.reactor), 1);
    });
    fs::remove_file(path).expect("it was made");
}
