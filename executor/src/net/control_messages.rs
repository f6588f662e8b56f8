//! Control messages: what goes with a datagram beside its bytes, such as how it is marked, and by which address it came.

use reactor::operation::{self, ControlData};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Explicit congestion notification (RFC 3168): two bits of the IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Ecn {
    /// The sender does not take part.
    NotEct = 0b00,
    /// Capable, codepoint 1.
    Ect1 = 0b01,
    /// Capable, codepoint 0.
    Ect0 = 0b10,
    /// A router on the way was congested.
    Ce = 0b11,
}

impl Ecn {
    fn of_tos(tos: u8) -> Self {
        match tos & 0b11 {
            0b00 => Self::NotEct,
            0b01 => Self::Ect1,
            0b10 => Self::Ect0,
            _ => Self::Ce,
        }
    }
}

/// By which of our addresses and interfaces a datagram came, or is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PacketInfo {
    /// Our address: of a datagram that came, the one it was sent to, which may be a group's or a broadcast address; of one that goes, the
    /// sender's.
    pub address: IpAddr,
    /// The number of the interface. Zero for a datagram that goes: as the routes say.
    pub interface: u32,
}

/// Control messages of a datagram: to be sent with [`UdpSocket::send_msg`](super::UdpSocket::send_msg), or received by
/// [`recv_msg`](super::UdpSocket::recv_msg).
///
/// There are methods for those that a QUIC implementation needs. For others, [`push`](Self::push) and [`iter`](Self::iter) take and yield the
/// bytes as the kernel has them.
///
/// # Examples
/// ```
/// use executor::net::{ControlMessages, Ecn};
///
/// let control = ControlMessages::new().with_ecn(Ecn::Ect0).with_segment_size(1200);
/// assert_eq!(control.ecn(), Some(Ecn::Ect0));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ControlMessages(ControlData);

impl ControlMessages {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the mark that the datagram goes with. It is right for IPv4 and IPv6: the kernel looks at the one that the socket needs.
    #[must_use]
    pub fn with_ecn(mut self, ecn: Ecn) -> Self {
        let tos = i32::from(ecn as u8).to_ne_bytes();
        self.0.push(libc::IPPROTO_IP, libc::IP_TOS, &tos);
        self.0.push(libc::IPPROTO_IPV6, libc::IPV6_TCLASS, &tos);
        self
    }

    /// Has the kernel, or the network card, cut the bytes into datagrams of this size, of which the last may be shorter (GSO, `UDP_SEGMENT`,
    /// Linux 4.18). The kernel takes 64 datagrams at once, or 128 since Linux 6.9, and no more than 65,507 bytes.
    ///
    /// The send fails with `InvalidInput` if there are more, or if they are larger than the path allows (the MTU); with `EIO` if the network card
    /// cannot, or the socket has no checksums. If all bytes fit into one, one datagram is sent, as without this.
    #[must_use]
    pub fn with_segment_size(mut self, bytes: usize) -> Self {
        // What does not fit is too large for the kernel, too.
        let bytes = u16::try_from(bytes).unwrap_or(u16::MAX);
        self.0
            .push(libc::SOL_UDP, libc::UDP_SEGMENT, &bytes.to_ne_bytes());
        self
    }

    /// Adds the address and the interface that the datagram goes from. The send fails, as with `InvalidInput` or `NetworkUnreachable`, if the
    /// address is not one of this machine's.
    #[must_use]
    pub fn with_packet_info(mut self, info: PacketInfo) -> Self {
        let interface = info.interface.to_ne_bytes();
        match info.address {
            IpAddr::V4(address) => {
                // `in_pktinfo`: the interface, the sender's address, and one that is not looked at.
                let data = [interface, address.octets(), [0; 4]].concat();
                self.0.push(libc::IPPROTO_IP, libc::IP_PKTINFO, &data);
            }
            IpAddr::V6(address) => {
                // `in6_pktinfo`.
                let data = [&address.octets()[..], &interface].concat();
                self.0.push(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &data);
            }
        }
        self
    }

    /// Adds any message, of which `data` is what follows the header (`CMSG_DATA`).
    ///
    /// # Panics
    /// If it would be one of descriptors (`SOL_SOCKET`, `SCM_RIGHTS`): those are sent by
    /// [`UnixDatagram::send_with_descriptors`](super::UnixDatagram::send_with_descriptors).
    pub fn push(&mut self, level: i32, kind: i32, data: &[u8]) {
        self.0.push(level, kind, data);
    }

