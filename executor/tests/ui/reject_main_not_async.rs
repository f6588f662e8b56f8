mod program {
    #[executor::main]
    fn main() {}
}

fn main() {}
