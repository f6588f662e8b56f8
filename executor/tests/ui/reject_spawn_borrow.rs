//! A task may outlive whoever started it.

fn main() {
    let local = String::new();
    let _ = executor::spawn(async { drop(&local) });
}
