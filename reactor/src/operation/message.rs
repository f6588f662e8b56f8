//! sendmsg(2) and recvmsg(2): several buffers at once, with an address, with descriptors or other control data.

use super::control::ControlData;
use super::kept::{KeptBytes, KeptDatagram};
use super::room::Room;
use super::vectored::{BUFFERS_MAX, Places};
use super::{Completion, Operation, Ordered, fd};
use crate::buf::{BufResult, IoVectoredBuf, IoVectoredBufMut, written};
use crate::descriptor::Descriptor;
use io_uring::{opcode, squeue};
use rustix::net::{
    AncillaryDrain, RecvAncillaryMessage, SendAncillaryBuffer, SendAncillaryMessage,
};
use socket2::{SockAddr, SockAddrStorage};
use std::collections::VecDeque;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

/// A header that says nothing.
fn empty_header() -> libc::msghdr {
    // SAFETY: all zero is a valid one: no buffers, no address, no control data.
    unsafe { std::mem::zeroed() }
}

/// `SCM_MAX_FD`: the kernel sends no more at once.
const DESCRIPTORS_MAX: usize = 253;

/// Room for control data. In words, since what is in it must be aligned.
#[derive(Default)]
struct Control {
    words: Vec<u64>,
    /// How much of it the kernel is told of. Where there is room for another descriptor, it would put one.
    bytes: usize,
}

impl Control {
    fn for_descriptors(count: usize) -> Self {
        if count == 0 {
            return Self::default();
        }
        let payload = u32::try_from(count * size_of::<OwnedFd>()).expect("a small number");
        // SAFETY: they only compute.
        let (bytes, space) = unsafe { (libc::CMSG_LEN(payload), libc::CMSG_SPACE(payload)) };
        Self {
            words: vec![0; (space as usize).div_ceil(size_of::<u64>())],
            bytes: bytes as usize,
        }
    }

    fn with_room(bytes: usize) -> Self {
        Self {
            words: vec![0; bytes.div_ceil(size_of::<u64>())],
            bytes,
        }
    }

    fn of(data: &ControlData) -> Self {
        let mut control = Self::with_room(data.as_bytes().len());
        for (word, bytes) in control
            .words
            .iter_mut()
            .zip(data.as_bytes().chunks(size_of::<u64>()))
        {
            let mut padded = [0; size_of::<u64>()];
            padded[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_ne_bytes(padded);
        }
        control
    }

    /// The first bytes of it.
    fn bytes_mut(&mut self, count: usize) -> &mut [u8] {
        assert!(count <= self.bytes, "there is no more");
        // SAFETY: within the words, which are initialised; plain bytes.
        unsafe { std::slice::from_raw_parts_mut(self.words.as_mut_ptr().cast(), count) }
    }

    fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    fn point_to(&mut self, header: &mut libc::msghdr) {
        if !self.is_empty() {
            header.msg_control = self.words.as_mut_ptr().cast();
            header.msg_controllen = self.bytes;
        }
    }
}

/// What a receive has brought beside the bytes in the buffers.
#[derive(Debug)]
pub struct Message {
    /// How many bytes are in the buffers.
    pub count: usize,
    /// Who sent it; unnamed for streams, and for datagrams of unbound Unix sockets.
    pub sender: SockAddr,
    /// It was a datagram longer than the buffers, and its end is lost.
    pub is_truncated: bool,
    /// Descriptors that came with it, close-on-exec, as many as were asked for; what is more the kernel has closed.
    pub descriptors: Vec<OwnedFd>,
    /// Other control data, if there was room for some.
    pub control: ControlData,
    /// There was control data that did not fit, descriptors or other.
    pub is_control_truncated: bool,
}

/// A receive with all that its entry points to.
struct Inbound<V> {
    socket: Descriptor,
    buffers: V,
    flags: i32,
    header: libc::msghdr,
    places: Places,
    sender: SockAddrStorage,
    control: Control,
    descriptors_max: usize,
}

impl<V: IoVectoredBufMut> Inbound<V> {
    fn new(socket: Descriptor, buffers: V, flags: i32) -> Self {
        Self {
            socket,
            buffers,
            flags: flags | libc::MSG_CMSG_CLOEXEC,
            header: empty_header(),
            places: Places::default(),
            sender: SockAddrStorage::zeroed(),
            control: Control::default(),
            descriptors_max: 0,
        }
    }

