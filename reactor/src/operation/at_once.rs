//! What can be received and sent without waiting, by a system call: the calls of those who asked beforehand whether a socket is
//! [ready](super::Watch).
//!
//! They keep the order of the lane: what dropped operations have received comes first, and while one is in flight, nothing is taken from the
//! kernel beside it. The buffers are the caller's, since nothing is in flight when a call has returned.

use super::kept::{KeptBytes, KeptDatagram};
use crate::lane::{AtOnce, Lane};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvAncillaryBuffer, RecvFlags, recvmsg};
use socket2::{SockAddr, SockRef};
use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;

const SEND_FLAGS: i32 = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;

/// Bytes as what may be written to by a callee that writes nothing but bytes.
///
/// # Safety
/// Only initialised bytes may be written there.
unsafe fn space(buffer: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: the two have one layout, and what is written is initialised, as the caller says.
    unsafe { &mut *(std::ptr::from_mut(buffer) as *mut [MaybeUninit<u8>]) }
}

/// recvmsg(2) of a stream. Yields zero at its end, and if the buffers have no room.
///
/// # Errors
/// `WouldBlock` if there is nothing, or while another operation is in flight; `EBUSY` while a stream of pieces has the lane; and as
/// recvmsg(2) has them.
pub fn recv_at_once(
    lane: &Lane<KeptBytes>,
    socket: BorrowedFd<'_>,
    buffers: &mut [IoSliceMut<'_>],
) -> io::Result<usize> {
    if buffers.iter().all(|buffer| buffer.is_empty()) {
        return Ok(0);
    }
    match lane.at_once()? {
        AtOnce::TakeKept => Ok(lane.with_kept(|kept| {
            // SAFETY: bytes are copied.
            let spaces = buffers.iter_mut().map(|buffer| unsafe { space(buffer) });
            let count = KeptBytes::copy(kept, spaces);
            // Descriptors that came with the bytes were not asked for.
            drop(KeptBytes::consume(kept, count));
            count
        })),
        AtOnce::AskKernel => {
            let mut nothing = RecvAncillaryBuffer::default();
            let message = recvmsg(socket, buffers, &mut nothing, RecvFlags::DONTWAIT)?;
            Ok(message.bytes)
        }
    }
}

/// recvfrom(2) of a datagram: how many of its bytes are in the buffer, and who sent it. What does not fit is lost.
///
/// # Errors
/// As for [`recv_at_once`].
pub fn recv_from_at_once(
    lane: &Lane<KeptDatagram>,
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
) -> io::Result<(usize, SockAddr)> {
    match lane.at_once()? {
        AtOnce::TakeKept => {
            let datagram = lane.with_kept(VecDeque::pop_front);
            let datagram = datagram.expect("there is one");
            let count = datagram.bytes.len().min(buffer.len());
            buffer[..count].copy_from_slice(&datagram.bytes[..count]);
            Ok((count, datagram.sender))
        }
        AtOnce::AskKernel => {
            // SAFETY: the kernel writes bytes.
            let space = unsafe { space(buffer) };
            SockRef::from(&socket).recv_from_with_flags(space, libc::MSG_DONTWAIT)
        }
    }
}

/// sendmsg(2) of several buffers, one after another: how many bytes went. A peer that has gone is an error (`EPIPE`), not a signal.
///
/// # Errors
/// `WouldBlock` if there is no room, or while another operation is in flight; and as sendmsg(2) has them.
pub fn send_at_once(
    lane: &Lane<()>,
    socket: BorrowedFd<'_>,
    buffers: &[IoSlice<'_>],
) -> io::Result<usize> {
    // Nothing is kept of writes.
    lane.at_once()?;
    SockRef::from(&socket).send_vectored_with_flags(buffers, SEND_FLAGS)
}

/// sendto(2) of a datagram.
///
/// # Errors
/// As for [`send_at_once`].
pub fn send_to_at_once(
    lane: &Lane<()>,
    socket: BorrowedFd<'_>,
    buffer: &[u8],
    target: &SockAddr,
) -> io::Result<usize> {
    lane.at_once()?;
    SockRef::from(&socket).send_to_with_flags(buffer, target, SEND_FLAGS)
}

/// Whether a system call of the user's may take its turn now: nothing of the lane comes first, and poll(2) says that the socket is ready for
/// any of `events`.
///
/// # Errors
/// `WouldBlock` if it is not ready, or while another operation is in flight; `ResourceBusy` if a dropped operation has left something that only
/// an operation of the lane can take; `EBUSY` while a stream has the lane.
pub fn ready_at_once<T>(lane: &Lane<T>, socket: BorrowedFd<'_>, events: u32) -> io::Result<()> {
    if lane.at_once()? == AtOnce::TakeKept {
        return Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "a dropped read has left data that comes first; take it with a read or try_read of the socket",
        ));
    }
    // The flags are 16 bits wide.
    let flags = PollFlags::from_bits_retain(events as u16);
    let mut sockets = [PollFd::from_borrowed_fd(socket, flags)];
    match poll(&mut sockets, Some(&Timespec::default()))? {
        0 => Err(io::ErrorKind::WouldBlock.into()),
        _ => Ok(()),
    }
}
