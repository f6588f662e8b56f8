//! fio, with its io_uring engine, on the same file.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::{BLOCK_BYTES, IN_FLIGHT};

pub(super) fn is_installed() -> bool {
    let mut fio = Command::new("fio");
    let asked = fio.arg("--version").stdout(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// It inherits this thread's CPU.
pub(super) fn measure(path: &Path, length: Duration) -> io::Result<f64> {
    let output = Command::new("fio")
        .args([
            "--name=reads",
            "--readonly",
            "--rw=randread",
            "--direct=1",
            "--ioengine=io_uring",
        ])
        .args(["--time_based", "--thread", "--output-format=json"])
        .arg(format!("--runtime={}ms", length.as_millis()))
        .arg(format!("--bs={BLOCK_BYTES}"))
        .arg(format!("--iodepth={IN_FLIGHT}"))
        .arg(format!("--filename={}", path.display()))
        .output()?;
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let rate = report["jobs"][0]["read"]["iops"].as_f64();
    rate.ok_or_else(|| io::Error::other("fio does not say how many reads it made"))
}
