//! The options that sockets have in common, by socket2. One text for all types that have them; what is missing here, `socket2::SockRef` has,
//! which takes whatever has a descriptor.

use socket2::{Domain, SockRef, TcpKeepalive};
use std::io;
use std::time::Duration;

/// When a connection on which nothing comes is probed, and given up. What is `None` is as the system has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keepalive {
    /// So long nothing came when the first probe is sent. The system counts whole seconds.
    pub idle: Option<Duration>,
    /// Between two probes.
    pub interval: Option<Duration>,
    /// So many probes without an answer, and the connection is given up.
    pub retries: Option<u32>,
}

pub(super) fn set_keepalive(socket: SockRef<'_>, keepalive: Option<Keepalive>) -> io::Result<()> {
    let Some(keepalive) = keepalive else {
        return socket.set_keepalive(false);
    };
    let mut options = TcpKeepalive::new();
    if let Some(idle) = keepalive.idle {
        options = options.with_time(idle);
    }
    if let Some(interval) = keepalive.interval {
        options = options.with_interval(interval);
    }
    if let Some(retries) = keepalive.retries {
        options = options.with_retries(retries);
    }
    socket.set_keepalive(true)?;
    socket.set_tcp_keepalive(&options)
}

pub(super) fn keepalive(socket: SockRef<'_>) -> io::Result<Option<Keepalive>> {
    if !socket.keepalive()? {
        return Ok(None);
    }
    Ok(Some(Keepalive {
        idle: Some(socket.tcp_keepalive_time()?),
        interval: Some(socket.tcp_keepalive_interval()?),
        retries: Some(socket.tcp_keepalive_retries()?),
    }))
}

pub(super) fn set_ttl(socket: SockRef<'_>, hops: u32) -> io::Result<()> {
    if socket.domain()? == Domain::IPV6 {
        return socket.set_unicast_hops_v6(hops);
    }
    socket.set_ttl_v4(hops)
}

pub(super) fn ttl(socket: SockRef<'_>) -> io::Result<u32> {
    if socket.domain()? == Domain::IPV6 {
        return socket.unicast_hops_v6();
    }
    socket.ttl_v4()
}

/// What every socket has that carries data, also by what it accepts.
macro_rules! buffer_size_options {
    () => {
        /// Asks for a receive buffer of so many bytes (`SO_RCVBUF`); the system takes twice that, within its limits.
        ///
        /// # Errors
        /// As setsockopt(2) has them.
        pub fn set_recv_buffer_size(&self, bytes: usize) -> std::io::Result<()> {
            socket2::SockRef::from(self).set_recv_buffer_size(bytes)
        }

        /// The size of the receive buffer, in bytes, as the system counts.
        ///
        /// # Errors
        /// As getsockopt(2) has them.
        pub fn recv_buffer_size(&self) -> std::io::Result<usize> {
            socket2::SockRef::from(self).recv_buffer_size()
        }

        /// Asks for a send buffer of so many bytes (`SO_SNDBUF`); the system takes twice that, within its limits.
        ///
        /// # Errors
        /// As setsockopt(2) has them.
        pub fn set_send_buffer_size(&self, bytes: usize) -> std::io::Result<()> {
            socket2::SockRef::from(self).set_send_buffer_size(bytes)
        }

        /// The size of the send buffer, in bytes, as the system counts.
        ///
        /// # Errors
        /// As getsockopt(2) has them.
        pub fn send_buffer_size(&self) -> std::io::Result<usize> {
            socket2::SockRef::from(self).send_buffer_size()
        }
    };
}

/// What every socket has.
macro_rules! take_error_method {
    () => {
        /// The error that the socket has met and nobody was told of yet, if any, and clears it (`SO_ERROR`).
        ///
        /// # Errors
        /// As getsockopt(2) has them.
        pub fn take_error(&self) -> std::io::Result<Option<std::io::Error>> {
            socket2::SockRef::from(self).take_error()
        }
    };
}

/// What sockets have that carry data themselves.
macro_rules! buffer_options {
    () => {
        $crate::net::socket_options::buffer_size_options!();
        $crate::net::socket_options::take_error_method!();
    };
}

