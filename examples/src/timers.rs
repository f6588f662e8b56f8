//! Sleeping, time limits and intervals.
//!
//! ```sh
//! cargo run --release --example timers
//! ```

use executor::time::{Duration, Instant, MissedTickBehavior, interval, sleep, timeout};

#[executor::main(cores = 1)]
async fn main() {
    let start = Instant::now();
    let at = || format!("{:4} ms:", start.elapsed().as_millis());

    sleep(Duration::from_millis(50)).await;
    println!("{} slept for 50 ms", at());

    let mut ticks = interval(Duration::from_millis(20));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 1..=3 {
        ticks.tick().await;
        println!("{} tick {number}", at());
    }

    let slow = sleep(Duration::from_secs(3600));
    if let Err(elapsed) = timeout(Duration::from_millis(30), slow).await {
        println!("{} gave up on an hour's sleep: {elapsed}", at());
    }

    // A hundred thousand timers at once are nothing special.
    let tasks: Vec<_> = (0..100_000u64)
        .map(|number| executor::spawn(sleep(Duration::from_micros(number % 1000))))
        .collect();
    for task in tasks {
        task.await.expect("a sleep does not panic");
    }
    println!("{} a hundred thousand sleeps of up to 1 ms are over", at());
}
