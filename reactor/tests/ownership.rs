//! What belongs to one thread cannot leave it. This is checked by the compiler, and so by this file's being compiled.

mod support;

use reactor::operation::{MultishotAccept, Op, OpStream};
use reactor::{Descriptor, Reactor};
use support::Nop;

/// Whoever is `Send` has this twice, and which is meant is ambiguous.
trait NotSend<Marker> {
    fn check() {}
}

impl<T> NotSend<()> for T {}
impl<T: Send> NotSend<u8> for T {}

/// The same for `Sync`.
trait NotSync<Marker> {
    fn check() {}
}

impl<T> NotSync<()> for T {}
impl<T: Sync> NotSync<u8> for T {}

/// A reactor, its futures and its descriptors are used without locks, and the kernel takes one thread alone for the ring's owner.
#[test]
fn nothing_of_a_core_is_send_or_sync() {
    <Reactor as NotSend<_>>::check();
    <Reactor as NotSync<_>>::check();
    <Op<Nop> as NotSend<_>>::check();
    <Op<Nop> as NotSync<_>>::check();
    <OpStream<MultishotAccept> as NotSend<_>>::check();
    <OpStream<MultishotAccept> as NotSync<_>>::check();
    <Descriptor as NotSend<_>>::check();
    <Descriptor as NotSync<_>>::check();
}
