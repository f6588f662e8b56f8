//! `AsyncRead` and `AsyncWrite` for types that have methods of the same names that take `&self`:
//! sockets, their halves, pipes and the standard streams. References to them have the traits, too.

/// `AsyncRead`, by `read` and `read_vectored`.
macro_rules! async_read {
    ($([$($parameters:tt)*] $reader:ty),+ $(,)?) => {$(
        $crate::io::by_methods::async_read!(@for [$($parameters)*] $reader, $reader);
        $crate::io::by_methods::async_read!(@for [$($parameters)*] &$reader, $reader);
    )+};
    (@for [$($parameters:tt)*] $type:ty, $reader:ty) => {
        impl<$($parameters)*> $crate::io::AsyncRead for $type {
            async fn read<B: $crate::buf::IoBufMut>(
                &mut self,
                buffer: B,
            ) -> $crate::buf::BufResult<usize, B> {
                <$reader>::read(self, buffer).await
            }

            async fn read_vectored<B: $crate::buf::IoVectoredBufMut>(
                &mut self,
                buffers: B,
            ) -> $crate::buf::BufResult<usize, B> {
                <$reader>::read_vectored(self, buffers).await
            }
        }
    };
}

/// `AsyncWrite`, by `write` and `write_vectored`. There is nothing to flush. `$shutdown` is what
/// `shutdown` does with the writer, which it calls `$this`.
macro_rules! async_write {
    (
        |$this:ident| $shutdown:expr;
        $([$($parameters:tt)*] $writer:ty),+ $(,)?
    ) => {
        $crate::io::by_methods::async_write!(
            @each |$this| $shutdown;
            $([$($parameters)*] $writer, $writer; [$($parameters)*] &$writer, $writer;)+
        );
    };
    (
        @each |$this:ident| $shutdown:expr;
        $([$($parameters:tt)*] $type:ty, $writer:ty;)+
    ) => {
        $($crate::io::by_methods::async_write!(
            @for |$this| $shutdown; [$($parameters)*] $type, $writer
        );)+
    };
    (@for |$this:ident| $shutdown:expr; [$($parameters:tt)*] $type:ty, $writer:ty) => {
        impl<$($parameters)*> $crate::io::AsyncWrite for $type {
            async fn write<B: $crate::buf::IoBuf>(
                &mut self,
                buffer: B,
            ) -> $crate::buf::BufResult<usize, B> {
                <$writer>::write(self, buffer).await
            }

            async fn write_vectored<B: $crate::buf::IoVectoredBuf>(
                &mut self,
                buffers: B,
            ) -> $crate::buf::BufResult<usize, B> {
                <$writer>::write_vectored(self, buffers).await
            }

            async fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }

            async fn shutdown(&mut self) -> std::io::Result<()> {
                let $this = self;
                $shutdown
            }
        }
    };
}

pub(crate) use {async_read, async_write};
