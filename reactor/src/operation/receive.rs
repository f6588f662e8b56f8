//! Receiving into the buffers of a pool, again and again with one submission.

use super::control::ControlData;
use super::kept::{KeptBytes, KeptDatagram};
use super::{Completion, Multishot, OrderedMultishot, fd};
use crate::buf::IoBufMut;
use crate::buffers::{BufPool, Filling, PoolBuf};
use crate::descriptor::Descriptor;
use io_uring::types::RecvMsgOut;
use io_uring::{opcode, squeue};
use socket2::{SockAddr, SockAddrStorage};
use std::collections::VecDeque;
use std::io;

/// What one connection may bring unfetched: enough to keep its owner busy between two turns, and never more than a quarter of the pool.
fn unfetched_max(pool: &BufPool) -> usize {
    (pool.options().count / 4).clamp(1, 16)
}

/// recv(2) into a pool's buffers, until the peer has finished sending or something fails. Yields what came, `None` for the end of the
/// stream. `ENOBUFS`, the last item then, says that the pool has run dry: what would have come waits in the socket.
pub struct RecvMulti {
    socket: Descriptor,
    pool: BufPool,
}

impl RecvMulti {
    /// Receives from `socket`. The kernel must have [`Feature::MultishotReceive`](crate::Feature::MultishotReceive), and the pool be
    /// [registered](BufPool::is_registered), with the reactor that this is started on.
    pub fn new(socket: Descriptor, pool: BufPool) -> Self {
        Self { socket, pool }
    }
}

// SAFETY: the entry names the pool, whose memory lives as long as any clone of it, and who holds a buffer of it is told by the ledger.
unsafe impl Multishot for RecvMulti {
    type Item = io::Result<Option<PoolBuf>>;

    fn entry(&mut self) -> squeue::Entry {
        opcode::RecvMulti::new(fd(&self.socket), self.pool.group()).build()
    }

    fn unfetched_max(&self) -> usize {
        unfetched_max(&self.pool)
    }

    fn item(&mut self, completion: Completion) -> Self::Item {
        // First, so that it goes back to the pool whatever the result is.
        let buffer = self.pool.received(completion);
        completion.result()?;
        Ok(buffer.filter(|buffer| !buffer.is_empty()))
    }
}

impl OrderedMultishot for RecvMulti {
    type Kept = KeptBytes;

    fn answer(&mut self, kept: &mut VecDeque<KeptBytes>) -> Option<Self::Item> {
        if kept.is_empty() {
            return None;
        }
        let room = KeptBytes::available(kept).min(self.pool.options().buffer_bytes);
        let mut buffer = self.pool.take_or_allocate(room);
        // SAFETY: only bytes are copied.
        let count = KeptBytes::copy(kept, std::iter::once(unsafe { buffer.as_uninit() }));
        // Descriptors that came with the bytes were not asked for.
        drop(KeptBytes::consume(kept, count));
        // SAFETY: so many bytes were just written at its start.
        unsafe { buffer.set_len(count) };
        Some(Ok(Some(buffer)))
    }

    fn keep(&mut self, completion: Completion, kept: &mut VecDeque<KeptBytes>) {
        if let Ok(Some(buffer)) = self.item(completion) {
            KeptBytes::keep(kept, [&*buffer], Vec::new());
        }
    }
}

/// So many bytes of a pool's buffer are taken up beside a datagram: the kernel's header, and the sender's address.
pub const DATAGRAM_OVERHEAD_BYTES: usize = HEADER_BYTES + ADDRESS_BYTES;

/// `struct io_uring_recvmsg_out`.
const HEADER_BYTES: usize = 16;
const ADDRESS_BYTES: usize = size_of::<SockAddrStorage>();

/// A datagram in a pool's buffer.
#[derive(Debug)]
pub struct Datagram {
    /// Its bytes.
    pub payload: PoolBuf,
    /// Its sender.
    pub sender: SockAddr,
    /// It was longer than the buffer, and its end is lost.
    pub is_truncated: bool,
}

/// What the kernel never answers.
fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not a datagram with its header")
}

