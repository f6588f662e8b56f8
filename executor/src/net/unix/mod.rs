//! Unix sockets: streams and datagrams within a machine, with names in the file system or apart from it, and with descriptors.

mod credentials;
mod datagram;
mod listener;
mod methods;
mod seqpacket;
mod socket;
mod stream;

pub use credentials::PeerCredentials;
pub use datagram::UnixDatagram;
pub use listener::UnixListener;
pub use seqpacket::{UnixSeqpacket, UnixSeqpacketListener};
pub use socket::UnixSocket;
pub use stream::UnixStream;
