//! What `#[executor::main]` takes: any expression for the cores, a trailing comma, attributes, a result.

const fn one() -> usize {
    1
}

#[executor::main(cores = one() + 0,)]
#[allow(clippy::unused_async)]
async fn main() -> Result<(), String> {
    if executor::cores() == 1 {
        return Ok(());
    }
    Err("one core was asked for")?
}
