//! The examples that serve nobody: each says what it promises, and ends.

mod support;

use rustix::process::Signal;
use std::path::Path;
use std::process::Command;
use support::process::{Ended, Process};
use support::server::binary;
use support::until;

#[track_caller]
fn run(example: &str) -> Ended {
    let ended = Process::start(&mut Command::new(binary(example))).end();
    assert!(ended.status.success(), "{ended:?}");
    ended
}

/// Each core says hello, once.
#[test]
fn hello() {
    let ended = run("hello");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    assert_eq!(ended.lines.len(), cores);
    for (core, line) in ended.lines.iter().enumerate() {
        assert!(line.starts_with(&format!("hello from core {core}, on CPU ")));
    }
}

/// A sum, a future that is not `Send`, a panic that is told, an abort.
#[test]
fn spawn_on() {
    let lines = run("spawn_on").lines;
    assert!(lines[0].starts_with("1 + 2 + ... + 1,000,000 = 500000500000,"));
    assert!(lines[1].ends_with(r#"says ["Ada", "Grace"]"#));
    assert!(lines[2].ends_with("the task panicked: this one is meant to"));
    assert!(lines[3].ends_with("the task was cancelled"));
}

/// A sleep, ticks, a time-out, and a hundred thousand sleeps.
#[test]
fn timers() {
    let lines = run("timers").lines;
    assert_eq!(lines.len(), 6);
    assert!(lines[4].contains("gave up on an hour's sleep"));
    assert!(lines[5].contains("a hundred thousand sleeps"));
}

/// What the kernel has, and what is chosen.
#[test]
fn probe() {
    let lines = run("probe").lines;
    assert!(
        lines.iter().any(|line| line.contains("completions")),
        "{lines:?}"
    );
}

/// A child that says its number and waits for ever; one that is killed is started again; Ctrl-C leaves none behind.
#[test]
fn supervisor() {
    let mut command = Command::new("taskset");
    command.args(["-c", &first_cpu()]).arg(binary("supervisor"));
    let supervisor = Process::start(command.args(["sh", "-c", "echo $$; exec sleep 1000"]));
    let child = || {
        let line = supervisor.line();
        let number = line
            .strip_prefix("core 0: ")
            .and_then(|line| line.parse().ok());
        number.unwrap_or_else(|| panic!("not a child's number: {line:?}"))
    };
    let first: i32 = child();
    let first = rustix::process::Pid::from_raw(first).expect("not zero");
    rustix::process::kill_process(first, Signal::KILL).expect("it runs");
    assert!(supervisor.line().contains("signal: 9"));
    let second = child();
    supervisor.signal(Signal::INT);
    let ended = supervisor.end();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(ended.lines, ["supervisor: all are stopped"]);
    until(
        "the child to go",
        || Path::new(&format!("/proc/{second}")).exists(),
        |&exists| !exists,
    );
}

/// A CPU that this process may use.
fn first_cpu() -> String {
    let mask = rustix::thread::sched_getaffinity(None).expect("one may ask");
    let first = (0..1024).find(|cpu| mask.is_set(*cpu));
    first.expect("it runs on one").to_string()
}
