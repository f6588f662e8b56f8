//! The value of a shard need not be `Send`, but what is told of it comes from its core.

struct Stays(*const ());

async fn look(shards: executor::Sharded<Stays>) {
    shards.call_on(0, |stays| Stays(stays.0)).detach();
}

fn main() {
    drop(look);
}
