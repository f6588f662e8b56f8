//! fio, with its io_uring engine, on the same file.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::Measured;
use super::file::{Order, Workload};
use crate::clock::Elapsed;

pub(super) fn is_installed() -> bool {
    let mut fio = Command::new("fio");
    let asked = fio.arg("--version").stdout(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// It inherits this thread's CPU.
pub(super) fn measure(path: &Path, workload: Workload, length: Duration) -> io::Result<Measured> {
    let order = match workload.order {
        Order::Random => "randread",
        Order::Sequential => "read",
    };
    let output = Command::new("fio")
        .args(["--name=reads", "--readonly", "--direct=1"])
        .args(["--ioengine=io_uring", "--time_based", "--thread"])
        .arg("--output-format=json")
        .arg(format!("--rw={order}"))
        .arg(format!("--runtime={}ms", length.as_millis()))
        .arg(format!("--bs={}", workload.bytes))
        .arg(format!("--iodepth={}", workload.in_flight))
        .arg(format!("--filename={}", path.display()))
        .output()?;
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let job = &report["jobs"][0];
    let number = |value: &Value, what| {
        let complaint = || io::Error::other(format!("fio does not say {what}"));
        value.as_f64().ok_or_else(complaint)
    };
    let reads = number(&job["read"]["total_ios"], "how many reads it made")?;
    let wall = number(&job["read"]["runtime"], "for how long it read")? / 1e3;
    // In per cent of that.
    let cpu = number(&job["usr_cpu"], "how long it ran")? + number(&job["sys_cpu"], "the same")?;
    Ok(Measured {
        reads: reads as u64,
        elapsed: Elapsed {
            wall: Duration::from_secs_f64(wall),
            cpu: Duration::from_secs_f64(wall * cpu / 100.0),
        },
    })
}
