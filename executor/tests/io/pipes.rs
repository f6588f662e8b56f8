//! Pipes, with a name and without, and terminals: bytes, ends, errors, and what is dropped on the way.

use crate::child;
use crate::common;
use crate::common::descriptors;
use crate::terminal;

use child::Child;
use common::{Random, modes, run, settle, start, start_with, until};
use descriptors::{alone, descriptors};
use executor::buf::{BufResult, IoBuf};
use executor::io::{AsyncReadExt, AsyncWriteExt, BufReader, PipeReader, PipeWriter, pipe};
use executor::time::{Duration, sleep, timeout};
use executor::{spawn, yield_now};
use futures::future::{Either, poll_immediate, select};
use std::io::Write;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::{env, fs, io, process};
use terminal::Terminal;

/// From one byte to more than a pipe holds, by reads of other sizes: all of it, then the end, again and again.
#[test]
fn every_size_comes_through() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            for (size, chunk) in [(1, 1), (4_096, 100), (65_536, 70_000), (300_001, 8_192)] {
                let (reader, mut writer) = pipe().unwrap();
                let sent = Random::new(size as u64).bytes(size);
                let writing = spawn({
                    let sent = sent.clone();
                    async move { writer.write_all(sent).await.0 }
                });
                let mut came = Vec::new();
                loop {
                    let BufResult(read, bytes) = reader.read(Vec::with_capacity(chunk)).await;
                    if read.unwrap() == 0 {
                        break;
                    }
                    came.extend(bytes);
                }
                assert!(came == sent);
                writing.await.unwrap().unwrap();
                assert_eq!(reader.read([0; 8]).await.0.unwrap(), 0);
            }
        });
    }
}

/// Several buffers at once, empty ones and more than the kernel takes among them; a dropped vectored read leaves its bytes to the next.
#[test]
fn vectored_operations_go_through_the_buffers_in_order() {
    alone!();
    run(1, async {
        let (reader, writer) = pipe().unwrap();
        let pieces = [b"ab".to_vec(), Vec::new(), b"cdefg".to_vec()];
        assert_eq!(writer.write_vectored(pieces).await.0.unwrap(), 7);
        let spaces = [
            Vec::with_capacity(3),
            Vec::with_capacity(0),
            Vec::with_capacity(9),
        ];
        let BufResult(read, spaces) = reader.read_vectored(spaces).await;
        assert_eq!(read.unwrap(), 7);
        assert_eq!(spaces, [b"abc".to_vec(), Vec::new(), b"defg".to_vec()]);

        let many: Vec<_> = (0..3_000u32).map(|number| vec![number as u8]).collect();
        assert_eq!(writer.write_vectored(many).await.0.unwrap(), 1_024);
        let many: Vec<_> = (0..3_000).map(|_| Vec::with_capacity(1)).collect();
        assert_eq!(reader.read_vectored(many).await.0.unwrap(), 1_024);
        assert_eq!(
            reader.read_vectored(Vec::<Vec<u8>>::new()).await.0.unwrap(),
            0
        );

        let mut read = reader.read_vectored([[0; 2], [0; 2]]);
        assert!(poll_immediate(&mut read).await.is_none());
        settle().await;
        writer.write("xyz").await.0.unwrap();
        settle().await;
        drop(read);
        let BufResult(read, spaces) = reader.read_vectored([[0; 1], [0; 1]]).await;
        assert_eq!(read.unwrap(), 2);
        assert_eq!(spaces, [[b'x'], [b'y']]);
        assert_eq!(reader.read([0; 8]).await.1[..1], *b"z");
    });
}

/// `select!` of a read into an array and a short sleep, in a loop, the read begun anew each time: byte for byte.
#[test]
fn select_of_read_and_sleep_is_exact() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let (reader, writer) = pipe().unwrap();
            let sent = Random::new(41).bytes(60_000);
            let writing = spawn({
                let sent = sent.clone();
                async move {
                    let mut random = Random::new(42);
                    let mut rest = &sent[..];
                    while !rest.is_empty() {
                        let (piece, after) = rest.split_at(rest.len().min(1 + random.below(900)));
                        (&writer).write_all(piece.to_vec()).await.0.unwrap();
                        sleep(Duration::from_micros(random.below(90) as u64)).await;
                        rest = after;
                    }
                }
            });
            let (mut came, mut sleeps) = (Vec::new(), 0);
            loop {
                let read = reader.read([0; 500]);
                match select(read, sleep(Duration::from_micros(30))).await {
                    Either::Left((BufResult(count, bytes), _)) => match count.unwrap() {
                        0 => break,
                        count => came.extend_from_slice(&bytes[..count]),
                    },
                    Either::Right(_) => sleeps += 1,
                }
            }
            println!("{sleeps} sleeps");
            assert!(came == sent);
            writing.await.unwrap();
        });
    }
}

