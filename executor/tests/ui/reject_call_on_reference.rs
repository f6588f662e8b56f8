//! The value of a shard stays on its core, and so does what is borrowed from it.

use executor::Sharded;
use std::collections::HashMap;

async fn look(shards: Sharded<HashMap<u32, String>>) {
    let _ = shards.call_on(1, |map| map.get(&5)).await;
}

fn main() {}
