//! A program that was started.

use super::{ExitStatus, Output};
use crate::buf::BufResult;
use crate::core::context;
use crate::io::{AsyncFd, AsyncReadExt, PipeReader, PipeWriter};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::io;
use std::os::fd::OwnedFd;
use std::process;

/// A program that was started by [`Command::spawn`](super::Command::spawn), on the core that started it.
///
/// **Dropping** it before it was waited for lets the child go on, or kills it if that was [asked for](super::Command::kill_on_drop). Either way
/// it is waited for in the background, as long as the core runs, so that no zombie stays.
#[derive(Debug)]
pub struct Child {
    /// What the child reads, if that was piped. Dropping it lets the child come to the end of its input.
    pub stdin: Option<PipeWriter>,
    /// What the child writes, if that was piped.
    pub stdout: Option<PipeReader>,
    /// What the child writes to its standard error, if that was piped.
    pub stderr: Option<PipeReader>,
    /// `None` when it was waited for, or is waited for elsewhere.
    running: Option<Running>,
    id: u32,
    exited: Option<ExitStatus>,
    kills_on_drop: bool,
}

/// A child that was not waited for. Until that is done, its number is nobody else's.
#[derive(Debug)]
struct Running {
    child: process::Child,
    /// Readable when the child has ended.
    ended: AsyncFd<OwnedFd>,
}

impl Running {
    async fn wait(&mut self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            self.ended.readable().await?;
        }
    }
}

impl Child {
    pub(super) fn new(mut child: process::Child, kills_on_drop: bool) -> io::Result<Self> {
        let pid = Pid::from_child(&child);
        let ended = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(ended) => AsyncFd::new(ended),
            Err(error) => {
                child.kill()?;
                child.wait()?;
                return Err(error.into());
            }
        };
        Ok(Self {
            stdin: child.stdin.take().map(|pipe| OwnedFd::from(pipe).into()),
            stdout: child.stdout.take().map(|pipe| OwnedFd::from(pipe).into()),
            stderr: child.stderr.take().map(|pipe| OwnedFd::from(pipe).into()),
            id: child.id(),
            running: Some(Running { child, ended }),
            exited: None,
            kills_on_drop,
        })
    }

    /// Its process number; `None` once it was waited for, since the number may be another's by then.
    pub fn id(&self) -> Option<u32> {
        self.running.is_some().then_some(self.id)
    }

    /// Waits for its end, after closing its standard input if that is still here: else it might wait for us. Can be asked again.
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
        if let Some(running) = &mut self.running {
            self.exited = Some(running.wait().await?);
            self.running = None;
        }
        Ok(self.exited.expect("it was waited for"))
    }

    /// Its status, if it has ended.
    ///
    /// # Errors
    /// As for [`wait`](Self::wait).
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        if let Some(running) = &mut self.running
            && let Some(status) = running.child.try_wait()?
        {
            self.exited = Some(status);
            self.running = None;
        }
        Ok(self.exited)
    }

    /// Sends it `SIGKILL`. It still is to be waited for.
    ///
    /// # Errors
    /// As kill(2) has them. None if it has ended.
    pub fn start_kill(&mut self) -> io::Result<()> {
        match &mut self.running {
            Some(running) => running.child.kill(),
            None => Ok(()),
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
        let (status, stdout, stderr) =
            futures_util::join!(self.wait(), read_all(stdout), read_all(stderr));
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
        let Some(mut running) = self.running.take() else {
            return;
        };
        if self.kills_on_drop
            && let Err(error) = running.child.kill()
        {
            tracing::warn!(%error, pid = self.id, "a child could not be killed");
        }
        if matches!(running.child.try_wait(), Ok(None)) {
            // Whether it gets to its end is the child's affair, and nobody's to be told.
            context::with(|core| {
                if let Some(core) = core {
                    core.spawn(async move { drop(running.wait().await) })
                        .detach();
                }
            });
        }
    }
}
