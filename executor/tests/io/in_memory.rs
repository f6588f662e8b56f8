//! Streams in memory, halves, chains, boxed readers and writers, and streams with buffers.

use crate::common;

use common::{run, settle};
use executor::buf::{BufResult, IoBufMut};
use executor::fs;
use executor::io::{
    AsyncBufRead, AsyncRead, AsyncReadExt, AsyncSeek, AsyncWrite, AsyncWriteExt, BoxedRead,
    BoxedStream, BoxedWrite, BufReader, BufStream, Splittable, copy, copy_bidirectional,
    copy_bidirectional_with_sizes, duplex, empty, join, repeat, simplex, sink, split,
};
use executor::net::UnixStream;
use executor::spawn;
use futures::poll;
use std::io::{Cursor, ErrorKind, SeekFrom};
use std::pin::pin;
use std::rc::Rc;

/// More goes through a pipe than it holds: the writer waits for room, the reader for bytes, and the bytes are exact across its end and start.
#[test]
fn a_pipe_in_memory_makes_its_writer_wait() {
    run(1, async {
        let (mut reader, mut writer) = simplex(10);
        assert_eq!(writer.write([7; 20]).await.0.unwrap(), 10);
        let mut waiting = Box::pin(writer.write([8; 3]));
        assert!(poll!(waiting.as_mut()).is_pending());
        let BufResult(count, bytes) = reader.read(Vec::with_capacity(4)).await;
        assert_eq!((count.unwrap(), bytes), (4, vec![7; 4]));
        assert_eq!(waiting.await.0.unwrap(), 3);

        let text = Vec::from_iter((0..10_000u32).map(|number| number as u8));
        let expected = [vec![7; 6], vec![8; 3], text.clone()].concat();
        let writing = spawn(async move { writer.write_all(text).await.0 });
        let read = reader.read_to_end(Vec::new()).await.1;
        writing.await.unwrap().unwrap();
        assert!(read == expected);
    });
}

/// Several buffers are written and read at once, in order, as far as there is room and bytes.
#[test]
fn a_pipe_in_memory_takes_several_buffers() {
    run(1, async {
        let (mut reader, mut writer) = simplex(8);
        let count = writer.write_vectored(["one", "", "two", "three"]).await.0;
        assert_eq!(count.unwrap(), 8);
        let buffers = [Vec::with_capacity(5), Vec::with_capacity(5)];
        let BufResult(count, buffers) = reader.read_vectored(buffers).await;
        assert_eq!(count.unwrap(), 8);
        assert_eq!(buffers, [b"onetw".to_vec(), b"oth".to_vec()]);
    });
}

/// A read is dropped while it waits, and when it was woken for bytes; a write is dropped while it waits: no byte is lost, none comes twice.
#[test]
fn dropped_reads_and_writes_lose_nothing() {
    run(1, async {
        let (mut reader, mut writer) = simplex(3);
        let mut reading = Box::pin(reader.read(Vec::with_capacity(9)));
        assert!(poll!(reading.as_mut()).is_pending());
        writer.write_all("abc").await.0.unwrap();
        drop(reading);
        let mut writing = Box::pin(writer.write("lost"));
        assert!(poll!(writing.as_mut()).is_pending());
        drop(writing);
        assert_eq!(reader.read(Vec::with_capacity(9)).await.1, b"abc");
        writer.write_all("def").await.0.unwrap();
        assert_eq!(reader.read(Vec::with_capacity(9)).await.1, b"def");
    });
}

