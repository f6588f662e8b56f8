//! Other programs, started and waited for: their ends are told truly, their streams carry every byte, and none is left behind.

#[path = "support/child.rs"]
mod child;
mod common;
#[path = "support/footprint.rs"]
mod footprint;
#[path = "support/restraint.rs"]
mod restraint;

use child::Child as OwnProcess;
use common::{Watchdog, block_on, run, settle, start, until};
use executor::buf::BufResult;
use executor::io::AsyncReadExt;
use executor::process::{Child, Command, ExitStatus, Stdio};
use executor::spawn_on;
use executor::time::{Duration, timeout};
use footprint::Footprint;
use futures::future::poll_immediate;
use std::future::poll_fn;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::pin::pin;
use std::thread;

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

/// Whether there is a process of this number, be it a zombie.
fn exists(id: u32) -> bool {
    Path::new(&format!("/proc/{id}")).exists()
}

/// Whether it has ended, and was not waited for.
fn is_zombie(id: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"));
    status.is_ok_and(|status| status.contains("State:\tZ"))
}

/// Waits, on a thread that is no core, until none of these processes is there.
fn wait_until_gone(ids: &[u32]) {
    let _watchdog = Watchdog::new(|| "nobody waits for a child".to_owned());
    block_on(until(|| !ids.iter().any(|id| exists(*id))));
}

/// A status, a signal, and a program that is not there.
#[test]
fn the_end_is_told() {
    run(1, async {
        assert!(shell("exit 0").status().await.unwrap().success());
        assert_eq!(shell("exit 7").status().await.unwrap().code(), Some(7));
        let killed = shell("kill -TERM $$").status().await.unwrap();
        assert_eq!(killed.signal(), Some(libc::SIGTERM));
        let error = Command::new("/no/such/program").spawn().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    });
}

/// A program writes a megabyte to each of its outputs, more than pipes hold.
#[test]
fn output_is_collected_from_both_streams() {
    run(1, async {
        let both = "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; exit 3";
        let output = shell(both).output().await.unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(
            (output.stdout.len(), output.stderr.len()),
            (1_000_000, 1_000_000)
        );
    });
}

/// Pipes were set, and only the status is asked for: nobody reads them, and the program does not wait for a reader.
#[test]
fn a_status_waits_for_no_reader() {
    run(1, async {
        let mut command = shell("cat; head -c 200000 /dev/zero; head -c 200000 /dev/zero >&2");
        command.stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let status = command.status().await.unwrap();
        assert!(!status.success(), "its pipes are broken");
    });
}

/// A command is started for its output and then for its status: its streams are ours again. One that was set stays what it was set to.
#[test]
fn output_leaves_the_command_as_it_was() {
    let shares =
        |fd| format!("test $(readlink /proc/$$/fd/{fd}) = $(readlink /proc/$PPID/fd/{fd})");
    run(1, async {
        let mut command = shell(&format!("{} && {}", shares(1), shares(2)));
        assert!(!command.output().await.unwrap().status.success());
        assert!(command.status().await.unwrap().success());

        let mut command =
            shell("echo out; echo err >&2; test $(readlink /proc/$$/fd/1) = /dev/null");
        command.stdout(Stdio::null());
        let output = command.output().await.unwrap();
        assert_eq!(
            (&*output.stdout, &*output.stderr),
            (&b""[..], &b"err\n"[..])
        );
        command.stderr(Stdio::null());
        assert!(command.status().await.unwrap().success());
    });
}

/// Something waits at our standard input, a pipe in a process of its own. A program whose output is asked for does not read it, but what it
/// is given; one whose status is asked for afterwards does.
#[test]
fn output_has_an_empty_standard_input() {
    let child = OwnProcess::of(|| {
        run(1, async {
            let mut command = shell(r#"text=$(cat); echo "$text"; test "$text" = ours"#);
            assert_eq!(command.output().await.unwrap().stdout, b"\n");
            let (reader, mut writer) = std::io::pipe().unwrap();
            writer.write_all(b"given").unwrap();
            drop(writer);
            let given = Command::new("cat").stdin(reader).output().await;
            assert_eq!(given.unwrap().stdout, b"given");
            assert!(command.status().await.unwrap().success());
        });
    });
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"ours").unwrap();
    drop(writer);
    let ended = child.command().stdin(reader).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
}

