//! Pipes, files and names, and futures of their operations that are dropped, with cores that go away under them: the kernel writes only to
//! memory that is still there, reads only what is still what it was, and no descriptor is left. In each completion mode, with an allocator
//! that watches what was freed.

mod support;

use reactor::Descriptor;
use reactor::buf::{BufResult, IoBufMut, IoVectoredBufMut};
use reactor::operation::{
    Close, FileOperation, Open, PathOperation, Read, ReadAt, ReadVectored, ReadVectoredAt, Ready,
    Stat, Write, WriteVectored,
};
use std::any::Any;
use std::ffi::CString;
use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, process, thread};
use support::quarantine::{self, Quarantine};
use support::{Core, Witness, WitnessLog, event, in_each_mode, ready, set};

#[global_allocator]
static ALLOCATOR: Quarantine = Quarantine;

/// More than any of the buffers holds, and less than a pipe does.
static FLOOD: [u8; 30_000] = [b'!'; 30_000];

fn inlet() -> (Descriptor, PipeWriter) {
    let (reader, writer) = pipe().expect("a pipe");
    (Descriptor::new(OwnedFd::from(reader)), writer)
}

fn outlet() -> (PipeReader, Descriptor) {
    let (reader, writer) = pipe().expect("a pipe");
    (reader, Descriptor::new(OwnedFd::from(writer)))
}

/// A path of its own for each caller, and nothing there.
fn path() -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    // Relaxed: the numbers are to differ, no more.
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = env::temp_dir().join(format!("reactor-{}-{number}", process::id()));
    let _ = fs::remove_file(&path);
    path
}

fn text(path: &std::path::Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).expect("no zero byte")
}

fn start_read<B: IoBufMut>(
    core: &Core,
    file: &Descriptor,
    log: &WitnessLog,
    buffer: B,
) -> Box<dyn Any> {
    let read = Read::new(file.clone(), buffer);
    Box::new(core.started(Witness::new(read, log)))
}

fn start_vectored<B: IoVectoredBufMut>(
    core: &Core,
    file: &Descriptor,
    log: &WitnessLog,
    buffers: B,
) -> Box<dyn Any> {
    let read = ReadVectored::new(file.clone(), buffers);
    Box::new(core.started(Witness::new(read, log)))
}

type Start = fn(&Core, &Descriptor, &WitnessLog) -> Box<dyn Any>;

/// Into each kind of buffer: on the heap, inside the operation, several of both.
const STARTS: [Start; 4] = [
    |core, file, log| start_read(core, file, log, vec![0; 5_000]),
    |core, file, log| start_read(core, file, log, [0; 1_000]),
    |core, file, log| start_vectored(core, file, log, vec![vec![0; 300]; 5]),
    |core, file, log| start_vectored(core, file, log, [[0; 200]; 3]),
];

/// Reads of a pipe are dropped in flight, known to the kernel or not, and then the pipe is flooded, before or after the cancel.
#[test]
fn a_dropped_read_is_written_to_by_nobody_later() {
    in_each_mode(|capabilities| {
        for start in STARTS {
            for (is_submitted, is_cancelled) in [(false, false), (true, false), (true, true)] {
                let core = Core::new(capabilities);
                let (file, mut peer) = inlet();
                let log = WitnessLog::default();
                let op = start(&core, &file, &log);
                if is_submitted {
                    core.submit_all(1);
                }
                drop(op);
                if is_cancelled {
                    core.turn_until_idle();
                }
                peer.write_all(&FLOOD).expect("it is open");
                core.turn_until_idle();
                assert_eq!(log.borrow().len(), 1, "it has one outcome");
            }
        }
    });
    quarantine::check();
}

