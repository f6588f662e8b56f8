//! What the compiler must reject, and what it must not: a task stays on its core, so what crosses cores is `Send` and the rest need not
//! be; and the macros say what they want.
//!
//! The texts in `ui/*.stderr` are those of rustc 1.95, and are compared with that alone: each release words them differently. After a change of
//! toolchain, `TRYBUILD=overwrite` writes them anew. The parts that point into the standard library are avoided, since they depend on
//! whether its sources are installed.

use std::process::Command;

/// The release whose texts are in `ui`.
const RELEASE: &str = "rustc 1.95.";

#[test]
fn what_must_not_compile_does_not() {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(compiler)
        .arg("--version")
        .output()
        .expect("cargo has found it");
    let version = String::from_utf8_lossy(&version.stdout);
    if !version.starts_with(RELEASE) {
        return println!("skipped: the texts are those of {RELEASE}x, and this is {version}");
    }
    trybuild::TestCases::new().compile_fail("tests/ui/reject_*.rs");
}

#[test]
fn what_must_compile_does() {
    trybuild::TestCases::new().pass("tests/ui/accept_*.rs");
}
