//! Writing through a buffer, and copying: whatever is dropped, and whatever fails, each byte is written once and in order.

use crate::common;

use common::{Random, pair, run, settle, until};
use executor::buf::{BufResult, IoBuf, IoBufMut};
use executor::io::{
    AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, BufWriter, PipeReader, copy, copy_buffered,
    pipe,
};
use executor::time::{Duration, sleep};
use executor::{spawn, yield_now};
use futures::future::{Either, poll_immediate, select};
use socket2::SockRef;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::pin::pin;
use std::rc::Rc;

/// A writer that takes a few bytes at a time, each after a turn, and fails when it is told to; what it is dropped in, it has written, and
/// nobody knows.
#[derive(Clone, Debug, Default)]
struct Slow {
    written: Rc<RefCell<Vec<u8>>>,
    writes: Rc<Cell<usize>>,
    flushes: Rc<Cell<usize>>,
    is_shut_down: Rc<Cell<bool>>,
    fails_at: usize,
}

impl AsyncWrite for Slow {
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
        self.writes.set(self.writes.get() + 1);
        if self.writes.get() == self.fails_at {
            return BufResult(Err(io::ErrorKind::TimedOut.into()), buffer);
        }
        let count = buffer.buf_len().min(7);
        let bytes = buffer.as_init()[..count].to_vec();
        self.written.borrow_mut().extend(bytes);
        yield_now().await;
        BufResult(Ok(count), buffer)
    }

    async fn flush(&mut self) -> io::Result<()> {
        yield_now().await;
        self.flushes.set(self.flushes.get() + 1);
        Ok(())
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        yield_now().await;
        self.is_shut_down.set(true);
        Ok(())
    }
}

/// Writes, single and vectored, flushes and drops of both take turns: what was taken is written, once, in order.
#[test]
fn whatever_is_written_and_dropped_the_bytes_are_exact() {
    run(1, async {
        let slow = Slow::default();
        let mut writer = BufWriter::with_capacity(50, slow.clone());
        let mut random = Random::new(21);
        let mut taken = Vec::new();
        let mut dropped = 0;
        for _ in 0..3_000 {
            let length = random.below(80);
            let bytes = random.bytes(length);
            let is_over = match random.below(6) {
                0 => poll_immediate(pin!(writer.flush())).await.is_some(),
                1 => {
                    writer.flush().await.unwrap();
                    assert!(*slow.written.borrow() == taken, "all of it is written");
                    true
                }
                2 => {
                    let (left, right) = bytes.split_at(bytes.len() / 3);
                    let pieces = [left.to_vec(), right.to_vec()];
                    let BufResult(count, _) = writer.write_vectored(pieces).await;
                    let count = count.unwrap();
                    assert!(count == bytes.len() || count == 50);
                    taken.extend_from_slice(&bytes[..count]);
                    true
                }
                _ => match poll_immediate(pin!(writer.write(bytes.clone()))).await {
                    Some(BufResult(count, _)) => {
                        let count = count.unwrap();
                        assert_eq!(count, bytes.len().min(50), "all or what fits at all");
                        taken.extend_from_slice(&bytes[..count]);
                        true
                    }
                    None => false,
                },
            };
            if !is_over {
                dropped += 1;
                yield_now().await;
            }
        }
        println!("{dropped} dropped");
        assert!(dropped > 100);
        writer.flush().await.unwrap();
        assert!(*slow.written.borrow() == taken);
        assert!(slow.flushes.get() > 100);
        writer.shutdown().await.unwrap();
        assert!(slow.is_shut_down.get());
    });
}

/// The writer fails once: somebody is told, and nothing is lost; who gives up has the rest.
#[test]
fn what_was_not_written_stays() {
    run(1, async {
        let slow = Slow {
            fails_at: 3,
            ..Slow::default()
        };
        let mut writer = BufWriter::with_capacity(100, slow.clone());
        let text = "twenty-six bytes, all told";
        writer.write_all(text).await.0.unwrap();
        let error = writer.flush().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(slow.written.borrow().len(), 14);
        writer.write_all(", and more").await.0.unwrap();
        let (inner, unwritten) = writer.into_parts().expect("it is idle");
        assert_eq!(unwritten, b"es, all told, and more");
        let mut writer = BufWriter::new(inner);
        writer.write_all(unwritten).await.0.unwrap();
        writer.flush().await.unwrap();
        assert_eq!(
            *slow.written.borrow(),
            format!("{text}, and more").into_bytes()
        );
    });
}