    fn peeks(&self) -> bool {
        self.flags & libc::MSG_PEEK != 0
    }

    fn take_control(&mut self, bytes: usize) {
        self.control = Control::with_room(bytes);
    }

    fn take_descriptors(&mut self, max: usize) {
        self.descriptors_max = max.min(DESCRIPTORS_MAX);
        self.control = Control::for_descriptors(self.descriptors_max);
    }

    fn entry(&mut self, buffers_max: usize) -> squeue::Entry {
        self.places = Places::to_fill(&mut self.buffers, buffers_max);
        let header = &mut self.header;
        self.places.point_from(header);
        header.msg_name = std::ptr::from_mut(&mut self.sender).cast();
        header.msg_namelen = self.sender.size_of();
        self.control.point_to(header);
        opcode::RecvMsg::new(fd(&self.socket), header)
            // The flags have no sign.
            .flags(self.flags as u32)
            .build()
    }

    /// The outcome, with the buffers' lengths set after a success.
    fn complete(mut self, completion: Completion) -> BufResult<Message, V> {
        let result = completion.result().map(|count| {
            let count = count as usize;
            // SAFETY: the kernel has written so many bytes to the spaces, in order, each full before the next is begun.
            unsafe { self.buffers.set_len(count) };
            self.message(count)
        });
        BufResult(result, self.buffers)
    }

    /// The bytes that a success has brought.
    fn bytes(&mut self, completion: Completion) -> impl Iterator<Item = &[u8]> {
        // SAFETY: nothing is written.
        let spaces = unsafe { self.buffers.iter_uninit_slice() };
        // SAFETY: the kernel has written so many bytes to the spaces, in order, each full before the next is begun.
        unsafe { written(spaces, completion.bytes() as usize) }
    }

    /// After a success: what came beside the bytes.
    fn message(&mut self, count: usize) -> Message {
        // SAFETY: the kernel has filled in an address of this length.
        let sender = unsafe {
            let storage = std::mem::replace(&mut self.sender, SockAddrStorage::zeroed());
            SockAddr::new(storage, self.header.msg_namelen)
        };
        Message {
            count,
            sender,
            is_truncated: self.header.msg_flags & libc::MSG_TRUNC != 0,
            control: self.control_data(),
            descriptors: self.descriptors(),
            is_control_truncated: self.header.msg_flags & libc::MSG_CTRUNC != 0,
        }
    }

    /// The control data that is not descriptors.
    fn control_data(&mut self) -> ControlData {
        let bytes = self.header.msg_controllen;
        if self.control.is_empty() || bytes == 0 {
            return ControlData::default();
        }
        ControlData::of_kernel(self.control.bytes_mut(bytes))
    }

    fn descriptors(&mut self) -> Vec<OwnedFd> {
        let bytes = self.header.msg_controllen;
        if self.control.is_empty() || bytes == 0 {
            return Vec::new();
        }
        let control = self.control.bytes_mut(bytes);
        // SAFETY: the kernel has written so many bytes of control messages there, and this is the only time they are looked at: the
        // operation is over, and goes with this.
        let messages = unsafe { AncillaryDrain::parse(control) };
        let descriptors = messages.filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        });
        descriptors.flatten().collect()
    }
}

/// recvmsg(2) of a stream, into the whole capacity of several buffers, one after another. Buffers that it does not reach are left as they
/// are. Nothing, at once, if they have no capacity.
pub struct RecvMsg<V>(Inbound<V>);

impl<V: IoVectoredBufMut> RecvMsg<V> {
    /// Reads from `socket` into `buffers`. Descriptors that come along are closed.
    pub fn new(socket: Descriptor, buffers: V) -> Self {
        Self(Inbound::new(socket, buffers, 0))
    }

    /// The same, and takes descriptors that come along, `max` at most.
    #[must_use]
    pub fn with_descriptors(mut self, max: usize) -> Self {
        self.0.take_descriptors(max);
        self
    }
}

// SAFETY: the entry points to the header, which is ours, and what that points to is: the places, the address, the control data, the
// buffers. Nothing of it is touched before `complete`.
unsafe impl<V: IoVectoredBufMut> Operation for RecvMsg<V> {
    type Output = BufResult<Message, V>;

    fn entry(&mut self) -> squeue::Entry {
        self.0.entry(BUFFERS_MAX)
    }

    fn complete(self, completion: Completion) -> Self::Output {
        self.0.complete(completion)
    }
}

