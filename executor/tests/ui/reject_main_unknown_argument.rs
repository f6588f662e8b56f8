mod program {
    #[executor::main(threads = 2)]
    async fn main() {}
}

fn main() {}
