//! Bytes that the kernel moves by itself: splice, tee and sendfile, between pipes, sockets and
//! files.

use crate::common;
use crate::scratch;

use common::{Random, modes, pair, run, settle, start_with, unix_pair};
use executor::fs::{File, sendfile};
use executor::io::{AsyncReadExt, PipeReader, SpliceSource, SpliceTarget, pipe, splice, tee};
use executor::net::{SocketStream, TcpListener, TcpStream};
use executor::ring::SharedFd;
use futures::FutureExt;
use futures::future::FusedFuture;
use rustix::net::sockopt;
use scratch::Scratch;
use std::io::{self, ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::time::Duration;

/// What a pipe holds.
const PIPE_BYTES: usize = 65_536;

/// How many polls a splice is given at most before it is cancelled or dropped. The kernel is
/// entered after 128 of them.
const MOMENTS: usize = 128 * 12;

fn kind<T: std::fmt::Debug>(result: io::Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[track_caller]
fn is_cancelled<T: std::fmt::Debug>(result: io::Result<T>) {
    let code = result.unwrap_err().raw_os_error();
    assert!(matches!(code, Some(libc::ECANCELED | libc::EINTR)));
}

async fn all_of(mut reader: PipeReader) -> Vec<u8> {
    let (result, bytes) = reader.read_to_end(Vec::new()).await.into();
    result.unwrap();
    bytes
}

/// How many worker threads the kernel has for the rings of this thread.
fn workers_here() -> usize {
    let name = format!("iou-wrk-{}\n", rustix::thread::gettid().as_raw_nonzero());
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    threads
        .filter_map(|thread| std::fs::read_to_string(thread.unwrap().path().join("comm")).ok())
        .filter(|comm| *comm == name)
        .count()
}

/// A file, a pipe, a connection, another pipe and another file, one after another, in each mode:
/// what goes in comes out, and each end is told once.
#[test]
fn bytes_go_from_any_end_to_any_other() {
    async fn through<S: SocketStream>(scratch: &Scratch, (near, far): (S, S)) {
        let bytes = Random::new(3).bytes(40_000);
        std::fs::write(scratch.path("in"), &bytes).unwrap();
        let input = File::open(scratch.path("in")).await.unwrap();
        let output = File::create(scratch.path("out")).await.unwrap();

        let (reader, writer) = pipe().unwrap();
        let filled = splice(SpliceSource::at(&input, 1_000), &writer, 50_000).await;
        assert_eq!(filled.unwrap(), 39_000);
        let at_end = splice(SpliceSource::at(&input, 40_000), &writer, 1).await;
        assert_eq!(at_end.unwrap(), 0);
        drop(writer);
        let sending = executor::spawn(async move {
            let mut sent = 0;
            loop {
                match splice(&reader, &near, usize::MAX).await.unwrap() {
                    0 => break sent,
                    count => sent += count,
                }
            }
        });
        let (reader, writer) = pipe().unwrap();
        let mut written = 0;
        loop {
            let received = splice(&far, &writer, 10_000).await.unwrap();
            if received == 0 {
                break;
            }
            let mut left = received;
            while left > 0 {
                let target = SpliceTarget::at(&output, 7 + written);
                let count = splice(&reader, target, left).await.unwrap();
                written += count as u64;
                left -= count;
            }
        }
        assert_eq!(sending.await.unwrap(), 39_000);
        let out = std::fs::read(scratch.path("out")).unwrap();
        assert_eq!(out[..7], [0; 7]);
        assert!(out[7..] == bytes[1_000..]);
    }
    let scratch = Scratch::on_disk("splice");
    for (mode, builder) in modes() {
        println!("{mode}");
        let runtime = start_with(builder, 1).expect("one CPU");
        runtime.block_on(async {
            through(&scratch, pair().await).await;
            through(&scratch, unix_pair()).await;
        });
    }
}

/// Halves of a stream, and a descriptor of any kind, are ends as well.
#[test]
fn halves_and_shared_descriptors_are_ends() {
    run(1, async {
        let (one, other) = unix_pair();
        let (reading, writing) = one.into_split();
        let (reader, writer) = pipe().unwrap();
        let (theirs, mut ours) = io::pipe().unwrap();
        ours.write_all(b"shared").unwrap();
        let shared = SharedFd::from(OwnedFd::from(theirs));
        assert_eq!(splice(&shared, &writing, 100).await.unwrap(), 6);
        assert_eq!(&other.read_exact([0; 6]).await.1, b"shared");
        other.write_all("back").await.0.unwrap();
        assert_eq!(splice(&reading, &writer, 100).await.unwrap(), 4);
        assert_eq!(&reader.read([0; 4]).await.1, b"back");
    });
}

/// What cannot be done is refused at once, though neither end is ready; and a pipe that nobody
/// reads is an error, not a signal.
#[test]
fn impossible_splices_are_refused() {
    run(1, async {
        let (reader, writer) = pipe().unwrap();
        let (one, other) = unix_pair();
        let refused = splice(&one, &other, 1).now_or_never();
        assert_eq!(kind(refused.unwrap()), ErrorKind::InvalidInput);
        assert_eq!(splice(&reader, &one, 0).await.unwrap(), 0);
        writer.write("x").await.0.unwrap();
        let same = splice(&reader, &writer, 1).await;
        assert_eq!(kind(same), ErrorKind::InvalidInput);

        let (target, gone) = pipe().unwrap();
        drop(target);
        let broken = splice(&reader, &gone, 1).await;
        assert_eq!(kind(broken), ErrorKind::BrokenPipe);
        let broken = tee(&reader, &gone, 1).await;
        assert_eq!(kind(broken), ErrorKind::BrokenPipe);
        drop(other);
        let broken = splice(&reader, &one, 1).await;
        assert_eq!(kind(broken), ErrorKind::BrokenPipe);
        assert_eq!(&reader.read([0; 1]).await.1, b"x");

        let file = SpliceSource::at(&File::open("/dev/null").await.unwrap(), u64::MAX);
        let (_reader, writer) = pipe().unwrap();
        assert_eq!(
            kind(splice(file, &writer, 1).await),
            ErrorKind::InvalidInput
        );
    });
}

/// Many splices wait, some for a source and some for room in a target: no thread of the kernel
/// waits with them. Then each goes on.
#[test]
fn a_splice_that_waits_holds_no_thread() {
    run(1, async {
        let mut waiting = Vec::new();
        let mut peers = Vec::new();
        for number in 0..40 {
            let (reader, writer) = pipe().unwrap();
            let (one, other) = unix_pair();
            if number % 2 == 0 {
                let full = vec![0; 1 << 20];
                while one.try_write(&full).is_ok() {}
                writer.write("x").await.0.unwrap();
            }
            waiting.push(splice(&reader, &one, 1));
            peers.push((reader, writer, one, other));
        }
        for splice in &mut waiting {
            assert!(splice.now_or_never().is_none());
        }
        settle().await;
        assert_eq!(workers_here(), 0);
        for (number, splice) in waiting.into_iter().enumerate() {
            let (_, writer, _, other) = &peers[number];
            if number % 2 == 0 {
                let mut buffer = vec![0; 1 << 20];
                while other.try_read(&mut buffer).is_ok() {}
            } else {
                writer.write("x").await.0.unwrap();
            }
            assert_eq!(splice.await.unwrap(), 1);
        }
    });
}

/// A socket has a small buffer, and less room than there is to be sent; its peer has a small one,
/// too, and reads nothing. A splice ends all the same, with what there is room for.
#[test]
fn a_splice_does_not_wait_for_a_peer_that_does_not_read() {
    async fn fill<S: SocketStream>(near: S) {
        sockopt::set_socket_send_buffer_size(&near, 16_384).unwrap();
        let (reader, writer) = pipe().unwrap();
        let bytes = vec![1; PIPE_BYTES];
        assert_eq!(writer.write(bytes).await.0.unwrap(), PIPE_BYTES);
        let count = splice(&reader, &near, PIPE_BYTES).await.unwrap();
        assert!(0 < count && count < PIPE_BYTES, "{count}");
    }
    run(1, async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        sockopt::set_socket_recv_buffer_size(&listener, 4_096).unwrap();
        let connecting = TcpStream::connect(listener.local_addr().unwrap());
        let (near, far) = futures::join!(connecting, listener.accept());
        fill(near.unwrap()).await;
        drop(far);
        let (near, _far) = unix_pair();
        fill(near).await;
    });
}

/// A splice is cancelled at any moment: before it is polled, while it waits, while bytes move,
/// afterwards. What it says is what is in the target, and the rest is in the source.
#[test]
fn a_cancelled_splice_knows_what_it_has_moved() {
    run(1, async {
        let (reader, writer) = pipe().unwrap();
        let (target, out) = pipe().unwrap();
        is_cancelled(splice(&reader, &out, 1).cancel().await);
        let mut waiting = splice(&reader, &out, 1);
        assert!((&mut waiting).now_or_never().is_none());
        settle().await;
        let mut cancelled = waiting.cancel();
        is_cancelled((&mut cancelled).await);
        assert!(cancelled.is_terminated());

        let mut random = Random::new(11);
        let (mut moved, mut given_up) = (0, 0);
        for round in 0..200 {
            let length = 1 + random.below(PIPE_BYTES);
            let bytes = random.bytes(length);
            writer.write(bytes.clone()).await.0.unwrap();
            let mut splice = splice(&reader, &out, bytes.len());
            let mut result = (&mut splice).now_or_never();
            // The first is not given up, and the second at once.
            let mut moments = match round {
                0 => usize::MAX,
                1 => 0,
                _ => random.below(MOMENTS),
            };
            while result.is_none() && moments > 0 {
                executor::yield_now().await;
                result = (&mut splice).now_or_never();
                moments -= 1;
            }
            let result = match result {
                Some(result) => result,
                None => splice.cancel().await,
            };
            let count = match result {
                Ok(count) => count,
                Err(error) => {
                    is_cancelled::<()>(Err(error));
                    0
                }
            };
            let mut come = Vec::new();
            for (pipe, length) in [(&target, count), (&reader, bytes.len() - count)] {
                if length > 0 {
                    let mut pipe = pipe;
                    let (result, part) = pipe.read_exact(vec![0; length]).await.into();
                    result.unwrap();
                    come.extend(part);
                }
            }
            assert!(come == bytes);
            moved += usize::from(count > 0);
            given_up += usize::from(count == 0);
        }
        println!("{moved} moved, {given_up} given up");
        assert!(moved > 0 && given_up > 0);
    });
}

/// Splices are dropped at any moment, and others go on where they stopped: all bytes come out, in
/// order.
#[test]
fn a_dropped_splice_loses_nothing() {
    run(1, async {
        let bytes = Random::new(5).bytes(1_000_000);
        let (reader, writer) = pipe().unwrap();
        let (target, out) = pipe().unwrap();
        let input = bytes.clone();
        let writing = executor::spawn(async move {
            let mut writer = writer;
            executor::io::AsyncWriteExt::write_all(&mut writer, input)
                .await
                .0
        });
        let reading = executor::spawn(all_of(target));
        let (mut random, mut dropped) = (Random::new(6), 0);
        loop {
            let mut splice = splice(&reader, &out, 1 + random.below(5_000));
            let mut result = (&mut splice).now_or_never();
            for _ in 0..random.below(MOMENTS) {
                if result.is_none() {
                    executor::yield_now().await;
                    result = (&mut splice).now_or_never();
                }
            }
            match result {
                Some(count) if count.as_ref().is_ok_and(|count| *count == 0) => break,
                Some(count) => drop(count.unwrap()),
                None => dropped += 1,
            }
        }
        drop(out);
        writing.await.unwrap().unwrap();
        assert!(reading.await.unwrap() == bytes);
        println!("{dropped} dropped");
        assert!(dropped > 0);
    });
}

/// A dropped read has taken bytes of the source: a splice must not overtake them, and says so. Once
/// they were read, it goes on. An operation that was begun before a splice comes before it.
#[test]
fn a_splice_takes_its_turn() {
    run(1, async {
        let (one, other) = unix_pair();
        let (reader, writer) = pipe().unwrap();
        let mut read = one.read([0; 3]);
        assert!((&mut read).now_or_never().is_none());
        other.write_all("abcdef").await.0.unwrap();
        settle().await;
        drop(read);
        let overtaking = splice(&one, &writer, 10).await;
        assert_eq!(kind(overtaking), ErrorKind::ResourceBusy);
        assert_eq!(&one.read([0; 3]).await.1, b"abc");
        assert_eq!(splice(&one, &writer, 10).await.unwrap(), 3);

        // Each waits for the one before, though the pipe has something.
        let mut read = one.read([0; 1]);
        assert!((&mut read).now_or_never().is_none());
        let mut second = splice(&one, &writer, 1);
        assert!((&mut second).now_or_never().is_none());
        let mut third = one.read([0; 1]);
        assert!((&mut third).now_or_never().is_none());
        other.write_all("123").await.0.unwrap();
        let (first, second, third) = futures::join!(read, second, third);
        assert_eq!((first.1, second.unwrap(), third.1), (*b"1", 1, *b"3"));
        assert_eq!(&reader.read([0; 10]).await.1[..4], b"def2");
    });
}

/// The ends of a splice that was dropped, while it waited or while it moved bytes, can be closed at
/// once; not while it is alive.
#[test]
fn descriptors_come_back_after_a_dropped_splice() {
    run(1, async {
        let (one, _other) = unix_pair();
        let (_reader, writer) = pipe().unwrap();
        let mut waiting = splice(&one, &writer, 1);
        assert!((&mut waiting).now_or_never().is_none());
        let one = one.into_std().expect_err("the splice is alive");
        let busy = writer.close().await;
        assert_eq!(kind(busy), ErrorKind::ResourceBusy);
        drop(waiting);
        one.close().await.unwrap();

        let mut random = Random::new(9);
        for _ in 0..50 {
            let (one, _other) = unix_pair();
            let (reader, writer) = pipe().unwrap();
            writer.write(vec![0; PIPE_BYTES]).await.0.unwrap();
            let mut moving = splice(&reader, &one, PIPE_BYTES);
            assert!((&mut moving).now_or_never().is_none());
            for _ in 0..random.below(MOMENTS) {
                executor::yield_now().await;
            }
            drop(moving);
            one.close().await.unwrap();
            reader.close().await.unwrap();
        }
    });
}

/// A connection is reset while a splice from it waits, or is under way, or has come to know of it.
/// Whether it is dropped or not, somebody is told: it or the next read.
#[test]
fn the_reset_of_a_connection_is_not_lost_with_a_splice() {
    run(1, async {
        let (_reader, writer) = pipe().unwrap();
        let (mut random, mut dropped) = (Random::new(15), 0);
        for _ in 0..50 {
            let (near, far) = pair().await;
            let mut splice = splice(&near, &writer, 1);
            let mut result = (&mut splice).now_or_never();
            sockopt::set_socket_linger(&far, Some(Duration::ZERO)).unwrap();
            drop(far);
            for _ in 0..random.below(MOMENTS) {
                if result.is_none() {
                    executor::yield_now().await;
                    result = (&mut splice).now_or_never();
                }
            }
            // It may come to know of it, and nobody asks it any more.
            settle().await;
            drop(splice);
            let told = match result {
                Some(result) => kind(result),
                None => {
                    dropped += 1;
                    kind(near.read([0; 1]).await.0)
                }
            };
            assert_eq!(told, ErrorKind::ConnectionReset);
        }
        println!("{dropped} dropped");
    });
}

/// What is duplicated stays where it was; at the end of the source there is nothing to duplicate.
#[test]
fn a_tee_duplicates_and_takes_nothing() {
    run(1, async {
        let (reader, writer) = pipe().unwrap();
        let (copied, copy) = pipe().unwrap();
        let mut waiting = tee(&reader, &copy, 10);
        assert!((&mut waiting).now_or_never().is_none());
        is_cancelled(waiting.cancel().await);
        let bytes = Random::new(8).bytes(20_000);
        writer.write(bytes.clone()).await.0.unwrap();
        assert_eq!(tee(&reader, &copy, 0).await.unwrap(), 0);
        assert_eq!(tee(&reader, &copy, 5_000).await.unwrap(), 5_000);
        assert_eq!(tee(&reader, &copy, usize::MAX).await.unwrap(), 20_000);
        let mut waiting = tee(&reader, &writer, 1);
        let same = (&mut waiting).await;
        assert_eq!(kind(same), ErrorKind::InvalidInput);
        drop(writer);
        assert!(all_of(reader.try_clone().unwrap()).await == bytes);
        assert_eq!(tee(&reader, &copy, 1).await.unwrap(), 0);
        drop(copy);
        let come = all_of(copied).await;
        assert!(come[..5_000] == bytes[..5_000] && come[5_000..] == bytes);
    });
}

/// A file of a megabyte, open.
async fn megabyte(scratch: &Scratch) -> (Vec<u8>, File) {
    let bytes = Random::new(13).bytes(1_000_000);
    std::fs::write(scratch.path("file"), &bytes).unwrap();
    let file = File::open(scratch.path("file")).await.unwrap();
    (bytes, file)
}

/// A file is sent to a connection, a pipe, and another file: whole, from an offset, a part of it,
/// more than there is, nothing.
#[test]
fn a_file_is_sent_to_whatever_is_written() {
    run(1, async {
        for scratch in Scratch::each("sendfile") {
            let (bytes, file) = megabyte(&scratch).await;
            let (near, far) = pair().await;
            let reading = executor::spawn(async move {
                let mut far = far;
                far.read_to_end(Vec::new()).await.1
            });
            let mut whole = sendfile(&file, 0, &near, 1_000_000);
            assert_eq!(whole.sent(), 0);
            assert_eq!((&mut whole).await.unwrap(), 1_000_000);
            assert!(whole.sent() == 1_000_000 && whole.is_terminated());
            assert_eq!(sendfile(&file, 7, &near, 20).await.unwrap(), 20);
            let end = sendfile(&file, 999_990, &near, u64::MAX).await;
            assert_eq!(end.unwrap(), 10);
            for (offset, length) in [(0, 0), (1_000_000, 1), (5_000_000, u64::MAX)] {
                let nothing = sendfile(&file, offset, &near, length).await;
                assert_eq!(nothing.unwrap(), 0);
            }
            drop(near);
            let come = reading.await.unwrap();
            assert!(come == [&bytes, &bytes[7..27], &bytes[999_990..]].concat());

            let (reader, writer) = pipe().unwrap();
            let reading = executor::spawn(all_of(reader));
            let sent = sendfile(&file, 1, &writer, u64::MAX).await;
            assert_eq!(sent.unwrap(), 999_999);
            drop(writer);
            assert!(reading.await.unwrap() == bytes[1..]);

            let copy = File::create(scratch.path("copy")).await.unwrap();
            let target = SpliceTarget::at(&copy, 3);
            let sent = sendfile(&file, 0, target, 500_000).await;
            assert_eq!(sent.unwrap(), 500_000);
            let copied = std::fs::read(scratch.path("copy")).unwrap();
            assert!(copied[3..] == bytes[..500_000]);
            // The future that has ended holds neither of them.
            copy.into_std().unwrap();
            file.into_std().unwrap();
            drop(whole);
        }
    });
}

/// A sendfile is cancelled, or dropped, at any moment: the peer has got a first part of the file.
/// After a cancel its length is known, after a drop as far as one pipe's worth.
#[test]
fn a_sendfile_that_is_given_up_has_sent_a_first_part() {
    let scratch = Scratch::on_disk("sendfile-cancelled");
    run(1, async {
        let (bytes, file) = megabyte(&scratch).await;
        is_cancelled(sendfile(&file, 0, &unix_pair().0, 1).cancel().await);
        let mut random = Random::new(14);
        let mut parts = 0;
        for round in 0..100 {
            let (near, mut far) = unix_pair();
            let reading = executor::spawn(async move { far.read_to_end(Vec::new()).await.1 });
            let mut sending = sendfile(&file, 0, &near, u64::MAX);
            let mut result = (&mut sending).now_or_never();
            let mut moments = random.below(10 * MOMENTS);
            while result.is_none() && moments > 0 {
                executor::yield_now().await;
                result = (&mut sending).now_or_never();
                // The first two are given up when they have sent something.
                moments = match round {
                    0 | 1 => usize::from(sending.sent() == 0),
                    _ => moments - 1,
                };
            }
            let known = sending.sent() as usize;
            let (least, most) = match result {
                Some(all) => {
                    assert_eq!(all.unwrap(), 1_000_000);
                    (known, known)
                }
                None if round % 2 == 0 => {
                    drop(sending);
                    (known, known + PIPE_BYTES)
                }
                None => match sending.cancel().await {
                    Ok(count) => (count as usize, count as usize),
                    Err(error) => {
                        is_cancelled::<()>(Err(error));
                        (0, 0)
                    }
                },
            };
            near.close().await.unwrap();
            let come = reading.await.unwrap();
            assert!((known..=known + PIPE_BYTES).contains(&come.len()));
            assert!((least..=most).contains(&come.len()), "{least} to {most}");
            assert!(come == bytes[..come.len()]);
            parts += usize::from((1..1_000_000).contains(&come.len()));
        }
        println!("{parts} of 100 have sent a part");
        assert!(parts > 1);
    });
}

/// The peer goes away while a file is sent to it: the error says so, and the future how much was
/// sent before.
#[test]
fn a_sendfile_says_how_much_was_sent_before_an_error() {
    let scratch = Scratch::on_disk("sendfile-broken");
    run(1, async {
        let (_, file) = megabyte(&scratch).await;
        let (near, far) = unix_pair();
        let mut sending = sendfile(&file, 0, &near, u64::MAX);
        while sending.sent() < 10_000 {
            assert!((&mut sending).now_or_never().is_none());
            executor::yield_now().await;
        }
        drop(far);
        let broken = (&mut sending).await;
        let expected = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
        assert!(expected.contains(&kind(broken)));
        assert!((10_000..1_000_000).contains(&sending.sent()));

        let (one, _other) = unix_pair();
        let file = File::open("/dev/null").await.unwrap();
        let refused = sendfile(&file, u64::MAX, &one, 1).await;
        assert_eq!(kind(refused), ErrorKind::InvalidInput);
    });
}
