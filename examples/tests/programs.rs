//! The examples that serve nobody: each says what it promises, and ends.

mod support;

use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use support::PATIENCE;
use support::process::{Ended, Process};
use support::server::binary;
use support::until;

#[track_caller]
fn run(example: &str) -> Ended {
    let ended = Process::start(&mut Command::new(binary(example))).end();
    assert!(ended.status.success(), "{ended:?}");
    ended
}

/// The words of some files, counted on all cores: the most frequent come first, and each core says how many it had.
#[test]
fn sharded_counter() {
    let ended =
        Process::start(Command::new(binary("sharded-counter")).args(["src/hello.rs"])).end();
    assert!(ended.status.success(), "{ended:?}");
    assert!(ended.lines[0].ends_with(" core"), "{ended:?}");
    assert!(ended.lines[3].starts_with("core "), "{ended:?}");
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

/// A folder of its own for a test, removed when that is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        // Beside the binaries, which are on a disk: a temporary folder may not be, and have no direct access.
        let path = binary("cp").with_file_name(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("cargo writes there as well");
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Files of all lengths around a part and a block, and over a longer one, through the kernel's cache and past it: the same bytes arrive.
#[test]
fn cp() {
    let folder = Folder::new("cp-test");
    let (from, to) = (folder.file("from"), folder.file("to"));
    for length in [0, 1, 4096, 4097, (1 << 20) - 1, (9 << 20) + 513] {
        let bytes: Vec<u8> = (0..length).map(|number: u32| (number >> 3) as u8).collect();
        std::fs::write(&from, &bytes).expect("there is room");
        for direct in [false, true] {
            std::fs::write(&to, vec![1; 5 << 20]).expect("there is room");
            let mut command = Command::new(binary("cp"));
            command
                .args(direct.then_some("--direct"))
                .args([&from, &to]);
            let ended = Process::start(&mut command).end();
            if direct && ended.stderr.contains("Invalid argument") {
                println!("skipped: this file system has no direct access");
                continue;
            }
            assert!(ended.status.success(), "{ended:?}");
            assert!(
                std::fs::read(&to).expect("it is there") == bytes,
                "{length} {direct}"
            );
        }
    }
    let same = Process::start(Command::new(binary("cp")).args([&from, &from])).end();
    assert!(!same.status.success());
    assert!(std::fs::read(&from).expect("it is there").len() > 1 << 20);
}

/// A folder with hundreds of files in folders; one in ten has the word in its last line, which does not end; one is not text.
#[test]
fn grep() {
    let folder = Folder::new("grep-test");
    let mut expected = Vec::new();
    for number in 0..300 {
        let path = folder
            .file(&format!("{:02}", number % 30))
            .join(format!("{number:03}"));
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("there is room");
        let mut text = "some line\n".repeat(number * 7);
        if number % 10 == 0 {
            text += "the needle";
            expected.push(format!("{}:the needle", path.display()));
        }
        std::fs::write(path, text).expect("there is room");
    }
    std::fs::write(folder.file("binary"), [0xff, 0xfe, b'\n']).expect("there is room");
    expected.sort();
    let grep =
        |text: &str| Process::start(Command::new(binary("grep")).arg(text).arg(&folder.0)).end();
    let found = grep("needle");
    assert!(found.status.success(), "{found:?}");
    assert_eq!(found.lines, expected);
    assert_eq!(grep("no such").status.code(), Some(1));
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
    let first = Pid::from_raw(first).expect("not zero");
    kill_process(first, Signal::KILL).expect("it runs");
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

/// The number of the server that answers a connection.
fn ask(address: SocketAddr) -> u32 {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).expect("somebody listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
    stream.write_all(b"?").expect("somebody reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("somebody writes");
    answer.parse().expect("a number")
}

/// A server is started again, several times, while threads connect to it as fast as they can: each
/// connection is answered, and after a restart by the new server. One that is killed is replaced.
#[test]
fn restart() {
    let supervisor = Process::start(Command::new(binary("restart")).arg("127.0.0.1:0"));
    let line = supervisor.line();
    let address = line.strip_prefix("listening on ").expect("it says so");
    let address = address.parse().expect("an address");
    let is_over = AtomicBool::new(false);
    let ready = || {
        let line = supervisor.line();
        let number = line
            .strip_prefix("server ")
            .and_then(|rest| rest.strip_suffix(" is ready"));
        let number = number.unwrap_or_else(|| panic!("not ready: {line:?}"));
        number.parse::<u32>().expect("a number")
    };
    let server = std::thread::scope(|scope| {
        let knock = || {
            let mut answers = 0;
            while !is_over.load(Relaxed) {
                ask(address);
                answers += 1;
            }
            answers
        };
        let knocking = [scope.spawn(knock), scope.spawn(knock)];
        // However this ends, they do.
        let _over = Set(&is_over);
        let mut server = ready();
        for _ in 0..3 {
            supervisor.signal(Signal::HUP);
            let next = ready();
            let ended = format!("server {server} has ended with exit status: 0");
            assert_eq!(supervisor.line(), ended);
            assert_eq!(ask(address), next);
            server = next;
        }
        is_over.store(true, Relaxed);
        for thread in knocking {
            assert!(thread.join().expect("each is answered") > 0);
        }
        server
    });
    // A hangup of the terminal comes to the server as well, which goes on; a server that was killed
    // is replaced.
    let process = Pid::from_raw(server.cast_signed()).expect("not zero");
    kill_process(process, Signal::HUP).expect("it runs");
    assert_eq!(ask(address), server);
    kill_process(process, Signal::KILL).expect("it runs");
    let ended = "a server has ended with signal: 9 (SIGKILL) and is replaced";
    assert_eq!(supervisor.line(), ended);
    assert_eq!(ask(address), ready());
    supervisor.signal(Signal::TERM);
    let ended = supervisor.end();
    assert!(ended.status.success(), "{ended:?}");
    assert!(ended.stderr.is_empty(), "{ended:?}");
}

/// Is set when this is dropped.
struct Set<'a>(&'a AtomicBool);

impl Drop for Set<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Descriptors that are meant for another process, or that are no sockets, are not taken for listeners.
#[test]
fn restart_takes_only_what_is_passed_to_it() {
    for (variables, error) in [
        ("LISTEN_PID=1 LISTEN_FDS=1", "no socket was passed on"),
        ("LISTEN_PID=$$ LISTEN_FDS=x", "LISTEN_FDS is"),
        (
            "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web",
            "is not a listening TCP socket",
        ),
    ] {
        let script = format!(r#"export {variables}; exec "$0" serve 3</dev/null"#);
        let mut command = Command::new("sh");
        let ended = Process::start(command.arg("-c").arg(script).arg(binary("restart"))).end();
        assert!(!ended.status.success(), "{ended:?}");
        assert!(ended.stderr.contains(error), "{variables}: {ended:?}");
    }
}

/// A CPU that this process may use.
fn first_cpu() -> String {
    let mask = rustix::thread::sched_getaffinity(None).expect("one may ask");
    let first = (0..1024).find(|cpu| mask.is_set(*cpu));
    first.expect("it runs on one").to_string()
}
