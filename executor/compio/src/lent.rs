//! Buffers of one crate, to be written from, as buffers of the other: the bytes are lent, not copied.

/// A buffer, or several, for the other crate.
pub(crate) struct Lent<B>(pub(crate) B);

impl<B: executor::buf::IoBuf> compio_buf::IoBuf for Lent<B> {
    fn as_init(&self) -> &[u8] {
        self.0.as_init()
    }
}

impl<V: executor::buf::IoVectoredBuf> compio_buf::IoVectoredBuf for Lent<V> {
    fn iter_slice(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter_slice()
    }
}

impl<B: compio_buf::IoBuf> executor::buf::IoBuf for Lent<B> {
    fn as_init(&self) -> &[u8] {
        self.0.as_init()
    }
}

impl<V: compio_buf::IoVectoredBuf> executor::buf::IoVectoredBuf for Lent<V> {
    fn iter_slice(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter_slice()
    }
}
