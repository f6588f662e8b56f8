//! The end of what is read: told as often as anyone asks, where it is final; not lost with a dropped future; and not final where the reader
//! goes on, as a terminal and a growing file do.

use crate::common;
use crate::scratch;
use crate::terminal;

use common::{pair, run, start_with, unix_pair, until};
use executor::buf::{BufResult, IoBuf};
use executor::fs::File;
use executor::io::compat::{FromFutures, ToFutures};
use executor::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, BufReader, BufWriter, PipeReader, copy, copy_buffered,
    pipe,
};
use executor::net::{BufPool, Filling, PoolOptions, UdpSocket};
use executor::{Builder, Feature};
use futures::future::{poll_fn, poll_immediate};
use futures::stream::FusedStream;
use futures::{AsyncBufRead, AsyncRead as FuturesRead};
use scratch::Scratch;
use std::cell::Cell;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use terminal::Terminal;

/// What is typed to say that nothing follows.
const END: &[u8] = b"\x04";

/// Reads everything, and then the end, again and again, single and vectored.
async fn ends(mut reader: impl AsyncRead) {
    while reader.read(Vec::with_capacity(100)).await.0.unwrap() > 0 {}
    for _ in 0..3 {
        let BufResult(read, buffer) = reader.read(vec![7; 8]).await;
        assert_eq!(read.unwrap(), 0);
        drop(buffer);
        let BufResult(read, _) = reader.read_vectored([vec![7; 8], vec![7; 8]]).await;
        assert_eq!(read.unwrap(), 0);
    }
    let mut out = Vec::new();
    assert_eq!(copy(&mut reader, &mut out).await.unwrap(), 0);
}

/// A pipe with two lines in it, the second without an end, that nobody writes to any more.
async fn finished() -> PipeReader {
    let (reader, writer) = pipe().unwrap();
    writer.write("one\ntwo").await.0.unwrap();
    reader
}

/// Every reader, bare, in a buffer, cut off, and adapted there and back: after the end comes the end.
#[test]
fn the_end_is_told_again() {
    run(1, async {
        ends(finished().await).await;
        ends(BufReader::new(finished().await)).await;
        ends(finished().await.take(2)).await;
        ends(FromFutures::new(ToFutures::new((finished().await, ())))).await;

        let (stream, peer) = pair().await;
        peer.write_all("bytes").await.0.unwrap();
        drop(peer);
        ends(&stream).await;
        let (reader, _writer) = stream.into_split();
        ends(reader).await;
        let (stream, peer) = unix_pair();
        drop(peer);
        ends(stream).await;

        let scratch = Scratch::on_disk("ends");
        let path = scratch.path("file");
        std::fs::write(&path, "some bytes").unwrap();
        ends(File::open(&path).await.unwrap()).await;
        ends(BufReader::new(File::open("/dev/null").await.unwrap())).await;
    });
}

/// The methods of buffered readers, by line, by piece, and into the buffer: after the end comes the end.
#[test]
fn the_end_of_a_buffered_reader_is_told_again() {
    run(1, async {
        let mut reader = BufReader::new(finished().await);
        let (mut line, mut piece) = (String::new(), Vec::new());
        assert_eq!(reader.read_line(&mut line).await.unwrap(), 4);
        assert_eq!(reader.read_until(b'-', &mut piece).await.unwrap(), 3);
        for _ in 0..3 {
            assert_eq!(reader.read_line(&mut line).await.unwrap(), 0);
            assert_eq!(reader.read_until(b'-', &mut piece).await.unwrap(), 0);
            assert!(reader.fill_buf().await.unwrap().is_empty());
        }
        let mut lines = BufReader::new(finished().await).lines();
        while lines.next_line().await.unwrap().is_some() {}
        assert_eq!(lines.next_line().await.unwrap(), None);
        let mut pieces = BufReader::new(finished().await).split(b'-');
        while pieces.next_segment().await.unwrap().is_some() {}
        assert_eq!(pieces.next_segment().await.unwrap(), None);
    });
}

