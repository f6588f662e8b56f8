//! Where all cores of a runtime wait for each other during its shutdown: a barrier whose waiters say what they wait for when that takes long.

use reactor::patience::Patience;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A barrier, to be used again and again.
pub(super) struct Meeting {
    cores: usize,
    state: Mutex<State>,
    is_complete: Condvar,
}

struct State {
    /// Those that wait.
    arrived: usize,
    /// How many meetings were complete.
    meetings: usize,
    /// From the arrival of the first. One for all, so that one of them speaks.
    patience: Patience,
}

impl Meeting {
    /// Of this many.
    pub(super) fn new(cores: usize) -> Self {
        Self {
            cores,
            state: Mutex::new(State {
                arrived: 0,
                meetings: 0,
                patience: Patience::new(),
            }),
            is_complete: Condvar::new(),
        }
    }

    /// Waits until all have come. Now and then, one of those that wait calls `tell` with the time that the first has waited.
    pub(super) fn wait(&self, tell: impl Fn(Duration)) {
        let mut state = self.lock();
        let meeting = state.meetings;
        if state.arrived == 0 {
            state.patience = Patience::new();
        }
        state.arrived += 1;
        if state.arrived == self.cores {
            state.arrived = 0;
            state.meetings += 1;
            self.is_complete.notify_all();
            return;
        }
        loop {
            let left = state.patience.left();
            let waited = self
                .is_complete
                .wait_timeout_while(state, left, |state| state.meetings == meeting);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.meetings != meeting {
                return;
            }
            if let Some(waited) = state.patience.ran_out() {
                drop(state);
                tell(waited);
                state = self.lock();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
