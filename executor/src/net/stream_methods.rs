//! The methods by which streams and their halves read and write: one text for all of them.
//!
//! Each type has `stream_socket`, which they call. That of a whole stream is its only field.
//!
//! A type names `reading_methods` and `writing_methods` itself: the compiler shows who passes
//! something that is no buffer each macro on the way to the method.

/// What can be done with the receiving side.
macro_rules! reading_methods {
    () => {
        /// Reads what is there, at least one byte, into the buffer's capacity from its start; the
        /// buffer's length becomes the count. Zero means that the peer has finished sending, or
        /// that the buffer has no capacity, as `Vec::new()` has none. To read behind the bytes that
        /// a vector has, [`append`](crate::io::AsyncReadExt::append), with capacity reserved for
        /// it.
        ///
        /// **Dropped** before it is ready, the read is cancelled, and nothing is lost: what it had read by then, the next read begins with.
        /// Only the buffer is gone; to have it back, [cancel](crate::net::Read::cancel) the read instead. A second read waits for the
        /// first.
        ///
        /// # Errors
        /// As recv(2) has them: `ConnectionReset`, mostly. `EBUSY` while a [`Receive`](crate::net::Receive) has the receiving side.
        ///
        /// # Panics
        /// Outside of a runtime.
        #[track_caller]
        pub fn read<B: crate::buf::IoBufMut>(&self, buffer: B) -> crate::net::Read<B> {
            self.stream_socket().read(buffer)
        }

        /// Reads as [`read`](Self::read) does, and leaves what it reads to be read again. Cancellation, errors and panics as there.
        #[track_caller]
        pub fn peek<B: crate::buf::IoBufMut>(&self, buffer: B) -> crate::net::Read<B> {
            self.stream_socket().peek(buffer)
        }

        /// Reads into several buffers, each full before the next is begun; of more than 1024, into the first 1024. Buffers that nothing was
        /// left for stay as they are. Cancellation, errors and panics as for [`read`](Self::read).
        #[track_caller]
        pub fn read_vectored<V: crate::buf::IoVectoredBufMut>(
            &self,
            buffers: V,
        ) -> crate::net::ReadVectored<V> {
            self.stream_socket().read_vectored(buffers)
        }

        /// Fills the buffer's whole capacity; for a part of it, pass `buffer.slice(..count)`. Panics as for [`read`](Self::read).
        ///
        /// **Dropped** before it is ready, what it had put into the buffer is lost with it: keep the future, and poll it again.
        ///
        /// # Errors
        /// Those of `read`, and `UnexpectedEof` if the peer finishes sending before. How much came by then, the length of the buffer tells,
        /// if it has one apart from its capacity, as a `Vec` has.
        pub async fn read_exact<B: crate::buf::IoBufMut>(
            &self,
            buffer: B,
        ) -> crate::buf::BufResult<(), B> {
            self.stream_socket().read_exact(buffer).await
        }

        /// Receives piece by piece into buffers of a pool of the same core, which the kernel chooses when something has come. It begins
        /// when first polled; see there for what it has for itself meanwhile, and what is lost when it is **dropped**: nothing.
        ///
        /// # Panics
        /// Outside of a runtime, and if the pool is of another one.
        #[track_caller]
        pub fn receive(&self, pool: &crate::net::BufPool) -> crate::net::Receive {
            self.stream_socket().receive(pool)
        }
    };
}

