//! Buffers that are composed of others, or misbehave, in code without `unsafe`: what is read into them shows what came, and never a byte that
//! nobody wrote. Their memory is full of marked bytes behind their lengths, so that one too many is seen.

#![forbid(unsafe_code)]

use crate::common;
use crate::scratch;
use crate::sources;

use common::{pair, run, settle, unix_pair};
use executor::buf::{BufResult, IntoInner, IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use executor::fs::OpenOptions;
use executor::io::compat::FromFutures;
use executor::io::{BufReader, pipe};
use futures::future::poll_immediate;
use scratch::Scratch;
use sources::{Disk, Fresh, Kept, Memory, Pipe, Source, Tcp, Udp, Unix, after, new};
use std::cell::Cell;
use std::io::Cursor;

/// What a buffer had, and what is behind its length.
const OLD: u8 = 1;
const STALE: u8 = 0x53;

/// A buffer with so many old bytes and so much capacity.
fn marked(length: usize, capacity: usize) -> Vec<u8> {
    let mut buffer = vec![STALE; capacity];
    buffer.truncate(length);
    buffer.fill(OLD);
    buffer
}

fn old(count: usize) -> Vec<u8> {
    vec![OLD; count]
}

/// Reads from every source into every part.
async fn fill_parts(source: &mut impl Source) {
    fill_parts_of_one(source).await;
    fill_parts_of_several(source).await;
}

async fn fill_parts_of_one(source: &mut impl Source) {
    // A part of the space of the first buffer, then of the second.
    let Ok(part) = [marked(0, 100), marked(0, 100)].owned_iter() else {
        unreachable!("there are two")
    };
    let Ok(part) = source.read(part, 10).await.next() else {
        unreachable!("there is another")
    };
    let buffers = source.read(part, 20).await.into_inner();
    assert_eq!(buffers, [new(10), new(20)], "one buffer after another");

    // The first buffer twice, the second time with less.
    let Ok(part) = [marked(0, 100), marked(5, 100)].owned_iter() else {
        unreachable!("there are two")
    };
    let part = source.read(part, 10).await;
    let buffers = source.read(part, 5).await.into_inner();
    assert_eq!(buffers, [new(5), old(5)], "one buffer twice");

    // A part of one of two buffers.
    let Ok(part) = [marked(0, 100), marked(0, 100)].owned_iter() else {
        unreachable!("there are two")
    };
    let part = source.read(part.slice(..50), 10).await.into_inner();
    let Ok(part) = part.next() else {
        unreachable!("there is another")
    };
    let part = source.read(part.slice(..), 20).await.into_inner();
    assert_eq!(part.into_inner(), [new(10), new(20)], "parts of each");

    // Shorter buffers under parts that begin behind their ends.
    let mut part = old(50).slice(50..);
    *part.as_inner_mut() = marked(0, 100);
    let buffer = source.read(part, 20).await.into_inner();
    assert_eq!(buffer, new(20), "an empty buffer under a part");

    let mut part = old(50).slice(50..);
    *part.as_inner_mut() = marked(10, 100);
    let buffer = source.read(part, 20).await.into_inner();
    assert_eq!(buffer, [old(10), new(20)].concat(), "a shorter one");

    let mut part = marked(50, 100).slice(40..60);
    *part.as_inner_mut() = marked(0, 10);
    let buffer = source.read(part, 10).await.into_inner();
    assert_eq!(buffer, new(10), "one with less space");

    let mut part = marked(50, 100).slice(20..).slice(30..);
    *part.as_inner_mut().as_inner_mut() = marked(5, 100);
    let buffer = source.read(part, 20).await.into_inner().into_inner();
    assert_eq!(buffer, [old(5), new(20)].concat(), "a part of a part");

    // The room behind what is there, twice, and of another buffer.
    let part = source.read(marked(10, 100).uninit(), 10).await;
    let buffer = source.read(part, 5).await.into_inner();
    assert_eq!(buffer, [old(10), new(5)].concat(), "the room twice");

    let mut part = marked(50, 100).uninit();
    *part.as_inner_mut() = marked(0, 100);
    let buffer = source.read(part, 20).await.into_inner();
    assert_eq!(buffer, new(20), "the room of another buffer");

    // A buffer whose type is not known.
    let buffer: Box<dyn IoBufMut> = Box::new(marked(5, 100));
    let buffer = source.read(buffer.slice(5..), 20).await.into_inner();
    assert_eq!(
        buffer.as_init(),
        [old(5), new(20)].concat(),
        "a trait object"
    );

    // Buffers whose bytes all are initialised.
    let buffer = source.read(Box::<[u8]>::from(old(30)).slice(5..), 20).await;
    let all = [old(5), new(20), old(5)].concat();
    assert_eq!(buffer.into_inner()[..], all, "a boxed slice");
    let buffer = source.read([OLD; 30].slice(5..25), 20).await.into_inner();
    assert_eq!(buffer[..], all, "an array");
}

async fn fill_parts_of_several(source: &mut impl Source) {
    // From within the second buffer, with room left in the first.
    let part = [marked(10, 100), marked(10, 100)].slice(15);
    let buffers = source.read_vectored(part, 20).await.into_inner();
    let expected = [old(10), [old(5), new(20)].concat()];
    assert_eq!(buffers, expected, "an array");
    let part = vec![marked(10, 100), marked(10, 100)].slice(15);
    let buffers = source.read_vectored(part, 20).await.into_inner();
    assert_eq!(buffers, expected, "a vector");
    let part = (marked(10, 100), (marked(10, 100),)).slice(15);
    let (first, (second,)) = source.read_vectored(part, 20).await.into_inner();
    assert_eq!([first, second], expected, "a tuple");
    let Ok(part) = [marked(10, 100), marked(10, 100)].slice(15).owned_iter() else {
        unreachable!("there is one")
    };
    let buffers = source.read(part, 20).await.into_inner().into_inner();
    assert_eq!(buffers, expected, "one buffer of a part");

    // From within the first buffer into the second.
    let part = [marked(10, 20), marked(10, 100)].slice(5);
    let buffers = source.read_vectored(part, 30).await.into_inner();
    let expected = [[old(5), new(15)].concat(), new(15)];
    assert_eq!(buffers, expected, "over the end of a buffer");

    // From a place that nobody has written.
    let part = [marked(10, 100), marked(10, 100)].slice_mut(13);
    let buffers = source.read_vectored(part, 20).await.into_inner();
    let expected = [[old(10), new(20)].concat(), old(10)];
    assert_eq!(buffers, expected, "behind what is written");

    // Shorter buffers under parts that begin behind their ends.
    let mut part = [marked(60, 100), marked(0, 100)].slice(50);
    *part.as_inner_mut() = [marked(0, 100), marked(0, 100)];
    let buffers = source.read_vectored(part, 20).await.into_inner();
    assert_eq!(buffers, [new(20), old(0)], "empty buffers under a part");
    let mut part = [old(50), marked(10, 100)].slice(55);
    *part.as_inner_mut() = [marked(0, 100), marked(2, 100)];
    let buffers = source.read_vectored(part, 20).await.into_inner();
    let expected = [old(0), [old(2), new(20)].concat()];
    assert_eq!(buffers, expected, "shorter ones");
    let mut part = vec![old(50), old(50), old(10)].slice(105);
    *part.as_inner_mut() = vec![marked(0, 100)];
    let buffers = part.into_inner();
    assert_eq!(buffers, [old(0)]);

    // A part of a part.
    let buffers = [marked(10, 100), marked(10, 100), marked(10, 100)];
    let part = buffers.slice(5).slice(10);
    let buffers = source.read_vectored(part, 20).await;
    let expected = [old(10), [old(5), new(20)].concat(), old(10)];
    let buffers = buffers.into_inner().into_inner();
    assert_eq!(buffers, expected, "a part of a part");
}

/// Sockets, by recv(2) and recvmsg(2).
#[test]
fn parts_show_what_came_from_a_socket() {
    run(1, async {
        let (stream, peer) = pair().await;
        fill_parts(&mut Tcp(stream, peer)).await;
        let (stream, peer) = unix_pair();
        fill_parts(&mut Unix(stream, peer)).await;
        fill_parts(&mut Udp::pair().await).await;
    });
}

/// Pipes and files, by read(2) and readv(2).
#[test]
fn parts_show_what_came_from_a_file() {
    run(1, async {
        let (reader, writer) = pipe().expect("a pipe");
        fill_parts(&mut Pipe(reader, writer)).await;
        for scratch in Scratch::each("parts") {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true);
            let file = options.open(scratch.path("file")).await;
            fill_parts(&mut Disk(file.expect("a file"))).await;
        }
    });
}

