//! Starting a runtime: everything that is shared first, then the threads, and only when every core is ready does `start` return.

use super::affinity::Affinity;
use super::threads::{Begun, Threads};
use super::{Runtime, StartError, cpus};
use crate::blocking::Limits;
use crate::core::pair_ring::pair_ring;
use crate::core::{Core, PinnedCore, RuntimeShared, Wiring, context};
use crate::idle::IdlePolicy;
use reactor::monitor::Monitor;
use reactor::{Capabilities, KernelWake, Reactor, SetupError, end_child};
use std::io;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

/// Cache lines of the ring between two cores, for each direction: a burst of a thousand messages is sent without a backlog, in 8 KiB.
const PAIR_RING_LINES: usize = 128;

/// What was decided before anything is started.
pub(super) struct Plan {
    pub(super) cpus: Box<[usize]>,
    pub(super) pin: bool,
    pub(super) idle: IdlePolicy,
    pub(super) monitor: Option<Monitor>,
    pub(super) capabilities: Capabilities,
    /// That of the thread that builds the runtime.
    pub(super) affinity: Option<Affinity>,
    pub(super) blocking: Limits,
    pub(super) start_paused: bool,
    pub(super) blocking_shutdown: Duration,
    pub(super) file_workers_max: u32,
    /// Of the submission queue, if chosen.
    pub(super) ring_entries: Option<u32>,
    pub(super) threads: Threads,
}

/// What each core is made with.
#[derive(Clone, Copy)]
struct Settings {
    idle: IdlePolicy,
    monitor: Option<Monitor>,
    file_workers_max: u32,
    ring_entries: Option<u32>,
}

impl Plan {
    fn settings(&self) -> Settings {
        Settings {
            idle: self.idle,
            monitor: self.monitor,
            file_workers_max: self.file_workers_max,
            ring_entries: self.ring_entries,
        }
    }
}

pub(super) fn start(plan: Plan) -> Result<Runtime, StartError> {
    let count = plan.cpus.len();
    let wakes: Result<Vec<KernelWake>, StartError> = (0..count)
        .map(|core| KernelWake::new().map_err(|error| descriptor_error(core, error)))
        .collect();
    let shared = Arc::new(RuntimeShared::new(
        plan.cpus.clone(),
        wakes?,
        plan.capabilities,
        plan.affinity,
        plan.blocking,
        plan.start_paused,
    ));
    let mut wirings = wire(count).into_iter();
    let wiring = wirings.next().expect("there is at least one core");
    // Core 0's ring comes first: if rings cannot be had at all, no thread is started to find out.
    let begun;
    let core = new_core(&shared, 0, wiring, plan.settings())?;
    begun = plan.threads.begin(0)?;

    let (ready, readiness) = mpsc::channel();
    let mut starting = Starting {
        threads: Vec::new(),
        verdicts: Vec::new(),
    };
    for (index, wiring) in (1..).zip(wirings) {
        starting.spawn(index, wiring, &shared, &plan, ready.clone())?;
    }
    drop(ready);
    for _ in 1..count {
        readiness.recv().expect("each core's thread reports once")?;
    }
    let mut threads = starting.go();
    threads.extend(start_watchdog(&shared));
    reactor::log!(debug, cpus = ?shared.cpus(), capabilities = %shared.capabilities(), "runtime started");
    Ok(Runtime {
        core: Rc::new(core),
        pin: plan.pin.then(|| plan.cpus[0]),
        threads,
        blocking_shutdown: plan.blocking_shutdown,
        _begun: begun,
    })
}

/// The thread that says when a core is stuck. The runtime does without if it cannot be had.
fn start_watchdog(shared: &Arc<RuntimeShared>) -> Option<thread::JoinHandle<()>> {
    let runtime = Arc::clone(shared);
    thread::Builder::new()
        .name("watchdog".to_owned())
        .spawn(move || runtime.watchdog().watch(&runtime))
        .inspect(|watchdog| shared.watchdog().is_thread(watchdog.thread()))
        .inspect_err(|error| {
            reactor::log!(debug, %error, "no thread can be had to say when a core is stuck");
        })
        .ok()
}

/// A ring for each ordered pair of cores.
fn wire(count: usize) -> Vec<Wiring> {
    let mut wirings: Vec<Wiring> = (0..count)
        .map(|_| Wiring {
            senders: Vec::new(),
            receivers: Vec::new(),
        })
        .collect();
    for from in 0..count {
        for to in 0..count {
            let sender = (from != to).then(|| {
                let (sender, receiver) = pair_ring(PAIR_RING_LINES);
                wirings[to].receivers.push(receiver);
                sender
            });
            wirings[from].senders.push(sender);
        }
    }
    wirings
}

