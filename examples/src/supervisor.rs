//! Keeps a program running, one copy on each core: what ends is started again, after a pause that grows as long as it ends soon. Ctrl-C ends
//! all of them.
//!
//! ```sh
//! cargo run --release --example supervisor -- sh -c 'echo working; sleep 1; exit 3'
//! ```

use executor::io::BufReader;
use executor::process::{Command, Stdio};
use executor::signal::{Signal, SignalKind};
use executor::time::{Duration, Instant, sleep, timeout};
use futures::future::select;
use std::ffi::OsString;
use std::io;
use std::pin::pin;
use std::process::ExitCode;

/// The first pause, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));
/// Who ran for so long is taken for healthy.
const HEALTHY: Duration = Duration::from_secs(10);

#[executor::main]
async fn main() -> io::Result<ExitCode> {
    let command: Vec<OsString> = std::env::args_os().skip(1).collect();
    if command.is_empty() {
        eprintln!("usage: supervisor PROGRAM [ARGUMENT]...");
        return Ok(ExitCode::from(2));
    }
    let mut interrupt = Signal::new(SignalKind::INTERRUPT)?;
    let mut terminate = Signal::new(SignalKind::TERMINATE)?;
    let keepers: Vec<_> = (0..executor::cores())
        .map(|core| {
            let command = command.clone();
            executor::spawn_on(core, move || keep_running(core, command))
        })
        .collect();
    select(pin!(interrupt.recv()), pin!(terminate.recv())).await;
    for keeper in keepers {
        // With the task goes its child, which is killed.
        keeper.abort();
        let _ = keeper.await;
    }
    println!("supervisor: all are stopped");
    Ok(ExitCode::SUCCESS)
}

async fn keep_running(core: usize, command: Vec<OsString>) {
    let mut pause = PAUSES.0;
    loop {
        let start = Instant::now();
        match run_once(core, &command).await {
            Ok(ended) => println!("core {core}: {ended}"),
            Err(error) => println!("core {core}: {}: {error}", command[0].display()),
        }
        if start.elapsed() > HEALTHY {
            pause = PAUSES.0;
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// Runs the program to its end, and passes on what it says, line by line.
async fn run_once(core: usize, command: &[OsString]) -> io::Result<String> {
    let mut child = Command::new(&command[0])
        .args(&command[1..])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let stdout = child.stdout.take().expect("it is piped");
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await? {
        println!("core {core}: {line}");
    }
    // It has closed its output, and may go on without.
    match timeout(HEALTHY, child.wait()).await {
        Ok(status) => Ok(format!("ended with {}", status?)),
        Err(_) => {
            child.kill().await?;
            Ok("was killed: it had closed its output and did not end".to_owned())
        }
    }
}
