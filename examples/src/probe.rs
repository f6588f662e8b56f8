//! What this machine's io_uring has, what the executor makes of it, and what to do about what is missing.
//!
//! ```sh
//! cargo run --release --example probe
//! ```

use executor::{Builder, Capabilities, Feature};
use std::process::ExitCode;

/// How many of the kernel's worker threads each core's operations on files may use.
fn file_workers() -> String {
    match Builder::new().build() {
        Ok(runtime) => {
            let cores = runtime.handle().stats();
            let of_each: Vec<_> = cores.iter().map(|core| core.file_workers_max).collect();
            format!("at most, for each core: {of_each:?}")
        }
        Err(error) => format!("no runtime: {error}"),
    }
}

fn main() -> ExitCode {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    println!("kernel           Linux {}", kernel.trim());
    let capabilities = match Capabilities::probe() {
        Ok(capabilities) => capabilities,
        Err(error) => {
            println!("io_uring         no: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("completions come {}", capabilities.completion_mode());
    println!("file workers     {}\n", file_workers());
    for feature in Feature::all() {
        let has = if capabilities.has(feature) {
            "yes"
        } else {
            "no "
        };
        println!(
            "{has}  {:27} Linux {}",
            feature.name(),
            feature.first_kernel()
        );
    }
    if capabilities.missing().next().is_none() {
        println!("\nnothing is missing");
    }
    for feature in capabilities.missing() {
        println!(
            "\n{} is missing: {}. Linux {} or later has it.",
            feature.name(),
            feature.cost_of_lack(),
            feature.first_kernel()
        );
    }
    ExitCode::SUCCESS
}
