//! The smallest program: one task on each core says hello.
//!
//! ```sh
//! cargo run --release --example hello
//! ```

#[executor::main]
async fn main() {
    let cpus = executor::cpus();
    let tasks: Vec<_> = (0..executor::cores())
        .map(|core| executor::spawn_on(core, async || executor::current_core()))
        .collect();
    for task in tasks {
        let core = task.await.expect("the task neither panics nor is aborted");
        println!("hello from core {core}, on CPU {}", cpus[core]);
    }
}