/// The reader has gone: writing is an error, and no signal ends the process. In a child, for if there were one.
#[test]
fn a_broken_pipe_is_an_error() {
    alone!();
    Child::of(|| {
        run(1, async {
            let (reader, writer) = pipe().unwrap();
            drop(reader);
            let BufResult(written, buffer) = writer.write("for nobody").await;
            assert_eq!(written.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
            assert_eq!(buffer, "for nobody");

            let (reader, writer) = pipe().unwrap();
            let mut writing = writer.write(vec![0; 1 << 20]);
            let written = poll_immediate(&mut writing).await;
            assert!(written.is_none());
            // The pipe is full then.
            assert_eq!(reader.read([0; 1]).await.0.unwrap(), 1);
            drop(reader);
            let written = writing.await.0.unwrap();
            assert!(written < 1 << 20);
            let error = writer
                .write_vectored([b"more".to_vec()])
                .await
                .0
                .unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        });
    })
    .run_well();
}

/// A pipe goes to the standard library and comes back; not while a read is in flight, or has left bytes.
#[test]
fn a_pipe_is_given_away_whole_or_not_at_all() {
    alone!();
    run(1, async {
        let (reader, writer) = pipe().unwrap();
        let mut writer = writer.into_std().expect("nothing is in flight");
        assert!(poll_immediate(reader.read([0; 8])).await.is_none());
        let reader = reader.into_std().expect_err("the kernel has the read");
        writer.write_all(b"kept").unwrap();
        until(|| reader_is_idle(&reader)).await;
        let BufResult(read, bytes) = reader.read(Vec::with_capacity(8)).await;
        read.unwrap();
        assert_eq!(bytes, b"kept");
        let reader = PipeReader::from(reader.into_std().expect("nothing is in flight"));
        let writer = PipeWriter::from(writer);
        writer.write("back").await.0.unwrap();
        assert_eq!(reader.read(Vec::with_capacity(8)).await.1, b"back");
    });
}

/// Whether what was written has arrived, or was read for nobody.
fn reader_is_idle(reader: &PipeReader) -> bool {
    !format!("{reader:?}").contains("Future")
}

struct Fifo(PathBuf);

impl Fifo {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("executor-{}-{name}", process::id()));
        let _ = fs::remove_file(&path);
        let text = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        // SAFETY: the path is a C string.
        assert_eq!(unsafe { libc::mkfifo(text.as_ptr(), 0o600) }, 0);
        Self(path)
    }
}

impl Drop for Fifo {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Both ends of a named pipe wait for each other, whoever comes first; then bytes go through.
#[test]
fn a_named_pipe_opens_when_both_ends_do() {
    alone!();
    run(1, async {
        for reader_first in [true, false] {
            let fifo = Fifo::new("both");
            let (path, same) = (fifo.0.clone(), fifo.0.clone());
            let reading = || spawn(async move { PipeReader::open(path).await.unwrap() });
            let writing = || spawn(async move { PipeWriter::open(same).await.unwrap() });
            let (reader, writer) = if reader_first {
                let reader = reading();
                settle().await;
                assert!(!reader.is_finished());
                (reader, writing())
            } else {
                let writer = writing();
                settle().await;
                assert!(!writer.is_finished());
                (reading(), writer)
            };
            let (reader, writer) = (reader.await.unwrap(), writer.await.unwrap());
            writer.write("by name").await.0.unwrap();
            assert_eq!(reader.read(Vec::with_capacity(20)).await.1, b"by name");
        }
        let error = PipeReader::open("/nonexistent/pipe").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let error = PipeReader::open("zero\0byte").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    });
}

/// Ends of a named pipe are opened without waiting: a writer is refused while nobody reads, a reader is there at once; bytes go through, and an
/// end when all clones of the writer are gone.
#[test]
fn a_named_pipe_is_opened_without_waiting() {
    alone!();
    run(1, async {
        let fifo = Fifo::new("now");
        let error = PipeWriter::try_open(&fifo.0).await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENXIO));
        let reader = PipeReader::try_open(&fifo.0).await.unwrap();
        let writer = PipeWriter::try_open(&fifo.0).await.unwrap();
        let mut read = reader.read([0; 2]);
        settle().await;
        assert!(poll_immediate(&mut read).await.is_none(), "it waits");
        let clone = writer.try_clone().unwrap();
        drop(writer);
        clone.write("hi").await.0.unwrap();
        assert_eq!(&read.await.1, b"hi");
        drop(clone);
        let reader = reader.try_clone().unwrap();
        assert_eq!(reader.read([0; 1]).await.0.unwrap(), 0);
    });
}

/// The other end never comes: the open is given up, many times, or the runtime ends; no descriptor is left.
#[test]
fn an_open_that_is_given_up_leaks_nothing() {
    alone!();
    let before = descriptors();
    let fifo = Fifo::new("alone");
    for _ in 0..3 {
        let runtime = start(1).expect("one CPU");
        runtime.block_on(async {
            for round in 0..20 {
                let opening = PipeReader::open(&fifo.0);
                let waited = timeout(Duration::from_micros(round * 20), opening).await;
                assert!(waited.is_err());
            }
            let path = fifo.0.clone();
            spawn(async move { PipeReader::open(path).await.map(drop) }).detach();
            yield_now().await;
        });
    }
    assert_eq!(descriptors(), before);
}

