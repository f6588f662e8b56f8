//! Foreign code that panics where nobody is left to hear of it.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a waker, or the drop of a stranger's value, whose panic must not reach the caller: it is logged as `what` and ends here. The
/// panic hook has printed it by then.
pub fn contain_panic(what: &str, call: impl FnOnce()) {
    if !completes(call) {
        crate::log!(error, "{what} panicked; the panic was contained");
    }
}

/// Whether `call` came to its end. If not, its panic ends here, and the panic hook alone has told of it.
pub(crate) fn completes(call: impl FnOnce()) -> bool {
    let Err(payload) = catch_unwind(AssertUnwindSafe(call)) else {
        return true;
    };
    // The payload's own drop may panic as well, and the drop of what that panics with; there it ends.
    if let Err(endless) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(endless);
    }
    false
}
