//! `close().await` of what is read and written in order: sockets, listeners and pipes.
//!
//! Dropping one of them closes it when the last operation that was dropped with it, or before, has ended. This waits for that, and then closes.
//! An operation whose future is alive would be waited for in vain, if it is the caller's: so that is an error.

use super::ends::reactor;
use crate::time::sleep;
use reactor::operation::Op;
use reactor::{Descriptor, Lane};
use std::io;
use std::rc::Rc;
use std::time::Duration;

/// # Errors
/// `ResourceBusy` while a future or a stream is alive that has an operation in the lane, or may begin one.
pub(crate) fn refuse_if_used<T>(lane: &Rc<Lane<T>>) -> io::Result<()> {
    if lane.is_abandoned() {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::ResourceBusy,
        "it is closed later: a future, a stream or a half of it is still alive; drop those before close",
    ))
}

/// Closes a descriptor whose lanes have settled.
pub(crate) async fn close(mut descriptor: Descriptor) -> io::Result<()> {
    /// A worker thread of the kernel takes about this long.
    const AGAIN: Duration = Duration::from_micros(100);
    loop {
        let reactor = reactor("close");
        match descriptor.try_into_close(&reactor) {
            Ok(close) => return Op::new(reactor, close).await,
            // A shutdown that was dropped: it has no lane, since it waits for nothing.
            Err(shared) => descriptor = shared,
        }
        sleep(AGAIN).await;
    }
}

/// The method, for types whose first field has it.
macro_rules! close_method {
    () => {
        /// Closes it. When this is ready the kernel has let go of it: its descriptor and its address are free.
        ///
        /// Operations of it that were dropped, and are being cancelled, are waited for. What they have received for the next one is lost, as
        /// are connections that wait to be accepted. **Dropped** before it is ready, it is closed all the same, a little later.
        ///
        /// # Errors
        /// As close(2) has them; it is closed then, too. `ResourceBusy` if a future or a stream of it is still alive: drop those first. In that
        /// case it is closed when the last of them is dropped.
        ///
        /// # Panics
        /// Outside of a runtime.
        pub async fn close(self) -> std::io::Result<()> {
            self.0.close().await
        }
    };
}

pub(crate) use close_method;
