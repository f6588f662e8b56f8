fn main() {
    let runtime = executor::Runtime::new().unwrap();
    runtime.handle().block_on(1, async { 5 });
}
