//! A child that was not waited for yet, by its descriptor. A [`Child`](super::Child) has it; after its drop the `reaper` has the descriptor.
//!
//! The child's number is looked at once, when it was just started. Somebody else may wait for it (or nobody need, where the program ignores
//! `SIGCHLD`), and then the number is free to be another's; the descriptor stays the child's, dead or alive.

use super::ExitStatus;
use crate::io::AsyncFd;
use crate::time::{Duration, sleep};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus, pidfd_open, pidfd_send_signal,
    waitid,
};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process;
use std::sync::Arc;

/// How long it is left alone, after its end, when it could not be waited for: at first, and at most.
const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(100);

/// The descriptor, readable when the child has ended.
#[derive(Debug)]
pub(super) struct Running(AsyncFd<Arc<OwnedFd>>);

impl Running {
    /// Of a child that was just started. `None` if it is no more: it has ended, and the program ignores `SIGCHLD`. One that there is no descriptor for
    /// is killed.
    pub(super) fn new(child: &mut process::Child) -> io::Result<Option<Self>> {
        match pidfd_open(Pid::from_child(child), PidfdFlags::empty()) {
            Ok(descriptor) => Ok(Some(Self(AsyncFd::new(Arc::new(descriptor))))),
            Err(Errno::SRCH) => Ok(None),
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(error.into())
            }
        }
    }

    /// Its status, if it has ended. `ECHILD` if that was told to somebody else.
    pub(super) fn try_wait(&self) -> io::Result<Option<ExitStatus>> {
        try_wait(&self.0)
    }

    /// For somebody else to wait for it.
    pub(super) fn into_descriptor(self) -> Arc<OwnedFd> {
        Arc::clone(self.0.get_ref())
    }

    /// Waits for its end. **Dropped**, the child can be waited for again.
    pub(super) async fn wait(&self) -> io::Result<ExitStatus> {
        if let Some(status) = self.try_wait()? {
            return Ok(status);
        }
        self.0.readable().await?;
        let mut pause = PAUSE_MIN;
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            // A debugger traces it, and has to wait for it first. The descriptor is readable all the while, and nothing tells when that was done.
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Sends it `SIGKILL`; if it has ended, nobody.
    pub(super) fn kill(&self) -> io::Result<()> {
        match pidfd_send_signal(&self.0, Signal::KILL) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The status of the child of this descriptor, if it has ended. `ECHILD` if that was told to somebody else, or it is not a child of this process.
pub(super) fn try_wait(child: &impl AsFd) -> io::Result<Option<ExitStatus>> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    let ended = waitid(WaitId::PidFd(child.as_fd()), options)?;
    Ok(ended.map(|status| exit_status(&status)))
}

/// What waitid(2) tells in parts, as wait(2) packs it.
fn exit_status(status: &WaitIdStatus) -> ExitStatus {
    const DUMPED_CORE: i32 = 0x80;
    let packed = match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => (code & 0xFF) << 8,
        (None, Some(signal)) if status.dumped() => signal | DUMPED_CORE,
        (None, Some(signal)) => signal,
        (None, None) => unreachable!("only ends are waited for: {status:?}"),
    };
    ExitStatus::from_raw(packed)
}
