//! Buffers without a ring: what parts of them show, how they are filled, what is refused.

use reactor::buf::{
    BufResult, IntoInner, IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut, Slice, VectoredSlice,
};
use std::borrow::Cow;
use std::io;
use std::panic::catch_unwind;
use std::rc::Rc;
use std::sync::Arc;

/// A vector with these bytes, and marked ones behind them.
fn roomy(text: &str, capacity: usize) -> Vec<u8> {
    let mut buffer = vec![b'!'; capacity];
    buffer.clear();
    buffer.extend_from_slice(text.as_bytes());
    buffer
}

/// Each of the standard types, by itself and behind a pointer, shows its bytes.
#[test]
fn standard_types_are_buffers() {
    fn shows<B: IoBuf>(buffer: B) {
        assert_eq!(buffer.as_init(), b"text");
        assert_eq!((buffer.buf_len(), buffer.is_empty()), (4, false));
        assert_eq!(buffer.buf_ptr(), buffer.as_init().as_ptr());
        assert_eq!(buffer.slice(1..=2).as_init(), b"ex");
    }
    shows("text");
    shows(b"text");
    shows(*b"text");
    shows(&b"text"[..]);
    shows(String::from("text"));
    shows(Vec::from(b"text"));
    shows(Box::<[u8]>::from(*b"text"));
    shows(Box::<str>::from("text"));
    shows(Rc::<[u8]>::from(*b"text"));
    shows(Arc::<str>::from("text"));
    shows(Rc::new(String::from("text")));
    shows(Box::new("text") as Box<dyn IoBuf>);
    shows(Cow::Borrowed("text"));
    shows(Cow::<[u8]>::Owned(b"text".to_vec()));
}

/// Each of those that can be read into is filled from its start, and keeps to its space.
#[test]
fn standard_types_are_filled() {
    fn fills<B: IoBufMut>(mut buffer: B, rest: &str) {
        assert_eq!(buffer.buf_capacity(), 6);
        assert_eq!(buffer.set_bytes(b"abcd"), 4);
        assert_eq!(buffer.as_init(), ["abcd", rest].concat().as_bytes());
        assert_eq!(buffer.is_filled(), !rest.is_empty());
        assert_eq!(buffer.set_bytes(b"too long"), 6);
        assert_eq!(buffer.as_init(), b"too lo");
        buffer.as_mut_slice()[0] = b'T';
        buffer.clear();
        assert_eq!(buffer.buf_len(), rest.len() * 3);
    }
    fills(roomy("", 6), "");
    fills(*b"text??", "??");
    fills(Box::new(*b"text??"), "??");
    fills(Box::<[u8]>::from(*b"text??"), "??");
    fills(Box::new(roomy("text", 6)), "");
    fills(Box::new(roomy("text", 6)) as Box<dyn IoBufMut>, "");
}

/// Ranges are what they are of slices, but that the end may be in the room behind the bytes.
#[test]
fn a_part_is_within_its_buffer() {
    let part = roomy("some text", 20).slice(5..12);
    assert_eq!((part.begin(), part.end()), (5, Some(12)));
    assert_eq!(&*part, b"text");
    let mut part = part;
    assert_eq!(part.set_bytes(b"words and more"), 7);
    assert_eq!(part.as_inner(), b"some words a");
    part.set_end(0);
    assert_eq!((part.buf_len(), part.buf_capacity()), (0, 0));
    part.set_end(10);
    part.set_begin(4);
    part[0] = b'-';
    assert_eq!(part.set_bytes(b"1234567"), 6);
    assert_eq!(part.into_inner(), b"some123456");

    assert!(catch_unwind(|| roomy("four", 20).slice(5..)).is_err());
    #[expect(clippy::reversed_empty_ranges)]
    let reversed = 3..2;
    assert!(catch_unwind(|| "four".slice(reversed)).is_err());
    assert!(catch_unwind(|| "four".slice(..=usize::MAX)).is_err());
    assert!(catch_unwind(|| "four".slice(2..).set_begin(5)).is_err());
}