/// Polls the stream to its end, and then on: it is ready each time.
async fn ends_as_a_stream<T>(stream: impl FusedStream<Item = io::Result<T>>) -> usize {
    let mut stream = pin!(stream);
    let mut count = 0;
    while let Some(item) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
        assert!(!stream.is_terminated());
        item.unwrap();
        count += 1;
    }
    for _ in 0..3 {
        assert!(stream.is_terminated());
        let again = poll_immediate(poll_fn(|context| stream.as_mut().poll_next(context))).await;
        assert!(again.expect("it does not wait").is_none());
    }
    count
}

/// Lines, pieces, and what a connection receives, as streams: once they have ended, they do not wait any more. Connections and datagrams do not end.
#[test]
fn a_stream_that_has_ended_stays_so() {
    for builder in [
        Builder::new(),
        Builder::new().without(Feature::MultishotReceive),
    ] {
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let lines = BufReader::new(finished().await).lines();
            assert_eq!(ends_as_a_stream(lines).await, 2);
            let pieces = BufReader::new(finished().await).split(b'-');
            assert_eq!(ends_as_a_stream(pieces).await, 1);

            let options = PoolOptions {
                count: 8,
                buffer_bytes: 2048,
                filling: Filling::Whole,
            };
            let pool = BufPool::new(options).unwrap();
            let (stream, peer) = pair().await;
            peer.write_all("bytes").await.0.unwrap();
            drop(peer);
            assert_eq!(ends_as_a_stream(stream.receive(&pool)).await, 1);
            // So does the next such stream, and a read.
            assert_eq!(ends_as_a_stream(stream.receive(&pool)).await, 0);
            ends(stream).await;

            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            assert!(!socket.receive(&pool).unwrap().is_terminated());
            let listener = executor::net::TcpListener::bind("127.0.0.1:0").unwrap();
            assert!(!listener.incoming().is_terminated());
        });
    }
}

/// The adapter to `futures` is asked for its buffer twice in one poll, as futures-lite does, and read: at the end it is ready each time.
#[test]
fn the_adapter_to_futures_is_ready_at_its_end() {
    run(1, async {
        let mut stream = ToFutures::new((finished().await, ()));
        let mut read = 0;
        loop {
            let count = poll_fn(|context| {
                let filled = match Pin::new(&mut stream).poll_fill_buf(context) {
                    Poll::Ready(filled) => filled.unwrap().len(),
                    Poll::Pending => return Poll::Pending,
                };
                match Pin::new(&mut stream).poll_fill_buf(context) {
                    Poll::Ready(again) => assert_eq!(again.unwrap().len(), filled),
                    Poll::Pending => panic!("it was ready"),
                }
                Poll::Ready(filled)
            })
            .await;
            if count == 0 {
                break;
            }
            Pin::new(&mut stream).consume(count);
            read += count;
        }
        assert_eq!(read, 7);
        let mut space = [0; 8];
        let end = poll_fn(|context| Pin::new(&mut stream).poll_read(context, &mut space));
        assert_eq!(poll_immediate(end).await.unwrap().unwrap(), 0);
        let end = poll_fn(|context| {
            let filled = Pin::new(&mut stream).poll_fill_buf(context);
            filled.map(|filled| filled.unwrap().len())
        });
        assert_eq!(poll_immediate(end).await, Some(0));
    });
}

