//! What TCP and Unix streams have beside plain reads and writes: peeking, several buffers, halves, traits, zero-copy, sockets from
//! elsewhere.

use crate::common;

use common::{Random, modes, on_thread, pair, run, settle, start, start_with, unix_pair};
use executor::buf::BufResult;
use executor::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use executor::net::{OwnedReadHalf, TcpListener, TcpStream, UnixStream};
use executor::{Builder, Feature, spawn};
use futures::future::{join, poll_immediate};
use socket2::SockRef;
use std::io::{ErrorKind, Read, Write};
use std::net::{self, Shutdown};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix;

/// Both kinds of streams, as what they have in common.
macro_rules! with_each_kind {
    ($test:ident) => {
        run(1, async {
            {
                let (one, other) = pair().await;
                $test!(one, other);
            }
            let (one, other) = unix_pair();
            $test!(one, other);
        });
    };
}

/// Peeks see the same bytes as often as they look, a read takes them; at the end a peek yields zero.
#[test]
fn a_peek_leaves_what_it_sees() {
    macro_rules! test {
        ($one:expr, $other:expr) => {
            $other.write_all("abcdef").await.0.unwrap();
            for room in [2, 6] {
                let BufResult(peeked, buffer) = $one.peek(vec![0; room]).await;
                assert_eq!(peeked.unwrap(), room);
                assert_eq!(buffer, b"abcdef"[..room]);
            }
            let dropped = poll_immediate($one.peek([0; 1])).await;
            drop(dropped);
            assert_eq!(&$one.read_exact([0; 6]).await.1, b"abcdef");
            drop($other);
            assert_eq!($one.peek([0; 1]).await.0.unwrap(), 0);
        };
    }
    with_each_kind!(test);
}

/// Buffers of sizes that have nothing to do with each other on the two sides, and some of no size: the bytes arrive in order. A dropped read
/// leaves them to the next.
#[test]
fn vectored_reads_and_writes_keep_the_order() {
    macro_rules! test {
        ($one:expr, $other:expr) => {
            let mut random = Random::new(3);
            let sent: Vec<Vec<u8>> = [0, 1, 70_000, 0, 3, 200_000, 17]
                .iter()
                .map(|count| random.bytes(*count))
                .collect();
            let expected = sent.concat();
            let (writing, reading) = ($other, &$one);
            let write = async {
                writing.write_vectored_all(sent).await.0.unwrap();
                writing.shutdown(Shutdown::Write).await.unwrap();
            };
            let read = async {
                let mut received = Vec::new();
                loop {
                    let room = || vec![0; 1 + received.len() % 5000];
                    drop(poll_immediate(reading.read_vectored([room(), room()])).await);
                    let buffers = (
                        Vec::with_capacity(1 + received.len() % 3000),
                        ([0; 0], ([0; 7], (Vec::with_capacity(40_000),))),
                    );
                    let BufResult(count, (first, (_, (third, (fourth,))))) =
                        reading.read_vectored(buffers).await;
                    let count = count.unwrap();
                    if count == 0 {
                        break received;
                    }
                    let all = [&first[..], &third[..], &fourth[..]].concat();
                    received.extend_from_slice(&all[..count]);
                }
            };
            let (received, ()) = join(read, write).await;
            assert!(received == expected);
            let BufResult(count, _) = $one.write_vectored([Vec::new(), Vec::new()]).await;
            assert!(count.is_err() || count.unwrap() == 0);
            let none: [Vec<u8>; 2] = [Vec::new(), Vec::new()];
            assert_eq!($one.read_vectored(none).await.0.unwrap(), 0);
        };
    }
    with_each_kind!(test);
}

/// More pieces than the kernel takes at once are a part of what is to be moved, not an error.
#[test]
fn more_pieces_than_the_kernel_takes() {
    macro_rules! test {
        ($one:expr, $other:expr) => {
            let writing = $other;
            let sent: Vec<Vec<u8>> = (0..3000u32).map(|index| vec![index as u8]).collect();
            let BufResult(written, sent) = writing.write_vectored(sent).await;
            assert_eq!(written.unwrap(), 1024);
            writing.write_vectored_all(sent).await.0.unwrap();
            let room: Vec<[u8; 1]> = vec![[0]; 1500];
            let BufResult(count, buffers) = $one.read_vectored(room).await;
            assert_eq!(count.unwrap(), 1024);
            assert!((0..1024).all(|index| buffers[index] == [index as u8]));
            $one.read_exact(vec![0; 3000]).await.0.unwrap();
        };
    }
    with_each_kind!(test);
}