/// What can be done with the sending side.
macro_rules! writing_methods {
    () => {
        /// Writes some of the buffer's bytes and returns how many: as many as the socket has room for, at least one.
        ///
        /// **Dropped** before it is ready, the write is cancelled; some, all or none of the bytes may have been sent, and none is sent once
        /// another write has begun, which waits for that. To know how many, [cancel](crate::net::Write::cancel) it instead.
        ///
        /// # Errors
        /// As send(2) has them: `BrokenPipe` and `ConnectionReset`, mostly. No signal is raised.
        ///
        /// # Panics
        /// Outside of a runtime.
        #[track_caller]
        pub fn write<B: crate::buf::IoBuf>(&self, buffer: B) -> crate::net::Write<B> {
            self.stream_socket().write(buffer)
        }

        /// Writes some of the bytes of several buffers, one after another; of more than 1024, of
        /// the first 1024. Cancellation, errors and panics as for [`write`](Self::write).
        #[track_caller]
        pub fn write_vectored<V: crate::buf::IoVectoredBuf>(
            &self,
            buffers: V,
        ) -> crate::net::WriteVectored<V> {
            self.stream_socket().write_vectored(buffers)
        }

        /// Writes all of the buffer's bytes, a part at a time: those of another write may come between two. Cancellation, errors and panics
        /// as for [`write`](Self::write).
        pub async fn write_all<B: crate::buf::IoBuf>(
            &self,
            buffer: B,
        ) -> crate::buf::BufResult<(), B> {
            self.stream_socket().write_all(buffer).await
        }

        /// Writes all bytes of several buffers, one after another: a head and a body, say, or all
        /// that a queue holds. Cancellation, errors and panics as for
        /// [`write_all`](Self::write_all).
        pub async fn write_vectored_all<V: crate::buf::IoVectoredBuf>(
            &self,
            buffers: V,
        ) -> crate::buf::BufResult<(), V> {
            self.stream_socket().write_vectored_all(buffers).await
        }
    };
}

/// What else a half has that receives.
macro_rules! read_half_methods {
    () => {
        $crate::net::ready_methods::ready_method!();
        $crate::net::ready_methods::read_ready_methods!();
    };
}

/// What else a half has that sends.
macro_rules! write_half_methods {
    () => {
        $crate::net::ready_methods::ready_method!();
        $crate::net::ready_methods::write_ready_methods!();

        /// Shuts the sending side down: the peer reads to the end of the stream.
        ///
        /// # Errors
        /// As shutdown(2) has them: `NotConnected` if the connection has ended, by a reset for one.
        /// Shutting the sending side down again is no error, even if the peer has closed as well.
        ///
        /// # Panics
        /// Outside of a runtime.
        #[track_caller]
        pub fn shutdown(&self) -> $crate::net::ShutdownStream {
            self.stream_socket().shutdown(std::net::Shutdown::Write)
        }
    };
}

/// What else a whole stream has.
macro_rules! stream_methods {
    () => {
        pub(in crate::net) fn from_owned(socket: std::os::fd::OwnedFd) -> Self {
            Self($crate::net::stream_socket::StreamSocket::new(socket))
        }

        $crate::net::ready_methods::ready_method!();
        $crate::net::ready_methods::read_ready_methods!();
        $crate::net::ready_methods::write_ready_methods!();

        /// The two sides, to be used apart by one task.
        pub fn split(
            &self,
        ) -> (
            $crate::net::ReadHalf<'_, Self>,
            $crate::net::WriteHalf<'_, Self>,
        ) {
            $crate::net::halves::borrowed(self)
        }

        /// The two sides, to be used apart by two tasks of this core. Dropping the sending one
        /// shuts it down.
        pub fn into_split(
            self,
        ) -> (
            $crate::net::OwnedReadHalf<Self>,
            $crate::net::OwnedWriteHalf<Self>,
        ) {
            $crate::net::halves::owned(self)
        }

        /// Shuts one or both directions down. After `Write` the peer reads to the end of the
        /// stream; reading here goes on.
        ///
        /// # Errors
        /// As shutdown(2) has them: `NotConnected` if the connection has ended, by a reset for one.
        /// Shutting the sending side down again is no error, even if the peer has closed as well.
        ///
        /// # Panics
        /// Outside of a runtime.
        #[track_caller]
        pub fn shutdown(&self, how: std::net::Shutdown) -> $crate::net::ShutdownStream {
            self.0.shutdown(how)
        }

        $crate::io::closing::close_method!();
    };
}

/// What makes a stream of a type.
macro_rules! stream_traits {
    ($stream:ty) => {
        impl $crate::net::stream_socket::HasStreamSocket for $stream {
            fn stream_socket(&self) -> &$crate::net::stream_socket::StreamSocket {
                &self.0
            }
        }

        impl $crate::net::SocketStream for $stream {}
    };
}

pub(super) use {
    read_half_methods, reading_methods, stream_methods, stream_traits, write_half_methods,
    writing_methods,
};
