//! No runtime: two threads with a ring each, of which one is blocked in its own, and the two ways by which a core could wake another
//! through the kernel. The reactor's is the eventfd.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use io_uring::{IoUring, opcode, squeue, types};
use rustix::event::{EventfdFlags, eventfd};

use super::mark::Mark;
use super::{Cpus, Measured};
use crate::machine;

/// The blocked thread's, while it is blocked.
struct Woken {
    mark: Arc<Mark>,
    is_over: AtomicBool,
    eventfd: OwnedFd,
}

/// One write to an eventfd, on which the blocked ring has a standing poll.
pub(super) fn by_eventfd(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    wakes(cpus, length, |woken, _| {
        rustix::io::write(&woken.eventfd, &1u64.to_ne_bytes()).map(drop)?;
        Ok(())
    })
}

/// One MSG_RING from a ring of the waker's to the blocked one, entered at once.
pub(super) fn by_message(cpus: Cpus, length: Duration) -> io::Result<Measured> {
    let ring = RefCell::new(ring()?);
    wakes(cpus, length, |_, target| {
        let message = opcode::MsgRingData::new(types::Fd(target), 0, 0, None)
            .build()
            .flags(squeue::Flags::SKIP_SUCCESS);
        let mut ring = ring.borrow_mut();
        // SAFETY: the entry points to nothing.
        unsafe { ring.submission().push(&message) }.map_err(io::Error::other)?;
        ring.submit()?;
        // With its success skipped, only a failure is told.
        match ring.completion().next() {
            Some(failure) => Err(io::Error::from_raw_os_error(-failure.result())),
            None => Ok(()),
        }
    })
}

fn ring() -> io::Result<IoUring> {
    IoUring::builder()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_taskrun_flag()
        .setup_submit_all()
        .build(8)
}

/// `wake` is given the blocked ring's descriptor.
fn wakes(
    cpus: Cpus,
    length: Duration,
    wake: impl Fn(&Woken, RawFd) -> io::Result<()>,
) -> io::Result<Measured> {
    let woken = Arc::new(Woken {
        mark: Mark::new(),
        is_over: AtomicBool::new(false),
        eventfd: eventfd(0, EventfdFlags::CLOEXEC)?,
    });
    let (rings, ring) = mpsc::channel();
    let sleeper = thread::spawn({
        let woken = Arc::clone(&woken);
        move || {
            machine::pin(cpus.woken)?;
            sleep_and_mark(&woken, |ring| {
                rings.send(ring).expect("it is being waited for");
            })
        }
    });
    machine::pin(cpus.waker)?;
    let measured = ring.recv().ok().map(|target| {
        let wake = || wake(&woken, target).expect("a ring that sleeps can be woken");
        let latencies = woken.mark.time_wakes(length, |_| wake());
        woken.is_over.store(true, Ordering::Relaxed);
        wake();
        Measured {
            latencies,
            told: None,
        }
    });
    sleeper.join().expect("it does not panic")?;
    Ok(measured.expect("a ring that was made has been sent"))
}

fn sleep_and_mark(woken: &Woken, started: impl FnOnce(RawFd)) -> io::Result<()> {
    let mut ring = ring()?;
    let poll = opcode::PollAdd::new(types::Fd(woken.eventfd.as_raw_fd()), libc::POLLIN as u32)
        .multi(true)
        .build();
    // SAFETY: the entry points to nothing; the eventfd lives longer than the ring.
    unsafe { ring.submission().push(&poll) }.map_err(io::Error::other)?;
    ring.submit()?;
    started(ring.as_raw_fd());
    loop {
        ring.submit_and_wait(1)?;
        ring.completion().for_each(drop);
        // Relaxed: the kernel's wake orders it.
        if woken.is_over.load(Ordering::Relaxed) {
            return Ok(());
        }
        woken.mark.set();
    }
}
