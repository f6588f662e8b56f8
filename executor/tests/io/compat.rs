//! To the traits of `futures::io` and back: byte for byte, ends, errors, and what is dropped on the way.

use crate::common;

use common::{Random, run, settle};
use executor::buf::{BufResult, IoBuf};
use executor::io::compat::{FromFutures, ToFutures};
use executor::io::{self as owned, PipeReader, PipeWriter, pipe};
use executor::time::{Duration, sleep, timeout};
use executor::{spawn, yield_now};
use futures::future::{Either, poll_immediate, select};
use futures::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, StreamExt};
use std::cell::Cell;
use std::io;
use std::pin::pin;
use std::rc::Rc;

/// Two ends of a connection made of two pipes.
fn connection() -> ((PipeReader, PipeWriter), (PipeReader, PipeWriter)) {
    let (left_reader, right_writer) = pipe().unwrap();
    let (right_reader, left_writer) = pipe().unwrap();
    ((left_reader, left_writer), (right_reader, right_writer))
}

/// Bytes go through every adapter there is, one behind the other, by writes and reads of all sizes.
#[test]
fn there_and_back_is_exact() {
    run(1, async {
        let (near, far) = connection();
        let sent = Random::new(51).bytes(500_000);
        let echoing = spawn(async move {
            // The traits of owned buffers over those of `futures` over those of owned buffers.
            let (mut reader, mut writer) = ToFutures::new(far).split();
            let mut reader = FromFutures::new(&mut reader);
            let mut writer = FromFutures::new(&mut writer);
            let copied = owned::copy(&mut reader, &mut writer).await.unwrap();
            owned::AsyncWrite::shutdown(&mut writer).await.unwrap();
            copied
        });
        let (mut reader, mut writer) = ToFutures::with_capacity(3_000, near).split();
        let writing = spawn({
            let sent = sent.clone();
            async move {
                let mut random = Random::new(52);
                let mut rest = &sent[..];
                while !rest.is_empty() {
                    let (piece, after) = rest.split_at(rest.len().min(1 + random.below(9_000)));
                    writer.write_all(piece).await.unwrap();
                    if random.below(4) == 0 {
                        writer.flush().await.unwrap();
                    }
                    rest = after;
                }
                writer.close().await.unwrap();
            }
        });
        let mut came = vec![0; sent.len()];
        let mut filled = 0;
        let mut random = Random::new(53);
        while filled < came.len() {
            let end = came.len().min(filled + random.below(7_000));
            filled += reader.read(&mut came[filled..end]).await.unwrap();
        }
        assert!(came == sent);
        writing.await.unwrap();
        assert!(
            !echoing.is_finished(),
            "its writer was not dropped, so there is no end yet"
        );
        echoing.abort();
    });
}