/// A flush is dropped while the writer flushes, and more is written: the next flush flushes that.
#[test]
fn a_flush_is_of_what_was_written_before_it() {
    run(1, async {
        let slow = Slow::default();
        let mut writer = BufWriter::new(slow.clone());
        writer.write_all("first").await.0.unwrap();
        while slow.written.borrow().is_empty() {
            let _ = poll_immediate(pin!(writer.flush())).await;
        }
        assert!(poll_immediate(pin!(writer.flush())).await.is_none());
        writer.write_all("second").await.0.unwrap();
        let before = slow.flushes.get();
        writer.flush().await.unwrap();
        assert_eq!(*slow.written.borrow(), b"firstsecond");
        assert!(slow.flushes.get() > before);
    });
}

/// A writer whose first flush fails; it notes each flush and shutdown.
#[derive(Clone, Default)]
struct FlushFails(Rc<RefCell<Vec<&'static str>>>);

impl AsyncWrite for FlushFails {
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
        BufResult(Ok(buffer.buf_len()), buffer)
    }

    async fn flush(&mut self) -> io::Result<()> {
        let is_first = self.0.borrow().is_empty();
        self.0.borrow_mut().push("flush");
        match is_first {
            true => Err(io::ErrorKind::TimedOut.into()),
            false => Ok(()),
        }
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        self.0.borrow_mut().push("shutdown");
        Ok(())
    }
}

/// The writer's flush fails once, and nothing more is written: the next flush reaches the writer
/// again, and a shutdown makes up for the flush first.
#[test]
fn a_flush_that_failed_is_made_again() {
    run(1, async {
        for again in ["flush", "shutdown"] {
            let inner = FlushFails::default();
            let mut writer = BufWriter::new(inner.clone());
            writer.write_all("held back").await.0.unwrap();
            let error = writer.flush().await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            if again == "flush" {
                writer.flush().await.unwrap();
                assert_eq!(*inner.0.borrow(), ["flush", "flush"]);
            }
            writer.shutdown().await.unwrap();
            assert_eq!(*inner.0.borrow(), ["flush", "flush", "shutdown"]);
        }
    });
}

/// A copy from pipe to pipe, much more than they hold: all of it comes, and the end when the writer is dropped.
#[test]
fn a_copy_copies_everything() {
    run(1, async {
        let (mut source, feed) = pipe().unwrap();
        let (sink, mut out) = pipe().unwrap();
        let sent = Random::new(31).bytes(1_000_000);
        let feeding = spawn({
            let sent = sent.clone();
            async move { (&feed).write_all(sent).await.0 }
        });
        let copying = spawn(async move { copy(&mut source, &mut out).await });
        let mut came = Vec::new();
        loop {
            let BufResult(read, bytes) = sink.read(Vec::with_capacity(5_000)).await;
            if read.unwrap() == 0 {
                break;
            }
            came.extend(bytes);
        }
        assert!(came == sent);
        assert_eq!(copying.await.unwrap().unwrap(), 1_000_000);
        feeding.await.unwrap().unwrap();
    });
}

/// The same from buffer to buffer, given up and begun again all the time: no byte is lost, none comes twice.
#[test]
fn a_buffered_copy_that_is_dropped_is_gone_on_with() {
    run(1, async {
        let (source, feed) = pipe().unwrap();
        let sent = Random::new(32).bytes(200_000);
        let feeding = spawn({
            let sent = sent.clone();
            async move {
                let mut random = Random::new(33);
                let mut rest = &sent[..];
                while !rest.is_empty() {
                    let (piece, after) = rest.split_at(rest.len().min(1 + random.below(3_000)));
                    (&feed).write_all(piece.to_vec()).await.0.unwrap();
                    sleep(Duration::from_micros(random.below(50) as u64)).await;
                    rest = after;
                }
            }
        });
        let slow = Slow::default();
        let mut reader = BufReader::with_capacity(500, source);
        let mut writer = BufWriter::with_capacity(300, slow.clone());
        let mut dropped = 0;
        loop {
            let copying = pin!(copy_buffered(&mut reader, &mut writer));
            match select(copying, sleep(Duration::from_micros(40))).await {
                Either::Left((copied, _)) => {
                    copied.unwrap();
                    break;
                }
                Either::Right(_) => dropped += 1,
            }
        }
        println!("{dropped} dropped");
        assert!(*slow.written.borrow() == sent);
        feeding.await.unwrap();
    });
}