/// A megabyte goes through cat: written and read at once, byte for byte.
#[test]
fn standard_streams_are_pipes() {
    run(1, async {
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let sent = common::Random::new(5).bytes(1_000_000);
        let (stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let writing = executor::spawn({
            let mut rest = sent.clone();
            async move {
                while !rest.is_empty() {
                    let BufResult(written, buffer) = stdin.write(rest).await;
                    rest = buffer;
                    rest.drain(..written.unwrap());
                }
            }
        });
        let BufResult(read, came) = stdout.read_to_end(Vec::new()).await;
        read.unwrap();
        writing.await.unwrap();
        assert!(came == sent);
        assert!(child.wait().await.unwrap().success());
    });
}

/// A child waits for the end of its input: `wait` closes it.
#[test]
fn wait_closes_the_standard_input() {
    run(1, async {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        assert!(child.wait().await.unwrap().success());
        assert!(child.stdin.is_none());
    });
}

/// `wait` is given up, asked again, and asked once more when the child is no more.
#[test]
fn waiting_can_be_given_up() {
    run(1, async {
        let mut child = shell("read line").stdin(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        assert!(poll_immediate(pin!(child.wait())).await.is_none());
        settle().await;
        assert!(poll_immediate(pin!(child.wait())).await.is_none());
        assert!(child.try_wait().unwrap().is_none());
        assert!(child.id().is_some());
        drop(stdin);
        assert!(!child.wait().await.unwrap().success());
        assert_eq!(child.id(), None);
        assert!(child.try_wait().unwrap().is_some());
        assert!(child.start_kill().is_ok());
        assert!(!child.wait().await.unwrap().success());
    });
}

fn endless() -> Command {
    let mut command = Command::new("sleep");
    command.arg("1000").kill_on_drop(true);
    command
}

/// A child that never ends is killed: on request, by its drop, by the drop of what waits for it.
#[test]
fn an_endless_child_is_killed() {
    run(1, async {
        let mut child = endless().spawn().unwrap();
        child.kill().await.unwrap();
        assert_eq!(child.wait().await.unwrap().signal(), Some(libc::SIGKILL));

        let child = endless().spawn().unwrap();
        let id = child.id().unwrap();
        drop(child);
        until(|| !exists(id)).await;

        let mut child = endless().spawn().unwrap();
        let id = child.id().unwrap();
        let waiting = timeout(Duration::from_millis(1), async move { child.wait().await });
        assert!(waiting.await.is_err());
        until(|| !exists(id)).await;
    });
}

/// A child is dropped and goes on; when it ends it is waited for, and no zombie stays.
#[test]
fn a_dropped_child_goes_on_and_is_waited_for() {
    run(1, async {
        let mut child = shell("read line").stdin(Stdio::piped()).spawn().unwrap();
        let (id, stdin) = (child.id().unwrap(), child.stdin.take());
        drop(child);
        settle().await;
        assert!(exists(id));
        drop(stdin);
        until(|| !exists(id)).await;
    });
}

/// Waits for a process with the C library, and says how it ended.
fn wait_elsewhere(id: u32) -> ExitStatus {
    let mut status = 0;
    // SAFETY: `status` is to be written to, and the process is a child of ours.
    let waited = unsafe { libc::waitpid(id as libc::pid_t, &raw mut status, 0) };
    assert_eq!(waited, id as libc::pid_t);
    ExitStatus::from_raw(status)
}

/// Forks a process, of this number if there is one, that calls `begin` and then waits to be killed. Returns its number.
///
/// # Safety
/// `begin` makes system calls only: no other thread is there, and what they held locked stays so.
unsafe fn fork(number: Option<u32>, begin: impl FnOnce()) -> std::io::Result<u32> {
    // SAFETY: all zero is valid: a plain fork.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.exit_signal = libc::SIGCHLD as u64;
    if let Some(number) = &number {
        arguments.set_tid = (&raw const *number) as u64;
        arguments.set_tid_size = 1;
    }
    // SAFETY: `arguments` and `number` are valid for the call. The child makes system calls only.
    unsafe {
        match libc::syscall(
            libc::SYS_clone3,
            &raw const arguments,
            size_of_val(&arguments),
        ) {
            0 => {
                // It has our descriptors too, and is not to outlive a test that fails.
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                begin();
                loop {
                    libc::pause();
                }
            }
            -1 => Err(std::io::Error::last_os_error()),
            forked => Ok(forked as u32),
        }
    }
}

/// Sends a signal to a process that was forked here.
fn kill(id: u32, signal: i32) {
    // SAFETY: it only sends a signal, to a child of ours.
    unsafe { libc::kill(id as libc::pid_t, signal) };
}

/// A child has ended and was waited for by another part of the program: that is told each time, its number is not, and nobody is killed.
#[test]
fn a_child_that_another_has_waited_for_is_lost() {
    run(1, async {
        let mut child = shell("exit 0").spawn().unwrap();
        assert!(wait_elsewhere(child.id().unwrap()).success());
        child.start_kill().unwrap();
        for _ in 0..2 {
            let error = child.wait().await.unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ECHILD));
            let error = child.try_wait().unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ECHILD));
            assert_eq!(child.id(), None);
            child.start_kill().unwrap();
        }
    });
}

