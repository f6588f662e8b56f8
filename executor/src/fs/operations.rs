//! The futures of reading and writing files at offsets, and of putting them onto the medium.

use super::Registered;
use super::sendfile::Sending;
use crate::buf::{BufResult, IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use crate::operation::{Checked, operations};
use reactor::operation::{self as op, FileOperation, InTurn, Op};
use std::io;

operations! {
    /// The future of a read at an offset. It yields the number of bytes and the buffer.
    ///
    /// **Dropped**, the read is cancelled, and nothing is lost but the buffer, which is freed when the kernel is done with it. To have it back,
    /// [`cancel`](Self::cancel) the read instead.
    pub struct ReadAt<B: IoBufMut>(Checked<Op<op::ReadAt<B>>, B>) -> BufResult<usize, B>;

    /// The future of a read at an offset into several buffers. It yields the number of bytes and the buffers.
    ///
    /// **Dropped**, it is as [`ReadAt`].
    pub struct ReadVectoredAt<V: IoVectoredBufMut>(Op<op::ReadVectoredAt<V>>) -> BufResult<usize, V>;

    /// The future of a read at an offset into a registered buffer. It yields the number of bytes and the buffer.
    ///
    /// **Dropped**, it is as [`ReadAt`]; the buffer goes back to its group when the kernel is done with it.
    pub struct ReadFixedAt<B: Registered + IoBufMut>(Checked<Op<op::ReadFixed<B>>, B>) -> BufResult<usize, B>;

    /// The future of a write at an offset. It yields the number of bytes and the buffer.
    ///
    /// **Dropped**, the write is cancelled in the background: some, all or none of the bytes may have been written, or be written a little
    /// later. So do not drop a write if another follows at the same place: [`cancel`](Self::cancel) it, and await that.
    pub struct WriteAt<B: IoBuf>(Checked<Op<op::Write<B>>, B>) -> BufResult<usize, B>;

    /// The future of a write at an offset of several buffers. It yields the number of bytes and the buffers.
    ///
    /// **Dropped**, it is as [`WriteAt`].
    pub struct WriteVectoredAt<V: IoVectoredBuf>(Op<op::WriteVectored<V>>) -> BufResult<usize, V>;

    /// The future of a write at an offset of a registered buffer. It yields the number of bytes and the buffer.
    ///
    /// **Dropped**, it is as [`WriteAt`]; the buffer goes back to its group when the kernel is done with it, and not before.
    pub struct WriteFixedAt<B: Registered>(Checked<Op<op::WriteFixed<B>>, B>) -> BufResult<usize, B>;

    /// The future of putting a file and what belongs to it onto the medium.
    ///
    /// **Dropped**, it may take place or not.
    pub struct SyncAll(InTurn<FileOperation>) -> io::Result<()>;

    /// The future of putting a file's data onto the medium.
    ///
    /// **Dropped**, it may take place or not.
    pub struct SyncData(InTurn<FileOperation>) -> io::Result<()>;

    /// The future of [`sendfile`](super::sendfile()). It yields the number of bytes that were sent.
    ///
    /// **Dropped**, it is cancelled: a first part of the bytes was sent, [`sent`](Self::sent) at
    /// least, and the file has all of them. To know how many, [`cancel`](Self::cancel) it instead;
    /// if any were sent, it yields their number.
    pub struct Sendfile(Sending) -> io::Result<u64>;

    /// The future of reserving room on the medium, or of giving it back.
    ///
    /// **Dropped**, it may take place or not.
    pub struct Allocate(InTurn<FileOperation>) -> io::Result<()>;
}