/// A few bytes come and then nothing: the copy writes them, and does not wait for a full buffer.
#[test]
fn a_buffered_copy_holds_nothing_back() {
    run(1, async {
        let (source, feed) = pipe().unwrap();
        let (sink, out) = pipe().unwrap();
        let copying = spawn(async move {
            let (mut reader, mut writer) = (BufReader::new(source), BufWriter::new(out));
            copy_buffered(&mut reader, &mut writer).await
        });
        feed.write("a question").await.0.unwrap();
        settle().await;
        assert_eq!(sink.read(Vec::with_capacity(20)).await.1, b"a question");
        drop(feed);
        assert_eq!(copying.await.unwrap().unwrap(), 10);
    });
}

/// What became of the futures of a reader or writer: each ends, or is dropped before.
#[derive(Clone, Debug, Default)]
struct Futures {
    begun: Rc<Cell<usize>>,
    ended: Rc<Cell<usize>>,
}

impl Futures {
    async fn watch<T>(&self, future: impl Future<Output = T>) -> T {
        self.begun.set(self.begun.get() + 1);
        let output = future.await;
        self.ended.set(self.ended.get() + 1);
        output
    }
}

/// A pipe whose reads are watched. The first of them are interrupted.
struct Watched {
    pipe: PipeReader,
    reads: Futures,
    interruptions: usize,
}

impl Watched {
    fn new(pipe: PipeReader) -> Self {
        Self {
            pipe,
            reads: Futures::default(),
            interruptions: 0,
        }
    }
}

impl AsyncRead for Watched {
    async fn read<B: IoBufMut>(&mut self, buffer: B) -> BufResult<usize, B> {
        if self.interruptions > 0 {
            self.interruptions -= 1;
            return BufResult(Err(io::ErrorKind::Interrupted.into()), buffer);
        }
        self.reads.watch(self.pipe.read(buffer)).await
    }
}

/// A writer that holds back what it was given until it is flushed, as TLS does. Each write and flush has an outcome as it is told, or succeeds.
#[derive(Clone, Debug, Default)]
struct Holding {
    held: Rc<RefCell<Vec<u8>>>,
    flushed: Rc<RefCell<Vec<u8>>>,
    writes: Rc<RefCell<VecDeque<io::Result<usize>>>>,
    flush_results: Rc<RefCell<VecDeque<io::Result<()>>>>,
    flushes: Futures,
    /// While it is true, flushes wait.
    is_stuck: Rc<Cell<bool>>,
}

impl AsyncWrite for Holding {
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
        let outcome = self.writes.borrow_mut().pop_front();
        let outcome = outcome.unwrap_or(Ok(buffer.buf_len()));
        if let Ok(count) = outcome {
            let bytes = &buffer.as_init()[..count];
            self.held.borrow_mut().extend_from_slice(bytes);
        }
        BufResult(outcome, buffer)
    }

    async fn flush(&mut self) -> io::Result<()> {
        let flush = async {
            until(|| !self.is_stuck.get()).await;
            if let Some(outcome) = self.flush_results.borrow_mut().pop_front() {
                outcome?;
            }
            self.flushed
                .borrow_mut()
                .append(&mut self.held.borrow_mut());
            Ok(())
        };
        self.flushes.watch(flush).await
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        self.flush().await
    }
}

/// Pieces come with pauses, through a writer that holds everything back: each is flushed when nothing follows it, once, and by the one read that goes
/// on waiting.
#[test]
fn a_copy_flushes_when_nothing_comes_for_now() {
    run(1, async {
        let (source, feed) = pipe().unwrap();
        let mut source = Watched::new(source);
        let writer = Holding::default();
        let reads = source.reads.clone();
        let copying = spawn({
            let mut writer = writer.clone();
            async move { copy(&mut source, &mut writer).await }
        });
        settle().await;
        assert_eq!(writer.flushes.begun.get(), 0, "nothing was written");
        for round in 1..=5 {
            feed.write("piece").await.0.unwrap();
            settle().await;
            assert_eq!(*writer.flushed.borrow(), b"piece".repeat(round));
            assert_eq!(writer.flushes.ended.get(), round);
            assert_eq!(reads.begun.get(), round + 1);
        }
        drop(feed);
        assert_eq!(copying.await.unwrap().unwrap(), 25);
        assert_eq!(reads.begun.get(), 6, "no read was given up for another");
        assert_eq!(reads.ended.get(), 6);
    });
}

