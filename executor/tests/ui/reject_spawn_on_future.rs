//! What another core is given makes a future there.

fn main() {
    let _ = executor::spawn_on(1, async { 5 });
}
