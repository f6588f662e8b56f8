//! Counts words, with the counters spread over all cores: each word's is on one core, and whoever meets the word tells that core.
//!
//! ```sh
//! cargo run --release --example sharded-counter -- README.md ARCHITECTURE.md
//! ```

use executor::{JoinError, Sharded, spawn_blocking, spawn_on};
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

/// Made, used and dropped on its core: it needs no lock.
type Counts = RefCell<HashMap<String, usize>>;

#[executor::main]
async fn main() -> Result<(), JoinError> {
    let counts = Sharded::new(Counts::default).await?;

    // A task for each file, on the cores in turn.
    let files = std::env::args().skip(1);
    let tasks = files.enumerate().map(|(number, file)| {
        let counts = counts.clone();
        let core = number % executor::cores();
        spawn_on(core, || async move {
            if let Err(error) = count(&file, counts).await {
                eprintln!("{file}: {error}");
            }
        })
    });
    for task in Vec::from_iter(tasks) {
        task.await.expect("counting does not panic");
    }

    // Each core finds its three most frequent words; here they are merged.
    let mut most = counts
        .map_reduce(
            async |counts| most_frequent(&counts),
            Vec::new(),
            |all, some| [all, some].concat(),
        )
        .await?;
    most.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (word, count) in most.into_iter().take(3) {
        println!("{count:6} {word}");
    }

    // An orderly end: what is under way is waited for, then each shard says its last.
    counts
        .stop_with(async |counts| {
            let (core, words) = (executor::current_core(), counts.borrow().len());
            println!("core {core} had {words} words");
        })
        .await
}

async fn count(file: &str, counts: Sharded<Counts>) -> Result<(), Box<dyn std::error::Error>> {
    let path = file.to_owned();
    let text = spawn_blocking(|| std::fs::read_to_string(path)).await??;

    // One message to each core, not one for each word.
    let mut words = vec![Vec::new(); executor::cores()];
    let letters = text.split(|letter: char| !letter.is_alphabetic());
    for word in letters.filter(|word| !word.is_empty()) {
        let hash = BuildHasherDefault::<DefaultHasher>::new().hash_one(word);
        words[hash as usize % executor::cores()].push(word.to_owned());
    }
    for (core, words) in words.into_iter().enumerate() {
        let add = |counts: &Counts| {
            for word in words {
                *counts.borrow_mut().entry(word).or_default() += 1;
            }
        };
        counts.call_on(core, add).await?;
    }
    Ok(())
}

fn most_frequent(counts: &Counts) -> Vec<(String, usize)> {
    let mut counts = Vec::from_iter(counts.borrow().clone());
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.truncate(3);
    counts
}
