//! What these tests share: runtimes under a watchdog, drop counters, threads that are not cores, and ways to wait without sleeping.
#![allow(dead_code, reason = "each test file uses its own part of it")]

pub(crate) mod descriptors;

use executor::net::{TcpListener, TcpStream, UnixStream};
use executor::{Builder, Feature, IdlePolicy, Runtime};
use reactor::monitor::Monitor;
use std::future::Future;
use std::io::Write;
use std::ops::Deref;
use std::pin::pin;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread, ThreadId};
use std::time::Duration;

/// A test that is not over by then hangs. Two noisy CPUs and a sanitizer need some seconds; nothing is measured by it.
const TEST_LIMIT: Duration = Duration::from_secs(60);

/// How many CPUs this process may use.
pub(crate) fn cpus_allowed() -> usize {
    let mask = rustix::thread::sched_getaffinity(None).expect("a thread may ask for its own mask");
    mask.count() as usize
}

/// Raises this process's limit on descriptors to `count`, if it is below.
pub(crate) fn allow_descriptors(count: u64) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < count) {
        limit.current = Some(limit.maximum.map_or(count, |maximum| maximum.min(count)));
        setrlimit(Resource::Nofile, limit).expect("it is below the hard limit");
    }
}

/// Ends the process with a message if it is not dropped in time: a test that hangs says what it was waiting for.
pub(crate) struct Watchdog(#[expect(dead_code, reason = "its drop is the message")] Sender<()>);

impl Watchdog {
    /// `what` says what was stuck.
    pub(crate) fn new(what: impl FnOnce() -> String + Send + 'static) -> Self {
        let test = thread::current().name().unwrap_or("?").to_owned();
        let (alive, ended) = channel::<()>();
        thread::spawn(move || {
            if ended.recv_timeout(TEST_LIMIT) == Err(RecvTimeoutError::Timeout) {
                // Not `eprintln`, which the harness keeps for itself until the test has ended.
                let text = format!("\n{test} hangs after {TEST_LIMIT:?}: {}\n", what());
                let _ = std::io::stderr().write_all(text.as_bytes());
                std::process::exit(101);
            }
        });
        Self(alive)
    }
}

/// A runtime whose test, and whose drop, must not hang.
pub(crate) struct Watched {
    runtime: Runtime,
    _watchdog: Watchdog,
}

impl Deref for Watched {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        &self.runtime
    }
}

/// Starts a runtime; `None`, with a word of why, if this process may not use so many CPUs.
pub(crate) fn start_with(builder: Builder, cores: usize) -> Option<Watched> {
    if cpus_allowed() < cores {
        println!(
            "skipped: it needs {cores} CPUs, and this process may use {}",
            cpus_allowed()
        );
        return None;
    }
    Some(Watched {
        runtime: builder.cores(cores).build().expect("the runtime starts"),
        _watchdog: Watchdog::new(|| "its runtime is still there".to_owned()),
    })
}

/// The same, as built by default.
pub(crate) fn start(cores: usize) -> Option<Watched> {
    start_with(Builder::new(), cores)
}

/// Runs a whole test on a runtime of its own.
pub(crate) fn run(cores: usize, test: impl Future<Output = ()>) {
    if let Some(runtime) = start(cores) {
        runtime.block_on(test);
    }
}

/// The ways a runtime differs in how it sleeps and is told of completions.
pub(crate) fn modes() -> Vec<(&'static str, Builder)> {
    let new = Builder::new;
    let oldest = Feature::all().fold(new().idle(IdlePolicy::block()), Builder::without);
    let mut modes = vec![
        ("default", new()),
        ("no spinning", new().idle(IdlePolicy::block())),
        ("no TASKRUN_FLAG", new().without(Feature::TaskrunFlag)),
        ("not pinned", new().pin(false)),
        ("no DEFER_TASKRUN", new().without(Feature::DeferTaskrun)),
        (
            "no SINGLE_ISSUER",
            new()
                .without(Feature::SingleIssuer)
                .idle(IdlePolicy::block()),
        ),
        (
            "interrupts",
            new()
                .without(Feature::DeferTaskrun)
                .without(Feature::CoopTaskrun),
        ),
        ("oldest", oldest),
    ];
    if Monitor::detect().is_some() {
        let watching = IdlePolicy::block().monitor(Duration::from_secs(3_600));
        modes.push(("watching", new().idle(watching)));
    }
    modes
}

/// Waits on a thread that is no core.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Calls `call` on a thread that is no core, while the core goes on.
pub(crate) async fn on_thread<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = futures::channel::oneshot::channel();
    thread::spawn(move || {
        let _ = sender.send(call());
    });
    receiver.await.expect("the thread does not panic")
}

/// Lets the others run until `condition` holds. Works on a core and on any other thread.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        thread::yield_now();
        executor::yield_now().await;
    }
}

/// Lets this core go through a few turns: enough for whatever is ready, or is on its way from this core to itself, and for what was begun to
/// get to the kernel, which is entered between two turns only. A turn ends after 128 polls at the latest.
pub(crate) async fn settle() {
    for _ in 0..3 * 128 {
        executor::yield_now().await;
    }
}

/// The thread behind a core.
pub(crate) async fn thread_of(core: usize) -> ThreadId {
    let asked = executor::spawn_on(core, async || thread::current().id());
    asked.await.expect("it does not panic")
}

/// Two ends of one connection.
pub(crate) async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let connecting = executor::spawn(TcpStream::connect(address));
    let (accepted, _) = listener.accept().await.expect("somebody connects");
    let connected = connecting.await.expect("it does not panic");
    (connected.expect("somebody listens"), accepted)
}

/// Two ends of one connection within the machine.
pub(crate) fn unix_pair() -> (UnixStream, UnixStream) {
    UnixStream::pair().expect("two descriptors")
}

/// Counts the drops of its [`Token`]s, and where they happened.
#[derive(Clone, Default)]
pub(crate) struct Drops(Arc<Mutex<Vec<ThreadId>>>);

/// Something that a future or an output holds; its drop is counted.
pub(crate) struct Token(Drops);

impl Drops {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn token(&self) -> Token {
        Token(self.clone())
    }

    /// How many tokens were dropped.
    pub(crate) fn count(&self) -> usize {
        self.threads().len()
    }

    /// The threads they were dropped on, in order.
    pub(crate) fn threads(&self) -> Vec<ThreadId> {
        self.0
            .lock()
            .expect("nothing panics while it is held")
            .clone()
    }
}

impl Token {
    /// Another one of the same counter.
    pub(crate) fn again(&self) -> Self {
        self.0.token()
    }
}

impl Token {
    /// Another, counted with this one.
    pub(crate) fn another(&self) -> Self {
        self.0.token()
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        let mut threads = self.0.0.lock().expect("nothing panics while it is held");
        threads.push(thread::current().id());
    }
}

/// Numbers that look random and are the same each time (xorshift).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() >> 16) as usize % end
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..count.div_ceil(8))
            .flat_map(|_| self.next().to_ne_bytes())
            .collect();
        bytes.truncate(count);
        bytes
    }
}
