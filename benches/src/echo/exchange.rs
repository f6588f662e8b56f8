//! What one connection of the client has asked, and how much of it has gone out and come back. The socket does not block: a request that
//! is longer than what it takes at once goes out bit by bit, while its answer comes in.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

pub(super) struct Exchange {
    request: Vec<u8>,
    sent: usize,
    response: Vec<u8>,
    received: usize,
    is_in_flight: bool,
    sequence: u64,
    /// Answers, since the warm-up ended.
    pub(super) served: u64,
    /// When the next request is to go out, if that is scheduled.
    pub(super) due: Instant,
    /// When the request in flight was asked, or was to be.
    pub(super) asked_at: Instant,
}

impl Exchange {
    pub(super) fn new(connection: usize, size_bytes: usize) -> Self {
        let now = Instant::now();
        Exchange {
            request: vec![0; size_bytes],
            sent: size_bytes,
            response: vec![0; size_bytes],
            received: 0,
            is_in_flight: false,
            sequence: (connection as u64) << 48,
            served: 0,
            due: now,
            asked_at: now,
        }
    }

    pub(super) fn is_in_flight(&self) -> bool {
        self.is_in_flight
    }

    pub(super) fn has_unsent(&self) -> bool {
        self.sent < self.request.len()
    }

    /// Sends the next request, or as much as goes. No two requests are alike, on one connection or on two.
    pub(super) fn ask(&mut self, stream: &TcpStream) -> io::Result<()> {
        self.sequence += 1;
        let stamp = self.sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for (place, bytes) in self.request.chunks_mut(8).enumerate() {
            let word = stamp.wrapping_add(place as u64).to_le_bytes();
            bytes.copy_from_slice(&word[..bytes.len()]);
        }
        (self.sent, self.received, self.is_in_flight) = (0, 0, true);
        self.send(stream)
    }

    pub(super) fn send(&mut self, mut stream: &TcpStream) -> io::Result<()> {
        while self.has_unsent() {
            match stream.write(&self.request[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes what has arrived, and says whether the answer is complete.
    pub(super) fn hear(&mut self, mut stream: &TcpStream) -> io::Result<bool> {
        if !self.is_in_flight {
            return Err(io::Error::other(
                "there is an answer, or an end, without a question",
            ));
        }
        match stream.read(&mut self.response[self.received..]) {
            Ok(0) => return Err(io::Error::other("the server closed a connection")),
            Ok(count) => self.received += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
        if self.received < self.response.len() {
            return Ok(false);
        }
        if self.response != self.request {
            return Err(io::Error::other("what came back is not what was sent"));
        }
        self.served += 1;
        self.is_in_flight = false;
        Ok(true)
    }
}
