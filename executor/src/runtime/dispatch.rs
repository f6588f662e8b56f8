//! Makes a task for a core and sends it there: what every way to spawn on a core by its number ends in.

use crate::core::{Core, CoreShared, RuntimeShared, context};
use crate::task::{JoinHandle, TaskRef, allocate};
use std::future::Future;
use std::sync::Arc;

/// A core was asked for that the runtime does not have.
pub(crate) struct NoSuchCore {
    asked: usize,
    cores: usize,
}

impl NoSuchCore {
    /// What was sent.
    ///
    /// # Panics
    /// At the caller's line, if there is no such core.
    #[inline]
    #[track_caller]
    pub(crate) fn refuse<T>(sent: Result<T, Self>) -> T {
        match sent {
            Ok(sent) => sent,
            Err(Self { asked, cores }) => panic!(
                "there is no core {asked}: this runtime has {cores} (0 to {})",
                cores - 1
            ),
        }
    }
}

/// Makes a task for the core numbered `core` and sends it there.
///
/// # Errors
/// If there is no such core; the future is dropped then.
///
/// # Safety
/// Before its first poll the future may be sent to, and be dropped on, any thread; and so may its output at any time.
pub(crate) unsafe fn dispatch<F: Future + 'static>(
    runtime: &RuntimeShared,
    current: Option<&Core>,
    core: usize,
    future: F,
) -> Result<JoinHandle<F::Output>, NoSuchCore> {
    // SAFETY: the caller vouches for other threads; it borrows nothing.
    dispatch_as(runtime, current, core, |core, travels| unsafe {
        allocate(core, travels, future)
    })
}

/// The same for a task that `make` makes for a core, told whether it travels there.
///
/// # Errors
/// As for [`dispatch`]; `make` is not called then.
#[inline]
pub(crate) fn dispatch_as<T>(
    runtime: &RuntimeShared,
    current: Option<&Core>,
    core: usize,
    make: impl FnOnce(Arc<CoreShared>, bool) -> (TaskRef, JoinHandle<T>),
) -> Result<JoinHandle<T>, NoSuchCore> {
    runtime.origin().expect_here("spawn_on");
    let cores = runtime.cores();
    let Some(target) = cores.get(core) else {
        return Err(NoSuchCore {
            asked: core,
            cores: cores.len(),
        });
    };
    let reference = current.map_or_else(|| Arc::clone(target), |here| here.reference_to(target));
    let here = current.filter(|here| here.is(target));
    let (task, handle) = make(reference, here.is_none());
    match here {
        Some(here) => here.admit(task),
        None => context::send(current, task),
    }
    Ok(handle)
}
