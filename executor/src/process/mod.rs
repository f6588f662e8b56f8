//! Other programs: started from a core, waited for on its ring.
//!
//! A program does not inherit its core's one-CPU affinity mask: it gets the one that the runtime was built with.
//! Children that are dropped are waited for by one thread of the process, if there are any (`reaper`).
//!
//! To start a program is safe at any time, by this [`Command`] and by the standard library's alike. A child that fork(2) makes and that calls no exec is
//! another matter: [`Runtime`](crate::Runtime#forked-children) has what it may do. A [`Child`] that it inherits is the parent's: dropping it does
//! nothing, and to wait for it is an error (`ECHILD`).

#![forbid(unsafe_code)]

mod child;
mod reaper;
mod running;

pub use child::Child;
pub use std::process::{ExitStatus, Output, Stdio};

use crate::core::context;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process;

/// A program to be started: the standard library's [`Command`](std::process::Command), with a start that knows of cores.
///
/// # Examples
/// ```
/// use executor::process::Command;
/// # #[executor::main(cores = 1)]
/// # async fn main() -> std::io::Result<()> {
/// let output = Command::new("echo").arg("hello").output().await?;
/// assert!(output.status.success());
/// assert_eq!(output.stdout, b"hello\n");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Command {
    inner: process::Command,
    /// By the methods here: the one inside does not tell.
    stdin_is_set: bool,
    stdout_is_set: bool,
    stderr_is_set: bool,
    kills_on_drop: bool,
}

impl Command {
    /// A program, looked for in `PATH` if its name has no slash. By default it shares our standard streams, environment and directory.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        process::Command::new(program).into()
    }

    /// One more argument.
    pub fn arg(&mut self, argument: impl AsRef<OsStr>) -> &mut Self {
        self.inner.arg(argument);
        self
    }

    /// More arguments.
    pub fn args(&mut self, arguments: impl IntoIterator<Item: AsRef<OsStr>>) -> &mut Self {
        self.inner.args(arguments);
        self
    }

    /// Sets a variable of its environment.
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.inner.env(name, value);
        self
    }

    /// Leaves a variable out of its environment.
    pub fn env_remove(&mut self, name: impl AsRef<OsStr>) -> &mut Self {
        self.inner.env_remove(name);
        self
    }

    /// Leaves out all that was not set here.
    pub fn env_clear(&mut self) -> &mut Self {
        self.inner.env_clear();
        self
    }

    /// Its working directory.
    pub fn current_dir(&mut self, directory: impl AsRef<Path>) -> &mut Self {
        self.inner.current_dir(directory);
        self
    }

    /// Its standard input: [`Stdio::piped`] makes [`Child::stdin`].
    pub fn stdin(&mut self, stdin: impl Into<Stdio>) -> &mut Self {
        self.inner.stdin(stdin);
        self.stdin_is_set = true;
        self
    }

    /// Its standard output: [`Stdio::piped`] makes [`Child::stdout`].
    pub fn stdout(&mut self, stdout: impl Into<Stdio>) -> &mut Self {
        self.inner.stdout(stdout);
        self.stdout_is_set = true;
        self
    }

    /// Its standard error: [`Stdio::piped`] makes [`Child::stderr`].
    pub fn stderr(&mut self, stderr: impl Into<Stdio>) -> &mut Self {
        self.inner.stderr(stderr);
        self.stderr_is_set = true;
        self
    }

    /// Whether the child is killed when its [`Child`] is dropped before it was waited for. It is not by default.
    pub fn kill_on_drop(&mut self, kills: bool) -> &mut Self {
        self.kills_on_drop = kills;
        self
    }

    /// The standard library's command inside, for what is not repeated here: users, groups, `pre_exec`. Set no streams through it:
    /// [`output`](Self::output) does not see that they were, and replaces them.
    pub fn as_std_mut(&mut self) -> &mut process::Command {
        &mut self.inner
    }

    /// Starts the program. Takes the core some hundred microseconds: it is not asynchronous. It needs no runtime; to wait for the child, and to use
    /// its pipes, one does.
    ///
    /// # Errors
    /// As fork(2) and execve(2) have them: `NotFound` if there is no such program. And `EMFILE`, if there is no descriptor left to watch it by; it is
    /// killed then.
    pub fn spawn(&mut self) -> io::Result<Child> {
        reaper::attend();
        let child = crate::unpinned(|| self.inner.spawn())?;
        Child::new(child, self.kills_on_drop)
    }

    /// Starts the program and waits for its end. Its standard streams are ours, if nothing else was set. Those that are
    /// [piped](Stdio::piped) are closed at once, since nobody is there to use them: its input is empty, and its output a broken pipe.
    ///
    /// **Dropped**, the child goes on, unless it is to be [killed](Self::kill_on_drop).
    ///
    /// # Errors
    /// As for [`spawn`](Self::spawn).
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn status(&mut self) -> io::Result<ExitStatus> {
        // Before anything is started that nobody could wait for.
        context::expect("Command::status", |_| ());
        let mut child = self.spawn()?;
        // Kept, and not read, they would fill up, and the child wait for us.
        (child.stdout, child.stderr) = (None, None);
        child.wait().await
    }

    /// Starts the program, and collects what it writes to its standard output and error until its end. What goes elsewhere, because one of
    /// these was set to be other than [piped](Stdio::piped), is not collected. Its standard input is empty, if nothing else was set. The
    /// command is left as it was, for the next start.
    ///
    /// **Dropped**, the child goes on, unless it is to be [killed](Self::kill_on_drop), and finds its pipes closed.
    ///
    /// # Errors
    /// As for [`spawn`](Self::spawn), and those of the pipes.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn output(&mut self) -> io::Result<Output> {
        context::expect("Command::output", |_| ());
        self.set_unset_streams(Stdio::null, Stdio::piped);
        let child = self.spawn();
        self.set_unset_streams(Stdio::inherit, Stdio::inherit);
        child?.wait_with_output().await
    }

    /// Changes the streams that the user leaves to us.
    fn set_unset_streams(&mut self, input: fn() -> Stdio, output: fn() -> Stdio) {
        if !self.stdin_is_set {
            self.inner.stdin(input());
        }
        if !self.stdout_is_set {
            self.inner.stdout(output());
        }
        if !self.stderr_is_set {
            self.inner.stderr(output());
        }
    }
}

impl From<process::Command> for Command {
    /// A command of the standard library, as it is; but streams that were set in it, [`output`](Command::output) replaces.
    fn from(inner: process::Command) -> Self {
        Self {
            inner,
            stdin_is_set: false,
            stdout_is_set: false,
            stderr_is_set: false,
            kills_on_drop: false,
        }
    }
}
