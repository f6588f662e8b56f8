//! The traits for reading and writing, over what is in memory: what takes several calls, what ends early, what is interrupted, and readers
//! that say what is not so.

use crate::common;

use common::run;
use executor::buf::{BufResult, IntoInner, IoBuf, IoBufMut, IoVectoredBuf};
use executor::io::{
    AsyncBufRead, AsyncRead, AsyncReadAt, AsyncReadAtExt, AsyncReadExt, AsyncWrite, AsyncWriteAt,
    AsyncWriteAtExt, AsyncWriteExt, Splittable,
};
use std::io::{self, Cursor, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// Reads and writes at most so many bytes at once, is interrupted before each time, and ends after so many times.
struct Slow {
    text: Cursor<Vec<u8>>,
    bytes_max: usize,
    is_interrupted: bool,
    times_left: usize,
}

impl Slow {
    fn new(text: &str, times: usize) -> Self {
        Self {
            text: Cursor::new(text.into()),
            bytes_max: 3,
            is_interrupted: false,
            times_left: times,
        }
    }

    /// How many bytes may be transferred, unless it is interrupted.
    fn next(&mut self) -> io::Result<usize> {
        self.is_interrupted = !self.is_interrupted;
        if self.is_interrupted {
            return Err(ErrorKind::Interrupted.into());
        }
        let bytes = if self.times_left == 0 {
            0
        } else {
            self.bytes_max
        };
        self.times_left = self.times_left.saturating_sub(1);
        Ok(bytes)
    }
}

impl AsyncRead for Slow {
    async fn read<B: IoBufMut>(&mut self, buffer: B) -> BufResult<usize, B> {
        match self.next() {
            Ok(bytes) => self.text.read(buffer.slice(..bytes)).await.into_inner(),
            Err(error) => BufResult(Err(error), buffer),
        }
    }
}

impl AsyncWrite for Slow {
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
        match self.next() {
            Ok(bytes) => self.text.write(buffer.slice(..bytes)).await.into_inner(),
            Err(error) => BufResult(Err(error), buffer),
        }
    }

    async fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Short reads and interruptions on the way: all comes, in order; where the reader ends before, the error says so, and the buffers tell how much
/// came.
#[test]
fn several_reads_bring_all_there_is() {
    run(1, async {
        let mut reader = Slow::new("0123456789abcdef", 100);
        let BufResult(read, bytes) = reader.read_exact([0; 7]).await;
        read.unwrap();
        assert_eq!(&bytes, b"0123456");
        let room = || Vec::with_capacity(2);
        let BufResult(read, buffers) = reader.read_vectored_exact([room(), room()]).await;
        read.unwrap();
        assert_eq!(buffers, [b"78", b"9a"]);
        let BufResult(read, rest) = reader.read_to_end(vec![b'?'; 10]).await;
        assert_eq!((read.unwrap(), &*rest), (5, &b"bcdef"[..]));

        // Behind what is there, and within.
        let mut text = Vec::with_capacity(10);
        text.extend_from_slice(b"abc");
        let mut reader = Slow::new("0123456789abcdef", 100);
        let BufResult(read, text) = reader.read_exact(text.uninit()).await.into_inner();
        read.unwrap();
        assert_eq!(text, b"abc0123456");
        let BufResult(read, text) = reader.read_exact(text.slice(2..7)).await.into_inner();
        read.unwrap();
        assert_eq!(text, b"ab789ab");
        let Ok(one) = [Vec::with_capacity(4), Vec::with_capacity(1)].owned_iter() else {
            unreachable!("there are two")
        };
        let BufResult(read, one) = reader.read_exact(one).await;
        read.unwrap();
        assert_eq!(one.into_inner(), [&b"cdef"[..], b""]);

        let mut reader = Slow::new("0123456789abcdef", 2);
        let BufResult(read, bytes) = reader.read_exact(Vec::with_capacity(10)).await;
        assert_eq!(read.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert_eq!(bytes, b"012345");
        let mut reader = Slow::new("0123456789abcdef", 3);
        let room = || Vec::with_capacity(5);
        let BufResult(read, buffers) = reader.read_vectored_exact([room(), room()]).await;
        assert_eq!(read.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert_eq!(buffers, [&b"01234"[..], b"567"]);

        let mut reader = Slow::new("äöü", 100);
        let BufResult(read, text) = reader.read_to_string("???".to_owned()).await;
        assert_eq!((read.unwrap(), &*text), (6, "äöü"));
        let mut reader = Slow::new("äöü", 1);
        let BufResult(read, text) = reader.read_to_string(String::new()).await;
        assert_eq!(
            (read.unwrap_err().kind(), &*text),
            (ErrorKind::InvalidData, "")
        );
        let BufResult(read, text) = (&b"de"[..]).append(b"abc?".to_vec().slice(..3)).await;
        assert_eq!((read.unwrap(), &**text.as_inner()), (0, &b"abc"[..]));
        let mut text = Vec::with_capacity(10);
        text.extend_from_slice(b"abc");
        let BufResult(read, text) = (&b"de"[..]).append(text).await;
        assert_eq!((read.unwrap(), &*text), (2, &b"abcde"[..]));
    });
}

/// The same of writes.
#[test]
fn several_writes_take_all_there_is() {
    run(1, async {
        let mut writer = Slow::new("", 100);
        writer.write_all("0123456789").await.0.unwrap();
        writer
            .write_vectored_all(["", "abc", "defg"])
            .await
            .0
            .unwrap();
        assert_eq!(writer.text.into_inner(), b"0123456789abcdefg");
        let mut writer = Slow::new("", 2);
        let BufResult(written, text) = writer.write_all("0123456789").await;
        assert_eq!(written.unwrap_err().kind(), ErrorKind::WriteZero);
        assert_eq!(
            (text, &*writer.text.into_inner()),
            ("0123456789", &b"012345"[..])
        );
    });
}

/// Numbers of each type go there and back, in the order of bytes that was asked for.
#[test]
fn numbers_are_written_and_read() {
    macro_rules! check {
        ($($number:expr => $write:ident, $read:ident, $write_le:ident, $read_le:ident;)*) => {
            run(1, async {
                $(
                    let mut bytes = Vec::new();
                    bytes.$write($number).await.unwrap();
                    assert_eq!(bytes, $number.to_be_bytes());
                    assert_eq!((&*bytes).$read().await.unwrap(), $number);
                    bytes.reverse();
                    assert_eq!((&*bytes).$read_le().await.unwrap(), $number);
                    bytes.clear();
                    bytes.$write_le($number).await.unwrap();
                    assert_eq!(bytes, $number.to_le_bytes());
                    bytes.pop();
                    let error = (&*bytes).$read().await.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
                )*
            });
        };
    }
    check! {
        200_u8 => write_u8, read_u8, write_u8_le, read_u8_le;
        60_000_u16 => write_u16, read_u16, write_u16_le, read_u16_le;
        4_000_000_000_u32 => write_u32, read_u32, write_u32_le, read_u32_le;
        u64::MAX - 5 => write_u64, read_u64, write_u64_le, read_u64_le;
        u128::MAX - 5 => write_u128, read_u128, write_u128_le, read_u128_le;
        -100_i8 => write_i8, read_i8, write_i8_le, read_i8_le;
        -30_000_i16 => write_i16, read_i16, write_i16_le, read_i16_le;
        -2_000_000_000_i32 => write_i32, read_i32, write_i32_le, read_i32_le;
        i64::MIN + 5 => write_i64, read_i64, write_i64_le, read_i64_le;
        i128::MIN + 5 => write_i128, read_i128, write_i128_le, read_i128_le;
        1.5_f32 => write_f32, read_f32, write_f32_le, read_f32_le;
        -2.5e300_f64 => write_f64, read_f64, write_f64_le, read_f64_le;
    }
}

/// Offsets within, at the end and behind it; pointers to what is read so.
#[test]
fn memory_is_read_and_written_at_offsets() {
    async fn reads<R: AsyncReadAt>(text: R) {
        let BufResult(read, part) = text.read_exact_at([0; 3], 2).await;
        read.unwrap();
        assert_eq!(&part, b"234");
        for (offset, expected) in [(4, 2), (6, 0), (100, 0), (u64::MAX, 0)] {
            assert_eq!(text.read_at([0; 3], offset).await.0.unwrap(), expected);
        }
        assert_eq!(text.read_to_end_at(Vec::new(), 3).await.1, b"345");
        assert_eq!(text.read_to_string_at(String::new(), 3).await.1, "345");
        let BufResult(read, parts) = text.read_vectored_exact_at([[0; 2], [0; 2]], 1).await;
        read.unwrap();
        assert_eq!(parts, [*b"12", *b"34"]);
        assert_eq!(
            text.read_vectored_at([[0; 2], [0; 2]], 5).await.0.unwrap(),
            1
        );
    }
    run(1, async {
        reads(*b"012345").await;
        reads(&b"012345"[..]).await;
        reads(b"012345".to_vec()).await;
        reads(Rc::new(Box::new(*b"012345"))).await;

        let mut array = *b"......";
        assert_eq!(array.write_at("abc", 4).await.0.unwrap(), 2);
        assert_eq!(array.write_at("abc", 9).await.0.unwrap(), 0);
        array.write_all_at("12", 1).await.0.unwrap();
        assert_eq!(&array, b".12.ab");
        let mut vector = b"01".to_vec();
        assert_eq!(vector.write_at("ab", 1).await.0.unwrap(), 2);
        vector
            .write_vectored_all_at(["cd", "e"], 5)
            .await
            .0
            .unwrap();
        assert_eq!(vector, b"0ab\0\0cde");
        let error = vector.write_at("x", u64::MAX).await.0.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);

        let mut cursor = Cursor::new(b"0123".to_vec());
        assert_eq!(cursor.read([0; 2]).await.1, *b"01");
        assert_eq!(cursor.write_vectored(["x", "yz"]).await.0.unwrap(), 1);
        cursor.write_all("yz").await.0.unwrap();
        cursor.set_position(1);
        let room = [Vec::with_capacity(1), Vec::with_capacity(9)];
        let BufResult(read, parts) = cursor.read_vectored(room).await;
        assert_eq!(
            (read.unwrap(), parts),
            (4, [b"1".to_vec(), b"xyz".to_vec()])
        );
        let mut space = [0; 3];
        let mut writer = &mut space[..];
        writer.write_all("ab").await.0.unwrap();
        assert_eq!(writer.write("cd").await.0.unwrap(), 1);
        assert_eq!(&space, b"abc");
    });
}

/// A reader ends at its limit, before it and at once; its buffer is looked at and consumed within it.
#[test]
fn a_reader_that_is_taken_from_ends_at_the_limit() {
    run(1, async {
        let mut text = &b"0123456789"[..];
        let mut part = text.by_ref().take(5);
        assert_eq!(part.read([0; 3]).await.1, *b"012");
        assert_eq!(part.limit(), 2);
        assert_eq!(part.fill_buf().await.unwrap(), b"34");
        part.consume(1);
        assert_eq!(part.read_to_end(Vec::new()).await.1, b"4");
        assert_eq!(part.fill_buf().await.unwrap(), b"");
        assert_eq!(part.read([0; 3]).await.0.unwrap(), 0);
        part.set_limit(2);
        part.consume(100);
        assert_eq!(*part.into_inner(), b"789");
        let mut all = text.take(u64::MAX);
        assert_eq!(all.read_to_end(Vec::new()).await.1, b"789");
        assert_eq!(all.get_ref(), b"");
    });
}

/// By default several buffers are read and written one at a time: the first that has room, or bytes.
#[test]
fn without_vectored_operations_one_buffer_is_used() {
    run(1, async {
        let mut reader = Slow::new("0123456789", 100);
        let room = || [Vec::new(), Vec::with_capacity(2), Vec::with_capacity(9)];
        assert!(reader.read_vectored(room()).await.0.is_err());
        let BufResult(read, parts) = reader.read_vectored(room()).await;
        assert_eq!(
            (read.unwrap(), parts),
            (2, [b"".to_vec(), b"01".to_vec(), b"".to_vec()])
        );
        assert_eq!(reader.read_vectored([[0; 0]; 3]).await.0.unwrap(), 0);
        let mut writer = Slow::new("", 100);
        assert!(writer.write_vectored(["", "ab", "c"]).await.0.is_err());
        assert_eq!(writer.write_vectored(["", "ab", "c"]).await.0.unwrap(), 2);
        assert_eq!(writer.write_vectored([""; 0]).await.0.unwrap(), 0);
        let (mut reader, mut writer) = (Slow::new("x", 9), Vec::new()).split();
        let BufResult(read, text) = Box::new(&mut reader).read_to_end(Vec::new()).await;
        assert_eq!(read.unwrap(), 1);
        writer.by_ref().write_all(text).await.0.unwrap();
        assert_eq!(writer, b"x");
    });
}

/// A reader says that it has read what it has not: no byte is shown that nobody wrote, and what goes on from there panics.
#[test]
fn a_reader_that_boasts_shows_nothing() {
    struct Boaster;

    impl AsyncRead for Boaster {
        async fn read<B: IoBufMut>(&mut self, mut buffer: B) -> BufResult<usize, B> {
            BufResult(Ok(buffer.buf_capacity().min(5)), buffer)
        }
    }

    let reads = |read: &dyn Fn()| catch_unwind(AssertUnwindSafe(read)).is_ok();
    let buffer = || Vec::with_capacity(5);
    assert!(reads(&|| run(1, async {
        assert_eq!(Boaster.read_exact(buffer()).await.1, b"");
        let BufResult(_, parts) = Boaster.read_vectored_exact([buffer(), buffer()]).await;
        assert_eq!(parts.total_len(), 0);
    })));
    assert!(!reads(&|| run(1, async {
        let _ = Boaster.read_to_end(Vec::with_capacity(20)).await;
    })));
}
