//! What the compiler must reject, and what it must not: a task stays on its core, so what crosses cores is `Send` and the rest need not
//! be; and the macros say what they want.
//!
//! The texts in `ui/*.stderr` are those of rustc 1.95; after a change of toolchain, `TRYBUILD=overwrite` writes them anew. The parts
//! that point into the standard library are avoided, since they depend on whether its sources are installed.

#[test]
fn what_must_not_compile_does_not() {
    trybuild::TestCases::new().compile_fail("tests/ui/reject_*.rs");
}

#[test]
fn what_must_compile_does() {
    trybuild::TestCases::new().pass("tests/ui/accept_*.rs");
}
