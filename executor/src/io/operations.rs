//! The futures of reading and writing in order, as pipes and the standard streams do, and of waiting for a descriptor.

use super::Readiness;
use super::splice::Moving;
use crate::buf::{BufResult, IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use crate::operation::operations;
use reactor::operation::{self as op, InTurn, KeptInput, Op, SpliceInTurn};
use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;

operations! {
    /// The future of a read from a pipe or the standard input. It yields the number of bytes and the buffer.
    ///
    /// **Dropped**, the read is cancelled, and no data is lost: what it has read goes to the next read. The buffer is freed when the kernel
    /// is done with it; to have it back, [`cancel`](Self::cancel) the read instead.
    pub struct Read<B: IoBufMut>(InTurn<op::Read<B>>) -> BufResult<usize, B>;

    /// The future of a read into several buffers. It yields the number of bytes and the buffers.
    ///
    /// **Dropped**, it loses no data, as [`Read`].
    pub struct ReadVectored<V: IoVectoredBufMut>(InTurn<op::ReadVectored<V>>) -> BufResult<usize, V>;

    /// The future of a write to a pipe, the standard output or the standard error. It yields the number of bytes and the buffer.
    ///
    /// **Dropped**, the write is cancelled: some, all or none of the bytes may have been written, and no more are written once the next
    /// write has begun. To know how many, [`cancel`](Self::cancel) the write instead.
    pub struct Write<B: IoBuf>(InTurn<op::Write<B>>) -> BufResult<usize, B>;

    /// The future of a write of several buffers. It yields the number of bytes and the buffers.
    ///
    /// **Dropped**, it is as [`Write`].
    pub struct WriteVectored<V: IoVectoredBuf>(InTurn<op::WriteVectored<V>>) -> BufResult<usize, V>;

    /// The future of [`splice`](super::splice()). It yields the number of bytes that were moved.
    ///
    /// **Dropped**, the splice is cancelled, and no bytes are lost: those that were moved are in
    /// the target, and the others in the source. To know how many, [`cancel`](Self::cancel) it
    /// instead.
    pub struct Splice(Moving) -> io::Result<usize>;

    /// The future of [`tee`](super::tee()). It yields the number of bytes that were duplicated.
    ///
    /// **Dropped**, it is cancelled. The source keeps its bytes; the target may have got some, all
    /// or none of them. To know how many, [`cancel`](Self::cancel) it instead.
    pub struct Tee(SpliceInTurn<KeptInput>) -> io::Result<usize>;

    /// The future of waiting until a descriptor is ready, of [`AsyncFd`](super::AsyncFd). It yields what the descriptor is ready for. It keeps the
    /// descriptor open.
    ///
    /// **Dropped**, it is cancelled, and nothing is lost: it has only looked.
    pub struct Ready<T: AsFd + 'static>(Op<op::Ready<Rc<T>>>) -> io::Result<Readiness> = readiness;
}

fn readiness(events: io::Result<u32>) -> io::Result<Readiness> {
    events.map(Readiness::of)
}
