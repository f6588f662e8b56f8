#[executor::main(idle = "latency")]
async fn main() {}
