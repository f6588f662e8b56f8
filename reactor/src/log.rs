//! How the reactor and the executor log: by [`log!`](crate::log!), and in no other way (a test of the executor, `logging`, looks for others).
//!
//! A subscriber of `tracing` is foreign code. It may panic, start tasks, wake them, or read the statistics. Therefore:
//!
//! - Nothing is locked or borrowed at the place that logs. The place has to see to that.
//! - A panic of the subscriber ends here. The caller may be a drop during unwinding, where a second panic would end the process.
//! - What the subscriber causes while it handles one of our events, on the same thread, is not logged. Else a subscriber that starts a blocking
//!   closure for each event would never return when the start itself logs, because no thread can be had.

use crate::contain::completes;
use std::cell::Cell;

thread_local! {
    static IS_LOGGING: Cell<bool> = const { Cell::new(false) };
}

/// Logs an event: the level, then what the macro of `tracing` for that level takes. The event has the target of the module that logs.
#[macro_export]
macro_rules! log {
    ($level:ident, $($event:tt)+) => {
        $crate::log::emit(|| ::tracing::$level!($($event)+))
    };
}

/// Calls `event`, which is one of the macros of `tracing`; what [`log!`](crate::log!) expands to.
pub fn emit(event: impl FnOnce()) {
    // The last thread-locals of a thread may be dropped when this one is gone; then the event is lost.
    if IS_LOGGING
        .try_with(|logging| logging.replace(true))
        .unwrap_or(true)
    {
        return;
    }
    completes(event);
    IS_LOGGING.set(false);
}