fn new_core(
    shared: &Arc<RuntimeShared>,
    index: usize,
    wiring: Wiring,
    settings: Settings,
) -> Result<Core, SetupError> {
    let Settings {
        idle,
        monitor,
        file_workers_max,
        ring_entries,
    } = settings;
    let core = Arc::clone(&shared.cores()[index]);
    let (capabilities, wake) = (shared.capabilities(), Arc::clone(core.kernel_wake()));
    let reactor = match ring_entries {
        Some(entries) => Reactor::with_entries(capabilities, wake, entries, 16 * entries)?,
        None => Reactor::new(capabilities, wake)?,
    };
    reactor.set_file_workers_max(file_workers_max);
    Ok(Core::new(
        core,
        Arc::clone(shared),
        reactor,
        wiring,
        idle,
        monitor,
    ))
}

fn descriptor_error(core: usize, error: io::Error) -> StartError {
    match error
        .raw_os_error()
        .map(rustix::io::Errno::from_raw_os_error)
    {
        Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE) => {
            StartError::Ring(SetupError::NoDescriptors)
        }
        _ => StartError::Wake { core, error },
    }
}

/// Threads that have been started and wait to be told whether the others are ready as well. Dropped, they are told to go home.
struct Starting {
    threads: Vec<thread::JoinHandle<()>>,
    verdicts: Vec<mpsc::Sender<()>>,
}

impl Starting {
    fn spawn(
        &mut self,
        index: usize,
        wiring: Wiring,
        shared: &Arc<RuntimeShared>,
        plan: &Plan,
        ready: mpsc::Sender<Result<(), StartError>>,
    ) -> Result<(), StartError> {
        let (verdict, all_ready) = mpsc::channel();
        let birth = Birth {
            index,
            pin: plan.pin.then(|| plan.cpus[index]),
            wiring,
            shared: Arc::clone(shared),
            settings: plan.settings(),
            threads: plan.threads.clone(),
        };
        let life = move || match birth.make() {
            Ok(alive) => {
                let _ = ready.send(Ok(()));
                if all_ready.recv().is_ok() {
                    run(&alive.core);
                }
            }
            Err(error) => {
                let _ = ready.send(Err(error));
            }
        };
        let thread = plan.threads.builder(index);
        let thread = thread
            .and_then(|thread| thread.spawn(life))
            .map_err(|error| StartError::Thread { core: index, error })?;
        self.threads.push(thread);
        self.verdicts.push(verdict);
        Ok(())
    }

    /// Every core is ready: they may run.
    fn go(mut self) -> Vec<thread::JoinHandle<()>> {
        for verdict in &self.verdicts {
            let _ = verdict.send(());
        }
        std::mem::take(&mut self.threads)
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        self.verdicts.clear();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// What the thread of a core starts with.
struct Birth {
    index: usize,
    /// The CPU that it is pinned to.
    pin: Option<usize>,
    wiring: Wiring,
    shared: Arc<RuntimeShared>,
    settings: Settings,
    threads: Threads,
}

/// A core on its own thread, in the order in which it goes.
struct Alive {
    core: Core,
    _begun: Begun,
    _pinned: Option<PinnedCore>,
}

impl Birth {
    fn make(self) -> Result<Alive, StartError> {
        let pinned = self.pin.map(|cpu| self.pin_to(cpu)).transpose()?;
        let core = new_core(&self.shared, self.index, self.wiring, self.settings)?;
        Ok(Alive {
            core,
            _begun: self.threads.begin(self.index)?,
            _pinned: pinned,
        })
    }

    fn pin_to(&self, cpu: usize) -> Result<PinnedCore, StartError> {
        cpus::pin(cpu).ok_or_else(|| StartError::Thread {
            core: self.index,
            error: io::Error::other(format!(
                "CPU {cpu} refuses to be pinned to; do without (`Builder::pin(false)`), or see whether the cpuset has changed"
            )),
        })
    }
}

/// The life of a core that has a thread of its own.
fn run(core: &Core) {
    let _entered = context::enter(core);
    core.run_until(|| core.runtime().is_stopping());
    if core.is_here() {
        core.shut_down();
    }
    if !core.is_here() {
        end_child();
    }
}
