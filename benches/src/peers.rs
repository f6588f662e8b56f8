//! How each peer is started, wherever one thread of it is all there is: the best configuration that its documentation gives, in one place,
//! for a reader to change. README.md has the reasons.

use std::io;
use std::time::Duration;

use futures::future::LocalBoxFuture;
use glommio::{LocalExecutor, LocalExecutorBuilder, Placement};

/// For how long `glommio-spin` looks out before it blocks: as long as ours does at most, by default.
const SPIN: Duration = Duration::from_micros(50);

pub(crate) fn tokio() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

pub(crate) fn monoio() -> io::Result<monoio::Runtime<monoio::IoUringDriver>> {
    monoio::RuntimeBuilder::<monoio::IoUringDriver>::new().build()
}

/// As it starts by default: on whatever CPUs the thread may run, which is one in most of the benches.
pub(crate) fn glommio() -> io::Result<LocalExecutor> {
    LocalExecutorBuilder::new(Placement::Unbound)
        .make()
        .map_err(glommio_failed)
}

/// With what its documentation has for those to whom latency is everything.
pub(crate) fn glommio_spinning() -> io::Result<LocalExecutor> {
    let builder = LocalExecutorBuilder::new(Placement::Unbound);
    builder
        .spin_before_park(SPIN)
        .make()
        .map_err(glommio_failed)
}

/// Runs a future to its end in a runtime of the calling thread's own.
pub(crate) type Run = fn(LocalBoxFuture<'static, ()>) -> io::Result<()>;

pub(crate) fn run_on_monoio(future: LocalBoxFuture<'static, ()>) -> io::Result<()> {
    monoio()?.block_on(future);
    Ok(())
}

pub(crate) fn run_on_glommio(future: LocalBoxFuture<'static, ()>) -> io::Result<()> {
    glommio()?.run(future);
    Ok(())
}

pub(crate) fn run_on_compio(future: LocalBoxFuture<'static, ()>) -> io::Result<()> {
    compio()?.block_on(future);
    Ok(())
}

pub(crate) fn glommio_failed(error: glommio::GlommioError<()>) -> io::Error {
    io::Error::other(error.to_string())
}

/// With the set-up of the ring that its documentation calls the faster one in most cases, and the flag that belongs to it.
pub(crate) fn compio() -> io::Result<compio::runtime::Runtime> {
    let mut ring = compio::driver::ProactorBuilder::new();
    ring.single_issuer(true)
        .coop_taskrun(true)
        .taskrun_flag(true);
    compio::runtime::RuntimeBuilder::new()
        .with_proactor(ring)
        .build()
}