/// What Internet sockets have.
macro_rules! ttl_options {
    () => {
        /// Over how many hops what is sent may go (`IP_TTL`, `IPV6_UNICAST_HOPS`).
        ///
        /// # Errors
        /// As setsockopt(2) has them.
        pub fn set_ttl(&self, hops: u32) -> std::io::Result<()> {
            crate::net::socket_options::set_ttl(socket2::SockRef::from(self), hops)
        }

        /// Over how many hops what is sent may go.
        ///
        /// # Errors
        /// As getsockopt(2) has them.
        pub fn ttl(&self) -> std::io::Result<u32> {
            crate::net::socket_options::ttl(socket2::SockRef::from(self))
        }
    };
}

/// What TCP connections have, also those to be.
macro_rules! tcp_options {
    () => {
        /// Whether small writes go out at once (`TCP_NODELAY`).
        ///
        /// # Errors
        /// As setsockopt(2) has them.
        pub fn set_nodelay(&self, nodelay: bool) -> std::io::Result<()> {
            socket2::SockRef::from(self).set_tcp_nodelay(nodelay)
        }

        /// Whether `TCP_NODELAY` is set.
        ///
        /// # Errors
        /// As getsockopt(2) has them.
        pub fn nodelay(&self) -> std::io::Result<bool> {
            socket2::SockRef::from(self).tcp_nodelay()
        }

        /// Whether, and how, a silent connection is probed (`SO_KEEPALIVE` and its times).
        ///
        /// # Errors
        /// As setsockopt(2) has them.
        pub fn set_keepalive(
            &self,
            keepalive: Option<crate::net::Keepalive>,
        ) -> std::io::Result<()> {
            crate::net::socket_options::set_keepalive(socket2::SockRef::from(self), keepalive)
        }

        /// Whether, and how, a silent connection is probed.
        ///
        /// # Errors
        /// As getsockopt(2) has them.
        pub fn keepalive(&self) -> std::io::Result<Option<crate::net::Keepalive>> {
            crate::net::socket_options::keepalive(socket2::SockRef::from(self))
        }

        /// What becomes of unsent bytes when the socket is closed (`SO_LINGER`). `None`: the system goes on sending. Zero: they are
        /// discarded, and the peer is sent a reset. More: closing, in whatever way, blocks the core until they are sent, or for so long, in whole
        /// seconds.
        ///
        /// # Errors
        /// As setsockopt(2) has them.
        pub fn set_linger(&self, limit: Option<std::time::Duration>) -> std::io::Result<()> {
            socket2::SockRef::from(self).set_linger(limit)
        }

        /// What becomes of unsent bytes when the socket is closed.
        ///
        /// # Errors
        /// As getsockopt(2) has them.
        pub fn linger(&self) -> std::io::Result<Option<std::time::Duration>> {
            socket2::SockRef::from(self).linger()
        }

        /// Has the close of the socket discard unsent bytes and reset the connection: [`set_linger`](Self::set_linger) with zero, the one limit
        /// that never blocks.
        ///
        /// # Errors
        /// As setsockopt(2) has them.
        pub fn set_zero_linger(&self) -> std::io::Result<()> {
            self.set_linger(Some(std::time::Duration::ZERO))
        }

        /// Whether what comes is acknowledged at once (`TCP_QUICKACK`). The kernel turns it on and off by itself as the connection goes on, so set
        /// it again after each read that it matters for.
        ///
        /// # Errors
        /// As setsockopt(2) has them.
        pub fn set_quickack(&self, quickack: bool) -> std::io::Result<()> {
            socket2::SockRef::from(self).set_tcp_quickack(quickack)
        }

        /// Whether what comes is acknowledged at once, at the moment.
        ///
        /// # Errors
        /// As getsockopt(2) has them.
        pub fn quickack(&self) -> std::io::Result<bool> {
            socket2::SockRef::from(self).tcp_quickack()
        }

        /// How long sent bytes may go unacknowledged before the connection is given up with `TimedOut` (`TCP_USER_TIMEOUT`), in whole
        /// milliseconds. `None`: as long as the system retransmits, many minutes.
        ///
        /// # Errors
        /// As setsockopt(2) has them.
        pub fn set_user_timeout(&self, limit: Option<std::time::Duration>) -> std::io::Result<()> {
            socket2::SockRef::from(self).set_tcp_user_timeout(limit)
        }

        /// How long sent bytes may go unacknowledged; `None` if the system decides.
        ///
        /// # Errors
        /// As getsockopt(2) has them.
        pub fn user_timeout(&self) -> std::io::Result<Option<std::time::Duration>> {
            socket2::SockRef::from(self).tcp_user_timeout()
        }
    };
}