/// An end is typed at a terminal, and typing goes on: a buffered reader tells the end once and reads on, as the standard library's does; a stream of
/// lines that has ended, and the adapter to `futures`, have ended for good.
#[test]
fn reading_goes_on_after_an_end_that_was_typed() {
    run(1, async {
        let Some(mut terminal) = Terminal::new() else {
            return;
        };
        let mut reader = BufReader::new(PipeReader::from(terminal.inside()));
        terminal.types(END);
        assert!(reader.fill_buf().await.unwrap().is_empty());
        let mut line = String::new();
        terminal.types(b"first\n");
        assert_eq!(reader.read_line(&mut line).await.unwrap(), 6);
        // A line without its newline, and the end: the end comes behind the line, and is not waited for again.
        terminal.types(b"second");
        terminal.types(END);
        assert_eq!(reader.fill_buf().await.unwrap(), b"second");
        terminal.types(END);
        assert_eq!(reader.read_line(&mut line).await.unwrap(), 6);
        assert_eq!(reader.read_line(&mut line).await.unwrap(), 0);

        let mut lines = reader.lines();
        terminal.types(b"third\n");
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("third"));
        terminal.types(END);
        assert_eq!(lines.next_line().await.unwrap(), None);
        terminal.types(b"fourth\n");
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("fourth"));
        terminal.types(END);
        assert_eq!(ends_as_a_stream(&mut lines).await, 0);
        terminal.types(b"fifth\n");
        assert_eq!(ends_as_a_stream(&mut lines).await, 0);
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("fifth"));

        let mut stream = ToFutures::new((PipeReader::from(terminal.inside()), ()));
        terminal.shows("fifth");
        terminal.types(END);
        for _ in 0..2 {
            let filled = futures::AsyncBufReadExt::fill_buf(&mut stream).await;
            assert!(filled.unwrap().is_empty());
            terminal.types(b"sixth\n");
        }
    });
}

/// A file is read to its end, and grows: the reader goes on with what is new.
#[test]
fn reading_goes_on_in_a_file_that_grows() {
    run(1, async {
        for scratch in Scratch::each("grows") {
            let path = scratch.path("log");
            std::fs::write(&path, "one\n").unwrap();
            let mut lines = BufReader::new(File::open(&path).await.unwrap()).lines();
            assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("one"));
            assert_eq!(lines.next_line().await.unwrap(), None);
            std::fs::write(&path, "one\ntwo\n").unwrap();
            assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("two"));
            assert_eq!(lines.next_line().await.unwrap(), None);
        }
    });
}

/// A writer whose flushes are counted, and wait while it is stuck.
#[derive(Clone, Default)]
struct Stuck {
    written: Rc<Cell<usize>>,
    flushes_begun: Rc<Cell<usize>>,
    flushes_ended: Rc<Cell<usize>>,
    is_stuck: Rc<Cell<bool>>,
}

impl AsyncWrite for Stuck {
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
        self.written.set(self.written.get() + buffer.buf_len());
        BufResult(Ok(buffer.buf_len()), buffer)
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.flushes_begun.set(self.flushes_begun.get() + 1);
        until(|| !self.is_stuck.get()).await;
        self.flushes_ended.set(self.flushes_ended.get() + 1);
        Ok(())
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The end is typed, and the copy that saw it is dropped while it flushes: the next one sees the end as well, and does not wait for more.
#[test]
fn an_end_that_a_dropped_copy_saw_is_kept() {
    run(1, async {
        let Some(mut terminal) = Terminal::new() else {
            return;
        };
        let mut reader = BufReader::new(PipeReader::from(terminal.inside()));
        let state = Stuck::default();
        let mut writer = BufWriter::new(state.clone());
        {
            let mut copying = pin!(copy_buffered(&mut reader, &mut writer));
            let mut copy_until = async |is_so: &dyn Fn() -> bool| {
                while !is_so() {
                    assert!(poll_immediate(&mut copying).await.is_none());
                    executor::yield_now().await;
                }
            };
            terminal.types(b"a line\n");
            // One flush before anything comes, one behind the line.
            copy_until(&|| state.flushes_ended.get() == 2).await;
            assert_eq!(state.written.get(), 7);
            state.is_stuck.set(true);
            terminal.types(END);
            copy_until(&|| state.flushes_begun.get() == 3).await;
        }
        state.is_stuck.set(false);
        assert_eq!(copy_buffered(&mut reader, &mut writer).await.unwrap(), 0);
    });
}
