//! Operations only tests need: they want no peer, or tell what became of them.

use io_uring::{opcode, types};
use reactor::Entry;
use reactor::operation::{Completion, Operation};
use std::cell::RefCell;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;

/// Completes as soon as it is submitted, with zero.
pub(crate) struct Nop;

// SAFETY: the entry points to nothing.
unsafe impl Operation for Nop {
    type Output = io::Result<u32>;

    fn entry(&mut self) -> Entry {
        opcode::Nop::new().build()
    }

    fn complete(self, completion: Completion) -> Self::Output {
        completion.result()
    }
}

/// An entry that the kernel refuses to take up, with `EINVAL`: it names credentials that were never registered.
pub(crate) struct Refused;

// SAFETY: the entry points to nothing.
unsafe impl Operation for Refused {
    type Output = io::Result<u32>;

    fn entry(&mut self) -> Entry {
        opcode::Nop::new().build().personality(u16::MAX)
    }

    fn complete(self, completion: Completion) -> Self::Output {
        completion.result()
    }
}

/// Completes when the descriptor becomes readable. Any number of them can wait for one.
pub(crate) struct Readable(Rc<OwnedFd>);

impl Readable {
    pub(crate) fn new(descriptor: &Rc<OwnedFd>) -> Self {
        Self(Rc::clone(descriptor))
    }
}

// SAFETY: the entry points to nothing.
unsafe impl Operation for Readable {
    type Output = io::Result<u32>;

    fn entry(&mut self) -> Entry {
        opcode::PollAdd::new(types::Fd(self.0.as_raw_fd()), libc::POLLIN as u32).build()
    }

    fn complete(self, completion: Completion) -> Self::Output {
        completion.result()
    }
}

/// What the kernel said to each of some operations, whether or not their futures were there to hear it.
pub(crate) type WitnessLog = Rc<RefCell<Vec<Result<u32, i32>>>>;

/// Another operation, with its outcome written down.
pub(crate) struct Witness<O> {
    operation: O,
    log: WitnessLog,
}

impl<O> Witness<O> {
    pub(crate) fn new(operation: O, log: &WitnessLog) -> Self {
        Self {
            operation,
            log: Rc::clone(log),
        }
    }
}

// SAFETY: as for `operation`, which is a part of us and moves only when we do.
unsafe impl<O: Operation> Operation for Witness<O> {
    type Output = O::Output;

    fn entry(&mut self) -> Entry {
        self.operation.entry()
    }

    fn complete(self, completion: Completion) -> Self::Output {
        let outcome = completion
            .result()
            .map_err(|error| error.raw_os_error().expect("the kernel's own"));
        self.log.borrow_mut().push(outcome);
        self.operation.complete(completion)
    }
}
