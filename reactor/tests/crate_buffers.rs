//! The buffers of `arrayvec`, `bytes` and `smallvec`: read into and written from by the kernel, single, in part and several at once, with an
//! allocator that watches what was freed.

mod support;

use arrayvec::ArrayVec;
use bytes::{Bytes, BytesMut};
use reactor::buf::{BufResult, IntoInner, IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use reactor::operation::{ReadVectored, Recv, Send, WriteVectored};
use smallvec::SmallVec;
use std::io::{Read, Write};
use support::quarantine::{self, Quarantine};
use support::{Core, in_each_mode, socket_pair};

#[global_allocator]
static ALLOCATOR: Quarantine = Quarantine;

/// Reads `text` into the buffer.
fn read<B: IoBufMut>(core: &Core, buffer: B, text: &str) -> B {
    let (socket, mut peer) = socket_pair();
    peer.write_all(text.as_bytes()).expect("it is open");
    let BufResult(result, buffer) = core.block_on(core.op(Recv::new(socket, buffer)));
    assert_eq!(result.expect("it was sent"), text.len());
    buffer
}

fn read_vectored<V: IoVectoredBufMut>(core: &Core, buffers: V, text: &str) -> V {
    let (socket, mut peer) = socket_pair();
    peer.write_all(text.as_bytes()).expect("it is open");
    let BufResult(result, buffers) = core.block_on(core.op(ReadVectored::new(socket, buffers)));
    assert_eq!(result.expect("it was sent"), text.len());
    buffers
}

/// What the peer gets.
fn written(mut peer: impl Read, count: usize) -> String {
    let mut text = vec![0; count];
    peer.read_exact(&mut text).expect("it was sent");
    String::from_utf8(text).expect("a text")
}

fn write<B: IoBuf>(core: &Core, buffer: B) -> String {
    let (socket, peer) = socket_pair();
    let BufResult(result, _) = core.block_on(core.op(Send::new(socket, buffer)));
    written(peer, result.expect("it is open"))
}

fn write_vectored<V: IoVectoredBuf>(core: &Core, buffers: V) -> String {
    let (socket, peer) = socket_pair();
    let BufResult(result, _) = core.block_on(core.op(WriteVectored::new(socket, buffers)));
    written(peer, result.expect("it is open"))
}

/// Reads over what was there, with less, behind it, and from within it; and writes it.
fn use_all_ways<B: IoBufMut>(core: &Core, empty: B) {
    let buffer = read(core, empty, "longer");
    assert_eq!(buffer.as_init(), b"longer");
    let buffer = read(core, buffer, "text");
    assert_eq!(buffer.as_init(), b"text");
    let buffer = read(core, buffer.uninit(), "ual").into_inner();
    assert_eq!(buffer.as_init(), b"textual");
    let mut buffer = read(core, buffer.slice(2..8), "nnis").into_inner();
    assert_eq!(buffer.as_init(), b"tennis");
    buffer.as_mut_slice()[0] = b'T';
    assert_eq!(write(core, buffer.slice(..3)), "Ten");
}

/// Inline vectors and those on the heap, and `BytesMut`, in each of these ways.
#[test]
fn buffers_of_other_crates_are_read_into_and_written() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        use_all_ways(&core, ArrayVec::<u8, 16>::new());
        use_all_ways(&core, SmallVec::<[u8; 16]>::new());
        use_all_ways(&core, SmallVec::<[u8; 4]>::with_capacity(100));
        use_all_ways(&core, BytesMut::with_capacity(16));
        use_all_ways(&core, Vec::with_capacity(16));
        assert_eq!(write(&core, Bytes::from_static(b"static")), "static");
        assert_eq!(write(&core, BytesMut::from("mutable").freeze()), "mutable");
    });
    quarantine::check();
}

/// Several at once, from within the second on.
#[test]
fn vectors_of_other_crates_are_several_buffers() {
    fn check<V: IoVectoredBufMut>(core: &Core, buffers: V) {
        let buffers = read_vectored(core, buffers, "over the end");
        assert!(buffers.iter_slice().eq([&b"over t"[..], b"he end"]));
        let buffers = read_vectored(core, buffers.slice(8), "re").into_inner();
        assert!(buffers.iter_slice().eq([&b"over t"[..], b"here"]));
        assert_eq!(write_vectored(core, buffers), "over there");
    }
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let buffer = || {
            let mut buffer = vec![b'?'; 6];
            buffer.clear();
            buffer
        };
        check(&core, ArrayVec::<_, 4>::from_iter([buffer(), buffer()]));
        check(&core, SmallVec::<[_; 1]>::from_iter([buffer(), buffer()]));
        check(&core, SmallVec::<[_; 4]>::from_iter([buffer(), buffer()]));
        check(&core, (ArrayVec::<u8, 6>::new(), (buffer(),)));
    });
    quarantine::check();
}

/// Handles that share an allocation: what is read into one does not get into the other's part.
#[test]
fn parts_of_shared_bytes_are_apart() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let mut first = BytesMut::with_capacity(20);
        first.extend_from_slice(b"0123456789");
        let second = first.split_off(4);
        let first = read(&core, first, "abcd");
        let second = read(&core, second.uninit(), "more").into_inner();
        assert_eq!(
            (&first[..], &second[..]),
            (&b"abcd"[..], &b"456789more"[..])
        );
    });
    quarantine::check();
}
