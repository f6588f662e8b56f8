mod program {
    #[executor::main]
    async fn main(count: usize) {
        drop(count);
    }
}

fn main() {}