/// Three GiB are asked for, and offered, in one buffer of memory that is never touched: a part is moved, and no error. The buffers are
/// virtual, where the system gives out so much.
#[test]
fn more_than_two_gib_is_a_part() {
    const BYTES: usize = 3 << 30;
    let mut huge: Vec<u8> = Vec::new();
    if let Err(error) = huge.try_reserve_exact(BYTES) {
        return println!("skipped: no 3 GiB of virtual memory here ({error})");
    }
    macro_rules! test {
        ($one:expr, $other:expr) => {
            $other.write_all("a few").await.0.unwrap();
            let BufResult(count, buffer) = $one.read(std::mem::take(&mut huge)).await;
            assert_eq!((count.unwrap(), &buffer[..]), (5, &b"a few"[..]));
            $other.write_all("more").await.0.unwrap();
            let BufResult(count, [buffer]) = $one.read_vectored([buffer]).await;
            assert_eq!((count.unwrap(), &buffer[..]), (4, &b"more"[..]));
            huge = buffer;
        };
    }
    run(1, async {
        let (one, other) = pair().await;
        test!(one, other);
        let (one, other) = unix_pair();
        test!(one, other);
    });
}

/// One task reads while it writes, by borrowed halves; two tasks by owned ones. Dropping the sending half ends the peer's reading, and the
/// receiving one goes on; forgetting it does not.
#[test]
fn halves_work_apart() {
    macro_rules! test {
        ($one:expr, $other:expr) => {
            let (one, other) = ($one, $other);
            {
                let (reading, writing) = one.split();
                let echo = async {
                    let BufResult(read, buffer) = other.read_exact(vec![0; 300_000]).await;
                    read.unwrap();
                    other.write_all(buffer).await.0.unwrap();
                };
                let (sent, (received, ())) = join(
                    writing.write_all(vec![5; 300_000]),
                    join(reading.read_exact(vec![0; 300_000]), echo),
                )
                .await;
                sent.0.unwrap();
                received.0.unwrap();
                assert!(received.1 == [5; 300_000]);
            }
            let (reading, writing) = one.into_split();
            writing.forget();
            other.write_all("still there").await.0.unwrap();
            assert_eq!(&reading.read_exact([0; 11]).await.1, b"still there");
            assert!(poll_immediate(other.read([0; 1])).await.is_none());
            drop(reading);
            assert_eq!(other.read([0; 1]).await.0.unwrap(), 0);
        };
    }
    with_each_kind!(test);
    macro_rules! test {
        ($one:expr, $other:expr) => {
            let (reading, writing) = $one.into_split();
            let write = spawn(async move { writing.write_all("the last words").await.0 });
            let read = spawn(async move { reading.read_to_end_of(9).await });
            let BufResult(count, text) = $other.read_exact([0; 14]).await;
            count.unwrap();
            assert_eq!(&text, b"the last words");
            assert_eq!(
                $other.read([0; 1]).await.0.unwrap(),
                0,
                "the half was dropped"
            );
            write.await.unwrap().unwrap();
            $other.write_all("an answer").await.0.unwrap();
            assert_eq!(read.await.unwrap(), b"an answer");
        };
    }
    with_each_kind!(test);
}

trait ReadToEndOf {
    async fn read_to_end_of(self, count: usize) -> Vec<u8>;
}

impl<S> ReadToEndOf for OwnedReadHalf<S>
where
    OwnedReadHalf<S>: AsyncRead,
{
    async fn read_to_end_of(mut self, count: usize) -> Vec<u8> {
        let BufResult(read, buffer) = AsyncReadExt::read_exact(&mut self, vec![0; count]).await;
        read.unwrap();
        buffer
    }
}

/// Halves of one stream become the stream again, those of two do not, and nothing was shut down.
#[test]
fn halves_are_reunited() {
    macro_rules! test {
        ($one:expr, $other:expr) => {
            let (one_read, one_write) = $one.into_split();
            let (other_read, other_write) = $other.into_split();
            let error = one_read.reunite(other_write).unwrap_err();
            assert!(error.to_string().contains("not of one stream"));
            let one = error.0.reunite(one_write).unwrap();
            let other = error.1.reunite(other_read).unwrap();
            one.write_all("?").await.0.unwrap();
            assert_eq!(&other.read_exact([0; 1]).await.1, b"?");
            other.write_all("!").await.0.unwrap();
            assert_eq!(&one.read_exact([0; 1]).await.1, b"!");
        };
    }
    with_each_kind!(test);
}

