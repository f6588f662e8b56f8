//! Reading through a buffer: whatever is dropped on the way, every byte comes once and in order.

use crate::common;

use common::{Random, modes, run, settle, start_with, until};
use executor::buf::{BufResult, IoBufMut};
use executor::io::{
    AsyncBufRead, AsyncRead, AsyncWriteExt, BufReader, PipeReader, PipeWriter, TooLong, pipe,
};
use executor::time::{Duration, sleep};
use executor::{JoinHandle, spawn, yield_now};
use futures::StreamExt;
use futures::future::{Either, poll_immediate, select};
use std::cell::Cell;
use std::io;
use std::mem::MaybeUninit;
use std::pin::pin;
use std::rc::Rc;
use std::string::FromUtf8Error;

/// Writes in pieces of all sizes, with pauses.
fn in_pieces(writer: PipeWriter, bytes: Vec<u8>, seed: u64) -> JoinHandle<()> {
    spawn(async move {
        let mut random = Random::new(seed);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(1 + random.below(700)));
            let BufResult(written, _) = writer.write(piece.to_vec()).await;
            assert_eq!(written.unwrap(), piece.len(), "there is room in the pipe");
            if random.below(3) == 0 {
                sleep(Duration::from_micros(random.below(60) as u64)).await;
            }
            rest = after;
        }
    })
}

/// Lines of all lengths, some longer than the buffer, some empty; the last without an end.
fn some_lines(count: usize) -> Vec<String> {
    let mut random = Random::new(3);
    let line = |_| {
        let length = match random.below(10) {
            0 => 0,
            1 => random.below(2_000),
            _ => random.below(60),
        };
        let bytes = random.bytes(length);
        bytes
            .iter()
            .map(|byte| (b'a' + byte % 26) as char)
            .collect()
    };
    (0..count)
        .map(line)
        .chain(["the last".to_owned()])
        .collect()
}

