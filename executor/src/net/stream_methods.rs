//! The methods by which streams and their halves read and write: one text for all of them.
//!
//! Each type has `stream_socket`, which they call.

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

pub(super) use {reading_methods, writing_methods};
