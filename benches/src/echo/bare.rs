//! The yardstick: an echo server that is only an io_uring loop. No futures, no wakers, no run queue.
//!
//! What one core can do with the kernel's plain operations, each connection going accept → recv → send → recv and one
//! enter a turn. No multishot operations, provided buffers or linked ones: the runtimes' ordinary reads and writes do
//! not use them either, and the distance to this loop is to be their own cost.
//!
//! `bare-spin` is the same loop that looks out for a completion before it blocks, as a runtime does that spins.

use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd};
use std::time::{Duration, Instant};

use io_uring::{IoUring, opcode, squeue, types};

use crate::server::{Announce, Load};

const ACCEPT: u64 = u64::MAX;
/// For which `bare-spin` looks out: as long as ours does at most, by default.
const SPIN: Duration = Duration::from_micros(50);
/// As in ours: a clock reading costs as much as some looks, and delays the next one by that.
const LOOKS_PER_CLOCK: u32 = 16;

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    state: State,
}

enum State {
    Receiving,
    /// `buffer[sent..received]` is on its way.
    Sending {
        sent: usize,
        received: usize,
    },
}

pub(crate) fn serve(load: Load, announce: Announce) -> io::Result<()> {
    serve_by(load, announce, |ring| ring.submit_and_wait(1).map(drop))
}

pub(crate) fn serve_spinning(load: Load, announce: Announce) -> io::Result<()> {
    serve_by(load, announce, spin_and_wait)
}

/// `wait` submits what there is, and returns with at least one completion in the queue.
fn serve_by(
    load: Load,
    announce: Announce,
    wait: fn(&mut IoUring) -> io::Result<()>,
) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    announce(listener.local_addr()?)?;
    // One operation for each connection and the accept: neither queue can overflow.
    let mut ring: IoUring = IoUring::builder()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_taskrun_flag()
        .setup_submit_all()
        .build((load.connections as u32 + 1).next_power_of_two())?;
    // Never moved, never freed: the kernel may use the buffers as long as there is a ring. The process ends with it.
    let connections: &mut Vec<Option<Connection>> =
        Box::leak(Box::new(Vec::with_capacity(load.connections)));
    let mut open = 0;

    push(&mut ring.submission(), accept(&listener));
    while open > 0 || connections.len() < load.connections {
        wait(&mut ring)?;
        let (_, mut submissions, completions) = ring.split();
        for completion in completions {
            let result = succeeded(completion.result())?;
            let (index, next) = if completion.user_data() == ACCEPT {
                let mut connection = Connection::accepted(result as i32, load.size_bytes)?;
                let receive = connection.receive();
                connections.push(Some(connection));
                open += 1;
                if connections.len() < load.connections {
                    push(&mut submissions, accept(&listener));
                }
                (connections.len() - 1, Some(receive))
            } else {
                let index = completion.user_data() as usize;
                let connection = connections[index].as_mut();
                let connection = connection.expect("no operation outlives its connection");
                (index, connection.advance(result))
            };
            if let Some(operation) = next {
                push(&mut submissions, operation.user_data(index as u64));
            } else {
                connections[index] = None;
                open -= 1;
            }
        }
    }
    Ok(())
}

/// Looks for a completion, and for the kernel's word that it could post one if it were entered, before it blocks.
fn spin_and_wait(ring: &mut IoUring) -> io::Result<()> {
    ring.submit()?;
    let start = Instant::now();
    loop {
        for _ in 0..LOOKS_PER_CLOCK {
            if !ring.completion().is_empty() {
                return Ok(());
            }
            if ring.submission().taskrun() {
                return ring.submit_and_wait(1).map(drop);
            }
            std::hint::spin_loop();
        }
        if start.elapsed() >= SPIN {
            return ring.submit_and_wait(1).map(drop);
        }
    }
}

impl Connection {
    fn accepted(descriptor: i32, size_bytes: usize) -> io::Result<Self> {
        // SAFETY: the kernel has just handed this descriptor to us, and to nobody else.
        let stream = unsafe { TcpStream::from_raw_fd(descriptor) };
        stream.set_nodelay(true)?;
        Ok(Connection {
            stream,
            buffer: vec![0; size_bytes],
            state: State::Receiving,
        })
    }

    /// The step after a receive or a send of `count` bytes; none when the peer has closed.
    fn advance(&mut self, count: usize) -> Option<squeue::Entry> {
        let (sent, received) = match self.state {
            State::Receiving if count == 0 => return None,
            State::Receiving => (0, count),
            State::Sending { sent, received } => (sent + count, received),
        };
        if sent == received {
            return Some(self.receive());
        }
        self.state = State::Sending { sent, received };
        let rest = &self.buffer[sent..received];
        let (start, length) = (rest.as_ptr(), rest.len() as u32);
        Some(opcode::Send::new(types::Fd(self.stream.as_raw_fd()), start, length).build())
    }

    fn receive(&mut self) -> squeue::Entry {
        self.state = State::Receiving;
        let (start, length) = (self.buffer.as_mut_ptr(), self.buffer.len() as u32);
        opcode::Recv::new(types::Fd(self.stream.as_raw_fd()), start, length).build()
    }
}

fn accept(listener: &TcpListener) -> squeue::Entry {
    let socket = types::Fd(listener.as_raw_fd());
    opcode::Accept::new(socket, std::ptr::null_mut(), std::ptr::null_mut())
        .build()
        .user_data(ACCEPT)
}

fn push(submissions: &mut squeue::SubmissionQueue<'_>, operation: squeue::Entry) {
    // SAFETY: an operation points into its connection's buffer at most, which is on the heap, used by one operation at
    // a time, and freed only when the last one has completed (or never, if the server fails).
    unsafe { submissions.push(&operation) }
        .expect("there is one operation for each connection at most");
}

fn succeeded(result: i32) -> io::Result<usize> {
    if result < 0 {
        Err(io::Error::from_raw_os_error(-result))
    } else {
        Ok(result as usize)
    }
}
