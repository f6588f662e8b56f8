//! What can be taken apart into something to read and something to write.

/// A stream that can be split in two, so that both directions can be used at once.
///
/// A pair of a reader and a writer is one. A socket is split without a lock; a reference to one is split into borrowed halves.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be taken apart into a reader and a writer",
    label = "neither a stream nor a pair of a reader and a writer",
    note = "`copy_bidirectional`, `BufStream` and `BoxedStream` take the stream itself, not `&mut stream`",
    note = "other streams are taken apart by `executor::io::split(stream)`, whose two halves are a pair as well"
)]
pub trait Splittable {
    /// What is read.
    type ReadHalf;

    /// What is written.
    type WriteHalf;

    /// Takes it apart.
    fn split(self) -> (Self::ReadHalf, Self::WriteHalf);
}

impl<R, W> Splittable for (R, W) {
    type ReadHalf = R;
    type WriteHalf = W;

    fn split(self) -> (R, W) {
        self
    }
}