impl<V: IoVectoredBufMut> Ordered for RecvMsg<V> {
    type Kept = KeptBytes;

    fn keeps_error(&self) -> bool {
        !self.0.peeks()
    }

    fn has_answer(&mut self, kept: &VecDeque<KeptBytes>) -> bool {
        !kept.is_empty() || self.0.buffers.total_capacity() == 0
    }

    fn answer(mut self, kept: &mut VecDeque<KeptBytes>) -> Self::Output {
        let inbound = &mut self.0;
        // SAFETY: only bytes are copied.
        let count = KeptBytes::copy(kept, unsafe { inbound.buffers.iter_uninit_slice() });
        // SAFETY: so many bytes were just copied to the spaces, in order.
        unsafe { inbound.buffers.set_len(count) };
        let mut descriptors = KeptBytes::consume(kept, count);
        descriptors.truncate(inbound.descriptors_max);
        // The kernel never had it, so its header says nothing.
        let message = Message {
            descriptors,
            ..inbound.message(count)
        };
        BufResult(Ok(message), self.0.buffers)
    }

    fn keep(mut self, completion: Completion, kept: &mut VecDeque<KeptBytes>) {
        let message = self.0.message(completion.bytes() as usize);
        KeptBytes::keep(kept, self.0.bytes(completion), message.descriptors);
    }
}

/// recvmsg(2) of a datagram into several buffers, one after another.
pub struct RecvDatagram<V>(Inbound<V>);

impl<V: IoVectoredBufMut> RecvDatagram<V> {
    /// Receives a datagram from `socket` into `buffers`; what does not fit is lost. Descriptors that come along are closed.
    pub fn new(socket: Descriptor, buffers: V) -> Self {
        Self(Inbound::new(socket, buffers, 0))
    }

    /// The same, and takes control data that comes along, so many bytes at most. Descriptors among it are closed.
    #[must_use]
    pub fn with_control(mut self, bytes: usize) -> Self {
        self.0.take_control(bytes);
        self
    }

    /// The same, and leaves the datagram to be received again.
    pub fn peeking(socket: Descriptor, buffers: V) -> Self {
        Self(Inbound::new(socket, buffers, libc::MSG_PEEK))
    }

    /// The same, and takes descriptors that come along, `max` at most.
    #[must_use]
    pub fn with_descriptors(mut self, max: usize) -> Self {
        self.0.take_descriptors(max);
        self
    }
}

// SAFETY: as for `RecvMsg`.
unsafe impl<V: IoVectoredBufMut> Operation for RecvDatagram<V> {
    type Output = BufResult<Message, V>;

    fn entry(&mut self) -> squeue::Entry {
        self.0.entry(usize::MAX)
    }

    fn complete(self, completion: Completion) -> Self::Output {
        self.0.complete(completion)
    }
}

impl<V: IoVectoredBufMut> Ordered for RecvDatagram<V> {
    type Kept = KeptDatagram;

    fn keeps_error(&self) -> bool {
        !self.0.peeks()
    }

    fn has_answer(&mut self, kept: &VecDeque<KeptDatagram>) -> bool {
        !kept.is_empty()
    }

    fn answer(mut self, kept: &mut VecDeque<KeptDatagram>) -> Self::Output {
        let datagram = kept.front_mut().expect("it has an answer");
        let inbound = &mut self.0;
        let count = inbound.buffers.set_bytes(&datagram.bytes);
        let mut message = Message {
            count,
            sender: datagram.sender.clone(),
            is_truncated: datagram.is_truncated || count < datagram.bytes.len(),
            descriptors: Vec::new(),
            control: ControlData::default(),
            is_control_truncated: datagram.is_control_truncated,
        };
        if !inbound.peeks() {
            message.control = std::mem::take(&mut datagram.control);
            message.descriptors = std::mem::take(&mut datagram.descriptors);
            message.descriptors.truncate(inbound.descriptors_max);
            kept.pop_front();
        }
        BufResult(Ok(message), self.0.buffers)
    }

    fn keep(mut self, completion: Completion, kept: &mut VecDeque<KeptDatagram>) {
        let message = self.0.message(completion.bytes() as usize);
        if !self.0.peeks() {
            kept.push_back(KeptDatagram {
                bytes: self.0.bytes(completion).flatten().copied().collect(),
                sender: message.sender,
                is_truncated: message.is_truncated,
                descriptors: message.descriptors,
                control: message.control,
                is_control_truncated: message.is_control_truncated,
            });
        }
    }
}

