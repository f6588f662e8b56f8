//! The machine: what it is, in one line for the top of a report, and which CPUs the benches may use.

use std::fs;
use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// CPU model, CPUs, kernel: without these a figure means nothing.
pub(crate) fn describe() -> String {
    let cpus = cpus().map_or(0, |cpus| cpus.len());
    let system = rustix::system::uname();
    let hypervisor = if cpuinfo("flags").contains(" hypervisor") {
        ", virtual machine"
    } else {
        ""
    };
    let build = if cfg!(debug_assertions) {
        "; not a release build: the figures mean nothing"
    } else {
        ""
    };
    format!(
        "{}{hypervisor}, {cpus} CPUs, {} {} {}{build}",
        cpuinfo("model name").trim(),
        system.sysname().to_string_lossy(),
        system.release().to_string_lossy(),
        system.machine().to_string_lossy(),
    )
}

fn cpuinfo(key: &str) -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(key));
    line.and_then(|line| line.split_once(':'))
        .map_or(format!("unknown {key}"), |(_, value)| value.to_string())
}

/// The CPUs this thread may run on, ascending. Ask before pinning: afterwards it is one.
pub(crate) fn cpus() -> io::Result<Vec<usize>> {
    let mask = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU)
        .filter(|&cpu| mask.is_set(cpu))
        .collect())
}

/// Pins the calling thread, and every thread or process it starts from here on.
pub(crate) fn pin(cpu: usize) -> io::Result<()> {
    let mut mask = CpuSet::new();
    mask.set(cpu);
    Ok(sched_setaffinity(None, &mask)?)
}
