//! Where the bytes come from that are read into buffers of all kinds: each way in which an operation fills one.

use crate::common::settle;
use executor::buf::{BufResult, IoBufMut, IoVectoredBufMut};
use executor::fs::File;
use executor::io::{AsyncRead, AsyncWriteAtExt, PipeReader, PipeWriter};
use executor::net::{TcpStream, UdpSocket, UnixStream};
use futures::future::poll_immediate;

/// What is read.
pub(crate) const NEW: u8 = 9;

pub(crate) fn new(count: usize) -> Vec<u8> {
    vec![NEW; count]
}

/// Where new bytes come from.
pub(crate) trait Source {
    /// Reads so many new bytes into the buffer.
    async fn read<B: IoBufMut>(&mut self, buffer: B, count: usize) -> B;

    /// Reads so many new bytes into the buffers.
    async fn read_vectored<V: IoVectoredBufMut>(&mut self, buffers: V, count: usize) -> V;
}

/// Checks the count, and gives the buffer back.
pub(crate) fn after<B>(BufResult(result, buffer): BufResult<usize, B>, count: usize) -> B {
    assert_eq!(result.expect("there is something to read"), count);
    buffer
}

pub(crate) struct Tcp(pub(crate) TcpStream, pub(crate) TcpStream);

impl Source for Tcp {
    async fn read<B: IoBufMut>(&mut self, buffer: B, count: usize) -> B {
        self.1.write_all(new(count)).await.0.expect("it is open");
        after(self.0.read(buffer).await, count)
    }

    async fn read_vectored<V: IoVectoredBufMut>(&mut self, buffers: V, count: usize) -> V {
        self.1.write_all(new(count)).await.0.expect("it is open");
        after(self.0.read_vectored(buffers).await, count)
    }
}

/// With descriptors, which nobody sends.
pub(crate) struct Unix(pub(crate) UnixStream, pub(crate) UnixStream);

impl Source for Unix {
    async fn read<B: IoBufMut>(&mut self, buffer: B, count: usize) -> B {
        self.1.write_all(new(count)).await.0.expect("it is open");
        let read = self.0.read_with_descriptors(buffer, 1).await;
        after(read.map_res(|(count, _)| count), count)
    }

    async fn read_vectored<V: IoVectoredBufMut>(&mut self, buffers: V, count: usize) -> V {
        self.1.write_all(new(count)).await.0.expect("it is open");
        after(self.0.read_vectored(buffers).await, count)
    }
}

pub(crate) struct Pipe(pub(crate) PipeReader, pub(crate) PipeWriter);

impl Source for Pipe {
    async fn read<B: IoBufMut>(&mut self, buffer: B, count: usize) -> B {
        self.1.write(new(count)).await.0.expect("it is open");
        after(self.0.read(buffer).await, count)
    }

    async fn read_vectored<V: IoVectoredBufMut>(&mut self, buffers: V, count: usize) -> V {
        self.1.write(new(count)).await.0.expect("it is open");
        after(self.0.read_vectored(buffers).await, count)
    }
}

pub(crate) struct Udp(pub(crate) UdpSocket, pub(crate) UdpSocket);

impl Udp {
    pub(crate) async fn pair() -> Self {
        let bind = || UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let (one, other) = (bind(), bind());
        let address = one.local_addr().expect("it is bound");
        other.connect(address).await.expect("it is there");
        Self(one, other)
    }
}

impl Source for Udp {
    async fn read<B: IoBufMut>(&mut self, buffer: B, count: usize) -> B {
        self.1.send(new(count)).await.0.expect("it is there");
        after(self.0.recv(buffer).await, count)
    }

    async fn read_vectored<V: IoVectoredBufMut>(&mut self, buffers: V, count: usize) -> V {
        self.1.send(new(count)).await.0.expect("it is there");
        after(self.0.recv_vectored(buffers).await, count)
    }
}

/// At an offset.
pub(crate) struct Disk(pub(crate) File);

impl Source for Disk {
    async fn read<B: IoBufMut>(&mut self, buffer: B, count: usize) -> B {
        self.0.set_len(0).await.expect("it is ours");
        self.0
            .write_all_at(new(count), 3)
            .await
            .0
            .expect("it is ours");
        after(self.0.read_at(buffer, 3).await, count)
    }

    async fn read_vectored<V: IoVectoredBufMut>(&mut self, buffers: V, count: usize) -> V {
        self.0.set_len(0).await.expect("it is ours");
        self.0
            .write_all_at(new(count), 3)
            .await
            .0
            .expect("it is ours");
        after(self.0.read_vectored_at(buffers, 3).await, count)
    }
}

/// What a dropped read has left.
pub(crate) struct Kept<S>(pub(crate) S);

macro_rules! kept {
    ($source:ident: $send:ident, $read:ident, $read_vectored:ident) => {
        impl Kept<$source> {
            /// Leaves so many new bytes.
            async fn leave(&mut self, count: usize) {
                let Self($source(reader, writer)) = self;
                let mut dropped = Box::pin(reader.$read([0; 64]));
                assert!(poll_immediate(&mut dropped).await.is_none());
                writer.$send(new(count)).await.0.expect("it is open");
                settle().await;
            }
        }

        impl Source for Kept<$source> {
            async fn read<B: IoBufMut>(&mut self, buffer: B, count: usize) -> B {
                self.leave(count).await;
                after(self.0.0.$read(buffer).await, count)
            }

            async fn read_vectored<V: IoVectoredBufMut>(&mut self, buffers: V, count: usize) -> V {
                self.leave(count).await;
                after(self.0.0.$read_vectored(buffers).await, count)
            }
        }
    };
}

kept!(Tcp: write_all, read, read_vectored);
kept!(Pipe: write, read, read_vectored);
kept!(Udp: send, recv, recv_vectored);

/// A slice of the new bytes.
pub(crate) struct Memory;

impl Source for Memory {
    async fn read<B: IoBufMut>(&mut self, buffer: B, count: usize) -> B {
        after((&*new(count)).read(buffer).await, count)
    }

    async fn read_vectored<V: IoVectoredBufMut>(&mut self, buffers: V, count: usize) -> V {
        after((&*new(count)).read_vectored(buffers).await, count)
    }
}

/// A reader that has exactly the new bytes.
pub(crate) struct Fresh<R>(pub(crate) fn(Vec<u8>) -> R);

impl<R: AsyncRead> Source for Fresh<R> {
    async fn read<B: IoBufMut>(&mut self, buffer: B, count: usize) -> B {
        after(self.0(new(count)).read(buffer).await, count)
    }

    async fn read_vectored<V: IoVectoredBufMut>(&mut self, buffers: V, count: usize) -> V {
        let BufResult(result, buffers) = self.0(new(count)).read_vectored(buffers).await;
        // One that fills the first buffer only brings less.
        assert!((1..=count).contains(&result.expect("there is something to read")));
        buffers
    }
}
