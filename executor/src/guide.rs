//! For those who come from another runtime: where to find what you know, and what to use where we do not have it.
//!
//! This page has no code. What is named in a table without a word beside it is here, under that
//! name or the one given, and does what you expect.
//!
//! # What is different here
//!
//! - **A task stays on its core.** [`spawn`](crate::spawn()) needs no `Send`, and balances nothing. To
//!   use another core, say so: [`spawn_on`](crate::spawn_on), [`Sharded`](crate::Sharded), or a listener on each
//!   core ([`TcpListener::bind_all`](crate::net::TcpListener::bind_all)).
//! - **Buffers are given, not lent.** The kernel reads and writes them while your code runs on, so a
//!   read takes a `Vec<u8>` (or another [`IoBufMut`](crate::buf::IoBufMut)) and gives it back in a
//!   [`BufResult`](crate::buf::BufResult).
//! - **A future that is dropped loses nothing.** What had arrived is what the next read, receive or accept
//!   begins with. So `select!` in a loop is exact.
//! - **Sockets, files and timers are not `Send`.** A socket travels as the standard library's:
//!   `into_std` on one core, `from` or `from_std` on the other.
//!
//! # From tokio
//!
//! | tokio | here |
//! |---|---|
//! | `#[tokio::main]`, `#[tokio::test]`, `start_paused` | [`main`](macro@crate::main), on any function; [`test`](macro@crate::test) |
//! | `tokio::spawn`, `LocalSet`, `spawn_local` | [`spawn`](crate::spawn()); every task is a local one |
//! | `handle.spawn(future)`, from any thread | [`handle.spawn_on(core, async move \|\| …)`](crate::Handle::spawn_on): a closure, whose future is made on its core |
//! | `stream.read(&mut buffer).await?` | `let BufResult(result, buffer) = stream.read(buffer).await;`, see [`buf`](crate::buf) |
//! | `Arc<Mutex<T>>` | an `Rc<RefCell<T>>` on one core, with [`sync::Mutex`](crate::sync::Mutex) if it is locked across an `.await`; between cores a [`Sharded`](crate::Sharded), or the same as before |
//! | `JoinSet`, `AbortHandle`, `task::id`, `task::Builder` | [`JoinSet`](crate::JoinSet), [`AbortHandle`](crate::AbortHandle), [`task`](crate::task) |
//! | `Handle::current`, `try_current` | [`Handle`](crate::Handle) |
//! | `Handle::block_on` | [`Handle::block_on(core, async \|\| …)`](crate::Handle::block_on): the future runs on that core |
//! | `Runtime::enter` | not here: a thread that is no core has no reactor. [`Handle::spawn_on`](crate::Handle::spawn_on) and `block_on` work on any thread |
//! | `shutdown_timeout`, `shutdown_background` | [`Runtime::shutdown_timeout`](crate::Runtime::shutdown_timeout), [`shutdown_background`](crate::Runtime::shutdown_background) |
//! | `on_thread_start`, `on_thread_stop`, `thread_name` | [`Builder`](crate::Builder); thread hooks get the core's number |
//! | `on_thread_park`, `on_thread_unpark` | not here: each wake would be slower. [`stats`](crate::stats()) counts how cores wait |
//! | `spawn_blocking` | [`spawn_blocking`](crate::spawn_blocking); inside it [`spawn_on`](crate::spawn_on) works, [`spawn`](crate::spawn()) does not, since that thread is no core |
//! | `block_in_place` | not here: the other tasks of the core would wait. Use [`spawn_blocking`](crate::spawn_blocking) |
//! | `consume_budget`, `unconstrained`, `yield_now` | [`consume_budget`](crate::consume_budget), [`unconstrained`](crate::unconstrained), [`yield_now`](crate::yield_now()) |
//! | `task_local!`, with `try_get` and `take_value` | [`task_local!`](crate::task_local); see also [`core_local!`](crate::core_local) |
//! | `From<JoinError> for io::Error` | [`JoinError`](crate::JoinError) |
//! | `time::{sleep, timeout, interval}`, `reset_at` … | [`time`](crate::time) |
//! | `time::{pause, resume, advance}` | [`time::pause`](crate::time::pause), for all cores |
//! | `sync` within one core | [`sync`](crate::sync), without atomics: owned guards, guards that map, permits that merge and split |
//! | `sync` between cores | tokio's own, which needs no tokio runtime; see [`sync`](crate::sync#across-cores) |
//! | `Mutex::blocking_lock` and the like | tokio's own, inside [`spawn_blocking`](crate::spawn_blocking) |
//! | `CancellationToken`, `TaskTracker` | tokio-util's; they work unchanged across cores |
//! | `select!`, `join!` | tokio's or futures'; see [`sync`](crate::sync#which-select) |
//! | `tokio::pin!` | [`std::pin::pin!`] |
//! | `AsyncRead`, `AsyncWrite` | [`io::AsyncRead`](crate::io::AsyncRead), by owned buffers; [`io::compat`](crate::io::compat) has the poll-based traits of `futures`, and tokio-util's `compat` leads from those to tokio's |
//! | `Box<dyn AsyncRead>` | [`io::BoxedRead`](crate::io::BoxedRead), [`BoxedWrite`](crate::io::BoxedWrite), [`BoxedStream`](crate::io::BoxedStream) |
//! | `io::{duplex, simplex, split, join, chain, copy, empty}` | [`io`](crate::io); readers have [`chain`](crate::io::AsyncReadExt::chain) and [`take`](crate::io::AsyncReadExt::take) |
//! | a seek in a `BufReader` | [`AsyncSeek`](crate::io::AsyncSeek) |
//! | `read_line` and `read_until` that fail | what was read stays in your buffer, as with tokio |
//! | `unix::AsyncFd` | [`io::AsyncFd`](crate::io::AsyncFd) |
//! | `readable`, `writable`, `ready`, `try_read`, `try_io` | on each socket; see [`TcpStream`](crate::net::TcpStream) |
//! | `UdpSocket::{peek_from, try_send_to, set_tos_v4}` | [`UdpSocket`](crate::net::UdpSocket) |
//! | `UdpSocket::poll_recv` and other `poll_` methods | not here: the buffer would be lent. Keep the named future, such as [`Recv`](crate::net::Recv), and poll that |
//! | `lookup_host`, `TcpSocket`, `UnixSocket` | [`lookup_host`](crate::net::lookup_host), [`TcpSocket`](crate::net::TcpSocket), [`UnixSocket`](crate::net::UnixSocket) |
//! | `set_zero_linger` | [`TcpStream::set_zero_linger`](crate::net::TcpStream::set_zero_linger) |
//! | a second `shutdown` after the peer closed | no error, as with tokio |
//! | `fs::{File, OpenOptions, DirBuilder}`, `try_clone` | [`fs`](crate::fs); [`File`](crate::fs::File) reads at offsets, and in order |
//! | `signal::unix::signal(SignalKind::terminate())` | [`signal::Signal::new(SignalKind::TERMINATE)`](crate::signal::Signal) |
//! | `process` | [`process`](crate::process) |
//!
//! # From glommio
//!
//! | glommio | here |
//! |---|---|
//! | `LocalExecutorBuilder`, `LocalExecutorPoolBuilder` | one [`Builder`](crate::Builder) for all cores |
//! | `Placement` | [`Builder::cpus`](crate::Builder::cpus) and [`pin`](crate::Builder::pin); else the process's affinity mask |
//! | task queues with shares, latency goals | not here. Tasks run in the order in which they become ready, within a [budget](crate::consume_budget) |
//! | `yield_if_needed` | [`consume_budget`](crate::consume_budget) |
//! | `spawn_scoped_local` | not here: a task outlives its caller. `join!` and `FuturesUnordered` run futures that borrow |
//! | `DmaFile` | [`DirectFile`](crate::fs::DirectFile); [`read_unaligned_at`](crate::fs::DirectFile::read_unaligned_at) takes any offset and length |
//! | `read_many`, coalesced | not here: keep reads in flight, in a `FuturesUnordered`; each turn sends them together |
//! | `pre_allocate`, `deallocate` | [`File::allocate_keep_size`](crate::fs::File::allocate_keep_size), [`punch_hole`](crate::fs::File::punch_hole) |
//! | `OwnedDmaFile`, weak files | `Rc<File>` and `Weak`; across cores by `into_std` |
//! | I/O statistics of a file | not here; [`stats`](crate::stats()) counts for each core |
//! | `bind` on each executor | [`TcpListener::bind_all`](crate::net::TcpListener::bind_all), [`UdpSocket::bind_all`](crate::net::UdpSocket::bind_all); `reuse_port` in their builders |
//! | `shared_accept` | accept, then `into_std` and [`spawn_on`](crate::spawn_on) the core of your choice |
//! | `set_read_timeout` | [`time::timeout`](crate::time::timeout) around the read: dropped, it loses no byte |
//! | `TimerActionOnce`, `TimerActionRepeat` | [`spawn`](crate::spawn()) a task that sleeps; [`interval`](crate::time::interval); [`Sleep::reset`](crate::time::Sleep::reset) |
//! | `shared_channel` | tokio's `mpsc`, async-channel or flume; for a call and its answer [`spawn_on`](crate::spawn_on) |
//! | `RwLock::close`, `Gate` | [`Gate`](crate::sync::Gate) beside the lock |
//!
//! # From monoio
//!
//! | monoio | here |
//! |---|---|
//! | `IoBuf`, `IoBufMut`, `BufResult` | [`buf`](crate::buf); a `BufResult` is a struct of two fields here |
//! | `AsyncReadRent`, `AsyncWriteRent` | [`io::AsyncRead`](crate::io::AsyncRead), [`io::AsyncWrite`](crate::io::AsyncWrite) |
//! | a thread and a `RuntimeBuilder` for each core | one [`Builder`](crate::Builder); cores know each other |
//! | `CancelableAsyncReadRent` | drop the future, or call its `cancel`, which gives the buffer back |
//! | `readable`, `writable` | on each socket |
//! | `TcpConnectOpts`, TCP Fast Open | [`TcpSocket`](crate::net::TcpSocket) |
//! | `UnixSeqpacket` | [`UnixSeqpacket`](crate::net::UnixSeqpacket) |
//!
//! # From compio
//!
//! | compio | here |
//! |---|---|
//! | `Dispatcher` | [`spawn_on`](crate::spawn_on), [`Sharded`](crate::Sharded) |
//! | `compio_io` traits | the crate `corering-compio` has adapters, both ways |
//! | a cancel token across operations | tokio-util's `CancellationToken` with `select!`; what is dropped is cancelled, and loses nothing |
//! | streams that travel between cores | `into_std`, and `from` on the other core |
//! | `recv_msg`, `send_msg` | [`UdpSocket::recv_msg`](crate::net::UdpSocket::recv_msg), [`send_msg`](crate::net::UdpSocket::send_msg), with [`ControlMessage`](crate::net::ControlMessage)s |
//! | `send_zerocopy` | `write_zero_copy` on TCP streams and their halves. Not vectored, and not for UDP |
//! | a read into a pool's buffer | [`receive`](crate::net::TcpStream::receive) on sockets. Files and pipes read into a buffer of your own, such as one from [`BufPool::try_take`](crate::net::BufPool::try_take) |
//! | `close().await` | on files, pipes and sockets |
//!
//! # From Seastar
//!
//! | Seastar | here |
//! |---|---|
//! | `smp::submit_to` | [`spawn_on`](crate::spawn_on) |
//! | `sharded<T>`, `invoke_on`, `map_reduce` | [`Sharded`](crate::Sharded) |
//! | `foreign_ptr` | [`Foreign`](crate::Foreign) |
//! | `gate`, `semaphore`, `condition_variable` | [`sync`](crate::sync): `Gate`, `Semaphore`, `Notify` |
//! | `file::dma_read` | [`DirectFile`](crate::fs::DirectFile) |
//! | scheduling groups, the I/O scheduler | not here |
//! | `thread_local` services | [`core_local!`](crate::core_local) |
//!
//! # Also asked for
//!
//! | | here |
//! |---|---|
//! | file locks | [`File::lock`](crate::fs::File::lock) |
//! | a directory walk | the `walkdir` crate in [`spawn_blocking`](crate::spawn_blocking): see [`fs`](crate::fs); one level by [`read_dir`](crate::fs::read_dir) |
//! | a named pipe opened without waiting | [`PipeReader::try_open`](crate::io::PipeReader::try_open) |
//! | vsock | [`VsockStream`](crate::net::VsockStream), [`VsockListener`](crate::net::VsockListener) |
//! | an idle limit on `copy_bidirectional` | an example in [`copy_bidirectional`](crate::io::copy_bidirectional#an-idle-limit) |
//! | warnings of tasks that hold up a core | `executor::stall`, in [logging](crate#logging) |
//! | a dump of all tasks, metrics of each | not here |
//! | sockets from a supervisor | [`listen_fds`](crate::net::listen_fds) |
//! | an operation of io_uring that is not here | [`ring`](crate::ring) |
//! | hyper, rustls and other libraries with poll-based traits | by [`io::compat`](crate::io::compat), or by the adapters of `corering-compio` |
//! | a library that needs tokio's reactor | start a tokio runtime on a thread of its own, and `enter` it where the library is called |