/// The same, and by then its number is a stranger's, who is neither killed nor waited for.
#[test]
fn a_stranger_with_the_number_of_a_child_is_let_be() {
    run(1, async {
        let mut child = shell("exit 0").kill_on_drop(true).spawn().unwrap();
        let id = child.id().unwrap();
        wait_elsewhere(id);
        // SAFETY: it does nothing.
        if let Err(error) = unsafe { fork(Some(id), || {}) } {
            return eprintln!("skipped: a process with a number of our choice: {error}");
        }
        child.start_kill().unwrap();
        drop(child);
        kill(id, libc::SIGTERM);
        assert_eq!(wait_elsewhere(id).signal(), Some(libc::SIGTERM));
    });
}

/// The program ignores SIGCHLD, so that the kernel waits for its children: some are gone before we could look. Their output is read, and
/// their status lost.
#[test]
fn children_of_a_program_that_ignores_sigchld_are_lost() {
    let child = OwnProcess::of(|| {
        // SAFETY: no handler is set.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
        run(1, async {
            for _ in 0..20 {
                let mut child = shell("echo said").stdout(Stdio::piped()).spawn().unwrap();
                let BufResult(read, said) = child
                    .stdout
                    .take()
                    .unwrap()
                    .read(Vec::with_capacity(9))
                    .await;
                read.unwrap();
                assert_eq!(said, b"said\n");
                let error = child.wait().await.unwrap_err();
                assert_eq!(error.raw_os_error(), Some(libc::ECHILD));
                assert_eq!(child.id(), None);
            }
        });
    });
    child.run_well();
}

/// Starts a debugger of a process, as far as tracing it and looking no further. `None`, with a word, if that is not allowed.
fn start_debugger(id: u32) -> Option<u32> {
    let (mut answer, answerer) = std::io::pipe().unwrap();
    // SAFETY: two system calls.
    let debugger = unsafe {
        fork(None, || {
            let nothing = std::ptr::null_mut::<libc::c_void>();
            let number = id as libc::pid_t;
            let traced = libc::ptrace(libc::PTRACE_SEIZE, number, nothing, nothing) == 0;
            libc::write(answerer.as_raw_fd(), (&raw const traced).cast(), 1);
        })
    };
    let debugger = debugger
        .inspect_err(|error| eprintln!("skipped: a fork by clone3: {error}"))
        .ok()?;
    let mut traced = [0];
    answer.read_exact(&mut traced).unwrap();
    if traced == [0] {
        eprintln!("skipped: a process may not trace another");
        kill(debugger, libc::SIGKILL);
        wait_elsewhere(debugger);
        return None;
    }
    Some(debugger)
}

/// A child has ended, but its debugger is to be told first, and takes its time: waiting for it leaves the core in peace meanwhile, and the end
/// is told when the debugger is gone.
#[test]
fn waiting_for_a_traced_child_leaves_the_core_in_peace() {
    run(1, async {
        let mut child = endless().spawn().unwrap();
        let id = child.id().unwrap();
        let Some(debugger) = start_debugger(id) else {
            return;
        };
        child.start_kill().unwrap();
        until(|| is_zombie(id)).await;
        let mut polls = 0;
        {
            let mut waiting = pin!(child.wait());
            let waiting = poll_fn(|context| {
                polls += 1;
                waiting.as_mut().poll(context)
            });
            let given_up = timeout(Duration::from_millis(200), waiting).await;
            assert!(given_up.is_err(), "its debugger was not told");
        }
        assert!(polls < 50, "{polls} times");
        kill(debugger, libc::SIGKILL);
        wait_elsewhere(debugger);
        let status = child.wait().await.unwrap();
        assert_eq!(status.signal(), Some(libc::SIGKILL));
    });
}

/// A runtime ends while a child, and tasks that wait for it, go on: it does not wait, and none stays a zombie.
#[test]
fn a_runtime_does_not_wait_for_children() {
    let runtime = start(1).expect("one CPU");
    let (waited, child): (u32, Child) = runtime.block_on(async {
        let mut waited = endless().spawn().unwrap();
        let id = waited.id().unwrap();
        executor::spawn(async move { waited.wait().await }).detach();
        settle().await;
        (id, endless().spawn().unwrap())
    });
    let id = child.id().unwrap();
    drop(runtime);
    drop(child);
    wait_until_gone(&[waited, id]);
}

