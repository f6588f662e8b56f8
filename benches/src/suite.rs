//! All the benches there are, what they are about, and how long they take.

use std::io;
use std::time::Duration;

use crate::options::Options;
use crate::session::Session;
use crate::{
    accept, adapter, blocking, bulk, cancel, echo, files, idle, local, memory, redis, remote,
    stress, udp, wake,
};

pub(crate) struct Bench {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) runtimes: fn() -> Vec<&'static str>,
    pub(crate) run: fn(&mut Session<'_>) -> io::Result<()>,
    /// Runs when all are asked for.
    pub(crate) is_of_all: bool,
    /// Unless `--rounds` or `--quick` say otherwise.
    pub(crate) rounds: usize,
    /// Of what is measured of a runtime in a round; unless `--seconds` or `--quick` say otherwise.
    pub(crate) seconds: f64,
    pub(crate) quick_seconds: f64,
    /// What one turn of one runtime takes, in seconds, when what is measured takes so many: for the estimate.
    pub(crate) turn_seconds: fn(&Options, f64) -> f64,
}

const QUICK_ROUNDS: usize = 2;

pub(crate) fn benches() -> Vec<Bench> {
    vec![
        echo::BENCH,
        echo::LOAD,
        udp::BENCH,
        bulk::BENCH,
        accept::BENCH,
        memory::CONNECTIONS,
        memory::TASKS,
        local::BENCH,
        remote::BENCH,
        blocking::BENCH,
        cancel::BENCH,
        wake::BENCH,
        idle::BENCH,
        files::BENCH,
        adapter::BENCH,
        redis::BENCH,
        stress::BENCH,
    ]
}

impl Bench {
    pub(crate) fn rounds(&self, options: &Options) -> usize {
        let quick = options.quick.then_some(QUICK_ROUNDS.min(self.rounds));
        options.rounds.or(quick).unwrap_or(self.rounds)
    }

    pub(crate) fn length(&self, options: &Options) -> Duration {
        let quick = options
            .quick
            .then(|| Duration::from_secs_f64(self.quick_seconds));
        let default = || Duration::from_secs_f64(self.seconds);
        options.seconds.or(quick).unwrap_or_else(default)
    }

    pub(crate) fn turn(&self, options: &Options) -> Duration {
        let length = self.length(options).as_secs_f64();
        Duration::from_secs_f64((self.turn_seconds)(options, length))
    }

    pub(crate) fn estimate(&self, options: &Options) -> Duration {
        let runtimes = (self.runtimes)()
            .into_iter()
            .filter(|name| options.wants(name));
        self.turn(options) * (self.rounds(options) * runtimes.count()) as u32
    }
}
