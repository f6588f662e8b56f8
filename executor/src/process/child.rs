//! A program that was started.

use super::running::Running;
use super::{ExitStatus, Output, reaper};
use crate::buf::BufResult;
use crate::consume_budget;
use crate::io::{AsyncReadExt, PipeReader, PipeWriter};
use futures_util::future::join3;
use reactor::Origin;
use rustix::io::Errno;
use std::io;
use std::mem;
use std::os::fd::OwnedFd;
use std::process;

/// A program that was started by [`Command::spawn`](super::Command::spawn), on the core that started it.
///
/// **Dropping** it before it was waited for lets the child go on, or kills it if that was [asked for](super::Command::kill_on_drop). Either way
/// it is waited for in the background, so that no zombie stays: by a thread of the process, which is there only while there are such children. That holds
/// also if the runtime has ended, and on any thread.
#[derive(Debug)]
pub struct Child {
    /// What the child reads, if that was piped. Dropping it lets the child come to the end of its input.
    pub stdin: Option<PipeWriter>,
    /// What the child writes, if that was piped.
    pub stdout: Option<PipeReader>,
    /// What the child writes to its standard error, if that was piped.
    pub stderr: Option<PipeReader>,
    state: State,
    id: u32,
    kills_on_drop: bool,
    origin: Origin,
}

/// How much is known of its end.
#[derive(Debug)]
enum State {
    /// It was not waited for, as far as is known.
    Running(Running),
    /// It was waited for here.
    Exited(ExitStatus),
    /// It was waited for elsewhere, and how it ended is not to be known.
    Lost,
}

impl Child {
    pub(super) fn new(mut child: process::Child, kills_on_drop: bool) -> io::Result<Self> {
        let running = Running::new(&mut child)?;
        Ok(Self {
            stdin: child.stdin.take().map(|pipe| OwnedFd::from(pipe).into()),
            stdout: child.stdout.take().map(|pipe| OwnedFd::from(pipe).into()),
            stderr: child.stderr.take().map(|pipe| OwnedFd::from(pipe).into()),
            state: running.map_or(State::Lost, State::Running),
            id: child.id(),
            kills_on_drop,
            origin: Origin::here(),
        })
    }

    /// Its process number; `None` once it was waited for, or is known to have been elsewhere, since the number may be another's by then.
    pub fn id(&self) -> Option<u32> {
        matches!(self.state, State::Running(_)).then_some(self.id)
    }

    /// Waits for its end, after closing its standard input if that is still here: else it might wait for us. Can be asked again.
    ///
    /// A debugger that traces it is told of its end first; until then it is asked after at times, at least every 100 ms.
    ///
    /// **Cancel-safe**: dropped, the child goes on, and can be waited for again.
    ///
    /// # Errors
    /// As waitpid(2) has them: `ECHILD` if somebody else has waited for it, or the program ignores `SIGCHLD`.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.stdin = None;
        consume_budget().await;
        match &self.state {
            State::Running(running) => {
                let waited = running.wait().await;
                self.known(waited)
            }
            State::Exited(status) => Ok(*status),
            State::Lost => Err(Errno::CHILD.into()),
        }
    }

    /// Its status, if it has ended.
    ///
    /// # Errors
    /// As for [`wait`](Self::wait).
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        match &self.state {
            State::Running(running) => match running.try_wait().transpose() {
                Some(waited) => self.known(waited).map(Some),
                None => Ok(None),
            },
            State::Exited(status) => Ok(Some(*status)),
            State::Lost => Err(Errno::CHILD.into()),
        }
    }

    /// Keeps what a wait has told.
    fn known(&mut self, waited: io::Result<ExitStatus>) -> io::Result<ExitStatus> {
        match &waited {
            Ok(status) => self.state = State::Exited(*status),
            Err(error) if Errno::from_io_error(error) == Some(Errno::CHILD) => {
                self.state = State::Lost;
            }
            // Of the ring, and of the moment.
            Err(_) => {}
        }
        waited
    }

    /// Sends it `SIGKILL`, by its descriptor, so to nobody else. It still is to be waited for.
    ///
    /// # Errors
    /// As pidfd_send_signal(2) has them. None if it has ended, whoever has waited for it.
    pub fn start_kill(&mut self) -> io::Result<()> {
        match &self.state {
            State::Running(running) => running.kill(),
            State::Exited(_) | State::Lost => Ok(()),
        }
    }

    /// Kills it, and waits for its end. **Dropped**, it is killed all the same.
    ///
    /// # Errors
    /// As for [`wait`](Self::wait).
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn kill(&mut self) -> io::Result<()> {
        self.start_kill()?;
        self.wait().await.map(drop)
    }

    /// Collects what it writes, where that was piped, until its end. **Dropped**, it is as if the child had been dropped.
    ///
    /// # Errors
    /// As for [`wait`](Self::wait), and those of the pipes.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub async fn wait_with_output(mut self) -> io::Result<Output> {
        let (stdout, stderr) = (self.stdout.take(), self.stderr.take());
        let (status, stdout, stderr) = join3(self.wait(), read_all(stdout), read_all(stderr)).await;
        Ok(Output {
            status: status?,
            stdout: stdout?,
            stderr: stderr?,
        })
    }
}

async fn read_all(pipe: Option<PipeReader>) -> io::Result<Vec<u8>> {
    let Some(mut pipe) = pipe else {
        return Ok(Vec::new());
    };
    let BufResult(read, bytes) = pipe.read_to_end(Vec::new()).await;
    read?;
    Ok(bytes)
}

impl Drop for Child {
    fn drop(&mut self) {
        let State::Running(running) = mem::replace(&mut self.state, State::Lost) else {
            return;
        };
        // In a forked child it is no child of ours but the parent's, to be killed or waited for by that. And it may have ended.
        if !self.origin.is_here() || !matches!(running.try_wait(), Ok(None)) {
            return;
        }
        if self.kills_on_drop
            && let Err(error) = running.kill()
        {
            reactor::log!(warn, %error, pid = self.id, "a child could not be killed");
        }
        reaper::adopt(running.into_descriptor());
    }
}