/// Each end says when the other has gone: the reader gets what is left, and then the end, again and again; the writer `BrokenPipe`, also one that
/// waits.
#[test]
fn the_ends_of_a_stream_in_memory() {
    run(1, async {
        let (mut one, mut other) = duplex(4);
        one.write_all("last").await.0.unwrap();
        one.shutdown().await.unwrap();
        let error = one.write("more").await.0.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        assert_eq!(other.read_to_end(Vec::new()).await.1, b"last");
        assert_eq!(other.read([0; 1]).await.0.unwrap(), 0);
        // The other direction is open.
        other.write_all("back").await.0.unwrap();
        let waiting = spawn(async move { other.write("full").await.0 });
        settle().await;
        assert!(!waiting.is_finished());
        drop(one);
        let error = waiting.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
}

/// A proxy between two streams in memory, with buffers of its own size: both directions are exact, and their ends are passed on.
#[test]
fn a_proxy_between_streams_in_memory() {
    run(1, async {
        let (mut client, left) = duplex(5);
        let (right, server) = duplex(50);
        let proxy = spawn(copy_bidirectional_with_sizes(left, right, 3, 1000));
        let answering = spawn(async move {
            let mut server = BufStream::new(server);
            let mut line = String::new();
            server.read_line(&mut line).await.unwrap();
            server.write_all(line.to_uppercase()).await.0.unwrap();
            server.shutdown().await.unwrap();
        });
        client
            .write_all("a question that is long\n")
            .await
            .0
            .unwrap();
        client.shutdown().await.unwrap();
        let answer = client.read_to_end(Vec::new()).await.1;
        assert_eq!(answer, b"A QUESTION THAT IS LONG\n");
        answering.await.unwrap();
        assert_eq!(proxy.await.unwrap().unwrap(), (24, 24));
    });
}

/// A socket is split and read while it is written; halves of two sockets do not fit, and come back; the two that do are the socket again.
#[test]
fn halves_are_put_together_again() {
    run(1, async {
        let ((one, peer), (other, _other_peer)) =
            (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
        let ((mut reader, mut writer), (other_reader, other_writer)) = (split(one), split(other));
        let reading = spawn(async move { (reader.read(Vec::with_capacity(9)).await.1, reader) });
        settle().await;
        writer.write_all("ping").await.0.unwrap();
        assert_eq!(peer.read(Vec::with_capacity(9)).await.1, b"ping");
        peer.write_all("pong").await.0.unwrap();
        let (word, reader) = reading.await.unwrap();
        assert_eq!(word, b"pong");
        assert!(!reader.is_pair_of(&other_writer));
        let halves = other_reader.unsplit(writer).unwrap_err();
        let one = reader.unsplit(halves.1).unwrap();
        drop(halves.0.unsplit(other_writer).unwrap());
        drop(one);
        assert_eq!(peer.read([0; 1]).await.0.unwrap(), 0);
    });
}

/// One reader is read after another: a buffer without room is not taken for the first one's end, and the buffers of both can be looked at.
#[test]
fn a_chain_goes_on_where_the_first_ends() {
    run(1, async {
        let mut chain = "head".as_bytes().chain("body".as_bytes()).chain(empty());
        assert_eq!(chain.read(Vec::new()).await.0.unwrap(), 0);
        assert_eq!(chain.read(Vec::with_capacity(9)).await.1, b"head");
        assert_eq!(chain.fill_buf().await.unwrap(), b"body");
        chain.consume(1);
        assert_eq!(chain.read_to_end(Vec::new()).await.1, b"ody");
    });
}

/// What has no end is taken in parts, and what takes everything says how much it took.
#[test]
fn nothing_and_everything() {
    run(1, async {
        let mut sevens = repeat(7).take(10_000);
        assert_eq!(copy(&mut sevens, &mut sink()).await.unwrap(), 10_000);
        assert_eq!(sink().write_vectored(["ab", "c"]).await.0.unwrap(), 3);
        assert_eq!(copy(&mut empty(), &mut Vec::new()).await.unwrap(), 0);
    });
}

/// Readers, writers and streams of several types are kept in one list, and read and written with buffers of several types: it is those buffers that
/// come back, where they were.
#[test]
fn boxed_streams_are_of_any_type() {
    run(1, async {
        let (socket, peer) = UnixStream::pair().unwrap();
        let (memory, mut other) = duplex(64);
        let mut streams = [BoxedStream::new(socket), BoxedStream::new(memory)];
        for stream in &mut streams {
            let bytes = Box::<[u8]>::from(*b"hello");
            let place = bytes.as_ptr();
            let BufResult(result, bytes) = stream.write(bytes).await;
            assert_eq!((result.unwrap(), bytes.as_ptr()), (5, place));
            stream.flush().await.unwrap();
        }
        assert_eq!(peer.read([0; 5]).await.1, *b"hello");
        assert_eq!(other.read([0; 5]).await.1, *b"hello");
        peer.write_all("from a socket").await.0.unwrap();
        other.write_all("from memory").await.0.unwrap();
        let buffer = Vec::with_capacity(100);
        let place = buffer.as_ptr();
        let [socket, memory] = &mut streams;
        let buffer = socket.read(buffer).await.1;
        assert_eq!((&*buffer, buffer.as_ptr()), (&b"from a socket"[..], place));
        assert_eq!(memory.read([0; 11]).await.1, *b"from memory");
        memory.shutdown().await.unwrap();
        assert_eq!(other.read([0; 1]).await.0.unwrap(), 0);
    });
}

/// A boxed reader's read is dropped while it waits: what came for it goes to the next, as without the box. Halves that are boxed make a stream that
/// a proxy takes.
#[test]
fn boxes_change_nothing_about_cancellation() {
    run(1, async {
        let (socket, peer) = UnixStream::pair().unwrap();
        let (reader, writer) = socket.split();
        let (mut reader, writer) = (BoxedRead::new(reader), BoxedWrite::new(writer));
        for round in 0..50u8 {
            let mut reading = Box::pin(reader.read(Vec::with_capacity(9)));
            assert!(poll!(reading.as_mut()).is_pending());
            peer.write_all([round]).await.0.unwrap();
            drop(reading);
            assert_eq!(reader.read(Vec::with_capacity(9)).await.1, [round]);
        }
        let (mut client, right) = duplex(64);
        let proxy = spawn(copy_bidirectional(join(reader, writer), right));
        peer.write_all("through").await.0.unwrap();
        assert_eq!(client.read_exact(Vec::with_capacity(7)).await.1, b"through");
        drop((peer, client));
        let _ = proxy.await.unwrap();
    });
}

/// Yields parts and errors in order.
struct Scripted(Vec<Result<&'static str, ErrorKind>>);

impl AsyncRead for Scripted {
    async fn read<B: IoBufMut>(&mut self, mut buffer: B) -> BufResult<usize, B> {
        if self.0.is_empty() {
            return BufResult(Ok(0), buffer);
        }
        match self.0.remove(0) {
            Ok(text) => BufResult(Ok(buffer.set_bytes(text.as_bytes())), buffer),
            Err(kind) => BufResult(Err(kind.into()), buffer),
        }
    }
}

/// A read fails in the middle of a line, and a read of a line is dropped in the middle of another: what came before is kept, and the next read of
/// a line has all of it.
#[test]
fn part_of_a_line_is_kept_on_error_and_on_drop() {
    run(1, async {
        let script = vec![Ok("half of"), Err(ErrorKind::TimedOut), Ok(" a line\n")];
        let mut reader = BufReader::new(Scripted(script));
        let mut line = String::new();
        let error = reader.read_line(&mut line).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!((&*line, reader.buffer()), ("", &b"half of"[..]));
        reader.read_line(&mut line).await.unwrap();
        assert_eq!(line, "half of a line\n");

        let (far, mut near) = duplex(64);
        let (mut reader, mut piece) = (BufReader::new(far), Vec::new());
        near.write_all("one").await.0.unwrap();
        {
            let mut reading = pin!(reader.read_until(b';', &mut piece));
            assert!(poll!(reading.as_mut()).is_pending());
        }
        near.write_all(";").await.0.unwrap();
        assert_eq!(reader.read_until(b';', &mut piece).await.unwrap(), 4);
        assert_eq!(piece, b"one;");
    });
}

/// A task writes into a pipe in memory that always has room, and reads what is there: another task gets its turn meanwhile.
#[test]
fn streams_in_memory_take_from_the_budget() {
    run(1, async {
        let (mut one, mut other) = duplex(64);
        let has_run = Rc::new(std::cell::Cell::new(false));
        spawn({
            let has_run = Rc::clone(&has_run);
            async move { has_run.set(true) }
        })
        .detach();
        for _ in 0..200 {
            one.write("x").await.0.unwrap();
            other.read([0; 1]).await.0.unwrap();
        }
        assert!(has_run.get());
    });
}

/// A buffered reader is moved: what it had read ahead does not count, and is dropped; a read that was dropped in flight is waited for.
#[test]
fn a_buffered_reader_seeks() {
    run(1, async {
        let mut reader = BufReader::with_capacity(4, Cursor::new(*b"0123456789"));
        assert!(reader.fill_buf().await.unwrap().starts_with(b"0123"));
        reader.consume(1);
        assert_eq!(reader.seek(SeekFrom::Current(1)).await.unwrap(), 2);
        assert!(reader.fill_buf().await.unwrap().starts_with(b"2345"));
        assert_eq!(reader.seek(SeekFrom::End(-1)).await.unwrap(), 9);
        assert_eq!(reader.fill_buf().await.unwrap(), b"9");
        reader.consume(1);
        // An end that was reached is no end any more.
        assert!(reader.fill_buf().await.unwrap().is_empty());
        assert_eq!(reader.seek(SeekFrom::Start(8)).await.unwrap(), 8);
        let error = reader.seek(SeekFrom::Current(-9)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(reader.read_to_end(Vec::new()).await.1, b"89");

        let path = std::env::temp_dir().join(format!("executor-seeks-{}", std::process::id()));
        fs::write(&path, "one\ntwo\n").await.0.unwrap();
        let mut reader = BufReader::new(fs::File::open(&path).await.unwrap());
        fs::remove_file(&path).await.unwrap();
        let mut line = String::new();
        drop(poll!(pin!(reader.fill_buf())));
        assert_eq!(reader.seek(SeekFrom::Start(4)).await.unwrap(), 4);
        reader.read_line(&mut line).await.unwrap();
        assert_eq!(line, "two\n");
    });
}
