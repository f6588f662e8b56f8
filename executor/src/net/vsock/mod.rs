//! Sockets between a virtual machine and its host (`AF_VSOCK`).

mod address;
mod listener;
mod stream;

pub use address::VsockAddr;
pub use listener::VsockListener;
pub use stream::VsockStream;
