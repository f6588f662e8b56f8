//! The load: keeps one request in flight on each connection and checks every byte of the answers.
//!
//! It must cost less than any server, or it would be what is measured; and TCP on the loopback costs both sides the
//! same. So it never sleeps (waking an idle CPU would fall on the server, and more of it the faster that server is)
//! and it leaves nothing waiting at its sockets for the server's packets to wake: it asks `poll` for all of them,
//! without time-out, which takes no socket lock, and then reads and writes with ordinary calls. A client short of time
//! would find many answers in each poll and the polls would cost it next to nothing; the time they take is the share
//! of its CPU that it did not need.
//!
//! At a given rate each connection has a schedule, and a latency counts from the time at which a request was due: an answer that is late
//! makes those behind it late too, and that is counted, where a client that waits politely would leave it out.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::exchange::Exchange;
use crate::clock::{CpuClock, Elapsed, Stopwatch};
use crate::latency::Latencies;
use crate::server::{Load, Server};

/// No server needs as long for one answer, not even on a machine that is busy with something else.
const SILENCE_LIMIT: Duration = Duration::from_secs(5);

/// When the next request goes out.
#[derive(Clone, Copy)]
pub(super) enum Pace {
    /// When the answer to the last one has come.
    Closed,
    /// So many a second, over all connections, whatever the server does.
    Scheduled { requests_per_s: f64 },
}

/// One round of one server.
pub(super) struct Measured {
    requests: u64,
    client_time: Elapsed,
    idle: Duration,
    server_cpu: Duration,
    /// From before a request is written, or from when it was due, to when its answer has been read and compared.
    pub(super) latencies: Latencies,
}

impl Measured {
    pub(super) fn requests_per_s(&self) -> f64 {
        self.requests as f64 / self.client_time.wall.as_secs_f64()
    }

    pub(super) fn server_cpu_us(&self) -> f64 {
        self.server_cpu.as_secs_f64() * 1e6 / self.requests as f64
    }

    pub(super) fn server_busy_percent(&self) -> f64 {
        self.server_cpu.as_secs_f64() / self.client_time.wall.as_secs_f64() * 100.0
    }

    pub(super) fn client_busy_percent(&self) -> f64 {
        100.0 - self.idle.as_secs_f64() / self.client_time.wall.as_secs_f64() * 100.0
    }

    /// Someone else ran on the client's CPU: it never sleeps, so it should have had all of the time.
    pub(super) fn was_disturbed(&self) -> bool {
        self.client_time.cpu.as_secs_f64() < 0.97 * self.client_time.wall.as_secs_f64()
    }
}

struct Client {
    streams: Vec<TcpStream>,
    exchanges: Vec<Exchange>,
    /// Between two requests of one connection; none in a closed loop.
    interval: Option<Duration>,
    /// Once the warm-up is over, unless nobody asked for them.
    latencies: Option<Latencies>,
}

/// Connects, warms up, measures, and closes every connection.
pub(super) fn run(
    server: &Server,
    load: Load,
    pace: Pace,
    warm_up: Duration,
    length: Duration,
) -> io::Result<Measured> {
    let clock = CpuClock::of_process(server.process())?;
    let mut client = Client::connect(server.address, load, pace)?;
    client.run_for(warm_up)?;

    for exchange in &mut client.exchanges {
        exchange.served = 0;
    }
    // With more in a closed loop, one would mean little, and the clock readings would cost what is measured.
    let are_timed = load.connections == 1 || client.interval.is_some();
    client.latencies = are_timed.then(Latencies::new);
    let (stopwatch, server_started) = (Stopwatch::start(), clock.now()?);
    let mut idle = client.run_for(length)?;
    // A thousand connections may need more than a short round, and are given it; a connection that gets nothing even then is starved.
    let limit = Instant::now() + SILENCE_LIMIT;
    while client.exchanges.iter().any(|exchange| exchange.served == 0) && Instant::now() < limit {
        idle += client.run_for(length / 4)?;
    }
    let (client_time, server_cpu) = (stopwatch.stop(), clock.now()? - server_started);
    let latencies = client.latencies.take().unwrap_or_else(Latencies::new);

    let mut requests = 0;
    for (index, exchange) in client.exchanges.iter().enumerate() {
        if exchange.served == 0 {
            let starved = format!("connection {index} was not served in {SILENCE_LIMIT:?}");
            return Err(io::Error::other(starved));
        }
        requests += exchange.served;
    }
    client.hear_the_rest()?;
    Ok(Measured {
        requests,
        client_time,
        idle,
        server_cpu,
        latencies,
    })
}