/// `select!` of a read and a short sleep, in a loop: byte for byte.
#[test]
fn select_of_read_and_sleep_is_exact() {
    run(1, async {
        let ((reader, _), (_, writer)) = connection();
        let sent = Random::new(54).bytes(50_000);
        let writing = spawn({
            let sent = sent.clone();
            async move {
                let mut writer = ToFutures::new(((), writer));
                let mut random = Random::new(55);
                let mut rest = &sent[..];
                while !rest.is_empty() {
                    let (piece, after) = rest.split_at(rest.len().min(1 + random.below(700)));
                    writer.write_all(piece).await.unwrap();
                    sleep(Duration::from_micros(random.below(70) as u64)).await;
                    rest = after;
                }
                writer.flush().await.unwrap();
            }
        });
        let mut reader = ToFutures::with_capacity(400, (reader, ()));
        let (mut came, mut sleeps) = (Vec::new(), 0);
        loop {
            let mut bytes = [0; 300];
            match select(reader.read(&mut bytes), sleep(Duration::from_micros(30))).await {
                Either::Left((count, _)) => match count.unwrap() {
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

/// A question is written and not flushed, and the answer is read: the question goes out all the same, also if the pipe takes it in parts.
#[test]
fn what_is_written_goes_out_without_a_flush() {
    run(1, async {
        let (near, (question, answer)) = connection();
        let mut stream = ToFutures::with_capacity(200_000, near);
        let answering = spawn(async move {
            let mut question = question;
            let BufResult(read, bytes) =
                owned::AsyncReadExt::read_exact(&mut question, Vec::with_capacity(150_000)).await;
            read.unwrap();
            answer.write("answer").await.0.unwrap();
            bytes
        });
        stream.write_all(&[7; 100_000]).await.unwrap();
        stream.write_all(&[8; 50_000]).await.unwrap();
        let mut bytes = [0; 6];
        stream.read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"answer");
        let question = answering.await.unwrap();
        assert!(question[..100_000].iter().all(|byte| *byte == 7));
        assert!(question[100_000..].iter().all(|byte| *byte == 8));
    });
}

/// Two writes, and then the writer waits for something else altogether: both get there. So does what a pipe takes in parts, also when a flush
/// that was to wait for it is given up.
#[test]
fn what_is_written_goes_out_while_nobody_waits_for_it() {
    run(1, async {
        let ((_, writer), (reader, _)) = connection();
        let mut stream = ToFutures::with_capacity(200_000, ((), writer));
        stream.write_all(b"a").await.unwrap();
        stream.write_all(b"b").await.unwrap();
        let mut reader = reader;
        let mut came = Vec::new();
        while came.len() < 2 {
            let BufResult(read, bytes) = reader.read(Vec::with_capacity(2)).await;
            read.unwrap();
            came.extend(bytes);
        }
        assert_eq!(came, b"ab");
        // More than a pipe holds, twice.
        for byte in [1, 2] {
            stream.write_all(&[byte; 150_000]).await.unwrap();
            assert!(poll_immediate(stream.flush()).await.is_none());
            let space = Vec::with_capacity(150_000);
            let BufResult(read, bytes) = owned::AsyncReadExt::read_exact(&mut reader, space).await;
            read.unwrap();
            assert!(bytes == [byte; 150_000]);
        }
        stream.flush().await.unwrap();
        stream.with_writer(|writer| assert!(writer.is_some(), "all is written"));
        stream.write_all(&[3; 150_000]).await.unwrap();
        settle().await;
        stream.with_writer(|writer| assert!(writer.is_none(), "the pipe is full"));
        // With the adapter goes the writer, though a task was at it.
        drop(stream);
        while let BufResult(Ok(1..), bytes) = reader.read(Vec::with_capacity(100_000)).await {
            assert!(bytes.iter().all(|byte| *byte == 3));
        }
    });
}

/// A writer that panics, in the background and while somebody waits.
struct Panicking;

impl owned::AsyncWrite for Panicking {
    async fn write<B: IoBuf>(&mut self, _: B) -> BufResult<usize, B> {
        settle().await;
        panic!("the writer's")
    }

    async fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The writer panics where nobody sees it: who waits for it then does not wait for ever.
#[test]
fn a_panic_of_the_background_comes_up() {
    run(1, async {
        let flushing = spawn(async {
            let mut writer = ToFutures::new(((), Panicking));
            writer.write_all(b"taken").await.unwrap();
            writer.flush().await
        });
        assert!(flushing.await.unwrap_err().is_panic());
    });
}

/// Lines of `futures`, over the buffer that the adapter has; the end is the end.
#[test]
fn the_buffer_is_one_of_futures() {
    run(1, async {
        let ((reader, _), (_, writer)) = connection();
        writer.write("one\ntwo").await.0.unwrap();
        drop(writer);
        let lines: Vec<String> = AsyncBufReadExt::lines(ToFutures::new((reader, ())))
            .map(Result::unwrap)
            .collect()
            .await;
        assert_eq!(lines, ["one", "two"]);
    });
}

/// A writer that is slow to flush and to shut down, and at last fails.
#[derive(Default)]
struct Recorder {
    flushed: Rc<Cell<usize>>,
    shut_down: Rc<Cell<usize>>,
}

impl owned::AsyncWrite for Recorder {
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
        yield_now().await;
        BufResult(Ok(buffer.buf_len()), buffer)
    }

    async fn flush(&mut self) -> io::Result<()> {
        yield_now().await;
        self.flushed.set(self.flushed.get() + 1);
        Ok(())
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        yield_now().await;
        self.shut_down.set(self.shut_down.get() + 1);
        Ok(())
    }
}

/// Flushing and closing are dropped half-way and called again: each gets to the writer, and closing does so once.
#[test]
fn flush_and_close_get_to_the_writer() {
    run(1, async {
        let recorder = Recorder::default();
        let (flushed, shut_down) = (Rc::clone(&recorder.flushed), Rc::clone(&recorder.shut_down));
        let mut writer = ToFutures::new(((), recorder));
        writer.write_all(b"first").await.unwrap();
        while flushed.get() == 0 {
            let _ = poll_immediate(writer.flush()).await;
            yield_now().await;
        }
        writer.write_all(b"second").await.unwrap();
        writer.flush().await.unwrap();
        assert_eq!(flushed.get(), 2);
        writer.write_all(b"third").await.unwrap();
        while poll_immediate(writer.close()).await.is_none() {
            yield_now().await;
        }
        assert_eq!((flushed.get(), shut_down.get()), (3, 1));
        writer.close().await.unwrap();
        assert_eq!(shut_down.get(), 1);
    });
}

/// Nobody reads any more: the write that is told of it may be a later one, and the flush is told for certain.
#[test]
fn an_error_of_the_background_comes_up() {
    run(1, async {
        let ((_, writer), (reader, _)) = connection();
        let mut writer = ToFutures::new(((), writer));
        drop(reader);
        writer.write_all(b"taken").await.unwrap();
        settle().await;
        let error = writer.flush().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        let error = writer.close().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    });
}

/// A stream of `futures` that is not ready: a read of it waits, is dropped, and loses nothing that the stream keeps.
#[test]
fn a_stream_of_futures_is_read_into_owned_buffers() {
    run(1, async {
        let ((reader, _), (_, writer)) = connection();
        let mut reader = FromFutures::new(ToFutures::new((reader, ())));
        let read = owned::AsyncRead::read(&mut reader, [0; 4]);
        assert!(timeout(Duration::from_micros(100), read).await.is_err());
        writer.write("abcdef").await.0.unwrap();
        let BufResult(read, bytes) = owned::AsyncRead::read(&mut reader, [0; 4]).await;
        assert_eq!((read.unwrap(), &bytes), (4, b"abcd"));
        let BufResult(read, bytes) =
            owned::AsyncRead::read(&mut reader, Vec::with_capacity(100)).await;
        read.unwrap();
        assert_eq!(bytes, b"ef");
        assert!(
            poll_immediate(pin!(owned::AsyncRead::read(&mut reader, [0; 1])))
                .await
                .is_none()
        );
        drop(writer);
        assert_eq!(
            owned::AsyncRead::read(&mut reader, [0; 1]).await.0.unwrap(),
            0
        );
    });
}
