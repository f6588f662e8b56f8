//! A value that travels, but is used and dropped at home. As Seastar's `foreign_ptr`.

use crate::runtime::Handle;
use std::fmt;
use std::thread::{self, ThreadId};

/// A value that may be sent anywhere, also if it is not `Send`, since it can be reached on its home core alone: the one it was made on.
///
/// It is for answers and requests that carry something that their sender will need when it gets them back, or that must not be dropped
/// elsewhere.
///
/// **Dropped** anywhere else, the value is sent home and dropped there: by a task, or, when the runtime shuts down, by its core at its end. If its home
/// is gone by then, it is leaked, and a warning is logged: it may not be touched on another thread.
///
/// # Examples
/// ```
/// use executor::Foreign;
/// use std::rc::Rc;
/// # #[executor::main]
/// # async fn main() {
/// let name = Foreign::new(Rc::new("home"));
/// let last = executor::cores() - 1;
/// let back = executor::spawn_on(last, async move || {
///     // On another core there is nothing to see.
///     assert_eq!(name.get().is_some(), executor::current_core() == 0);
///     name
/// });
/// let name = back.await.unwrap().try_into_inner().unwrap();
/// assert_eq!(*name, "home");
/// # }
/// ```
pub struct Foreign<T: 'static> {
    /// `None` from its drop on.
    value: Option<Homebound<T>>,
    core: usize,
}

impl<T: 'static> Foreign<T> {
    /// This core becomes the value's home.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn new(value: T) -> Self {
        let (runtime, core) = (Handle::current(), crate::current_core());
        Self {
            value: Some(Homebound {
                value: Some(value),
                home: thread::current().id(),
                runtime,
                core,
            }),
            core,
        }
    }

    /// The number of the core that is its home.
    pub fn home(&self) -> usize {
        self.core
    }

    /// Whether this is its home.
    pub fn is_home(&self) -> bool {
        self.value.as_ref().is_some_and(Homebound::is_home)
    }

    /// The value; `None` elsewhere than on its home core.
    pub fn get(&self) -> Option<&T> {
        let homebound = self.value.as_ref().filter(|value| value.is_home())?;
        homebound.value.as_ref()
    }

    /// The same, to change it.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        let homebound = self.value.as_mut().filter(|value| value.is_home())?;
        homebound.value.as_mut()
    }

    /// The value itself.
    ///
    /// # Errors
    /// Gives this back, elsewhere than on its home core.
    pub fn try_into_inner(mut self) -> Result<T, Self> {
        if !self.is_home() {
            return Err(self);
        }
        let value = self.value.as_mut().and_then(|value| value.value.take());
        Ok(value.expect("it is there until it is taken or dropped"))
    }
}

impl<T: 'static> Drop for Foreign<T> {
    fn drop(&mut self) {
        let away = self.value.take_if(|value| !value.is_home());
        if let Some(homebound) = away {
            // In a forked child its home is the parent's.
            if !homebound.runtime.is_here() {
                return std::mem::forget(homebound);
            }
            let runtime = homebound.runtime.clone();
            let arrive = async move { drop(homebound) };
            runtime.spawn_future_on(self.core, arrive).detach();
        }
    }
}

impl<T: fmt::Debug + 'static> fmt::Debug for Foreign<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Foreign")
            .field("home", &self.core)
            .field("value", &self.get())
            .finish_non_exhaustive()
    }
}

/// A value that is touched on its home thread only: a core's thread stays the same, and no two threads of a process have the same id.
struct Homebound<T: 'static> {
    value: Option<T>,
    home: ThreadId,
    runtime: Handle,
    core: usize,
}

// SAFETY: what travels is the bytes. The value is borrowed, given out, and dropped by `Foreign::get`, `get_mut`, `try_into_inner` and the drops, all of
// which look first whether this is the thread it was made on; if not, they move it, unseen, or forget it.
unsafe impl<T: 'static> Send for Homebound<T> {}
// SAFETY: the same; and through a shared reference it can only be borrowed, which elsewhere yields nothing.
unsafe impl<T: 'static> Sync for Homebound<T> {}

impl<T> Homebound<T> {
    fn is_home(&self) -> bool {
        thread::current().id() == self.home
    }
}

impl<T> Drop for Homebound<T> {
    fn drop(&mut self) {
        // On its way it came to where its home takes no tasks in any more. (What is brought home is whole again: its own drop will be there.)
        if self.is_home() || self.value.is_none() {
            return;
        }
        if !self.runtime.is_here() {
            // A forked child: no home is there, and the lock of the homecoming may have been held.
            return std::mem::forget(self.value.take());
        }
        let stranded = Box::new(Self {
            value: self.value.take(),
            home: self.home,
            runtime: self.runtime.clone(),
            core: self.core,
        });
        if let Err(lost) = self.runtime.core(self.core).homecoming().bring(stranded) {
            if let Ok(mut lost) = lost.downcast::<Self>() {
                std::mem::forget(lost.value.take());
            }
            reactor::log!(
                warn,
                core = self.core,
                "a Foreign was dropped when its home core was gone: its value is leaked"
            );
        }
    }
}