/// A child is dropped and goes on, and then its core stands still, ends, or was never there. When the child ends it is waited for all the same.
#[test]
fn a_child_that_outlives_its_core_is_waited_for() {
    let dropped = || {
        let child = Command::new("sleep").arg("1000").spawn().unwrap();
        child.id().unwrap()
    };
    let end = |id| {
        kill(id, libc::SIGKILL);
        wait_until_gone(&[id]);
    };
    let runtime = start(1).expect("one CPU");
    end(runtime.block_on(async { dropped() }));
    let id = runtime.block_on(async { dropped() });
    drop(runtime);
    end(id);
    end(dropped());
    end(thread::spawn(dropped).join().unwrap());
}

/// A thousand children are held by tasks of both cores, some of which panic, when their runtime ends.
#[test]
fn a_thousand_children_of_a_runtime_that_ends_are_waited_for() {
    const CHILDREN: usize = 1_000;
    common::allow_descriptors(8 * CHILDREN as u64);
    let cores = common::cpus_allowed().min(2);
    let runtime = start(cores).expect("as many CPUs as there are");
    let ids: Vec<u32> = runtime.block_on(async {
        let mut ids = Vec::new();
        for number in 0..CHILDREN {
            let (sender, id) = futures::channel::oneshot::channel();
            spawn_on(number % cores, async move || {
                let child = endless().spawn().unwrap();
                sender.send(child.id().unwrap()).unwrap();
                assert!(!number.is_multiple_of(100), "said by the task");
                std::future::pending::<()>().await;
            })
            .detach();
            ids.push(id.await.unwrap());
        }
        ids
    });
    drop(runtime);
    wait_until_gone(&ids);
}

/// No thread can be had when a child is dropped. It is waited for when the next one is started.
#[test]
fn without_a_thread_a_dropped_child_is_waited_for_at_the_next_start() {
    let child = OwnProcess::of(|| {
        let dropping = thread::spawn(|| {
            let child = Command::new("sleep").arg("1000").spawn().unwrap();
            restraint::deny(libc::SYS_clone3, libc::EAGAIN);
            child.id().unwrap()
        });
        let id = dropping.join().unwrap();
        kill(id, libc::SIGKILL);
        block_on(until(|| is_zombie(id)));
        let mut next = endless().spawn().unwrap();
        assert!(!exists(id));
        next.start_kill().unwrap();
    });
    child.run_well();
}

/// The thread that waits for dropped children leaves with the last of them, and comes again.
#[test]
fn nothing_stays_when_the_last_dropped_child_has_ended() {
    let child = OwnProcess::of(|| {
        let before = Footprint::now();
        for _ in 0..3 {
            for _ in 0..10 {
                drop(endless().spawn().unwrap());
            }
            before.assert_restored();
        }
    });
    child.run_well();
}

/// A process forks and its copy drops a child that it has inherited, to be killed by that: the child is not the copy's, and goes on.
#[test]
fn a_forked_process_leaves_the_children_of_its_parent_alone() {
    let child = OwnProcess::of(|| {
        let mut child = endless().spawn().unwrap();
        let id = child.id().unwrap();
        // SAFETY: this process has one thread that matters, and the copy only drops the child and leaves.
        let copy = unsafe {
            let copy = libc::fork();
            if copy == 0 {
                drop(child);
                libc::_exit(0);
            }
            copy
        };
        assert!(wait_elsewhere(copy as u32).success());
        assert!(child.try_wait().unwrap().is_none());
        drop(child);
        wait_until_gone(&[id]);
    });
    child.run_well();
}

/// A program is started before there is a runtime, which then reads its output and waits for it.
#[test]
fn a_program_is_started_outside_of_a_runtime() {
    let mut command = shell("echo said");
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    run(1, async {
        let output = child.wait_with_output().await.unwrap();
        assert!(output.status.success());
        assert_eq!(output.stdout, b"said\n");
    });
}

/// From each pinned core a program is started: it may use all the CPUs that this one might.
#[test]
fn a_program_is_not_pinned_to_its_core() {
    let may_use = |status: &str| -> String {
        let line = status
            .lines()
            .find(|line| line.starts_with("Cpus_allowed_list"));
        line.expect("every process has one").to_owned()
    };
    let before = may_use(&std::fs::read_to_string("/proc/thread-self/status").unwrap());
    let cores = common::cpus_allowed().min(2);
    run(cores, async move {
        for core in 0..cores {
            let output = spawn_on(core, async || {
                Command::new("cat").arg("/proc/self/status").output().await
            });
            let output = output.await.unwrap().unwrap();
            assert_eq!(
                may_use(std::str::from_utf8(&output.stdout).unwrap()),
                before
            );
        }
    });
}
