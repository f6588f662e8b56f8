#[executor::main]
async fn start() {}

fn main() {}