/// What TCP listeners have, also those to be.
macro_rules! fastopen_options {
    () => {
        /// Lets clients send data in the first packet of a connection (TCP Fast Open,
        /// `TCP_FASTOPEN`), which saves a round trip. `queue` is how many such connections may wait
        /// for the rest of the handshake, cut to `net.core.somaxconn`; those beyond connect as
        /// usual. Zero turns it off.
        ///
        /// The network may deliver the data of the first packet twice: use it for protocols in
        /// which a repeated request does no harm. It has an effect only where the system allows it
        /// (`net.ipv4.tcp_fastopen`, bit 1).
        ///
        /// # Errors
        /// As setsockopt(2) has them: `InvalidInput` if the socket is connected.
        pub fn set_fastopen(&self, queue: usize) -> std::io::Result<()> {
            $crate::fastopen::set_fastopen(self, queue)
        }

        /// How many connections with data in their first packet may wait for the rest of the
        /// handshake; zero if there is no TCP Fast Open.
        ///
        /// # Errors
        /// As getsockopt(2) has them.
        pub fn fastopen(&self) -> std::io::Result<usize> {
            $crate::fastopen::fastopen(self)
        }
    };
}

/// How packets are marked, for sockets that send.
macro_rules! tos_options {
    () => {
        /// Sets the type of service of what is sent, for IPv4 (`IP_TOS`): DSCP in the upper six bits, ECN in the lower two. TCP has ECN for itself.
        ///
        /// # Errors
        /// As setsockopt(2) has them.
        pub fn set_tos_v4(&self, tos: u32) -> std::io::Result<()> {
            socket2::SockRef::from(self).set_tos_v4(tos)
        }

        /// The type of service of what is sent, for IPv4.
        ///
        /// # Errors
        /// As getsockopt(2) has them.
        pub fn tos_v4(&self) -> std::io::Result<u32> {
            socket2::SockRef::from(self).tos_v4()
        }

        /// Sets the traffic class of what is sent, for IPv6 (`IPV6_TCLASS`): bits as for [`set_tos_v4`](Self::set_tos_v4).
        ///
        /// # Errors
        /// As setsockopt(2) has them.
        pub fn set_tclass_v6(&self, class: u32) -> std::io::Result<()> {
            socket2::SockRef::from(self).set_tclass_v6(class)
        }

        /// The traffic class of what is sent, for IPv6.
        ///
        /// # Errors
        /// As getsockopt(2) has them.
        pub fn tclass_v6(&self) -> std::io::Result<u32> {
            socket2::SockRef::from(self).tclass_v6()
        }
    };
}

/// Which interface is used, for sockets that can be bound.
macro_rules! device_options {
    () => {
        /// Sends and receives by the interface of this name only (`SO_BINDTODEVICE`), such as `eth0`; by any for `None`.
        ///
        /// # Errors
        /// As setsockopt(2) has them: `ENODEV` if there is none of that name; `PermissionDenied` without `CAP_NET_RAW`, if it is bound to another
        /// interface already, or the kernel is older than 5.7.
        pub fn bind_device(&self, interface: Option<&[u8]>) -> std::io::Result<()> {
            socket2::SockRef::from(self).bind_device(interface)
        }

        /// The name of the interface that it is bound to, if any.
        ///
        /// # Errors
        /// As getsockopt(2) has them.
        pub fn device(&self) -> std::io::Result<Option<Vec<u8>>> {
            socket2::SockRef::from(self).device()
        }
    };
}

pub(super) use {
    buffer_options, buffer_size_options, device_options, fastopen_options, take_error_method,
    tcp_options, tos_options, ttl_options,
};
