#[executor::main(cores = "all")]
async fn main() {}