/// sendmsg(2) of several buffers, one after another; yields how many bytes went.
pub struct SendMsg<V> {
    socket: Descriptor,
    buffers: V,
    target: Option<SockAddr>,
    /// Open until the kernel has taken them.
    descriptors: Vec<OwnedFd>,
    control_data: ControlData,
    header: libc::msghdr,
    places: Places,
    control: Control,
    room: Room,
}

impl<V: IoVectoredBuf> SendMsg<V> {
    /// Writes the bytes of `buffers` to `socket`, a stream. A peer that has gone is an error (`EPIPE`), not a signal.
    pub fn new(socket: Descriptor, buffers: V) -> Self {
        Self {
            socket,
            buffers,
            target: None,
            descriptors: Vec::new(),
            control_data: ControlData::default(),
            header: empty_header(),
            places: Places::default(),
            control: Control::default(),
            room: Room::Unneeded,
        }
    }

    /// Sends the bytes of `buffers` as one datagram, to `target` if there is one, else to whom `socket` is connected to.
    pub fn datagram(socket: Descriptor, buffers: V, target: Option<SockAddr>) -> Self {
        Self {
            target,
            room: Room::Tried,
            ..Self::new(socket, buffers)
        }
    }

    /// Sends control data along, which must not go with descriptors.
    #[must_use]
    pub fn with_control(mut self, data: ControlData) -> Self {
        self.control_data = data;
        self
    }

    /// Sends descriptors along, of which the peer gets its own; these are closed in the end. On a stream they go with the first byte:
    /// without one, `InvalidInput`, where the kernel would do nothing.
    #[must_use]
    pub fn with_descriptors(mut self, descriptors: Vec<OwnedFd>) -> Self {
        self.descriptors = descriptors;
        self
    }
}

// SAFETY: as for `RecvMsg`; the kernel only reads.
unsafe impl<V: IoVectoredBuf> Operation for SendMsg<V> {
    type Output = BufResult<usize, V>;

    fn entry(&mut self) -> squeue::Entry {
        if let Some(waiting) = self.room.entry(&self.socket) {
            return waiting;
        }
        // Of a stream, a part may go; a datagram of too many buffers the kernel refuses.
        let buffers_max = if self.room.is_needed() {
            usize::MAX
        } else {
            BUFFERS_MAX
        };
        self.places = Places::to_drain(&self.buffers, buffers_max);
        let header = &mut self.header;
        self.places.point_from(header);
        if let Some(target) = &self.target {
            header.msg_name = target.as_ptr().cast_mut().cast();
            header.msg_namelen = target.len();
        }
        if !self.descriptors.is_empty() {
            self.control = Control::for_descriptors(self.descriptors.len());
            let words = &mut self.control.words[..];
            let bytes = size_of_val(words);
            let start = words.as_mut_ptr().cast::<MaybeUninit<u8>>();
            // SAFETY: these are the bytes of the control data, whose words may hold anything.
            let space = unsafe { std::slice::from_raw_parts_mut(start, bytes) };
            let borrowed: Vec<_> = self.descriptors.iter().map(AsFd::as_fd).collect();
            let fits =
                SendAncillaryBuffer::new(space).push(SendAncillaryMessage::ScmRights(&borrowed));
            assert!(fits, "the space was made for them");
        } else if !self.control_data.is_empty() {
            self.control = Control::of(&self.control_data);
        }
        self.control.point_to(header);
        opcode::SendMsg::new(fd(&self.socket), header)
            // Flags have no sign.
            .flags(self.room.flags() as u32)
            .build()
    }

    fn goes_on(&mut self, completion: Completion) -> bool {
        self.room.goes_on(completion, self.target.as_ref())
    }

    fn complete(self, completion: Completion) -> Self::Output {
        BufResult(self.room.outcome(completion), self.buffers)
    }
}

impl<V: IoVectoredBuf> Ordered for SendMsg<V> {
    type Kept = ();

    /// Descriptors without a byte would go astray.
    fn has_answer(&mut self, _: &VecDeque<()>) -> bool {
        !self.room.is_needed() && !self.descriptors.is_empty() && self.buffers.total_len() == 0
    }

    fn answer(self, _: &mut VecDeque<()>) -> Self::Output {
        let error = io::Error::new(
            io::ErrorKind::InvalidInput,
            "descriptors need a byte to go with",
        );
        BufResult(Err(error), self.buffers)
    }
}