/// Cores go away with hundreds of reads in flight, while another thread writes: each is over when its core is.
#[test]
fn cores_go_away_while_pipes_are_read() {
    in_each_mode(|capabilities| {
        for round in 0..10 {
            let core = Core::new(capabilities);
            let log = WitnessLog::default();
            let (mut ops, mut peers) = (Vec::new(), Vec::new());
            for _ in 0..50 {
                let (file, peer) = inlet();
                peers.push(peer);
                ops.extend(STARTS.map(|start| start(&core, &file, &log)));
            }
            if round % 2 == 0 {
                core.submit_all(1);
            }
            drop(ops);
            let begin = Barrier::new(2);
            thread::scope(|scope| {
                let flooding = scope.spawn(|| {
                    begin.wait();
                    for mut peer in &peers {
                        // It may find nobody.
                        let _ = peer.write(&FLOOD);
                    }
                });
                begin.wait();
                drop(core);
                flooding.join().expect("it panics not");
            });
            assert_eq!(log.borrow().len(), 50 * STARTS.len());
            for mut peer in &peers {
                peer.write(&FLOOD).expect_err("its reader is closed");
            }
        }
    });
    quarantine::check();
}

/// Writes to a pipe that is full, and to a file, are dropped, and their cores go away: what arrives is what was in the buffers when they
/// were alive, never what was put there after.
#[test]
fn a_dropped_write_writes_what_it_was_given() {
    in_each_mode(|capabilities| {
        for round in 0..10 {
            let core = Core::new(capabilities);
            let (mut reader, file) = outlet();
            let path = path();
            let on_disk = Descriptor::new(File::create_new(&path).expect("a file").into());
            let mut ops: Vec<Box<dyn Any>> = Vec::new();
            for number in 0..20 {
                let write = Write::new(file.clone(), vec![b'w'; 40_000]);
                ops.push(Box::new(core.started(write)));
                let write = WriteVectored::new(file.clone(), [[b'w'; 300]; 4]);
                ops.push(Box::new(core.started(write)));
                let write = Write::at(on_disk.clone(), vec![b'w'; 100_000], number * 100_000);
                ops.push(Box::new(core.started(write)));
                let sync = FileOperation::sync_data(on_disk.clone());
                ops.push(Box::new(core.started(sync)));
            }
            if round % 2 == 0 {
                core.submit_all(1);
            }
            drop((ops, file, on_disk));
            drop(core);
            let mut came = Vec::new();
            reader.read_to_end(&mut came).expect("its writers are gone");
            assert!(came.iter().all(|byte| *byte == b'w'));
            let written = fs::read(&path).expect("it is there");
            // Where nothing was written, before something that was, is nothing.
            assert!(written.iter().all(|byte| [b'w', 0].contains(byte)));
            fs::remove_file(&path).expect("it is there");
        }
    });
    quarantine::check();
}

/// Reads of a file, at places in it, are dropped at every moment.
#[test]
fn dropped_reads_of_a_file_are_over_with_their_core() {
    in_each_mode(|capabilities| {
        let path = path();
        fs::write(&path, FLOOD).expect("a file");
        for turns in 0..4 {
            let core = Core::new(capabilities);
            let file = Descriptor::new(File::open(&path).expect("it is there").into());
            let log = WitnessLog::default();
            let mut ops: Vec<Box<dyn Any>> = Vec::new();
            for number in 0..50 {
                let read = ReadAt::new(file.clone(), vec![0; 4096], number * 500);
                ops.push(Box::new(core.started(Witness::new(read, &log))));
                let read = ReadVectoredAt::new(file.clone(), [[0; 100]; 3], number * 500);
                ops.push(Box::new(core.started(Witness::new(read, &log))));
                let stat = Stat::of_file(file.clone(), libc::STATX_BASIC_STATS);
                ops.push(Box::new(core.started(Witness::new(stat, &log))));
                let stat = Stat::of_path(text(&path), libc::STATX_BASIC_STATS);
                ops.push(Box::new(core.started(Witness::new(stat, &log))));
            }
            for _ in 0..turns {
                core.reactor.turn();
            }
            drop(ops);
            drop(core);
            assert_eq!(log.borrow().len(), 200);
        }
        fs::remove_file(&path).expect("it is there");
    });
    quarantine::check();
}

