//! The methods by which datagrams and messages are received and sent: one text for all types that
//! do. The only field is a `DatagramSocket`.

/// Receiving from, and sending to, the one that the socket is connected to. `$message` is what
/// users call a datagram of the type; what `recv` and `send` promise is said by the type.
macro_rules! datagram_methods {
    (
        $message:literal;
        $(#[$recv:meta])+
        recv;
        $(#[$send:meta])+
        send;
    ) => {
        pub(in crate::net) fn from_owned(socket: std::os::fd::OwnedFd) -> Self {
            Self($crate::net::datagram_socket::DatagramSocket::new(socket))
        }

        $(#[$recv])+
        #[track_caller]
        pub fn recv<B: $crate::buf::IoBufMut>(&self, buffer: B) -> $crate::net::Recv<B> {
            self.0.recv(buffer)
        }

        /// Receives as [`recv`](Self::recv) does, and leaves the
        #[doc = concat!($message, " to be received again. Cancellation, errors and panics as there.")]
        #[track_caller]
        pub fn peek<B: $crate::buf::IoBufMut>(&self, buffer: B) -> $crate::net::Recv<B> {
            self.0.peek(buffer)
        }

        /// Receives as [`recv`](Self::recv) does, into several buffers, each full before the next
        /// is begun. Cancellation, errors and panics as there.
        #[track_caller]
        pub fn recv_vectored<V: $crate::buf::IoVectoredBufMut>(
            &self,
            buffers: V,
        ) -> $crate::net::RecvVectored<V> {
            self.0.recv_vectored(buffers)
        }

        $(#[$send])+
        #[track_caller]
        pub fn send<B: $crate::buf::IoBuf>(&self, buffer: B) -> $crate::net::SendDatagram<B> {
            self.0.send(buffer)
        }

        /// Sends as [`send`](Self::send) does, the bytes of several buffers
        #[doc = concat!("as one ", $message, ". Cancellation, errors and panics as there.")]
        #[track_caller]
        pub fn send_vectored<V: $crate::buf::IoVectoredBuf>(
            &self,
            buffers: V,
        ) -> $crate::net::SendVectored<V> {
            self.0.send_vectored(buffers, None)
        }

        $crate::net::ready_methods::datagram_ready_methods!();
        $crate::io::closing::close_method!();
    };
}

pub(super) use datagram_methods;
