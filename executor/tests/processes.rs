//! Other processes begin, by fork or by exec, while operations are in flight here: nobody feels it.

mod common;

use common::{pair, settle, start};
use executor::buf::BufResult;
use executor::spawn;
use std::process::Command;
use std::rc::Rc;

/// Programs are started, one after another, from a core with a read in flight: none inherits a ring, an eventfd or a socket, and the read
/// goes on.
#[test]
fn a_program_inherits_nothing_of_the_runtime() {
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        let (stream, peer) = pair().await;
        let reading = spawn(async move { stream.read_exact([0; 4]).await });
        settle().await;
        for byte in 0..4u8 {
            let listing = Command::new("ls").args(["-l", "/proc/self/fd"]).output();
            let listing = String::from_utf8(listing.expect("there is ls").stdout).unwrap();
            for foreign in ["io_uring", "eventfd", "socket"] {
                assert!(!listing.contains(foreign), "{listing}");
            }
            peer.write_all([byte]).await.0.unwrap();
            settle().await;
        }
        let BufResult(read, bytes) = reading.await.unwrap();
        read.unwrap();
        assert_eq!(bytes, [0, 1, 2, 3]);
    });
}

/// The process is forked with a read in flight, and the child ends at once. The parent's read completes, and its runtime ends.
#[test]
fn a_fork_leaves_the_parent_s_operations_alone() {
    let runtime = start(1).expect("one CPU");
    runtime.block_on(async {
        let (stream, peer) = pair().await;
        let stream = Rc::new(stream);
        let reading = spawn({
            let stream = Rc::clone(&stream);
            async move { stream.read([0; 8]).await }
        });
        settle().await;
        // SAFETY: the child makes one system call, and runs nothing of ours.
        let child = unsafe {
            let child = libc::fork();
            if child == 0 {
                libc::_exit(0);
            }
            child
        };
        assert!(child > 0);
        // SAFETY: the child is ours, and its status is not asked for.
        let waited = unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
        assert_eq!(waited, child);
        peer.write_all("on").await.0.unwrap();
        assert_eq!(reading.await.unwrap().0.unwrap(), 2);
    });
}