/// A poll is dropped in flight: what holds its descriptor lives until the kernel has answered, and no longer.
#[test]
fn what_is_polled_is_held_until_the_kernel_has_answered() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let event = Rc::new(event());
        let op = core.started(Ready::new(Rc::clone(&event), libc::POLLIN as u32));
        core.submit_all(1);
        drop(op);
        assert_eq!(Rc::strong_count(&event), 2);
        core.turn_until_idle();
        assert_eq!(Rc::strong_count(&event), 1);
        set(&event);
        let op = core.op(Ready::new(Rc::clone(&event), libc::POLLIN as u32));
        assert_eq!(core.block_on(op).expect("it is set"), libc::POLLIN as u32);
    });
}

/// Opens and closes are dropped at every moment: a file that was opened for nobody is closed, one that was to be closed is closed once,
/// and its number is another's when it is used again.
#[test]
fn opens_and_closes_that_are_dropped_close() {
    in_each_mode(|capabilities| {
        let path = path();
        fs::write(&path, "content").expect("a file");
        let is_open = |file: &PathBuf| {
            let here = fs::read_dir("/proc/self/fd").expect("there is a /proc");
            let links = here.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
            links.filter(|link| link == file).count()
        };
        for turns in 0..4 {
            let core = Core::new(capabilities);
            let open = || Open::new(text(&path), libc::O_RDONLY, 0);
            let waiting =
                |core: &Core| Open::waiting(&core.reactor, text(&path), libc::O_RDONLY, 0);
            let opens: Vec<_> = (0..20).map(|_| core.started(open())).collect();
            let workers: Vec<_> = (0..5).map(|_| core.started(waiting(&core))).collect();
            let file = || OwnedFd::from(File::open(&path).expect("it is there"));
            let closes: Vec<_> = (0..20).map(|_| core.started(Close::new(file()))).collect();
            drop(core.op(Close::new(file())));
            for _ in 0..turns {
                core.reactor.turn();
            }
            drop((opens, workers, closes));
            core.turn_until_idle();
            assert_eq!(is_open(&path), 0);
        }
        let core = Core::new(capabilities);
        let file = OwnedFd::from(File::open(&path).expect("it is there"));
        let closed = core.block_on(core.op(Close::new(file)).cancel());
        let error = closed.expect_err("it was cancelled before it began");
        assert_eq!(error.raw_os_error(), Some(libc::ECANCELED));
        assert_eq!(is_open(&path), 0);
        let opened = core.block_on(core.op(Open::new(text(&path), libc::O_RDONLY, 0)));
        let mut content = String::new();
        let mut file = File::from(opened.expect("it is there"));
        file.read_to_string(&mut content).expect("it is a file");
        assert_eq!(content, "content");
        core.block_on(core.op(Close::new(file.into())))
            .expect("it is open");
        assert_eq!(is_open(&path), 0);
        core.block_on(core.op(PathOperation::remove_file(text(&path))))
            .expect("it is there");
        assert!(!path.exists());
    });
    quarantine::check();
}

/// More than there are places for is read and written: no more than that, and no error; nothing at all is nothing.
#[test]
fn vectored_operations_take_any_number_of_buffers() {
    in_each_mode(|capabilities| {
        let core = Core::new(capabilities);
        let (reader, mut peer) = inlet();
        peer.write_all(&FLOOD).expect("it is open");
        let read = ReadVectored::new(reader.clone(), vec![[0; 2]; 5_000]);
        let BufResult(count, buffers) = core.block_on(core.op(read));
        assert_eq!(count.expect("there is something"), 2 * 1024);
        assert_eq!((buffers[1023], buffers[1024]), ([b'!'; 2], [0; 2]));
        let read = ReadVectored::new(reader, Vec::<Vec<u8>>::new());
        assert_eq!(core.block_on(core.op(read)).0.expect("nothing"), 0);
        let mut waiting = core.started(Ready::new(Rc::new(event()), libc::POLLIN as u32));
        waiting = waiting.cancel();
        core.turn_until_idle();
        let error = ready(waiting).expect_err("it was cancelled");
        assert_eq!(error.raw_os_error(), Some(libc::ECANCELED));
    });
    quarantine::check();
}
