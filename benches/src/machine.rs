//! The machine: what it is, in one line for the top of a report, which CPUs the benches may use, and the versions of the peers.

use std::fs;
use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// From `build.rs`. A runtime whose name begins with one of these names is that one.
const VERSIONS: [(&str, &str); 5] = [
    ("compio", env!("VERSION_COMPIO")),
    ("glommio", env!("VERSION_GLOMMIO")),
    ("monoio", env!("VERSION_MONOIO")),
    ("tokio", env!("VERSION_TOKIO")),
    ("ours", env!("CARGO_PKG_VERSION")),
];
const GOVERNOR: &str = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";

/// CPU model, CPUs, kernel, and who was measured: without these a figure means nothing.
pub(crate) fn describe() -> String {
    let cpus = cpus().map_or(0, |cpus| cpus.len());
    let system = rustix::system::uname();
    let hypervisor = if cpuinfo("flags").contains(" hypervisor") {
        ", virtual machine"
    } else {
        ""
    };
    let governor = fs::read_to_string(GOVERNOR)
        .map_or(String::from("governor not shown"), |text| {
            format!("governor {}", text.trim())
        });
    let peers: Vec<_> = VERSIONS[..4]
        .iter()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    let build = if cfg!(debug_assertions) {
        "; this is not a release build: the figures mean nothing"
    } else {
        ""
    };
    format!(
        "{}{hypervisor}, {cpus} CPUs, {governor}, {} {} {}; {}{build}",
        cpuinfo("model name").trim(),
        system.sysname().to_string_lossy(),
        system.release().to_string_lossy(),
        system.machine().to_string_lossy(),
        peers.join(", ")
    )
}

/// Of a runtime, by the name it has in the benches.
pub(crate) fn version(runtime: &str) -> Option<&'static str> {
    let mut versions = VERSIONS.iter();
    let found = versions.find(|(name, _)| runtime.starts_with(name));
    found.map(|(_, version)| *version)
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

/// The first two, for a bench that needs so many: a server's or a caller's, and a client's or a callee's.
pub(crate) fn two_cpus() -> io::Result<[usize; 2]> {
    match cpus()?[..] {
        [first, second, ..] => Ok([first, second]),
        _ => Err(io::Error::other("this bench needs two CPUs")),
    }
}

/// Pins the calling thread, and every thread or process it starts from here on.
pub(crate) fn pin(cpu: usize) -> io::Result<()> {
    let mut mask = CpuSet::new();
    mask.set(cpu);
    Ok(sched_setaffinity(None, &mask)?)
}

/// Runs `measure` on a thread of its own, whose pinning and whose thread-locals go with it.
pub(crate) fn on_fresh_thread<R: Send + 'static>(
    measure: impl FnOnce() -> io::Result<R> + Send + 'static,
) -> io::Result<R> {
    let result = std::thread::spawn(measure).join();
    result.unwrap_or_else(|_| Err(io::Error::other("it panicked")))
}

/// As many descriptors as this process may have, for itself and those it starts: a thousand connections are more than most shells grant.
pub(crate) fn raise_descriptor_limit() -> io::Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let current = maximum;
    Ok(setrlimit(Resource::Nofile, Rlimit { current, maximum })?)
}

#[cfg(test)]
mod tests {
    /// Every peer in every bench is known by its version.
    #[test]
    fn every_peer_has_a_version() {
        for bench in crate::suite::benches() {
            for runtime in (bench.runtimes)() {
                let is_peer = ["tokio", "monoio", "glommio", "compio"]
                    .iter()
                    .any(|peer| runtime.contains(peer));
                let version = super::version(runtime);
                assert!(
                    !is_peer || version.is_some_and(|version| version.contains('.')),
                    "{runtime}"
                );
            }
        }
    }
}
