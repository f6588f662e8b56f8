//! A connection for one short message at a time, moved step by step by the test.

use super::tape::stretch;
use super::{PATIENCE, awaited};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

pub(crate) struct Exchange {
    socket: TcpStream,
    message: &'static [u8],
}

impl Exchange {
    /// Connects, if only to the backlog, and sends the message that belongs to `serial`, `length` bytes long.
    #[track_caller]
    pub(crate) fn start(address: SocketAddr, serial: usize, length: usize) -> Self {
        let socket = TcpStream::connect_timeout(&address, PATIENCE);
        let socket = socket.expect("the backlog has room");
        socket
            .set_read_timeout(Some(PATIENCE))
            .expect("it is not zero");
        let exchange = Self {
            socket,
            message: stretch(serial, length),
        };
        exchange.send();
        exchange
    }

    #[track_caller]
    pub(crate) fn send(&self) {
        let sent = (&self.socket).write_all(self.message);
        sent.expect("the connection is open, and has room for it");
    }

    /// Whether something has come back, without waiting for it nor taking it.
    #[track_caller]
    pub(crate) fn is_answered(&self) -> bool {
        self.socket.set_nonblocking(true).expect("it is a socket");
        let answer = self.socket.peek(&mut [0]);
        self.socket.set_nonblocking(false).expect("it is a socket");
        match answer {
            Ok(count) => count > 0,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(error) => panic!("while waiting for an answer: {error}"),
        }
    }

    /// Waits for the whole message to come back.
    #[track_caller]
    pub(crate) fn expect_echo(&self) {
        let mut echo = vec![0; self.message.len()];
        let read = awaited("an echo", (&self.socket).read_exact(&mut echo));
        read.expect("the server answers");
        assert!(echo == self.message, "a wrong echo");
    }

    /// Half-closes, if that is still possible, and waits for the server to do so too.
    #[track_caller]
    pub(crate) fn expect_end(self) {
        let _ = self.socket.shutdown(Shutdown::Write);
        let count = awaited("the end", (&self.socket).read(&mut [0]));
        assert_eq!(count.expect("the server closes"), 0, "more than was sent");
    }
}