/// The buffer under a part is exchanged for shorter ones, again and again: the part shows none but its bytes, and is filled behind them.
#[test]
fn a_part_of_an_exchanged_buffer_shows_no_byte_that_was_not_written() {
    let mut part: Slice<Vec<u8>> = roomy("0123456789", 20).slice(8..15);
    for (text, capacity) in [
        ("", 0),
        ("", 20),
        ("ab", 20),
        ("ab", 2),
        ("abcdefgh", 9),
        ("", 9),
    ] {
        *part.as_inner_mut() = roomy(text, capacity);
        assert_eq!(part.as_init(), b"");
        assert!(part.iter().all(|byte| *byte != b'!'));
        let count = part.set_bytes(b"xxxxxxxxxxxxxxxx");
        assert_eq!(part.as_inner()[..text.len()], *text.as_bytes());
        assert_eq!(part.as_inner()[text.len()..], vec![b'x'; count]);
    }
    let mut part: VectoredSlice<Vec<Vec<u8>>> = vec![roomy("01", 10), roomy("23456", 10)].slice(5);
    for (buffers, expected) in [
        (vec![], vec![]),
        (vec![roomy("", 10)], vec![""]),
        (vec![roomy("a", 10), roomy("", 10)], vec!["a", "xxxx"]),
        (vec![roomy("a", 10), roomy("bc", 10)], vec!["a", "bcxxxx"]),
        (
            vec![roomy("a", 10), roomy("bcdefg", 6), roomy("", 9)],
            vec!["a", "bcdxxx", "x"],
        ),
    ] {
        *part.as_inner_mut() = buffers;
        let _ = part.set_bytes(b"xxxx");
        assert!(
            part.as_inner()
                .iter()
                .eq(expected.iter().map(|text| text.as_bytes()))
        );
    }
}

/// Bytes that end in the first buffer, at its end, in the last, and behind it: the buffers that they reach get their lengths, the others keep theirs.
#[test]
fn several_buffers_are_filled_in_order() {
    let buffers = || [roomy("a", 3), roomy("", 0), roomy("b", 3)];
    for (bytes, expected) in [
        ("", ["a", "", "b"]),
        ("12", ["12", "", "b"]),
        ("123", ["123", "", "b"]),
        ("12345", ["123", "", "45"]),
        ("1234567", ["123", "", "456"]),
    ] {
        let mut filled = buffers();
        assert_eq!(filled.set_bytes(bytes.as_bytes()), bytes.len().min(6));
        assert_eq!(filled, expected.map(str::as_bytes));
        let [first, second, third] = buffers();
        let mut filled = (first, (second, (third,)));
        assert_eq!(filled.set_bytes(bytes.as_bytes()), bytes.len().min(6));
        assert!(filled.iter_slice().eq(expected.map(str::as_bytes)));
    }
    assert_eq!((buffers().total_len(), buffers().total_capacity()), (2, 6));
    // One buffer is set as one is.
    let mut one = (roomy("a", 3),);
    assert_eq!(one.set_bytes(b""), 0);
    assert_eq!(one.0, b"");
    assert_eq!(().set_bytes(b"nowhere"), 0);
}

/// The result and the buffer of an operation, taken apart and changed.
#[test]
fn a_result_carries_its_buffer() {
    let success = || BufResult(Ok(2), "ab".slice(1..));
    let failure = || {
        BufResult(
            Err::<i32, _>(io::ErrorKind::NotFound.into()),
            "ab".slice(1..),
        )
    };
    assert!(success().is_ok() && failure().is_err());
    assert_eq!(success().into_inner().unwrap(), (2, "ab"));
    assert_eq!(failure().into_inner().unwrap_err().1, "ab");
    assert_eq!(
        success().map_res(|count| count + 1).expect("it is one").0,
        3
    );
    let (count, length) = success()
        .map2(|count, part| (count, part.len()), |_| 9)
        .unwrap();
    assert_eq!((count, length), (2, 1));
    assert_eq!(failure().map2(|count, _| (count, 0), |_| 9).1, 9);
    let refused = success().and_then(|_, part| (Err::<(), _>(io::ErrorKind::Other.into()), part));
    let (result, part): (io::Result<()>, _) = refused.into();
    assert_eq!((result.is_err(), &*part), (true, &b"b"[..]));
    assert_eq!(
        success()
            .map(|count, part| (count * 2, part))
            .into_parts()
            .0
            .unwrap(),
        4
    );
}