/// recvmsg(2) into a pool's buffers, a datagram in each. Ends and runs dry like [`RecvMulti`]. An empty datagram ends it, too, and a new
/// one goes on.
pub struct RecvMsgMulti {
    socket: Descriptor,
    pool: BufPool,
    /// What is asked for: the sender's address, nothing else.
    header: libc::msghdr,
}

impl RecvMsgMulti {
    /// Receives datagrams from `socket`. As for [`RecvMulti::new`].
    ///
    /// # Errors
    /// `InvalidInput` if the pool's buffers hold no more than [`DATAGRAM_OVERHEAD_BYTES`], or are filled incrementally: then a datagram
    /// would be cut where a buffer ends.
    pub fn new(socket: Descriptor, pool: BufPool) -> io::Result<Self> {
        let options = pool.options();
        if options.buffer_bytes <= DATAGRAM_OVERHEAD_BYTES {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "buffers of {} bytes hold no datagram: {DATAGRAM_OVERHEAD_BYTES} are taken up by its sender",
                    options.buffer_bytes
                ),
            ));
        }
        if options.filling == Filling::Incremental {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "datagrams would be cut where a buffer ends: make the pool with whole buffers",
            ));
        }
        // SAFETY: all zero is a message header that asks for nothing.
        let mut header = unsafe { std::mem::zeroed::<libc::msghdr>() };
        header.msg_namelen = ADDRESS_BYTES as u32;
        Ok(Self {
            socket,
            pool,
            header,
        })
    }

    fn datagram(&self, mut buffer: PoolBuf) -> io::Result<Datagram> {
        let parts = RecvMsgOut::parse(&buffer, &self.header).map_err(|()| malformed())?;
        let (name, length) = (parts.name_data(), parts.payload_data().len());
        let is_truncated = parts.is_payload_truncated();
        let mut storage = SockAddrStorage::zeroed();
        if name.len() > size_of::<SockAddrStorage>() {
            return Err(malformed());
        }
        // SAFETY: it fits, as was just checked; the two do not overlap; an address that the kernel gave, in zeroed storage, is a valid one.
        let sender = unsafe {
            let bytes = std::ptr::from_mut(&mut storage).cast::<u8>();
            bytes.copy_from_nonoverlapping(name.as_ptr(), name.len());
            SockAddr::new(storage, name.len() as libc::socklen_t)
        };
        buffer.narrow(DATAGRAM_OVERHEAD_BYTES, length);
        Ok(Datagram {
            payload: buffer,
            sender,
            is_truncated,
        })
    }
}

// SAFETY: as for `RecvMulti`; and the entry points to `header`, which is ours and never changes.
unsafe impl Multishot for RecvMsgMulti {
    type Item = io::Result<Datagram>;

    fn entry(&mut self) -> squeue::Entry {
        let header = std::ptr::from_ref(&self.header);
        opcode::RecvMsgMulti::new(fd(&self.socket), header, self.pool.group()).build()
    }

    fn unfetched_max(&self) -> usize {
        unfetched_max(&self.pool)
    }

    fn item(&mut self, completion: Completion) -> Self::Item {
        let buffer = self.pool.received(completion);
        completion.result()?;
        self.datagram(buffer.ok_or_else(malformed)?)
    }
}

impl OrderedMultishot for RecvMsgMulti {
    type Kept = KeptDatagram;

    fn answer(&mut self, kept: &mut VecDeque<KeptDatagram>) -> Option<Self::Item> {
        let datagram = kept.pop_front()?;
        let mut payload = self.pool.take_or_allocate(datagram.bytes.len());
        payload.set_bytes(&datagram.bytes);
        Some(Ok(Datagram {
            payload,
            sender: datagram.sender,
            is_truncated: datagram.is_truncated,
        }))
    }

    fn keep(&mut self, completion: Completion, kept: &mut VecDeque<KeptDatagram>) {
        if let Ok(datagram) = self.item(completion) {
            kept.push_back(KeptDatagram {
                bytes: datagram.payload.to_vec(),
                sender: datagram.sender,
                is_truncated: datagram.is_truncated,
                descriptors: Vec::new(),
                control: ControlData::default(),
                is_control_truncated: false,
            });
        }
    }
}