impl Client {
    /// Connects everything. In a closed loop, the first requests go out; else they are due, one connection's after the other's.
    fn connect(server: SocketAddr, load: Load, pace: Pace) -> io::Result<Self> {
        let interval = match pace {
            Pace::Closed => None,
            Pace::Scheduled { requests_per_s } => Some(Duration::from_secs_f64(
                load.connections as f64 / requests_per_s,
            )),
        };
        let (mut streams, mut exchanges) = (Vec::new(), Vec::new());
        for index in 0..load.connections {
            let stream = TcpStream::connect(server)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            streams.push(stream);
            exchanges.push(Exchange::new(index, load.size_bytes));
        }
        let now = Instant::now();
        let step = interval.unwrap_or_default() / load.connections as u32;
        for (index, (exchange, stream)) in exchanges.iter_mut().zip(&streams).enumerate() {
            exchange.due = now + step * index as u32;
            if interval.is_none() {
                exchange.ask(stream)?;
            }
        }
        Ok(Client {
            streams,
            exchanges,
            interval,
            latencies: None,
        })
    }

    /// Asks and hears until the time is over. Returns how long it was polling.
    fn run_for(&mut self, length: Duration) -> io::Result<Duration> {
        let (start, mut idle) = (Instant::now(), Duration::ZERO);
        let streams = std::mem::take(&mut self.streams);
        let mut polled = polled(&streams);
        let result = loop {
            let now = Instant::now();
            if now - start >= length {
                break Ok(idle);
            }
            match self.turn(&streams, &mut polled, now) {
                Ok(polling) => idle += polling,
                Err(error) => break Err(error),
            }
        };
        drop(polled);
        self.streams = streams;
        result
    }

    /// Asks what is due, polls once, and takes what has come; says how long it polled.
    fn turn(
        &mut self,
        streams: &[TcpStream],
        polled: &mut [PollFd<'_>],
        now: Instant,
    ) -> io::Result<Duration> {
        if let Some(interval) = self.interval {
            for (exchange, stream) in self.exchanges.iter_mut().zip(streams) {
                if !exchange.is_in_flight() && exchange.due <= now {
                    exchange.ask(stream)?;
                    exchange.asked_at = exchange.due;
                    exchange.due += interval;
                }
            }
        }
        let before = Instant::now();
        poll(polled, Some(&Timespec::default()))?;
        let polling = before.elapsed();
        for (index, exchange) in self.exchanges.iter_mut().enumerate() {
            if exchange.has_unsent() {
                exchange.send(&streams[index])?;
            }
            if polled[index].revents().is_empty() || !exchange.hear(&streams[index])? {
                continue;
            }
            if let Some(latencies) = &mut self.latencies {
                let now = Instant::now();
                latencies.record(now.saturating_duration_since(exchange.asked_at));
                exchange.asked_at = now;
            }
            // At once, and not when the others have been heard.
            if self.interval.is_none() {
                exchange.ask(&streams[index])?;
            }
        }
        Ok(polling)
    }

    /// Without new requests, until all are answered.
    fn hear_the_rest(&mut self) -> io::Result<()> {
        let limit = Instant::now() + SILENCE_LIMIT;
        let mut polled = polled(&self.streams);
        loop {
            let missing = self
                .exchanges
                .iter()
                .filter(|exchange| exchange.is_in_flight());
            match missing.count() {
                0 => return Ok(()),
                missing if Instant::now() > limit => {
                    let missing = format!("{missing} answers are missing after {SILENCE_LIMIT:?}");
                    return Err(io::Error::other(missing));
                }
                _ => {}
            }
            poll(&mut polled, Some(&Timespec::default()))?;
            for (index, exchange) in self.exchanges.iter_mut().enumerate() {
                if exchange.has_unsent() {
                    exchange.send(&self.streams[index])?;
                }
                if !polled[index].revents().is_empty() {
                    exchange.hear(&self.streams[index])?;
                }
            }
        }
    }
}

fn polled(streams: &[TcpStream]) -> Vec<PollFd<'_>> {
    let streams = streams.iter();
    streams
        .map(|stream| PollFd::new(stream, PollFlags::IN))
        .collect()
}
