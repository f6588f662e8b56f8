//! What `#[executor::main]` takes: any expression for the cores and the policy, a trailing comma, attributes, a result.

use executor::IdlePolicy;

const fn one() -> usize {
    1
}

#[executor::main(idle = IdlePolicy::energy(), cores = one() + 0,)]
#[allow(clippy::unused_async)]
async fn main() -> Result<(), String> {
    if executor::cores() == 1 {
        return Ok(());
    }
    Err("one core was asked for")?
}
