//! What a core sends to the others: collected during a turn, published at its end, a batch for each core and one fence for all.
//!
//! What does not fit into a pair ring stays here, in order, and goes out in a later turn. A core
//! that would block with something left puts it into the rings' overflow, which has no limit: so
//! nobody ever waits for room. Either way a core gets what another sent it in the order in which it
//! was sent.

use super::pair_ring::Sender;
use super::shared::CoreShared;
use crate::stats::Wakes;
use crate::task::{Header, TaskRef};
use reactor::park::publish_fence;
use std::collections::VecDeque;
use std::sync::Arc;

struct Outbox {
    core: Arc<CoreShared>,
    /// `None` to oneself: that way nothing is sent.
    sender: Option<Sender<Header>>,
    waiting: VecDeque<TaskRef>,
}

/// One core's outboxes, by the receiver's number.
pub(super) struct Outboxes {
    outboxes: Box<[Outbox]>,
    /// The receivers for whom something waits, each once.
    dirty: Vec<usize>,
}

impl Outboxes {
    pub(super) fn new(
        cores: &[Arc<CoreShared>],
        senders: impl IntoIterator<Item = Option<Sender<Header>>>,
    ) -> Self {
        let outboxes = cores
            .iter()
            .zip(senders)
            .map(|(core, sender)| Outbox {
                core: Arc::clone(core),
                sender,
                waiting: VecDeque::new(),
            })
            .collect();
        Self {
            outboxes,
            dirty: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.dirty.is_empty()
    }

    pub(super) fn push(&mut self, core: usize, task: TaskRef) {
        let waiting = &mut self.outboxes[core].waiting;
        if waiting.is_empty() {
            self.dirty.push(core);
        }
        waiting.push_back(task);
    }

    /// Sends what fits, and wakes the receivers that are asleep. Returns what that took.
    pub(super) fn publish(&mut self) -> Wakes {
        for core in &self.dirty {
            self.outboxes[*core].send();
        }
        self.wake()
    }

    /// As [`publish`](Self::publish), but sends everything.
    pub(super) fn publish_all(&mut self) -> Wakes {
        for core in &self.dirty {
            self.outboxes[*core].send_all();
        }
        self.wake()
    }

    fn wake(&mut self) -> Wakes {
        publish_fence();
        let outboxes = &self.outboxes;
        let mut wakes = Wakes::default();
        self.dirty.retain(|core| {
            let outbox = &outboxes[*core];
            wakes.count(outbox.core.ring());
            !outbox.waiting.is_empty()
        });
        wakes
    }
}

impl Outbox {
    fn sender(sender: &mut Option<Sender<Header>>) -> &mut Sender<Header> {
        sender.as_mut().expect("a core sends nothing to itself")
    }

    fn send(&mut self) {
        let sender = Self::sender(&mut self.sender);
        while let Some(task) = self.waiting.pop_front() {
            if let Err(header) = sender.send(task.into_raw()) {
                // SAFETY: it is the reference we just turned into a pointer, and the ring did not
                // take it.
                let task = unsafe { TaskRef::from_raw(header) };
                self.waiting.push_front(task);
                break;
            }
        }
    }

    fn send_all(&mut self) {
        let sender = Self::sender(&mut self.sender);
        for task in self.waiting.drain(..) {
            sender.send_anyway(task.into_raw());
        }
    }
}
