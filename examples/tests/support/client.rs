//! One connection to an echo server, that compares every byte that comes back with what it sent.

use super::tape::{LENGTH_MAX, Random, stretch};
use super::{PATIENCE, awaited};
use rustix::event::PollFlags;
use socket2::SockRef;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// The longest message of a [`Kind::PingPong`], in bytes.
const MESSAGE_MAX: usize = 16 * 1024;

/// What a client does with its stretch of the tape.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// Sends it as fast as it can, receives at the same time, half-closes and expects the rest.
    Stream,
    /// Sends it in messages, the next one when the echo of the last is complete, and receives in small pieces.
    PingPong,
    /// Sends it as a stream, and resets the connection when a part of it has come back: the rest is on its way.
    Reset,
    /// Sends it over and over and receives nothing, so that the server is stuck in a write. Does not end by itself; dropped, it
    /// resets the connection.
    Flood,
}

/// How a connection ended.
#[derive(Debug)]
pub(crate) enum End {
    /// All bytes have come back, so many.
    Complete(usize),
    /// The client has reset it, as it meant to.
    Reset,
    /// The server ended it before that, by closing or resetting it. What came back until then was right.
    CutShort(io::Error),
}

pub(crate) struct Client {
    pub(crate) socket: TcpStream,
    kind: Kind,
    random: Random,
    data: &'static [u8],
    /// How much of the data is written; of the last time, if it is written over and over.
    written: usize,
    returned: usize,
    /// For [`Kind::PingPong`]: the end of the message that is being written, or was written last.
    message_end: usize,
    /// For [`Kind::Reset`]: how many bytes come back before that.
    reset_at: usize,
    half_closed: bool,
}

impl Client {
    /// Connects, sends the first byte and waits for its echo: the server has accepted, and serves. `serial` says which bytes are
    /// sent, how many and in which manner.
    ///
    /// # Errors
    ///
    /// Any of the socket, a timeout too.
    pub(crate) fn open(address: SocketAddr, serial: usize) -> io::Result<Self> {
        let mut random = Random::seeded(serial as u64);
        let kind = match serial % 64 {
            63 => Kind::Flood,
            other if other % 2 == 0 => Kind::Stream,
            other if other % 4 == 1 => Kind::PingPong,
            _ => Kind::Reset,
        };
        let length = match kind {
            Kind::Stream | Kind::PingPong | Kind::Reset => random.length(),
            Kind::Flood => LENGTH_MAX,
        };
        // Half of them reset at once, when the server has hardly begun; the others anywhere.
        let reset_max = if random.up_to(2) == 1 { 1 } else { length };
        let mut client = Self {
            socket: TcpStream::connect_timeout(&address, PATIENCE)?,
            kind,
            data: stretch(serial, length),
            written: 1,
            returned: 0,
            message_end: 1,
            reset_at: random.up_to(reset_max),
            half_closed: false,
            random,
        };
        client.exchange_first_byte()?;
        client.socket.set_nonblocking(true)?;
        if matches!(kind, Kind::Reset | Kind::Flood) {
            // With a linger time of zero, closing discards what is in flight and sends a reset.
            SockRef::from(&client.socket).set_linger(Some(Duration::ZERO))?;
        }
        Ok(client)
    }

    fn exchange_first_byte(&mut self) -> io::Result<()> {
        self.socket.set_read_timeout(Some(PATIENCE))?;
        self.socket.set_nodelay(true)?;
        self.socket.write_all(&self.data[..1])?;
        let mut echo = [0];
        awaited("the first byte", self.socket.read_exact(&mut echo))?;
        self.check(&echo);
        Ok(())
    }

    /// Whether it goes on until it is dropped.
    pub(crate) fn is_endless(&self) -> bool {
        self.kind == Kind::Flood
    }

    /// What to wait for before the next [`Client::advance`].
    pub(crate) fn interest(&self) -> PollFlags {
        let mut interest = PollFlags::empty();
        interest.set(PollFlags::IN, self.kind != Kind::Flood);
        interest.set(PollFlags::OUT, self.wants_to_write());
        interest
    }

    /// Moves what can be moved now, without waiting. Says how it ended, once it has.
    pub(crate) fn advance(&mut self, buffer: &mut [u8]) -> Option<End> {
        match self.write().and_then(|()| self.read(buffer)) {
            Ok(false) => None,
            Ok(true) if self.kind == Kind::Reset => Some(End::Reset),
            Ok(true) => Some(End::Complete(self.returned)),
            Err(error) if cut_short(&error) => Some(End::CutShort(error)),
            Err(error) => panic!("{self:?}: {error}"),
        }
    }

    fn wants_to_write(&self) -> bool {
        let more = self.written < self.data.len();
        match self.kind {
            Kind::Stream | Kind::Reset => more,
            Kind::PingPong => {
                more && (self.written < self.message_end || self.written == self.returned)
            }
            Kind::Flood => true,
        }
    }

    fn write(&mut self) -> io::Result<()> {
        if self.wants_to_write() {
            let end = match self.kind {
                Kind::Stream | Kind::Reset | Kind::Flood => self.data.len(),
                Kind::PingPong => self.message_end(),
            };
            let unwritten = &self.data[self.written..end];
            self.written += unless_blocked(self.socket.write(unwritten))?.unwrap_or(0);
        }
        let all = self.written == self.data.len();
        match self.kind {
            Kind::Stream | Kind::PingPong if all && !self.half_closed => {
                self.half_closed = true;
                self.socket.shutdown(Shutdown::Write)
            }
            Kind::Flood if all => {
                self.written = 0;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The end of the message that is being written, or of the next if that one is.
    fn message_end(&mut self) -> usize {
        if self.written == self.message_end {
            let end = self.written + self.random.up_to(MESSAGE_MAX);
            self.message_end = end.min(self.data.len());
        }
        self.message_end
    }

    /// Reads once; true if that was all that this client wants to receive.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        let piece = match self.kind {
            Kind::Stream => buffer.len(),
            Kind::PingPong => self.random.up_to(MESSAGE_MAX / 4),
            Kind::Reset if self.returned == self.reset_at => return Ok(true),
            Kind::Reset => buffer.len().min(self.reset_at - self.returned),
            Kind::Flood => return Ok(false),
        };
        match unless_blocked(self.socket.read(&mut buffer[..piece]))? {
            None => Ok(false),
            Some(0) if self.half_closed && self.returned == self.data.len() => Ok(true),
            Some(0) => Err(ErrorKind::UnexpectedEof.into()),
            Some(count) => {
                self.check(&buffer[..count]);
                Ok(self.kind == Kind::Reset && self.returned == self.reset_at)
            }
        }
    }

    /// `echo` must be what comes next.
    fn check(&mut self, echo: &[u8]) {
        let expected = &self.data[self.returned..self.written];
        if !expected.starts_with(echo) {
            let same = echo.iter().zip(expected).take_while(|(a, b)| a == b);
            let wrong = self.returned + same.count();
            panic!("byte {wrong} came back wrong, or was never sent: {self:?}");
        }
        self.returned += echo.len();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, written, returned) = (self.kind, self.written, self.returned);
        let (length, half_closed) = (self.data.len(), self.half_closed);
        write!(
            f,
            "{kind:?} of {length} bytes, {written} written, {returned} returned, half-closed: {half_closed}"
        )
    }
}

/// Whether `error` is one that a server causes by leaving.
pub(crate) fn cut_short(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::BrokenPipe
            | ErrorKind::NotConnected
            | ErrorKind::UnexpectedEof
    )
}

fn unless_blocked(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
