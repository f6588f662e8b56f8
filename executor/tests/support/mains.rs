//! Main functions, as a program would have them, each in a module since they are all called `main`.

/// Says on which core it is dropped.
struct EndsWhere(&'static str);

impl Drop for EndsWhere {
    fn drop(&mut self) {
        eprintln!("{} ends on core {}", self.0, executor::current_core());
    }
}

pub(crate) mod without_cores {
    #[executor::main(cores = 0)]
    pub(crate) async fn main() {
        unreachable!("it does not start");
    }
}

pub(crate) mod with_a_code {
    use std::process::ExitCode;

    #[executor::main(cores = 1)]
    pub(crate) async fn main() -> ExitCode {
        executor::yield_now().await;
        ExitCode::from(7)
    }
}

pub(crate) mod with_an_error {
    #[executor::main(cores = 1)]
    pub(crate) async fn main() -> Result<(), String> {
        executor::yield_now().await;
        Err("no bananas")?;
        Ok(())
    }
}

pub(crate) mod with_a_panic {
    use super::EndsWhere;

    #[executor::main(cores = 2)]
    pub(crate) async fn main() {
        let _idle = executor::spawn_on(1, async || {
            let _ends = EndsWhere("the idle task");
            std::future::pending::<()>().await;
        });
        let _busy = executor::spawn_on(1, async || {
            let _ends = EndsWhere("the busy task");
            loop {
                executor::yield_now().await;
            }
        });
        // Messages arrive in order, so both have begun when this one is done.
        executor::spawn_on(1, async || {}).await.unwrap();
        panic!("main gives up");
    }
}
