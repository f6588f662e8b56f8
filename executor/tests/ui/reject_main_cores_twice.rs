#[executor::main(cores = 1, cores = 2)]
async fn main() {}
