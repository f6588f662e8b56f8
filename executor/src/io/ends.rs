//! The reading and the writing end of something that is read and written in order: what pipes, the standard streams and files that
//! cannot seek are made of. Each has a lane, so that a dropped operation loses nothing.

use super::closing;
use super::{Read, ReadVectored, Write, WriteVectored};
use crate::buf::{IoBuf, IoBufMut, IoVectoredBuf, IoVectoredBufMut};
use crate::core::{Core, context};
use reactor::operation::{self, InTurn, KeptInput, SpliceEnd};
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

#[derive(Debug)]
pub(crate) struct ReadEnd {
    file: Descriptor,
    lane: Rc<Lane<KeptInput>>,
}

impl ReadEnd {
    pub(crate) fn new(file: Descriptor, lane: Rc<Lane<KeptInput>>) -> Self {
        Self { file, lane }
    }

    pub(crate) fn descriptor(&self) -> &Descriptor {
        &self.file
    }

    pub(crate) fn splice_end(&self) -> SpliceEnd<KeptInput> {
        SpliceEnd::new(self.file.clone(), Rc::clone(&self.lane))
    }

    #[track_caller]
    pub(crate) fn read<B: IoBufMut>(&self, buffer: B) -> Read<B> {
        let read = operation::Read::new(self.file.clone(), buffer);
        Read(InTurn::new(
            current_reactor("read"),
            Rc::clone(&self.lane),
            read,
        ))
    }

    #[track_caller]
    pub(crate) fn read_vectored<V: IoVectoredBufMut>(&self, buffers: V) -> ReadVectored<V> {
        let read = operation::ReadVectored::new(self.file.clone(), buffers);
        ReadVectored(InTurn::new(
            current_reactor("read"),
            Rc::clone(&self.lane),
            read,
        ))
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

#[derive(Debug)]
pub(crate) struct WriteEnd {
    file: Descriptor,
    lane: Rc<Lane<()>>,
}

impl WriteEnd {
    pub(crate) fn new(file: Descriptor, lane: Rc<Lane<()>>) -> Self {
        Self { file, lane }
    }

    pub(crate) fn descriptor(&self) -> &Descriptor {
        &self.file
    }

    pub(crate) fn splice_end(&self) -> SpliceEnd<()> {
        SpliceEnd::new(self.file.clone(), Rc::clone(&self.lane))
    }

    #[track_caller]
    pub(crate) fn write<B: IoBuf>(&self, buffer: B) -> Write<B> {
        let write = operation::Write::new(self.file.clone(), buffer);
        Write(InTurn::new(
            current_reactor("write"),
            Rc::clone(&self.lane),
            write,
        ))
    }

    #[track_caller]
    pub(crate) fn write_vectored<V: IoVectoredBuf>(&self, buffers: V) -> WriteVectored<V> {
        let write = operation::WriteVectored::new(self.file.clone(), buffers);
        WriteVectored(InTurn::new(
            current_reactor("write"),
            Rc::clone(&self.lane),
            write,
        ))
    }

    pub(crate) async fn close(self) -> io::Result<()> {
        closing::refuse_if_used(&self.lane)?;
        self.lane.settled().await;
        closing::close(self.file).await
    }

    /// The descriptor, if no operation is in flight.
    pub(crate) fn into_owned(self) -> Result<OwnedFd, Self> {
        let lane = self.lane;
        let refuse = |file| Self { file, lane };
        self.file.try_into_owned().map_err(refuse)
    }
}

impl AsFd for ReadEnd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl AsFd for WriteEnd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
