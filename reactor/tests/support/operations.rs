//! Operations only tests need: they want no peer, or tell what became of them.

use io_uring::{opcode, types};
use reactor::Entry;
use reactor::operation::{Completion, Operation};
use std::cell::RefCell;
use std::collections::VecDeque;
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

/// Completes with what it is told, one result for each time that it is submitted. Only from Linux 6.10 on: before, always with zero.
pub(crate) struct Scripted {
    results: VecDeque<i32>,
    repeatable: bool,
}

impl Scripted {
    pub(crate) fn new(results: impl IntoIterator<Item = i32>) -> Self {
        Self {
            results: results.into_iter().collect(),
            repeatable: true,
        }
    }

    pub(crate) fn not_repeatable(self) -> Self {
        Self {
            repeatable: false,
            ..self
        }
    }
}

// SAFETY: the entry points to nothing.
unsafe impl Operation for Scripted {
    type Output = io::Result<u32>;

    fn entry(&mut self) -> Entry {
        /// `IORING_NOP_INJECT_RESULT`: the result is in the place of the length.
        const INJECT_RESULT: u32 = 1;
        let result = self.results.pop_front().expect("one for each submission");
        let mut entry = opcode::Nop::new().build();
        // SAFETY: an entry is a `struct io_uring_sqe`, 64 bytes, with the length at 24 and the operation's flags at 28.
        unsafe {
            let words = (&raw mut entry).cast::<u32>();
            words.add(6).write(result as u32);
            words.add(7).write(INJECT_RESULT);
        }
        entry
    }

    fn is_repeatable(&self) -> bool {
        self.repeatable
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