/// Lines are typed at a terminal: a dropped read of it loses nothing, an end that was typed is not the last word, and writing shows.
#[test]
fn a_terminal_is_read_line_by_line() {
    alone!();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let Some(mut terminal) = Terminal::new() else {
                return;
            };
            let reader = PipeReader::from(terminal.inside());
            for round in 0..20 {
                let mut read = reader.read([0; 100]);
                assert!(poll_immediate(&mut read).await.is_none());
                if round % 2 == 0 {
                    settle().await;
                }
                drop(read);
                if round % 3 == 0 {
                    settle().await;
                }
                terminal.types(format!("line {round}\n").as_bytes());
                let BufResult(read, line) = reader.read(Vec::with_capacity(100)).await;
                read.unwrap();
                assert_eq!(String::from_utf8(line).unwrap(), format!("line {round}\n"));
            }
            terminal.types(b"\x04");
            assert_eq!(reader.read([0; 8]).await.0.unwrap(), 0);
            let mut lines = BufReader::new(reader).lines();
            terminal.types(b"after the end\n");
            assert_eq!(lines.next_line().await.unwrap().unwrap(), "after the end");
            let mut writer = PipeWriter::from(terminal.inside());
            writer.write_all("a prompt: ").await.0.unwrap();
            terminal.shows("a prompt: ");
        });
    }
}

/// A runtime ends while reads of a terminal, at which nobody types, are in flight, some of them dropped: it ends, and leaves nothing.
#[test]
fn a_runtime_ends_while_a_terminal_is_read() {
    alone!();
    let Some(terminal) = Terminal::new() else {
        return;
    };
    let before = descriptors();
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            for round in 0..10 {
                let mut reader = PipeReader::from(terminal.inside());
                if round % 2 == 0 {
                    assert!(poll_immediate(reader.read([0; 10])).await.is_none());
                }
                spawn(async move { reader.read_exact([0; 10]).await.0 }).detach();
                yield_now().await;
            }
            settle().await;
        });
        drop(runtime);
        assert_eq!(descriptors(), before);
    }
}

/// An end of a pipe can be waited for by whoever wants its descriptor.
#[test]
fn ends_have_their_descriptors() {
    alone!();
    run(1, async {
        let (reader, writer) = pipe().unwrap();
        let flags = |end: std::os::fd::BorrowedFd<'_>| rustix::io::fcntl_getfd(end).unwrap();
        assert!(flags(reader.as_fd()).contains(rustix::io::FdFlags::CLOEXEC));
        assert!(flags(writer.as_fd()).contains(rustix::io::FdFlags::CLOEXEC));
        assert_eq!(writer.write("abc".slice(1..)).await.0.unwrap(), 2);
    });
}

/// Remembers that it was woken.
struct Told(AtomicBool);

impl Wake for Told {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Begins a read, types the end of the input, and drops the read when it was told.
async fn drop_when_told(terminal: &mut Terminal, mut read: impl Future + Unpin) {
    let told = Arc::new(Told(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&told));
    let polled = Pin::new(&mut read).poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending(), "nothing is typed");
    terminal.types(b"\x04");
    until(|| told.0.load(Ordering::Relaxed)).await;
}

/// An end of the input is typed at a terminal, which tells of it once, and the read that is told is dropped: the next one has it, of
/// either kind; one without room leaves it; and what is typed behind it comes behind it.
#[test]
fn an_end_that_a_dropped_read_was_told_of_is_kept() {
    alone!();
    run(1, async {
        let Some(mut terminal) = Terminal::new() else {
            return;
        };
        let reader = PipeReader::from(terminal.inside());

        drop_when_told(&mut terminal, reader.read([0; 8])).await;
        terminal.types(b"after\n");
        assert_eq!(reader.read([0; 0]).await.0.unwrap(), 0);
        assert_eq!(reader.read_vectored([[0; 4]; 2]).await.0.unwrap(), 0);
        let BufResult(_, bytes) = reader.read(Vec::with_capacity(20)).await;
        assert_eq!(bytes, b"after\n");

        drop_when_told(&mut terminal, reader.read_vectored([[0; 4]; 2])).await;
        terminal.types(b"after\n");
        let reader = reader.into_std().expect_err("an end is kept");
        assert_eq!(reader.read([0; 8]).await.0.unwrap(), 0);
        let reader = reader.into_std().expect("nothing is kept");
        let reader = PipeReader::from(reader);
        let BufResult(_, bytes) = reader.read(Vec::with_capacity(20)).await;
        assert_eq!(bytes, b"after\n");
    });
}
