//! A child process whose output is read as it comes, and which does not outlive its test.

use super::PATIENCE;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;

/// A running process. Dropped, it is killed; if the test is failing, what the process wrote to its stderr is printed.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    errors: Option<JoinHandle<String>>,
}

/// What is left of a process that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// The lines of its stdout that nobody has taken yet.
    pub(crate) lines: Vec<String>,
    pub(crate) stderr: String,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut stderr = child.stderr.take().expect("it is piped");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                // The test may have ended, and want no more of them; the process must still be able to write.
                let _ = sender.send(line);
            }
        });
        let errors = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stderr.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        Self {
            child,
            lines,
            errors: Some(errors),
        }
    }

    /// The next line on stdout.
    #[track_caller]
    pub(crate) fn line(&self) -> String {
        let line = self.lines.recv_timeout(PATIENCE);
        line.unwrap_or_else(|error| panic!("waited for a line on stdout: {error}"))
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it has not been waited for");
    }

    /// Waits for it to end by itself.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        let handle = pidfd_open(Pid::from_child(&self.child), PidfdFlags::empty())
            .expect("it has not been waited for");
        let timeout = Timespec::try_from(PATIENCE).expect("it is short");
        let mut ended = [PollFd::new(&handle, PollFlags::IN)];
        let count = poll(&mut ended, Some(&timeout)).expect("one descriptor, open");
        assert!(
            count == 1,
            "waited {PATIENCE:?} for process {} to end",
            self.id()
        );
        Ended {
            status: self.child.wait().expect("it has ended"),
            lines: self.lines.iter().collect(),
            stderr: self.take_errors(),
        }
    }

    /// All that it wrote to its stderr. It must have ended.
    fn take_errors(&mut self) -> String {
        let errors = self.errors.take().map(|thread| thread.join());
        errors.map_or_else(String::new, |text| text.unwrap_or_default())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Neither has an effect on a child that has been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let errors = self.take_errors();
        if std::thread::panicking() {
            eprintln!("stderr of process {}:\n{errors}", self.id());
        }
    }
}
