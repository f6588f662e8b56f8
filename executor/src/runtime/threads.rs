//! What can be chosen about the threads of cores: their names, their stacks, and what is called when they begin and end.

#![forbid(unsafe_code)]

use super::StartError;
use crate::task::panic_text;
use reactor::{Origin, contain_panic};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::{fmt, io, thread};

type Name = Arc<dyn Fn(usize) -> String + Send + Sync>;
type Hook = Arc<dyn Fn(usize) + Send + Sync>;

#[derive(Clone, Default)]
pub(super) struct Threads {
    pub(super) name: Option<Name>,
    pub(super) stack_bytes: Option<usize>,
    pub(super) on_start: Option<Hook>,
    pub(super) on_stop: Option<Hook>,
}

impl Threads {
    /// For the thread of the core of this number.
    pub(super) fn builder(&self, core: usize) -> io::Result<thread::Builder> {
        let name = match &self.name {
            Some(name) => name(core),
            None => format!("core-{core}"),
        };
        if name.contains('\0') {
            let text = format!("its name, {name:?}, has a zero byte in it");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let builder = thread::Builder::new().name(name);
        Ok(match self.stack_bytes {
            Some(bytes) => builder.stack_size(bytes),
            None => builder,
        })
    }

    /// On the thread of a core that is ready to run: calls the hook.
    pub(super) fn begin(&self, core: usize) -> Result<Begun, StartError> {
        if let Some(hook) = &self.on_start {
            catch_unwind(AssertUnwindSafe(|| hook(core))).map_err(|payload| {
                let panic = panic_text(&*payload).unwrap_or("no text").to_owned();
                contain_panic("dropping the panic of on_thread_start", || drop(payload));
                StartError::StartHook { core, panic }
            })?;
        }
        Ok(Begun {
            core,
            origin: Origin::here(),
            on_stop: self.on_stop.clone(),
        })
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Threads")
            .field("has_name", &self.name.is_some())
            .field("stack_bytes", &self.stack_bytes)
            .field("has_on_start", &self.on_start.is_some())
            .field("has_on_stop", &self.on_stop.is_some())
            .finish()
    }
}

/// The thread has begun to be a core. Dropped on it when nothing is left of the core, it calls the other hook; not in a forked child.
pub(super) struct Begun {
    core: usize,
    origin: Origin,
    on_stop: Option<Hook>,
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(hook) = &self.on_stop
            && self.origin.is_here()
        {
            contain_panic("on_thread_stop", || hook(self.core));
        }
    }
}