/// While a flush waits, more comes, and the end: neither the flush nor the read is dropped, and what came is written behind it.
#[test]
fn a_copy_waits_for_its_flush_and_its_read() {
    run(1, async {
        let (source, feed) = pipe().unwrap();
        let mut source = Watched::new(source);
        let writer = Holding::default();
        let reads = source.reads.clone();
        writer.is_stuck.set(true);
        let copying = spawn({
            let mut writer = writer.clone();
            async move { copy(&mut source, &mut writer).await }
        });
        feed.write("one").await.0.unwrap();
        settle().await;
        assert_eq!((reads.begun.get(), writer.flushes.begun.get()), (2, 1));
        feed.write("two").await.0.unwrap();
        settle().await;
        assert_eq!((reads.ended.get(), writer.flushes.begun.get()), (2, 1));
        assert_eq!(*writer.held.borrow(), b"one", "it is not behind a flush");
        drop(feed);
        writer.is_stuck.set(false);
        assert_eq!(copying.await.unwrap().unwrap(), 6);
        assert_eq!(*writer.flushed.borrow(), b"onetwo");
        assert_eq!(writer.flushes.begun.get(), writer.flushes.ended.get());
    });
}

/// A copy through the outcomes that a writer is told to have, from a pipe with six bytes in it that stays open for a while.
async fn copy_into(writer: &Holding) -> io::Result<u64> {
    let (source, feed) = pipe().unwrap();
    let mut source = Watched::new(source);
    source.interruptions = 2;
    feed.write("sixsix").await.0.unwrap();
    let copying = spawn({
        let mut writer = writer.clone();
        async move { copy(&mut source, &mut writer).await }
    });
    settle().await;
    drop(feed);
    copying.await.unwrap()
}

/// Interruptions of reads, writes and flushes are gone over; short writes are gone on with; a write of nothing and an error of either are told.
#[test]
fn a_copy_tells_errors_and_goes_over_interruptions() {
    run(1, async {
        let interrupted = || io::Error::from(io::ErrorKind::Interrupted);
        let writer = Holding::default();
        writer
            .writes
            .borrow_mut()
            .extend([Err(interrupted()), Ok(2)]);
        writer
            .flush_results
            .borrow_mut()
            .push_back(Err(interrupted()));
        assert_eq!(copy_into(&writer).await.unwrap(), 6);
        assert_eq!(*writer.flushed.borrow(), b"sixsix");

        let writer = Holding::default();
        writer.writes.borrow_mut().push_back(Ok(0));
        let error = copy_into(&writer).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WriteZero);

        for flushes_before in 0..2 {
            let writer = Holding::default();
            let outcomes = (0..flushes_before).map(|_| Ok(()));
            writer.flush_results.borrow_mut().extend(outcomes);
            let failure = Err(io::ErrorKind::TimedOut.into());
            writer.flush_results.borrow_mut().push_back(failure);
            let error = copy_into(&writer).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
    });
}

/// The reader fails while a flush waits for ever: the copy tells, and does not wait with it.
#[test]
fn a_copy_tells_of_a_failed_read_during_a_flush() {
    run(1, async {
        let (near, far) = pair().await;
        let writer = Holding::default();
        writer.is_stuck.set(true);
        let copying = spawn({
            let mut writer = writer.clone();
            async move { copy(&mut &near, &mut writer).await }
        });
        far.write_all("held").await.0.unwrap();
        until(|| writer.flushes.begun.get() == 1).await;
        SockRef::from(&far)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
        drop(far);
        let error = copying.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    });
}

/// From buffer to buffer, and behind that a writer that holds everything back itself: it is flushed too.
#[test]
fn a_buffered_copy_flushes_what_is_behind_the_buffer() {
    run(1, async {
        let (source, feed) = pipe().unwrap();
        let writer = Holding::default();
        let interrupted = Err(io::ErrorKind::Interrupted.into());
        writer.flush_results.borrow_mut().push_back(interrupted);
        let copying = spawn({
            let mut writer = BufWriter::new(writer.clone());
            async move { copy_buffered(&mut BufReader::new(source), &mut writer).await }
        });
        for round in 1..=3 {
            feed.write("piece").await.0.unwrap();
            settle().await;
            assert_eq!(*writer.flushed.borrow(), b"piece".repeat(round));
        }
        drop(feed);
        assert_eq!(copying.await.unwrap().unwrap(), 15);
    });
}