/// A function that knows the traits alone, over streams, references and halves of both kinds, and what `Splittable` splits.
#[test]
fn streams_are_what_the_traits_promise() {
    use executor::buf::IoBuf;
    async fn talk(mut reading: impl AsyncRead, mut writing: impl AsyncWrite) {
        writing.write_all(b"over ").await.0.unwrap();
        writing
            .write_vectored_all(["the ", "traits"])
            .await
            .0
            .unwrap();
        writing.flush().await.unwrap();
        writing.shutdown().await.unwrap();
        let BufResult(read, buffer) = reading.read_to_end(Vec::new()).await;
        read.unwrap();
        assert_eq!(buffer.as_init(), b"over the traits");
        assert_eq!(reading.read_vectored([[0; 1]]).await.0.unwrap(), 0);
    }
    macro_rules! test {
        ($one:expr, $other:expr) => {
            let (one, other) = ($one, $other);
            join(talk(&one, &one), talk(&other, &other)).await;
        };
    }
    with_each_kind!(test);
    macro_rules! test {
        ($one:expr, $other:expr) => {
            let (one, other) = ($one, $other);
            let (reading, writing) = one.split();
            let (other_reading, other_writing) = other.into_split();
            join(talk(reading, writing), talk(other_reading, other_writing)).await;
        };
    }
    with_each_kind!(test);
    macro_rules! test {
        ($one:expr, $other:expr) => {
            use executor::io::Splittable;
            let (reading, writing) = Splittable::split($one);
            let other = $other;
            let (other_reading, other_writing) = Splittable::split(&other);
            join(talk(reading, writing), talk(other_reading, other_writing)).await;
        };
    }
    with_each_kind!(test);
}

/// Buffers below and above the threshold, sent without copying where the kernel can, and where it cannot: byte for byte, and the buffer
/// back.
#[test]
fn zero_copy_writes_arrive() {
    for builder in [
        Builder::new(),
        Builder::new().without(Feature::ZeroCopySend),
    ] {
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let (one, other) = pair().await;
            for size in [0, 1, 10_000, 200_000] {
                let sent = Random::new(size as u64).bytes(size);
                let write = async {
                    let BufResult(written, buffer) = one.write_zero_copy(sent.clone()).await;
                    let written = written.unwrap();
                    assert!(buffer == sent);
                    one.write_all(buffer[written..].to_vec()).await.0.unwrap();
                };
                let (received, ()) = join(other.read_exact(vec![0; size]), write).await;
                received.0.unwrap();
                assert!(received.1 == sent);
            }
            drop(other);
            let error = loop {
                let BufResult(result, buffer) = one.write_zero_copy(vec![1; 50_000]).await;
                assert_eq!(buffer.len(), 50_000);
                if let Err(error) = result {
                    break error;
                }
            };
            assert!([ErrorKind::BrokenPipe, ErrorKind::ConnectionReset].contains(&error.kind()));
        });
    }
}

/// Sockets that are non-blocking, as tokio and socket activation hand them over: reads, writes and accepts wait all the same, in every
/// mode; and they go back to the standard library.
#[test]
fn sockets_from_elsewhere_may_be_non_blocking() {
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            listener.set_nonblocking(true).unwrap();
            let listener = TcpListener::from(listener);
            assert!(!SockRef::from(&listener).nonblocking().unwrap());
            let connecting = spawn(async move {
                let stream = on_thread(move || net::TcpStream::connect(address).unwrap()).await;
                stream.set_nonblocking(true).unwrap();
                TcpStream::from(OwnedFd::from(stream))
            });
            let (accepted, _) = listener.accept().await.unwrap();
            let stream = connecting.await.unwrap();
            // This kernel may wait all the same; older ones do not.
            assert!(!SockRef::from(&stream).nonblocking().unwrap());
            let reading = spawn(async move {
                let BufResult(read, buffer) = stream.read([0; 4]).await;
                (read.unwrap(), buffer, stream)
            });
            settle().await;
            assert!(!reading.is_finished());
            accepted.write_all("late").await.0.unwrap();
            let (count, buffer, stream) = reading.await.unwrap();
            assert_eq!((count, &buffer), (4, b"late"));
            let number = stream.as_raw_fd();
            let mut stream = stream.into_std().unwrap();
            assert_eq!(stream.as_raw_fd(), number);
            accepted.write_all("std").await.0.unwrap();
            let mut text = [0; 3];
            stream.read_exact(&mut text).unwrap();
            assert_eq!(&text, b"std");

            let (one, mut other) = unix::net::UnixStream::pair().unwrap();
            one.set_nonblocking(true).unwrap();
            let one = UnixStream::from(one);
            assert!(!SockRef::from(&one).nonblocking().unwrap());
            let reading = spawn(async move { one.read([0; 1]).await.0.unwrap() });
            settle().await;
            assert!(!reading.is_finished());
            other.write_all(b"!").unwrap();
            assert_eq!(reading.await.unwrap(), 1);
        });
    }
}

/// Bytes that a dropped vectored read has left are read before the stream becomes a standard one.
#[test]
fn a_stream_that_has_something_left_is_not_given_away() {
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        let (one, other) = unix_pair();
        let mut read = one.read_vectored([[0; 4], [0; 4]]);
        assert!(poll_immediate(&mut read).await.is_none());
        other.write_all("left").await.0.unwrap();
        settle().await;
        drop(read);
        let one = one.into_std().expect_err("there is something to be read");
        let BufResult(read, buffer) = one.read_vectored([[0; 2], [0; 2]]).await;
        assert_eq!((read.unwrap(), buffer), (4, [*b"le", *b"ft"]));
        one.into_std().unwrap();
    });
}
