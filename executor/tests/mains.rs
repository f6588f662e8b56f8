//! What a `main`, and a test, made by the macros does to its process: its value, its error and its panic reach that.

#[path = "support/child.rs"]
mod child;
#[path = "support/mains.rs"]
mod mains;
#[path = "support/restraint.rs"]
mod restraint;

use child::Child;
use std::process::{ExitCode, Termination};

/// Ends the process as the standard library does when `main` has returned this.
fn end_with(returned: impl Termination) {
    let code = returned.report();
    let status = (0..=u8::MAX).find(|status| ExitCode::from(*status) == code);
    std::process::exit(status.unwrap().into());
}

#[test]
fn a_main_that_cannot_start_says_so_in_one_line_and_ends_with_status_1() {
    let ended = Child::of(|| {
        mains::without_cores::main();
    })
    .run();
    let line = "error: the executor could not start: zero cores were asked for; a runtime has at least one. \
                Ask for one or more, or leave the number out for one on each CPU\n";
    assert_eq!((ended.status, ended.stderr.as_str()), (1, line));
}

/// The same for a test, which fails.
#[executor::test(cores = 0)]
#[should_panic(expected = "the executor could not start: zero cores were asked for")]
async fn a_test_that_cannot_start_panics_and_says_why() {}

#[test]
fn mains_exit_code_is_the_process_s() {
    let ended = Child::of(|| end_with(mains::with_a_code::main())).run();
    assert_eq!((ended.status, ended.stderr.as_str()), (7, ""));
}

#[test]
fn mains_error_is_printed_and_ends_the_process_with_status_1() {
    let ended = Child::of(|| end_with(mains::with_an_error::main())).run();
    assert_eq!(
        (ended.status, ended.stderr.as_str()),
        (1, "Error: \"no bananas\"\n")
    );
}

/// Were the other core not stopped, the process would hang.
#[test]
fn mains_panic_stops_the_other_cores_and_is_the_process_s() {
    let child = Child::of(|| {
        mains::with_a_panic::main();
    });
    if restraint::cpus().len() < 2 {
        return eprintln!("skipped: there is one CPU only");
    }
    let ended = child.run();
    assert_eq!(ended.status, 101, "{}", ended.stderr);
    let words = [
        "main gives up",
        "the idle task ends on core 1",
        "the busy task ends on core 1",
    ];
    for word in words {
        assert!(
            ended.stderr.contains(word),
            "{word:?} is not in: {}",
            ended.stderr
        );
    }
}

/// Another function than `main` says it to its caller.
#[executor::main(cores = 0)]
async fn a_function_without_cores() {}

#[test]
#[should_panic(expected = "the executor could not start: zero cores were asked for")]
fn another_function_that_cannot_start_panics_and_says_why() {
    a_function_without_cores();
}

/// How many CPUs the thread may use.
fn width() -> usize {
    let mask = rustix::thread::sched_getaffinity(None).unwrap();
    mask.count() as usize
}

#[executor::test(pin = true)]
async fn a_test_is_pinned_by_choice() {
    assert_eq!(width(), 1);
}

#[executor::test]
async fn a_test_is_not_pinned_by_default() {
    assert_eq!(width(), restraint::cpus().len());
}
