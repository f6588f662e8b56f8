fn needs_send(_: impl Send) {}

fn main() {
    let runtime = executor::Runtime::new().unwrap();
    needs_send(runtime);
}
