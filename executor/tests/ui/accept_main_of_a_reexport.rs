//! The crate is where the path says: re-exported by a framework, or renamed; where nothing else is called `executor`.

mod framework {
    pub use executor as runtime;
}

mod without_the_name {
    // Hides the crate's name from what is not a full path.
    #[allow(dead_code)]
    mod executor {}

    #[crate::framework::runtime::main(crate = crate::framework::runtime, cores = 1)]
    pub(super) async fn cores() -> usize {
        crate::framework::runtime::cores()
    }

    #[crate::framework::runtime::main(cores = 1, crate = "crate::framework::runtime", pin = false)]
    pub(super) async fn cores_by_a_string() -> Result<usize, String> {
        Err("an error")?;
        Ok(1)
    }
}

#[framework::runtime::main(cores = 1, crate = framework::runtime)]
async fn main() {
    let other = std::thread::spawn(|| {
        assert_eq!(without_the_name::cores(), 1);
        assert_eq!(without_the_name::cores_by_a_string(), Err("an error".to_owned()));
    });
    other.join().unwrap();
}