/// What was kept of dropped reads.
#[test]
fn parts_show_what_was_kept() {
    run(1, async {
        let (stream, peer) = pair().await;
        fill_parts(&mut Kept(Tcp(stream, peer))).await;
        let (reader, writer) = pipe().expect("a pipe");
        fill_parts(&mut Kept(Pipe(reader, writer))).await;
        fill_parts(&mut Kept(Udp::pair().await)).await;
    });
}

/// What is in memory, and what is read through a buffer or an adapter.
#[test]
fn parts_show_what_came_from_memory() {
    run(1, async {
        fill_parts(&mut Memory).await;
        fill_parts(&mut Fresh(Cursor::new)).await;
        fill_parts(&mut Fresh(|bytes| BufReader::new(Cursor::new(bytes)))).await;
        let mut adapter = Fresh(|bytes| FromFutures::new(futures::io::Cursor::new(bytes)));
        fill_parts_of_one(&mut adapter).await;
    });
}

/// A read into a part is dropped when bytes have come for it: the next read gets those bytes, from wherever in the buffers they are.
#[test]
fn what_came_for_a_part_is_kept_as_it_came() {
    /// Begins a read, drops it when the bytes have come, and reads them.
    macro_rules! check {
        ($dropped:expr, $send:expr, $next:expr) => {
            let mut dropped = Box::pin($dropped);
            assert!(poll_immediate(&mut dropped).await.is_none());
            $send.await.0.expect("it is open");
            settle().await;
            drop(dropped);
            let BufResult(read, buffer) = $next.await;
            assert_eq!(
                (read.expect("it came"), &*buffer),
                (12, &b"twelve bytes"[..])
            );
        };
    }
    let space = || Vec::with_capacity(64);
    let several = || [marked(10, 100), marked(10, 15), marked(10, 100)].slice(15);
    let one = || {
        let mut part = old(50).slice(50..);
        *part.as_inner_mut() = marked(5, 100);
        part
    };
    let text = "twelve bytes";
    run(1, async {
        let (stream, peer) = pair().await;
        check!(
            stream.read_vectored(several()),
            peer.write_all(text),
            stream.read(space())
        );
        check!(
            stream.read(one()),
            peer.write_all(text),
            stream.read(space())
        );
        check!(
            stream.read(marked(10, 100).uninit()),
            peer.write_all(text),
            stream.read(space())
        );
        let (reader, writer) = pipe().expect("a pipe");
        check!(
            reader.read_vectored(several()),
            writer.write(text),
            reader.read(space())
        );
        check!(reader.read(one()), writer.write(text), reader.read(space()));
        let Udp(socket, peer) = Udp::pair().await;
        check!(
            socket.recv_vectored(several()),
            peer.send(text),
            socket.recv(space())
        );
        check!(socket.recv(one()), peer.send(text), socket.recv(space()));
    });
}

