//! `close().await` of what is read and written in order: sockets, listeners, pipes and files.
//!
//! Dropping one of them closes it when the last operation that was dropped with it, or before, has
//! ended. This waits for that, and then closes. It is woken once, by the last holder. An operation
//! in a lane whose future is alive would be waited for in vain, if it is the caller's: so that is
//! an error.

use super::ends::current_reactor;
use reactor::operation::Op;
use reactor::{Descriptor, Lane};
use std::io;
use std::rc::Rc;

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

/// Closes a descriptor whose lanes have settled, when nobody else holds it: no operation that has
/// no lane, such as a shutdown, and no `SharedFd`.
pub(crate) async fn close(descriptor: Descriptor) -> io::Result<()> {
    let reactor = current_reactor("close");
    let descriptor = descriptor.sole().await;
    let close = descriptor.try_into_close(&reactor);
    Op::new(reactor, close.expect("nobody else holds it")).await
}

/// The method, for types whose first field has it.
macro_rules! close_method {
    () => {
        /// Closes it. When this is ready the kernel has let go of it: its descriptor and its address are free.
        ///
        /// Operations of it that were dropped, and are being cancelled, are waited for. What they
        /// have received for the next one is lost, as are connections that wait to be accepted.
        /// Whoever else holds the descriptor is waited for, too: a
        /// [`SharedFd`](crate::ring::SharedFd) of it, and a shutdown, also one whose future is
        /// alive.
        ///
        /// **Dropped** before it is ready, it is closed all the same, when the last holder lets go
        /// of it.
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
