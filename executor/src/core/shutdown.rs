//! A core's orderly end: stop taking tasks in and drop them all here; meet the others, since each may have had values of this core; drop the core's own
//! values; cancel and reap every operation; meet the others again.

use super::Core;
use super::homecoming::Homecoming;
use super::progress::Phase;
use super::run_loop::AbortOnUnwind;
use crate::task::TaskRef;
use reactor::contain_panic;
use std::any::Any;
use std::time::Duration;

/// How long the kernel has to give cancelled operations back. Sockets answer at once; a disk may take its time.
const REAP_LIMIT: Duration = Duration::from_secs(5);

impl Core {
    /// To be called on the core's thread, entered, after its loop has ended; every core of the runtime must come here.
    ///
    /// Futures are dropped on this thread. What they wake or spawn meanwhile is cancelled. On return nothing can reach the core
    /// but late wakes, which find it closed, and the kernel has let go of every buffer (or they were leaked, and an error logged).
    pub(crate) fn shut_down(&self) {
        let abort = AbortOnUnwind;
        // From here on what is sent goes to the foreign queues; what was sent before reaches the others' rings, for their own last look.
        self.is_closing.set(true);
        self.publish_all();
        self.enter(Phase::DroppingTasks);
        self.shared.close();
        self.drop_tasks();
        // What tasks of other cores had of ours has come home by now. It was a task's: to it, too, the core's own values are there.
        self.meet();
        self.enter(Phase::DroppingValues);
        self.drop_returned(Homecoming::take);
        // Tasks may use them until their end. They may hold sockets: what these have in flight is reaped with the rest.
        self.locals.close();
        self.drop_returned(Homecoming::take);
        self.enter(Phase::Reaping);
        // Its error was logged, and there is nobody to hand it to.
        let _ = self.reactor.shutdown(REAP_LIMIT);
        self.enter(Phase::DroppingTasks);
        // Reaping wakes tasks and drops buffers: foreign code, which may have spawned.
        self.drop_tasks();
        // Beyond this point nobody writes to a ring any more.
        self.meet();
        self.enter(Phase::DroppingValues);
        // Not while they are borrowed: to settle a task is to drop foreign values.
        let receivers = self.receivers.take();
        // In a forked child, another core may have held the lock of an overflow.
        for mut receiver in receivers.into_iter().filter(|_| self.is_here()) {
            receiver.take(usize::MAX, |header| {
                // SAFETY: the sender gave the ring a reference, and the ring gave it to us.
                self.shared.settle(unsafe { TaskRef::from_raw(header) });
            });
        }
        self.drop_returned(Homecoming::take);
        // Each has dropped what it had: what was another's has come home to that one. (Of values of one core inside of values of another inside of
        // values of the first, and so on, only so many come home as there are meetings; the rest is leaked, and a warning logged.)
        self.meet();
        self.enter(Phase::DroppingValues);
        self.drop_returned(Homecoming::close);
        self.timers.clear();
        self.enter(Phase::Outside);
        std::mem::forget(abort);
    }

    /// Waits for the other cores.
    fn meet(&self) {
        self.enter(Phase::Meeting);
        self.runtime.meet();
    }

    /// Drops the values of this core that were dropped elsewhere when it took no tasks in any more.
    fn drop_returned(&self, take: impl FnOnce(&Homecoming) -> Vec<Box<dyn Any + Send>>) {
        for value in take(self.shared.homecoming()) {
            contain_panic("dropping a value that has come home", || drop(value));
        }
    }

    /// Cancels every task, in the order of the table. Nothing is borrowed while a future is dropped.
    fn drop_tasks(&self) {
        let tasks: Vec<TaskRef> = {
            let mut tasks = self.tasks.borrow_mut();
            tasks.drain().collect()
        };
        // The run queue's pointers are good while we hold `tasks`, and nothing is queued that is complete.
        for task in &tasks {
            if !task.header().is_complete() {
                self.shared.progress().begin(task);
                // SAFETY: this is the task's core, and none of its tasks is being polled.
                unsafe { task.cancel() };
                self.shared.progress().came_round();
            }
        }
        self.run_queue.borrow_mut().clear();
    }
}
