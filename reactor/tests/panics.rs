//! Foreign code that panics while completions are delivered: what stands behind it in the queue is delivered all the same.

mod support;

use reactor::Lane;
use reactor::buf::{BufResult, IoBuf, IoBufMut};
use reactor::operation::{KeptBytes, Op, Recv};
use std::io::Write;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};
use support::{Core, Nop, counting_waker, in_each_mode, poll, poll_with, ready, socket_pair};

struct PanickingWaker;

impl Wake for PanickingWaker {
    fn wake(self: Arc<Self>) {
        panic!("this waker always does");
    }
}

/// Every other waker panics, fifty times: each completion is delivered, and the reactor goes on.
#[test]
fn a_waker_that_panics_harms_nobody_else() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (woken, waker) = counting_waker();
        let mut nops: Vec<Op<Nop>> = Vec::new();
        for number in 0..100 {
            let panicking = Waker::from(Arc::new(PanickingWaker));
            let waker = if number % 2 == 0 { &panicking } else { &waker };
            let mut op = core.op(Nop);
            assert!(poll_with(&mut op, waker).is_pending());
            nops.push(op);
        }
        core.turn_until_idle();
        assert_eq!(woken.count(), 50);
        for op in nops {
            assert_eq!(ready(op).expect("a nop"), 0);
        }
    });
}

/// A buffer whose drop panics.
struct Bomb([u8; 8]);

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("this buffer always does");
    }
}

impl IoBuf for Bomb {
    fn as_init(&self) -> &[u8] {
        &self.0
    }
}

// SAFETY: all is left to the array.
unsafe impl IoBufMut for Bomb {
    unsafe fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: passed on to the caller.
        unsafe { self.0.as_uninit() }
    }

    unsafe fn set_len(&mut self, _: usize) {}
}

/// Cancelled receives, whose buffers panic when they are released, stand among others in the queue.
#[test]
fn a_cancelled_buffer_that_panics_harms_nobody_else() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (socket, mut peer) = socket_pair();
        let (woken, waker) = counting_waker();
        for _ in 0..10 {
            drop(core.started(Recv::new(socket.clone(), Bomb([0; 8]))));
            let mut op = core.op(Nop);
            assert!(poll_with(&mut op, &waker).is_pending());
            core.turn_until_idle();
            assert_eq!(ready(op).expect("a nop"), 0);
        }
        assert_eq!(woken.count(), 10);
        drop(core);
        peer.write_all(b"?").expect("our clone is open");
        assert!(
            socket.try_into_owned().is_ok(),
            "the buffers' operations are gone"
        );
    });
}

/// A buffer that panics when its space is asked for again, or its length is set.
struct Refusing {
    bytes: [u8; 8],
    is_in_use: bool,
}

impl Refusing {
    fn new() -> Self {
        Self {
            bytes: [0; 8],
            is_in_use: false,
        }
    }
}

impl IoBuf for Refusing {
    fn as_init(&self) -> &[u8] {
        &self.bytes
    }
}

// SAFETY: all is left to the array, or else it panics.
unsafe impl IoBufMut for Refusing {
    unsafe fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        assert!(!self.is_in_use, "this buffer does so once only");
        self.is_in_use = true;
        // SAFETY: passed on to the caller.
        unsafe { self.bytes.as_uninit() }
    }

    unsafe fn set_len(&mut self, _: usize) {
        panic!("this buffer always does");
    }

    fn buf_capacity(&mut self) -> usize {
        self.bytes.len()
    }
}

/// Reads complete whose buffers panic, one for a future, which has the panic, and one for nobody; the next read has its turn and its bytes.
#[test]
fn a_buffer_that_panics_when_it_is_filled_harms_only_its_read() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (socket, mut peer) = socket_pair();
        let lane = Lane::<KeptBytes>::new();
        let read = || core.in_turn(&lane, Recv::new(socket.clone(), Refusing::new()));
        peer.write_all(b"one").expect("it is open");
        let panicked = catch_unwind(AssertUnwindSafe(|| core.block_on(read())));
        assert!(panicked.is_err());
        let mut dropped = read();
        assert!(poll(&mut dropped).is_pending());
        core.submit_all(1);
        peer.write_all(b"two").expect("it is open");
        drop(dropped);
        core.turn_until_idle();
        peer.write_all(b"three").expect("it is open");
        let read = core.in_turn(&lane, Recv::new(socket.clone(), Vec::with_capacity(8)));
        let BufResult(result, buffer) = core.block_on(read);
        assert_eq!(result.expect("it was sent"), buffer.len());
        assert!(b"twothree".ends_with(&buffer), "{buffer:?}");
    });
}

/// A future is polled again after it gave its outcome: it says so, and the core goes on.
#[test]
fn a_future_that_is_over_cannot_be_polled() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let mut op = core.started(Nop);
        core.turn_until_idle();
        assert!(matches!(poll(&mut op), Poll::Ready(Ok(0))));
        assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut op))).is_err());
        assert_eq!(core.block_on(core.op(Nop)).expect("a nop"), 0);
    });
}