/// Parts without space, and vectors of none: a read is over at once, and leaves everything as it was.
#[test]
fn parts_without_space_take_nothing() {
    run(1, async {
        let (stream, peer) = pair().await;
        peer.write_all("x").await.0.expect("it is open");
        assert_eq!(
            after(stream.read([OLD; 4].slice(4..)).await, 0).into_inner(),
            [OLD; 4]
        );
        assert_eq!(
            after(stream.read(old(4).slice(2..2)).await, 0).into_inner(),
            old(2)
        );
        let read = after(stream.read(Vec::new().uninit()).await, 0);
        assert_eq!(read.into_inner(), [0; 0]);
        let full = || [[OLD; 4], [OLD; 4]];
        let none = stream.read_vectored(full().slice(8)).await;
        assert_eq!(after(none, 0).into_inner(), full());
        let none = stream.read_vectored(full().slice_mut(100)).await;
        assert_eq!(after(none, 0).into_inner(), full());
        assert!(Vec::<Vec<u8>>::new().owned_iter().is_err());
        assert!(().owned_iter().is_err());
        assert_eq!(after(stream.read([0; 4]).await, 1), *b"x\0\0\0");
    });
}

/// A buffer whose bytes are others each time it is asked for them.
struct Fickle {
    calls: Cell<usize>,
    texts: [Vec<u8>; 3],
}

impl Fickle {
    fn new() -> Self {
        Self {
            calls: Cell::new(0),
            texts: [b"long enough".to_vec(), b"short".to_vec(), Vec::new()],
        }
    }
}

impl IoBuf for Fickle {
    fn as_init(&self) -> &[u8] {
        let call = self.calls.get();
        self.calls.set(call + 1);
        &self.texts[call % self.texts.len()]
    }

    fn buf_len(&self) -> usize {
        1_000_000
    }
}

/// It is written, whole, in part, and among others: what arrives is one of its texts, or a part of one, as it is asked.
#[test]
fn a_buffer_that_contradicts_itself_is_written_as_it_is_at_one_time() {
    run(1, async {
        let (stream, peer) = pair().await;
        let (reader, writer) = pipe().expect("a pipe");
        for skipped in 0..3 {
            let fickle = || {
                let fickle = Fickle::new();
                fickle.calls.set(skipped);
                fickle
            };
            let text = fickle().texts[skipped % 3].clone();
            assert_eq!(
                stream.write(fickle()).await.0.expect("it is open"),
                text.len()
            );
            assert_eq!(
                writer.write(fickle()).await.0.expect("it is open"),
                text.len()
            );
            let part = stream.write(fickle().slice(3..8)).await;
            assert!(part.0.expect("it is open") <= 5);
            let all = [fickle(), fickle()];
            assert!(writer.write_vectored(all).await.0.expect("it is open") <= 22);
            let part = IoVectoredBuf::slice([fickle(), fickle()], 7);
            assert!(stream.write_vectored(part).await.0.expect("it is open") <= 22);
        }
        drop((stream, writer));
        let sent = peer.read(Vec::with_capacity(1_000)).await.1;
        assert!(sent.starts_with(b"long enough"), "{sent:?}");
        let sent = reader.read(Vec::with_capacity(1_000)).await.1;
        assert!(sent.starts_with(b"long enough"), "{sent:?}");
    });
}
