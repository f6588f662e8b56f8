//! Where what the ring cannot do is done: by a thread that may block. The one place that knows which.

use crate::spawn_blocking;
use std::io;
use std::panic::resume_unwind;

/// Calls `call` on another thread and waits for it. **Dropped**, the call takes place all the same, once it was asked for; its outcome is
/// dropped there.
///
/// # Panics
/// Outside of a runtime.
pub(super) async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    match spawn_blocking(call).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        // The runtime is shutting down.
        Err(error) => Err(io::Error::other(error)),
    }
}
