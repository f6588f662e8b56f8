//! The methods by which sockets say whether they are ready, and read and write at once: one text for all types that have them.
//!
//! Streams and their halves have `stream_socket`, which the methods call; datagram sockets have a `DatagramSocket` as their first field.

/// What every side of a stream has.
macro_rules! ready_method {
    () => {
        /// Waits until the stream is ready for any of `interest`, and says for what. Then use `try_read` or `try_write`.
        ///
        /// Most programs need none of this: [`read`](crate::net::TcpStream::read) waits by itself, in one step. It is for code that brings its
        /// own buffers and calls, and for connections that should hold no buffer while they are silent; for those see
        /// [`receive`](crate::net::TcpStream::receive) as well.
        ///
        /// Operations that were begun before come first. So it is not ready while one of that direction is in flight, even if it was dropped.
        /// **Dropped**, nothing is lost: see [`Ready`](crate::net::Ready).
        ///
        /// # Errors
        /// `EBUSY` while a [`Receive`](crate::net::Receive) has the receiving side, if that was asked for. An error of the socket is no error
        /// here: the socket is ready, and the next call returns the error.
        ///
        /// # Panics
        /// Outside of a runtime.
        #[track_caller]
        pub fn ready(&self, interest: crate::io::Interest) -> crate::net::Ready {
            self.stream_socket().ready(interest)
        }

        /// Calls `call`, if the stream is ready for any of `interest`: for system calls of your own on it.
        ///
        /// **The descriptor is a blocking one.** It was ready a moment ago, so one call that reads does not wait, unless somebody else has a
        /// duplicate of the descriptor. A second one may, and so may one that writes more than there is room for: pass `MSG_DONTWAIT`, or the
        /// call blocks the core. Do not change the descriptor to `O_NONBLOCK`.
        ///
        /// # Errors
        /// `WouldBlock` if it is not ready, or while an operation of that direction is in flight; wait with [`ready`](Self::ready).
        /// `ResourceBusy` if a dropped read has left data: that comes first, and only reads of this type find it. And those of `call`.
        ///
        /// # Panics
        /// Outside of a runtime.
        #[track_caller]
        pub fn try_io<R>(
            &self,
            interest: crate::io::Interest,
            call: impl FnOnce() -> std::io::Result<R>,
        ) -> std::io::Result<R> {
            self.stream_socket().try_io(interest, call)
        }
    };
}

