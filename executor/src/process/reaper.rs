//! Children that were dropped before their end. They are waited for here, so that none stays a zombie while the process lives.
//!
//! No core does it: a core may end, or stand still between two `block_on`s, and a child may be dropped where there is no core. One thread for the
//! process waits, in poll(2) on the children's descriptors. It is started for the first child and ends after the last. If it cannot be had, the
//! children are asked whether they have ended whenever another is started or dropped.
//!
//! Only children that were handed over are waited for, each by its descriptor: never any child of the process, and no signal is handled.

use super::running::try_wait;
use reactor::Origin;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use std::{io, thread};

/// How often to ask for children that poll(2) is of no use for.
const ASKING_INTERVAL: Duration = Duration::from_millis(100);

/// The children of one process. A forked process has no such thread, and these are not its children: it makes itself another of these, since a
/// thread of its parent may have held the lock at the fork.
struct OfProcess {
    origin: Origin,
    /// Locked for a few instructions and system calls that do not wait, never while foreign code runs.
    reaper: Mutex<Reaper>,
    /// That of a forked process.
    forked: OnceLock<Box<Self>>,
}

#[derive(Default)]
struct Reaper {
    /// Those that the thread has not taken yet.
    children: Vec<Arc<OwnedFd>>,
    /// The descriptor that wakes the thread; `None` if there is none.
    thread: Option<Arc<OwnedFd>>,
}

/// Waits for this child of ours in the background. It has not ended.
pub(super) fn adopt(child: Arc<OwnedFd>) {
    lock().children.push(child);
    attend();
}

/// To be called now and then: sees to it that those that were handed over are waited for. Costs little if there are none.
pub(super) fn attend() {
    // Unlocked by the end of this line: to start a thread takes long, and may log.
    let begun = lock().begin_thread();
    let started = match begun {
        Ok(None) => return,
        Ok(Some(wake)) => start_thread(wake),
        Err(error) => Err(error),
    };
    if let Err(error) = started {
        lock().thread = None;
        reactor::log!(
            warn,
            %error,
            "no thread can be had to wait for dropped children: they stay zombies until another child is started or dropped"
        );
    }
}

fn start_thread(wake: Arc<OwnedFd>) -> io::Result<()> {
    // On a core, it would inherit one CPU.
    crate::unpinned(|| {
        thread::Builder::new()
            .name("reaper".to_owned())
            .spawn(move || wait_for_all(&wake))
    })
    .map(drop)
}

impl OfProcess {
    fn new() -> Self {
        Self {
            origin: Origin::here(),
            reaper: Mutex::default(),
            forked: OnceLock::new(),
        }
    }
}

fn lock() -> MutexGuard<'static, Reaper> {
    static FIRST: OnceLock<OfProcess> = OnceLock::new();

    let mut of_process = FIRST.get_or_init(OfProcess::new);
    while !of_process.origin.is_here() {
        of_process = of_process.forked.get_or_init(|| Box::new(OfProcess::new()));
    }
    let locked = of_process.reaper.lock();
    locked.unwrap_or_else(PoisonError::into_inner)
}

impl Reaper {
    /// If a thread has to be started: the descriptor to wake it by, and it counts as started.
    fn begin_thread(&mut self) -> io::Result<Option<Arc<OwnedFd>>> {
        if self.children.is_empty() {
            return Ok(None);
        }
        if let Some(wake) = &self.thread {
            // Its counter would have to be at its maximum for this to fail, and then it wakes as well.
            let _ = rustix::io::write(wake, &1u64.to_ne_bytes());
            return Ok(None);
        }
        self.children.retain(|child| !has_ended(child));
        if self.children.is_empty() {
            return Ok(None);
        }
        let wake = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        self.thread = Some(Arc::clone(&wake));
        Ok(Some(wake))
    }
}

struct Waiting {
    child: Arc<OwnedFd>,
    /// poll(2) is of no use: the child has ended, but its debugger has to be told first; or poll failed.
    is_asked: bool,
}

/// The life of the thread.
fn wait_for_all(wake: &OwnedFd) {
    let mut waiting: Vec<Waiting> = Vec::new();
    loop {
        {
            let mut reaper = lock();
            let taken = reaper.children.drain(..).map(|child| Waiting {
                child,
                is_asked: false,
            });
            waiting.extend(taken);
            if waiting.is_empty() {
                reaper.thread = None;
                return;
            }
        }
        wait_for_some(wake, &mut waiting);
    }
}

/// Sleeps until a child has ended or others were handed over; removes those that have ended.
fn wait_for_some(wake: &OwnedFd, waiting: &mut Vec<Waiting>) {
    let polled = waiting.iter().filter(|waiting| !waiting.is_asked);
    let mut descriptors: Vec<PollFd<'_>> = polled
        .map(|waiting| PollFd::new(&waiting.child, PollFlags::IN))
        .chain([PollFd::new(wake, PollFlags::IN)])
        .collect();
    let interval = Timespec::try_from(ASKING_INTERVAL).expect("a short time");
    let is_any_asked = waiting.iter().any(|waiting| waiting.is_asked);
    let polled = poll(&mut descriptors, is_any_asked.then_some(&interval));
    // No memory, or the limit on descriptors was lowered below their number.
    let has_failed = !matches!(polled, Ok(_) | Err(Errno::INTR));
    if has_failed {
        thread::sleep(ASKING_INTERVAL);
    }
    let is_ready: Vec<bool> = descriptors
        .iter()
        .map(|descriptor| has_failed || !descriptor.revents().is_empty())
        .collect();
    // Fails if nothing was written.
    let _ = rustix::io::read(wake, &mut [0; 8]);
    let mut is_ready = is_ready.into_iter();
    waiting.retain_mut(|waiting| {
        let may_have_ended = waiting.is_asked || is_ready.next().unwrap_or(false);
        waiting.is_asked = may_have_ended;
        !(may_have_ended && has_ended(&waiting.child))
    });
}

/// Whether it has ended; if so it is a zombie no more. An error says that somebody else has waited for it.
fn has_ended(child: &OwnedFd) -> bool {
    !matches!(try_wait(child), Ok(None))
}