/// `select!` of the next line and a short sleep, in a loop over a pipe in which the lines come in pieces: each line comes, whole and once.
#[test]
fn select_of_lines_and_sleep_is_exact() {
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            let (reader, writer) = pipe().unwrap();
            let sent = some_lines(400);
            let writing = in_pieces(writer, sent.join("\n").into_bytes(), 4);
            let mut lines = BufReader::with_capacity(100, reader).lines();
            let (mut came, mut sleeps) = (Vec::new(), 0);
            loop {
                let line = pin!(lines.next_line());
                match select(line, sleep(Duration::from_micros(20))).await {
                    Either::Left((line, _)) => match line.unwrap() {
                        Some(line) => came.push(line),
                        None => break,
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

/// Lines, pieces up to some byte, single reads and looks into the buffer take turns, each dropped at times: together they have every byte.
#[test]
fn whatever_is_read_and_dropped_the_bytes_are_exact() {
    run(1, async {
        let (reader, writer) = pipe().unwrap();
        let sent = Random::new(11).bytes(100_000);
        let writing = in_pieces(writer, sent.clone(), 12);
        let mut reader = BufReader::with_capacity(64, reader);
        let mut random = Random::new(13);
        let mut came = Vec::new();
        let mut dropped = 0;
        while came.len() < sent.len() {
            let patience = sleep(Duration::from_micros(random.below(30) as u64));
            let is_over = match random.below(3) {
                0 => {
                    let mut piece = Vec::new();
                    let reading = reader.read_until(random.below(256) as u8, &mut piece);
                    let is_over = matches!(select(pin!(reading), patience).await, Either::Left(_));
                    assert!(is_over || piece.is_empty(), "a part of it came");
                    came.extend(piece);
                    is_over
                }
                1 => {
                    let buffer = Vec::with_capacity(random.below(100));
                    match select(pin!(reader.read(buffer)), patience).await {
                        Either::Left((BufResult(result, bytes), _)) => {
                            assert_eq!(result.unwrap(), bytes.len());
                            came.extend(bytes);
                            true
                        }
                        Either::Right(_) => false,
                    }
                }
                _ => {
                    let filling = async { reader.fill_buf().await.map(<[u8]>::len) };
                    let is_over = matches!(select(pin!(filling), patience).await, Either::Left(_));
                    let count = reader.buffer().len().min(random.below(80));
                    came.extend_from_slice(&reader.buffer()[..count]);
                    reader.consume(count);
                    is_over
                }
            };
            dropped += usize::from(!is_over);
        }
        println!("{dropped} dropped");
        assert!(came == sent);
        writing.await.unwrap();
        assert!(reader.fill_buf().await.unwrap().is_empty());
    });
}

/// A line is begun and no end of it comes: who gives it up can have what there is, at once.
#[test]
fn a_part_of_a_line_can_be_had_while_the_rest_is_awaited() {
    run(1, async {
        let (reader, writer) = pipe().unwrap();
        let mut reader = BufReader::new(reader);
        writer.write("login: ").await.0.unwrap();
        let mut line = String::new();
        let patience = sleep(Duration::from_millis(1));
        select(pin!(reader.read_line(&mut line)), patience).await;
        assert_eq!(line, "");
        assert_eq!(reader.buffer(), b"login: ");
        assert!(reader.get_ref().is_none(), "the next read is in flight");
        reader.consume(7);
        let mut reader = reader.into_parts().expect_err("it is in flight");
        writer.write("root\n").await.0.unwrap();
        assert_eq!(reader.read_line(&mut line).await.unwrap(), 5);
        assert_eq!(line, "root\n");
        let (_, unread) = reader.into_parts().expect("nothing is in flight");
        assert!(unread.is_empty());
    });
}

/// A reader that counts how often it is asked, and fails when it is told to; what it yields, it yields after a turn, and it forgets it if
/// it is dropped before: such readers there are.
struct Forgetful {
    asked: Rc<Cell<usize>>,
    bytes: Vec<u8>,
    fails_at: usize,
}

impl AsyncRead for Forgetful {
    async fn read<B: IoBufMut>(&mut self, buffer: B) -> BufResult<usize, B> {
        self.asked.set(self.asked.get() + 1);
        if self.asked.get() == self.fails_at {
            return BufResult(Err(io::ErrorKind::TimedOut.into()), buffer);
        }
        let count = self.bytes.len().min(5);
        let now: Vec<u8> = self.bytes.drain(..count).collect();
        yield_now().await;
        (&now[..]).read(buffer).await
    }
}

/// The reader loses what it has read if it is dropped; through the buffer, it is not dropped, and nothing is lost. An error comes once, and
/// what came before it is there after it.
#[test]
fn a_reader_that_is_not_safe_to_drop_is_made_so() {
    run(1, async {
        let asked = Rc::new(Cell::new(0));
        let mut reader = BufReader::new(Forgetful {
            asked: Rc::clone(&asked),
            bytes: b"a line that is long\nand another".to_vec(),
            fails_at: 3,
        });
        let mut line = String::new();
        for polls in 1..=2 {
            assert!(
                poll_immediate(pin!(reader.read_line(&mut line)))
                    .await
                    .is_none()
            );
            assert_eq!(asked.get(), polls, "a read in flight is gone on with");
        }
        let error = reader.read_line(&mut line).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(reader.buffer(), b"a line tha");
        while poll_immediate(pin!(reader.read_line(&mut line)))
            .await
            .is_none()
        {}
        assert_eq!(line, "a line that is long\n");
        let mut rest = Vec::new();
        assert_eq!(reader.read_until(b'\n', &mut rest).await.unwrap(), 11);
        assert_eq!(rest, b"and another");
        assert_eq!(reader.read_until(b'\n', &mut rest).await.unwrap(), 0);
    });
}

/// A line is not UTF-8: it is an error for who wants text, and there for who wants bytes.
#[test]
fn a_line_that_is_no_text_is_an_error_and_not_lost() {
    run(1, async {
        let (reader, writer) = pipe().unwrap();
        writer.write(b"text\n\xff\xfe\r\nmore\r\n").await.0.unwrap();
        let mut reader = BufReader::new(reader);
        let mut line = String::new();
        reader.read_line(&mut line).await.unwrap();
        let error = reader.read_line(&mut line).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(line, "text\n");
        let mut bytes = Vec::new();
        reader.read_until(b'\n', &mut bytes).await.unwrap();
        assert_eq!(bytes, b"\xff\xfe\r\n");
        assert_eq!(reader.lines().next_line().await.unwrap().unwrap(), "more");
    });
}

/// Lines that are not UTF-8, the last of them without an end: each is one error, which has its bytes, and the lines go on behind it.
#[test]
fn lines_go_on_behind_what_is_no_text() {
    fn bytes(error: io::Error) -> Vec<u8> {
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let inner = error.into_inner().unwrap();
        inner.downcast::<FromUtf8Error>().unwrap().into_bytes()
    }
    run(1, async {
        let (reader, writer) = pipe().unwrap();
        writer
            .write(b"\xff\xfe\r\ntext\na\xff\n\xff\r")
            .await
            .0
            .unwrap();
        drop(writer);
        let mut lines = BufReader::new(reader).lines();
        let error = lines.next_line().await.unwrap_err();
        assert_eq!(bytes(error), b"\xff\xfe");
        assert_eq!(lines.next_line().await.unwrap().unwrap(), "text");
        let error = lines.next().await.unwrap().unwrap_err();
        assert_eq!(bytes(error), b"a\xff");
        let error = lines.next().await.unwrap().unwrap_err();
        assert_eq!(bytes(error), b"\xff\r");
        assert!(lines.next().await.is_none());
    });
}

/// Pieces that a byte separates, empty ones among them; as a stream.
#[test]
fn split_yields_what_is_between() {
    run(1, async {
        let (reader, writer) = pipe().unwrap();
        writer.write("one,,two,three").await.0.unwrap();
        drop(writer);
        let mut pieces = BufReader::with_capacity(2, reader).split(b',');
        assert_eq!(pieces.next_segment().await.unwrap().unwrap(), b"one");
        let rest: Vec<Vec<u8>> = pieces.map(Result::unwrap).collect().await;
        assert_eq!(rest, [&b""[..], b"two", b"three"]);
    });
}

/// Bytes without a newline, a few at a time, each after a turn; then the end.
struct Endless {
    left: usize,
}

impl AsyncRead for Endless {
    async fn read<B: IoBufMut>(&mut self, buffer: B) -> BufResult<usize, B> {
        yield_now().await;
        let count = self.left.min(500);
        self.left -= count;
        (&[b'-'; 500][..count]).read(buffer).await
    }
}

/// How long this thread has been running.
fn cpu_time() -> Duration {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the place is valid for the one write that the call makes.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, time.as_mut_ptr()) };
    assert_eq!(result, 0, "every thread has this clock");
    // SAFETY: the call has written it.
    let time = unsafe { time.assume_init() };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// A long line comes in small parts. Who waits for it anew for each of them, in a loop or as a stream, takes not much more of the core than who
/// only reads: what was searched is not searched again. If it were, it would take some hundred times as much.
#[test]
fn a_long_line_is_searched_once() {
    const LENGTH: usize = 1 << 20;
    run(1, async {
        let lines = || BufReader::with_capacity(500, Endless { left: LENGTH }).lines();
        let pieces = || BufReader::with_capacity(500, Endless { left: LENGTH }).split(b'\n');

        let start = cpu_time();
        let mut reader = lines().into_inner();
        let mut read = Vec::new();
        loop {
            let part = reader.fill_buf().await.unwrap();
            if part.is_empty() {
                break;
            }
            read.extend_from_slice(part);
            let count = part.len();
            reader.consume(count);
        }
        assert_eq!(read.len(), LENGTH);
        let limit = 20 * (cpu_time() - start);

        let start = cpu_time();
        assert_eq!(lines().next().await.unwrap().unwrap().len(), LENGTH);
        let stream = cpu_time() - start;

        let start = cpu_time();
        assert_eq!(pieces().next().await.unwrap().unwrap().len(), LENGTH);
        let stream_of_pieces = cpu_time() - start;

        let start = cpu_time();
        let mut lines = lines();
        let line = loop {
            match poll_immediate(pin!(lines.next_line())).await {
                Some(line) => break line.unwrap().unwrap(),
                None => yield_now().await,
            }
        };
        assert_eq!(line.len(), LENGTH);
        let anew = cpu_time() - start;
        println!("{stream:?}, {stream_of_pieces:?}, {anew:?}, of {limit:?}");
        assert!(stream < limit);
        assert!(stream_of_pieces < limit);
        assert!(anew < limit);
    });
}

/// One byte is looked for, given up, and another one looked for, which stands in what was searched for the first; then the first again,
/// after a part of it was consumed.
#[test]
fn what_was_searched_for_one_byte_is_searched_for_another() {
    run(1, async {
        let (reader, writer) = pipe().unwrap();
        let mut reader = BufReader::new(reader);
        writer.write("one,two,three").await.0.unwrap();
        let mut piece = Vec::new();
        for _ in 0..2 {
            let reading = reader.read_until(b'\n', &mut piece);
            let patience = sleep(Duration::from_millis(1));
            assert!(matches!(
                select(pin!(reading), patience).await,
                Either::Right(_)
            ));
        }
        reader.read_until(b',', &mut piece).await.unwrap();
        assert_eq!(piece, b"one,");
        assert!(
            poll_immediate(pin!(reader.read_until(b'\n', &mut piece)))
                .await
                .is_none()
        );
        reader.consume(2);
        writer.write("\nrest").await.0.unwrap();
        reader.read_until(b'\n', &mut piece).await.unwrap();
        assert_eq!(piece, b"one,o,three\n");
    });
}

fn is_too_long(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|error| error.downcast_ref());
    inner.is_some_and(|error: &TooLong| error.length_max() == 5)
}

/// Lines of at most five bytes: exactly so many, one more, and one that is longer than any buffer, the rest of which comes when nobody waits and is
/// waited for in parts; each error comes once, and what follows is whole.
#[test]
fn a_line_that_is_too_long_is_an_error_and_skipped() {
    run(1, async {
        let (reader, mut writer) = pipe().unwrap();
        let mut lines = BufReader::with_capacity(3, reader).lines().length_max(5);
        writer.write("12345\n123456\nnext\nlong").await.0.unwrap();
        assert_eq!(lines.next_line().await.unwrap().unwrap(), "12345");
        assert!(is_too_long(&lines.next_line().await.unwrap_err()));
        assert_eq!(lines.next().await.unwrap().unwrap(), "next");
        assert!(poll_immediate(pin!(lines.next_line())).await.is_none());
        writer.write("er").await.0.unwrap();
        // It is known before the end of the line comes.
        assert!(is_too_long(&lines.next().await.unwrap().unwrap_err()));
        let writing = spawn(async move {
            writer.write_all(vec![b'-'; 200_000]).await.0.unwrap();
            writer.write_all("\nlast\nendless").await.0.unwrap();
        });
        let line = loop {
            match poll_immediate(pin!(lines.next_line())).await {
                Some(line) => break line.unwrap().unwrap(),
                None => yield_now().await,
            }
        };
        assert_eq!(line, "last");
        writing.await.unwrap();
        assert!(is_too_long(&lines.next_line().await.unwrap_err()));
        assert_eq!(lines.next_line().await.unwrap(), None);
        assert_eq!(lines.next_line().await.unwrap(), None);
    });
}

/// The same for pieces, of which the last is within the limit.
#[test]
fn a_piece_that_is_too_long_is_an_error_and_skipped() {
    run(1, async {
        let (reader, writer) = pipe().unwrap();
        writer.write("one,too long,,three").await.0.unwrap();
        drop(writer);
        let pieces = BufReader::new(reader).split(b',').length_max(5);
        let pieces: Vec<_> = pieces.collect().await;
        assert_eq!(pieces.len(), 4);
        assert_eq!(pieces[0].as_ref().unwrap(), b"one");
        assert!(is_too_long(pieces[1].as_ref().unwrap_err()));
        assert_eq!(pieces[2].as_ref().unwrap(), b"");
        assert_eq!(pieces[3].as_ref().unwrap(), b"three");
    });
}

/// The trait of buffered readers, and a read into nothing, which does not wait.
#[test]
fn a_buffered_reader_is_what_the_traits_promise() {
    async fn first<R: AsyncBufRead>(reader: &mut R) -> u8 {
        let byte = reader.fill_buf().await.unwrap()[0];
        reader.consume(1);
        byte
    }
    run(1, async {
        let (reader, writer) = pipe().unwrap();
        let mut reader = BufReader::new(reader);
        assert_eq!(reader.read(Vec::new()).await.0.unwrap(), 0);
        writer.write("ab").await.0.unwrap();
        assert_eq!(first(&mut reader).await, b'a');
        assert_eq!(reader.read([0; 4]).await.0.unwrap(), 1);
    });
}

/// A task that waits for a line is aborted, and another one, which has the reader now, is woken when the line comes.
#[test]
fn a_read_in_flight_wakes_who_polls_it_last() {
    run(1, async {
        let (reader, writer) = pipe().unwrap();
        let reader: Rc<futures::lock::Mutex<BufReader<PipeReader>>> =
            Rc::new(futures::lock::Mutex::new(BufReader::new(reader)));
        let wait = || {
            let reader = Rc::clone(&reader);
            spawn(async move {
                let mut line = String::new();
                reader.lock().await.read_line(&mut line).await.unwrap();
                line
            })
        };
        let first = wait();
        settle().await;
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        let second = wait();
        settle().await;
        writer.write("line\n").await.0.unwrap();
        until(|| second.is_finished()).await;
        assert_eq!(second.await.unwrap(), "line\n");
    });
}