    /// How the datagram was marked, if [`set_recv_ecn`](super::UdpSocket::set_recv_ecn) was called.
    pub fn ecn(&self) -> Option<Ecn> {
        // The kernel gives a byte, or a number; which of the bytes of a number has the mark depends on the machine.
        let tos = self
            .find(libc::IPPROTO_IP, libc::IP_TOS)
            .or_else(|| self.find(libc::IPPROTO_IPV6, libc::IPV6_TCLASS))?;
        match tos.first_chunk() {
            Some(number) => Some(Ecn::of_tos(i32::from_ne_bytes(*number) as u8)),
            None => tos.first().copied().map(Ecn::of_tos),
        }
    }

    /// How many bytes each of the datagrams has that the kernel has joined, the last perhaps fewer (GRO), if
    /// [`set_gro`](super::UdpSocket::set_gro) was called. `None` if it is one datagram.
    pub fn segment_size(&self) -> Option<usize> {
        let size = self.find(libc::SOL_UDP, libc::UDP_GRO)?;
        let size = i32::from_ne_bytes(*size.first_chunk()?);
        usize::try_from(size).ok()
    }

    /// By which address and interface it came, if [`set_recv_packet_info`](super::UdpSocket::set_recv_packet_info) was called.
    pub fn packet_info(&self) -> Option<PacketInfo> {
        if let Some(data) = self.find(libc::IPPROTO_IP, libc::IP_PKTINFO) {
            let (interface, addresses) = data.split_first_chunk()?;
            let address: &[u8; 4] = addresses.last_chunk()?;
            return Some(PacketInfo {
                address: Ipv4Addr::from(*address).into(),
                interface: u32::from_ne_bytes(*interface),
            });
        }
        let data = self.find(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO)?;
        let (address, interface) = data.split_first_chunk::<16>()?;
        Some(PacketInfo {
            address: Ipv6Addr::from(*address).into(),
            interface: u32::from_ne_bytes(*interface.first_chunk()?),
        })
    }

    /// All messages.
    pub fn iter(&self) -> ControlIter<'_> {
        ControlIter(self.0.iter())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&self, level: i32, kind: i32) -> Option<&[u8]> {
        let mut messages = self.0.iter();
        let found = messages.find(|message| (message.0, message.1) == (level, kind));
        found.map(|(_, _, data)| data)
    }

    pub(super) fn of(data: ControlData) -> Self {
        Self(data)
    }

    pub(super) fn into_data(self) -> ControlData {
        self.0
    }
}

impl fmt::Debug for ControlMessages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for &'a ControlMessages {
    type Item = ControlMessage<'a>;
    type IntoIter = ControlIter<'a>;

    fn into_iter(self) -> ControlIter<'a> {
        self.iter()
    }
}

/// One control message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ControlMessage<'a> {
    /// The protocol it is of, such as `IPPROTO_IP` (`cmsg_level`).
    pub level: i32,
    /// What it is there (`cmsg_type`).
    pub kind: i32,
    /// Its bytes, without the header.
    pub data: &'a [u8],
}

/// The iterator over the messages of [`ControlMessages`].
#[derive(Clone, Debug)]
pub struct ControlIter<'a>(operation::ControlIter<'a>);

impl<'a> Iterator for ControlIter<'a> {
    type Item = ControlMessage<'a>;

    fn next(&mut self) -> Option<ControlMessage<'a>> {
        let (level, kind, data) = self.0.next()?;
        Some(ControlMessage { level, kind, data })
    }
}

/// What [`UdpSocket::recv_msg`](super::UdpSocket::recv_msg) has received, beside the bytes in the buffer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReceivedMessage {
    /// How many bytes are in the buffer. Of several datagrams if [GRO](super::UdpSocket::set_gro) is on.
    pub count: usize,
    /// Who sent it.
    pub sender: SocketAddr,
    /// It was longer than the buffer, and its end is lost.
    pub is_truncated: bool,
    /// What came with it.
    pub control: ControlMessages,
    /// More came with it than there was room for, and is lost.
    pub is_control_truncated: bool,
}
