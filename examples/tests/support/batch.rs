//! Many clients on one thread, all open at once, driven by poll(2).

use super::PATIENCE;
use super::client::{Client, End};
use rustix::event::{PollFd, Timespec, poll};
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Instant;

pub(crate) struct Batch {
    clients: Vec<Client>,
}

impl Batch {
    /// Opens a client for each of `serials`; the server has accepted them all.
    ///
    /// # Errors
    ///
    /// The first of a client. Those that are open are then closed.
    pub(crate) fn open(address: SocketAddr, serials: Range<usize>) -> io::Result<Self> {
        let clients = serials.map(|serial| Client::open(address, serial));
        let clients = clients.collect::<io::Result<_>>()?;
        Ok(Self { clients })
    }

    /// Runs all of them to their ends, and closes each as it ends; those that are endless are closed last.
    pub(crate) fn run(mut self) -> Vec<End> {
        let deadline = Instant::now() + PATIENCE;
        let mut buffer = vec![0; 64 * 1024];
        let mut ends = Vec::new();
        let mut ready = vec![true; self.clients.len()];
        loop {
            let mut was_ready = ready.into_iter();
            self.clients.retain_mut(|client| {
                let ready = was_ready.next() == Some(true);
                let end = ready.then(|| client.advance(&mut buffer)).flatten();
                let open = end.is_none();
                ends.extend(end);
                open
            });
            if self.clients.iter().all(Client::is_endless) {
                return ends;
            }
            ready = self.wait(deadline);
        }
    }

    /// Which of them can move now.
    fn wait(&self, deadline: Instant) -> Vec<bool> {
        let clients = self.clients.iter();
        let mut polled: Vec<_> = clients
            .map(|client| PollFd::new(&client.socket, client.interest()))
            .collect();
        let timeout = Timespec::try_from(deadline.saturating_duration_since(Instant::now()))
            .expect("it is short");
        let count = poll(&mut polled, Some(&timeout)).expect("descriptors are open");
        assert!(
            count > 0,
            "waited {PATIENCE:?} for clients to finish: {:#?}",
            self.clients
        );
        polled.iter().map(|fd| !fd.revents().is_empty()).collect()
    }
}
