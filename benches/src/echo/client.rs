//! The load: keeps one request in flight on each connection and checks every byte of the answers.
//!
//! It must cost less than any server, or it would be what is measured; and TCP on the loopback costs both sides the
//! same. So it never sleeps (waking an idle CPU would fall on the server, and more of it the faster that server is)
//! and it leaves nothing waiting at its sockets for the server's packets to wake: it asks `poll` for all of them,
//! without time-out, which takes no socket lock, and then reads and writes with ordinary calls. A client short of time
//! would find many answers in each poll and the polls would cost it next to nothing; the time they take is the share
//! of its CPU that it did not need.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::clock::{CpuClock, Elapsed, Stopwatch};
use crate::latency::{Latencies, Summary};
use crate::options::Load;

/// No server needs as long for one answer, not even on a machine that is busy with something else.
const SILENCE_LIMIT: Duration = Duration::from_secs(5);

/// More requests than this are not timed one by one.
const SAMPLES_MAX: usize = 1 << 20;

/// One round of one server.
#[derive(Clone, Copy)]
pub(crate) struct Measured {
    requests: u64,
    client_time: Elapsed,
    idle: Duration,
    server_cpu: Duration,
    latency: Option<Summary>,
}

impl Measured {
    /// From before a request is written to when its answer has been read. With one connection only: with more, an answer
    /// waits for the client to come round, and that would be measured.
    pub(crate) fn latency(&self) -> Option<Summary> {
        self.latency
    }

    pub(crate) fn requests_per_s(&self) -> f64 {
        self.requests as f64 / self.client_time.wall.as_secs_f64()
    }

    pub(crate) fn server_cpu_us(&self) -> f64 {
        self.server_cpu.as_secs_f64() * 1e6 / self.requests as f64
    }

    pub(crate) fn server_busy_percent(&self) -> f64 {
        self.server_cpu.as_secs_f64() / self.client_time.wall.as_secs_f64() * 100.0
    }

    pub(crate) fn client_busy_percent(&self) -> f64 {
        100.0 - self.idle.as_secs_f64() / self.client_time.wall.as_secs_f64() * 100.0
    }

    /// Someone else ran on the client's CPU: it never sleeps, so it should have had all of the time.
    pub(crate) fn was_disturbed(&self) -> bool {
        self.client_time.cpu.as_secs_f64() < 0.97 * self.client_time.wall.as_secs_f64()
    }
}

/// What one connection has asked and how much of the answer has come.
struct Exchange {
    request: Vec<u8>,
    response: Vec<u8>,
    received: usize,
    sequence: u64,
    /// Answers, since the warm-up ended.
    served: u64,
}

struct Client {
    streams: Vec<TcpStream>,
    exchanges: Vec<Exchange>,
    in_flight: usize,
    /// With one connection, once the warm-up is over.
    latencies: Option<Latencies>,
}

/// Connects, warms up, measures, and closes every connection.
pub(crate) fn run(
    server: SocketAddr,
    load: Load,
    process: u32,
    warm_up: Duration,
    length: Duration,
) -> io::Result<Measured> {
    let clock = CpuClock::of_process(process)?;
    let mut client = Client::connect(server, load)?;
    client.run_for(warm_up, true)?;

    for exchange in &mut client.exchanges {
        exchange.served = 0;
    }
    client.latencies = (load.connections == 1).then(|| Latencies::with_room_for(SAMPLES_MAX));
    let (stopwatch, server_started) = (Stopwatch::start(), clock.now()?);
    let idle = client.run_for(length, true)?;
    let (client_time, server_cpu) = (stopwatch.stop(), clock.now()? - server_started);

    let mut requests = 0;
    for (index, exchange) in client.exchanges.iter().enumerate() {
        if exchange.served == 0 {
            let starved = format!("connection {index} was not served in {length:?}");
            return Err(io::Error::other(starved));
        }
        requests += exchange.served;
    }
    let latency = client.latencies.take().map(|mut all| all.summarise());
    client.run_for(SILENCE_LIMIT, false)?;
    match client.in_flight {
        0 => Ok(Measured {
            requests,
            client_time,
            idle,
            server_cpu,
            latency,
        }),
        missing => Err(io::Error::other(format!(
            "{missing} answers are missing after {SILENCE_LIMIT:?}"
        ))),
    }
}

impl Client {
    /// Connects everything and sends the first requests.
    fn connect(server: SocketAddr, load: Load) -> io::Result<Self> {
        let mut client = Client {
            streams: Vec::new(),
            exchanges: Vec::new(),
            in_flight: 0,
            latencies: None,
        };
        for index in 0..load.connections {
            let stream = TcpStream::connect(server)?;
            stream.set_nodelay(true)?;
            let (request, response) = (vec![0; load.size_bytes], vec![0; load.size_bytes]);
            let mut exchange = Exchange {
                request,
                response,
                received: 0,
                sequence: (index as u64) << 48,
                served: 0,
            };
            exchange.ask(&stream)?;
            client.streams.push(stream);
            client.exchanges.push(exchange);
            client.in_flight += 1;
        }
        Ok(client)
    }

    /// Until the time is over or, without new requests, all are answered. Returns how long it was polling.
    fn run_for(&mut self, length: Duration, keep_asking: bool) -> io::Result<Duration> {
        let mut polled: Vec<_> = self
            .streams
            .iter()
            .map(|stream| PollFd::new(stream, PollFlags::IN))
            .collect();
        let (start, mut idle) = (Instant::now(), Duration::ZERO);
        // When the one request in flight was asked; the first one was before this, and is not recorded.
        let mut asked = None;
        while self.in_flight > 0 {
            let now = Instant::now();
            if now - start >= length {
                break;
            }
            poll(&mut polled, Some(&Timespec::default()))?;
            idle += now.elapsed();
            for (index, exchange) in self.exchanges.iter_mut().enumerate() {
                if polled[index].revents().is_empty() || !exchange.hear(&self.streams[index])? {
                    continue;
                }
                if keep_asking {
                    if let Some(latencies) = &mut self.latencies {
                        let now = Instant::now();
                        if let Some(before) = asked.replace(now) {
                            latencies.record(now - before);
                        }
                    }
                    exchange.ask(&self.streams[index])?;
                } else {
                    self.in_flight -= 1;
                }
            }
        }
        Ok(idle)
    }
}

impl Exchange {
    /// Sends the next request. No two requests are alike, on one connection or on two.
    fn ask(&mut self, mut stream: &TcpStream) -> io::Result<()> {
        self.sequence += 1;
        let stamp = self.sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for (place, bytes) in self.request.chunks_mut(8).enumerate() {
            let word = stamp.wrapping_add(place as u64).to_le_bytes();
            bytes.copy_from_slice(&word[..bytes.len()]);
        }
        self.received = 0;
        stream.write_all(&self.request)
    }

    /// Takes what has arrived, and says whether the answer is complete.
    fn hear(&mut self, mut stream: &TcpStream) -> io::Result<bool> {
        match stream.read(&mut self.response[self.received..])? {
            0 => return Err(io::Error::other("the server closed a connection")),
            count => self.received += count,
        }
        if self.received < self.response.len() {
            return Ok(false);
        }
        if self.response != self.request {
            return Err(io::Error::other("what came back is not what was sent"));
        }
        self.served += 1;
        Ok(true)
    }
}