/// What the receiving side of a stream has.
macro_rules! read_ready_methods {
    () => {
        /// Waits until there is something to read, or the peer has finished sending. Then use [`try_read`](Self::try_read).
        ///
        /// Cancellation, errors and panics as for [`ready`](Self::ready).
        ///
        /// # Examples
        /// ```
        /// use executor::net::UnixStream;
        /// use std::io::ErrorKind;
        /// # #[executor::main(cores = 1)]
        /// # async fn main() -> std::io::Result<()> {
        /// let (stream, peer) = UnixStream::pair()?;
        /// peer.write_all("hello").await.0?;
        /// let mut buffer = [0; 64];
        /// let count = loop {
        ///     stream.readable().await?;
        ///     match stream.try_read(&mut buffer) {
        ///         // Somebody else was quicker.
        ///         Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
        ///         done => break done?,
        ///     }
        /// };
        /// assert_eq!(&buffer[..count], b"hello");
        /// # Ok(())
        /// # }
        /// ```
        #[track_caller]
        pub fn readable(&self) -> crate::net::Readable {
            crate::net::Readable(self.ready(crate::io::Interest::READABLE))
        }

        /// Reads what is there, and returns how many bytes. Zero means that the peer has finished sending, or that the buffer has no room.
        ///
        /// What a dropped read has received comes first, as it does for any other read.
        ///
        /// # Errors
        /// `WouldBlock` if there is nothing to read, or while another read is in flight, even if it was dropped: wait with
        /// [`readable`](Self::readable). `EBUSY` while a [`Receive`](crate::net::Receive) has the receiving side. And as recv(2) has them.
        ///
        /// # Panics
        /// Outside of a runtime.
        #[track_caller]
        pub fn try_read(&self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let mut buffers = [std::io::IoSliceMut::new(buffer)];
            self.stream_socket().try_read(&mut buffers)
        }

        /// Reads as [`try_read`](Self::try_read) does, into several buffers, each full before the next is begun.
        ///
        /// # Errors
        /// As for [`try_read`](Self::try_read).
        ///
        /// # Panics
        /// Outside of a runtime.
        #[track_caller]
        pub fn try_read_vectored(
            &self,
            buffers: &mut [std::io::IoSliceMut<'_>],
        ) -> std::io::Result<usize> {
            self.stream_socket().try_read(buffers)
        }
    };
}

/// What the sending side of a stream has.
macro_rules! write_ready_methods {
    () => {
        /// Waits until there is room to write, or the connection has failed. Then use [`try_write`](Self::try_write).
        ///
        /// Cancellation, errors and panics as for [`ready`](Self::ready).
        #[track_caller]
        pub fn writable(&self) -> crate::net::Writable {
            crate::net::Writable(self.ready(crate::io::Interest::WRITABLE))
        }

        /// Writes as many bytes as there is room for, and returns how many.
        ///
        /// # Errors
        /// `WouldBlock` if there is no room, or while another write is in flight, even if it was dropped: wait with
        /// [`writable`](Self::writable). And as send(2) has them: `BrokenPipe` and `ConnectionReset`, mostly. No signal is raised.
        ///
        /// # Panics
        /// Outside of a runtime.
        #[track_caller]
        pub fn try_write(&self, buffer: &[u8]) -> std::io::Result<usize> {
            self.stream_socket()
                .try_write(&[std::io::IoSlice::new(buffer)])
        }

        /// Writes as [`try_write`](Self::try_write) does, the bytes of several buffers, one after another.
        ///
        /// # Errors
        /// As for [`try_write`](Self::try_write).
        ///
        /// # Panics
        /// Outside of a runtime.
        #[track_caller]
        pub fn try_write_vectored(
            &self,
            buffers: &[std::io::IoSlice<'_>],
        ) -> std::io::Result<usize> {
            self.stream_socket().try_write(buffers)
        }
    };
}

/// What datagram sockets have.
macro_rules! datagram_ready_methods {
    () => {
        /// Waits until the socket is ready for any of `interest`, and says for what. Then use `try_recv` or `try_send`.
        ///
        /// Most programs need none of this: [`recv`](Self::recv) and [`send`](Self::send) wait by themselves, in one step.
        ///
        /// Operations that were begun before come first. So it is not ready while one of that direction is in flight, even if it was dropped.
        /// **Dropped**, nothing is lost: see [`Ready`](crate::net::Ready).
        ///
        /// # Errors
        /// `EBUSY` while a [`Datagrams`](crate::net::Datagrams) has the receiving side, if that was asked for. An error of the socket is no
        /// error here: the socket is ready, and the next call returns the error.
        ///
        /// # Panics
        /// Outside of a runtime.
        #[track_caller]
        pub fn ready(&self, interest: crate::io::Interest) -> crate::net::Ready {
            self.0.ready(interest)
        }

        /// Waits until there is a datagram. Cancellation, errors and panics as for [`ready`](Self::ready).
        #[track_caller]
        pub fn readable(&self) -> crate::net::Readable {
            crate::net::Readable(self.ready(crate::io::Interest::READABLE))
        }

        /// Waits until there is room to send. Cancellation, errors and panics as for [`ready`](Self::ready).
        #[track_caller]
        pub fn writable(&self) -> crate::net::Writable {
            crate::net::Writable(self.ready(crate::io::Interest::WRITABLE))
        }

        /// Receives a datagram at once, and returns how many of its bytes are in the buffer. What does not fit is lost.
        ///
        /// What a dropped receive has received comes first, cut as its buffer had it.
        ///
        /// # Errors
        /// `WouldBlock` if there is none, or while another receive is in flight, even if it was dropped: wait with
        /// [`readable`](Self::readable). `EBUSY` while a [`Datagrams`](crate::net::Datagrams) has the receiving side. And as recvfrom(2) has
        /// them.
        ///
        /// # Panics
        /// Outside of a runtime.
        #[track_caller]
        pub fn try_recv(&self, buffer: &mut [u8]) -> std::io::Result<usize> {
            Ok(self.0.try_recv(buffer)?.0)
        }

        /// Sends a datagram at once to the address that the socket is connected to.
        ///
        /// # Errors
        /// `WouldBlock` if there is no room, or while another send is in flight, even if it was dropped: wait with
        /// [`writable`](Self::writable). And as sendto(2) has them.
        ///
        /// # Panics
        /// Outside of a runtime.
        #[track_caller]
        pub fn try_send(&self, buffer: &[u8]) -> std::io::Result<usize> {
            self.0.try_send(buffer, None)
        }

        /// Calls `call`, if the socket is ready for any of `interest`: for system calls of your own on it, such as recvmmsg(2).
        ///
        /// **The descriptor is a blocking one.** It was ready a moment ago, so one call does not wait, unless somebody else has a duplicate of
        /// the descriptor. A second one may: pass `MSG_DONTWAIT`, or it blocks the core. Do not change the descriptor to `O_NONBLOCK`.
        ///
        /// # Errors
        /// `WouldBlock` if it is not ready, or while an operation of that direction is in flight; wait with [`ready`](Self::ready).
        /// `ResourceBusy` if a dropped receive has left a datagram: that comes first, and only receives of this type find it. And those of
        /// `call`.
        ///
        /// # Panics
        /// Outside of a runtime.
        #[track_caller]
        pub fn try_io<R>(
            &self,
            interest: crate::io::Interest,
            call: impl FnOnce() -> std::io::Result<R>,
        ) -> std::io::Result<R> {
            self.0.try_io(interest, call)
        }
    };
}

pub(super) use {datagram_ready_methods, read_ready_methods, ready_method, write_ready_methods};
