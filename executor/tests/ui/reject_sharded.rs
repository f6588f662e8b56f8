//! The value of a shard stays on its core, and so does what is borrowed from it; what makes it
//! travels.

use executor::Sharded;
use std::collections::HashMap;
use std::rc::Rc;

async fn look(shards: Sharded<HashMap<u32, String>>) {
    let _ = shards.call_on(1, |map| map.get(&5)).await;
}

fn main() {
    let shared = Rc::new(5);
    let _ = Sharded::new(move || *shared);
}
