//! The examples that end by themselves: each does, and says what it promises.

mod support;

use std::process::Command;
use support::process::{Ended, Process};
use support::server::binary;

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
