//! The reading and the writing end of something that is read and written in order: what pipes, the standard streams and files that
//! cannot seek are made of. Each has a lane, so that a dropped operation loses nothing.

use super::closing;
use super::{Read, ReadVectored, Write, WriteVectored};
use crate::buf::{IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use crate::core::{Core, context};
use reactor::operation::{self, InTurn, KeptInput, Ordered, SpliceEnd};
use reactor::{Descriptor, Lane, Reactor};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

/// The current core's reactor.
#[track_caller]
pub(crate) fn current_reactor(what: &str) -> Rc<Reactor> {
    context::expect(what, |core| Rc::clone(core.reactor()))
}

/// A descriptor of whatever kind, which the current core closes if there is one and closing may block.
pub(crate) fn descriptor(fd: OwnedFd) -> Descriptor {
    context::with(|core| Descriptor::of_file(fd, core.map(Core::reactor)))
}

/// A descriptor with the lane of one direction, whose dropped operations leave `T`.
#[derive(Debug)]
pub(crate) struct End<T> {
    file: Descriptor,
    lane: Rc<Lane<T>>,
}

pub(crate) type ReadEnd = End<KeptInput>;
pub(crate) type WriteEnd = End<()>;

impl<T> End<T> {
    pub(crate) fn new(file: Descriptor, lane: Rc<Lane<T>>) -> Self {
        Self { file, lane }
    }

    pub(crate) fn descriptor(&self) -> &Descriptor {
        &self.file
    }

    pub(crate) fn splice_end(&self) -> SpliceEnd<T> {
        SpliceEnd::new(self.file.clone(), Rc::clone(&self.lane))
    }

    #[track_caller]
    fn in_turn<O: Ordered<Kept = T>>(&self, what: &str, operation: O) -> InTurn<O> {
        InTurn::new(current_reactor(what), Rc::clone(&self.lane), operation)
    }

    pub(crate) async fn close(self) -> io::Result<()> {
        closing::refuse_if_used(&self.lane)?;
        self.lane.settled().await;
        closing::close(self.file).await
    }

    /// The descriptor, if no operation is in flight and nothing is kept that would be lost.
    pub(crate) fn into_owned(self) -> Result<OwnedFd, Self> {
        if !self.lane.is_idle() {
            return Err(self);
        }
        let lane = self.lane;
        let refuse = |file| Self { file, lane };
        self.file.try_into_owned().map_err(refuse)
    }
}

impl ReadEnd {
    #[track_caller]
    pub(crate) fn read<B: IoBufMut>(&self, buffer: B) -> Read<B> {
        let read = operation::Read::new(self.file.clone(), buffer);
        Read(self.in_turn("read", read))
    }

    #[track_caller]
    pub(crate) fn read_vectored<V: IoVectoredBufMut>(&self, buffers: V) -> ReadVectored<V> {
        let read = operation::ReadVectored::new(self.file.clone(), buffers);
        ReadVectored(self.in_turn("read_vectored", read))
    }
}

impl WriteEnd {
    #[track_caller]
    pub(crate) fn write<B: IoBuf>(&self, buffer: B) -> Write<B> {
        let write = operation::Write::new(self.file.clone(), buffer);
        Write(self.in_turn("write", write))
    }

    #[track_caller]
    pub(crate) fn write_vectored<V: IoVectoredBuf>(&self, buffers: V) -> WriteVectored<V> {
        let write = operation::WriteVectored::new(self.file.clone(), buffers);
        WriteVectored(self.in_turn("write_vectored", write))
    }
}

impl<T> AsFd for End<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// The methods of what reads. Its only field is a `ReadEnd`; what `read` promises is said by the
/// type.
macro_rules! reading_methods {
    ($(#[$read:meta])+) => {
        pub(in $crate::io) fn splice_end(
            &self,
        ) -> reactor::operation::SpliceEnd<reactor::operation::KeptInput> {
            self.0.splice_end()
        }

        $(#[$read])+
        #[track_caller]
        pub fn read<B: $crate::buf::IoBufMut>(&self, buffer: B) -> $crate::io::Read<B> {
            self.0.read(buffer)
        }

        /// Reads as [`read`](Self::read) does, into several buffers, each filled before the next.
        /// Those that nothing came for stay as they were: the count tells. Cancellation, errors and
        /// panics as there.
        #[track_caller]
        pub fn read_vectored<V: $crate::buf::IoVectoredBufMut>(
            &self,
            buffers: V,
        ) -> $crate::io::ReadVectored<V> {
            self.0.read_vectored(buffers)
        }
    };
}

/// The methods of what writes, likewise, with a `WriteEnd`.
macro_rules! writing_methods {
    ($(#[$write:meta])+) => {
        pub(in $crate::io) fn splice_end(&self) -> reactor::operation::SpliceEnd<()> {
            self.0.splice_end()
        }

        $(#[$write])+
        #[track_caller]
        pub fn write<B: $crate::buf::IoBuf>(&self, buffer: B) -> $crate::io::Write<B> {
            self.0.write(buffer)
        }

        /// Writes as [`write`](Self::write) does, the bytes of several buffers, in order.
        /// Cancellation, errors and panics as there.
        #[track_caller]
        pub fn write_vectored<V: $crate::buf::IoVectoredBuf>(
            &self,
            buffers: V,
        ) -> $crate::io::WriteVectored<V> {
            self.0.write_vectored(buffers)
        }
    };
}

pub(super) use {reading_methods, writing_methods};
