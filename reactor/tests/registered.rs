//! Buffers that the ring knows, in every state in which they, their group, their operations or their core can go away: the kernel writes only to
//! memory that is still there, a place in its table is given up by the last who needs it, and where there is none, all is as with
//! any other buffer. In each completion mode, with an allocator that watches what was freed.

mod support;

use reactor::buf::{BufResult, IntoInner, IoBuf, IoBufMut};
use reactor::buffers::{RegisteredBuf, RegisteredBufs};
use reactor::operation::{Completion, Operation, Read, ReadFixed, WriteFixed};
use reactor::{Capabilities, Descriptor, Entry, Feature};
use std::fs::{self, File};
use std::io::{ErrorKind, PipeWriter, Write as _, pipe};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{env, process};
use support::quarantine::{self, Quarantine};
use support::{
    Core, Witness, WitnessLog, all_features, counting_waker, in_each_mode, poll_with, ready,
};

#[global_allocator]
static ALLOCATOR: Quarantine = Quarantine;

/// How many groups a core registers.
const GROUPS_MAX: usize = 256;

fn page() -> usize {
    rustix::param::page_size()
}

/// Plays `scenario` in each mode, with a kernel that has the table, and with one that does not. One test at a time, for the pinned
/// memory is counted for all of the process.
fn with_and_without_table(scenario: impl Fn(Core) + Sync) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let has_table = all_features().has(Feature::RegisteredBuffers);
    if !has_table {
        eprintln!("partly skipped: this kernel has no registered buffers");
    }
    in_each_mode(|capabilities: Capabilities| {
        scenario(Core::new(capabilities));
        scenario(Core::new(capabilities.without(Feature::RegisteredBuffers)));
    });
    quarantine::check();
}

/// Whether groups of this core are registered, while there are few.
fn has_table(core: &Core) -> bool {
    core.reactor.capabilities().has(Feature::RegisteredBuffers)
}

fn group(core: &Core, count: usize, bytes: usize) -> RegisteredBufs {
    let group = RegisteredBufs::new(&core.reactor, count, bytes).expect("a group");
    assert_eq!(group.is_registered(), has_table(core));
    group
}

fn inlet() -> (Descriptor, PipeWriter) {
    let (reader, writer) = pipe().expect("a pipe");
    (Descriptor::new(OwnedFd::from(reader)), writer)
}

fn read<B: reactor::buffers::Registered + IoBufMut>(
    core: &Core,
    file: &Descriptor,
    buffer: B,
) -> ReadFixed<B> {
    ReadFixed::new(&core.reactor, file.clone(), buffer, 0)
}

/// How many bytes the kernel has pinned for this process.
fn pinned() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("there is a /proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmPin:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok());
    kibibytes.expect("it says how much") * 1024
}

/// A file of this test's own, open to be read and written, and gone with its last descriptor.
fn file(name: &str) -> Descriptor {
    let path: PathBuf = env::temp_dir().join(format!("reactor-{}-{name}", process::id()));
    let mut options = File::options();
    let file = options.read(true).write(true).create(true).truncate(true);
    let file = file.open(&path).expect("a file");
    fs::remove_file(&path).expect("it is there");
    Descriptor::new(file.into())
}

/// Buffers are written at places in a file, and read back: whole and in parts, nothing at all, and past the end. What is around a part stays what
/// it is, and buffers come back.
#[test]
fn what_is_written_is_read() {
    with_and_without_table(|core| {
        let file = file("written");
        let buffers = group(&core, 3, page() + 1);
        assert_eq!((buffers.count(), buffers.buffer_bytes()), (3, 2 * page()));
        let write = |buffer, offset| WriteFixed::new(&core.reactor, file.clone(), buffer, offset);
        for number in 0..3u8 {
            let mut buffer = buffers.try_take().expect("they come back");
            assert_eq!(buffer.buf_ptr().addr() % page(), 0);
            assert_eq!(buffer.append(&vec![number; 3 * page()]), 2 * page());
            let offset = u64::from(number) * 2 * page() as u64;
            let BufResult(count, _) = core.block_on(core.op(write(buffer, offset)));
            assert_eq!(count.expect("there is room"), 2 * page());
        }
        let empty = buffers.try_take().expect("they come back");
        let BufResult(count, _) = core.block_on(core.op(write(empty, 0)));
        assert_eq!(count.expect("nothing"), 0);
        for (offset, expected) in [(0, [0, 0]), (page(), [0, 1]), (3 * page(), [1, 2])] {
            let buffer = buffers.try_take().expect("they come back");
            let read = ReadFixed::new(&core.reactor, file.clone(), buffer, offset as u64);
            let BufResult(count, buffer) = core.block_on(core.op(read));
            assert_eq!(count.expect("it is there"), 2 * page());
            assert_eq!([buffer[0], buffer[2 * page() - 1]], expected);
        }
        let mut buffer = buffers.try_take().expect("they come back");
        buffer.resize(2 * page());
        buffer.fill(9);
        let part = read(&core, &file, buffer.slice(10..15));
        let BufResult(count, part) = core.block_on(core.op(part));
        assert_eq!((count.expect("it is there"), &part[..]), (5, &[0; 5][..]));
        let whole = part.into_inner();
        assert_eq!(whole[..], [[9; 10].as_slice(), &[0; 5]].concat());
        let write = write(whole, 100);
        let BufResult(count, buffer) = core.block_on(core.op(write));
        assert_eq!((count.expect("there is room"), buffer.len()), (15, 15));
        let read = ReadFixed::new(&core.reactor, file.clone(), buffer, 1 << 40);
        let BufResult(count, buffer) = core.block_on(core.op(read));
        assert_eq!((count.expect("the end"), buffer.len()), (0, 0));
        drop(buffer);
        assert_eq!(buffers.unheld(), 3);
    });
}

/// Whether large pages were asked for where this is; None where the kernel has none.
fn wants_large_pages(address: usize) -> Option<bool> {
    fs::metadata("/sys/kernel/mm/transparent_hugepage").ok()?;
    let maps = fs::read_to_string("/proc/self/smaps").expect("there is a /proc");
    let is_there = |line: &&str| {
        let range = line
            .split(' ')
            .next()
            .and_then(|range| range.split_once('-'));
        let number = |text| usize::from_str_radix(text, 16).ok();
        range.is_some_and(|(start, end)| {
            number(start) <= Some(address) && number(end) > Some(address)
        })
    };
    let mut lines = maps.lines().skip_while(|line| !is_there(line));
    let flags = lines.find_map(|line| line.strip_prefix("VmFlags:"));
    Some(
        flags
            .expect("it says which")
            .split(' ')
            .any(|flag| flag == "hg"),
    )
}

/// A group that fills large pages, and a part of one: it asks for them, each buffer is zero before it is used, and holds what is its own.
#[test]
fn large_groups_are_as_any() {
    const BYTES: usize = 1 << 20;
    with_and_without_table(|core| {
        let file = file("large");
        let buffers = group(&core, 5, BYTES);
        let mut held: Vec<_> = std::iter::from_fn(|| buffers.try_take()).collect();
        assert_eq!(held.len(), 5);
        match wants_large_pages(held[0].buf_ptr().addr()) {
            Some(wants) => assert!(wants),
            None => eprintln!("skipped: this kernel has no large pages to give"),
        }
        for (number, buffer) in held.iter_mut().enumerate() {
            buffer.resize(BYTES);
            assert!(buffer.iter().all(|byte| *byte == 0));
            buffer.fill(number as u8 + 1);
        }
        for (number, buffer) in held.into_iter().enumerate() {
            let offset = number as u64;
            let write = WriteFixed::new(&core.reactor, file.clone(), buffer, offset);
            let BufResult(count, buffer) = core.block_on(core.op(write));
            assert_eq!(count.expect("there is room"), BYTES);
            let read = ReadFixed::new(&core.reactor, file.clone(), buffer, offset);
            let BufResult(count, buffer) = core.block_on(core.op(read));
            assert_eq!(count.expect("it is there"), BYTES);
            assert!(buffer.iter().all(|byte| *byte == number as u8 + 1));
        }
    });
}

/// Reads of a pipe are dropped in flight, known to the kernel or not, and their group before them or after; the pipe is flooded before or after the
/// cancel. The memory is pinned as long as the kernel may write there, and no longer.
#[test]
fn dropped_in_flight_the_memory_stays_until_the_kernel_is_done() {
    with_and_without_table(|core| {
        for (is_submitted, is_cancelled) in [(false, false), (true, false), (true, true)] {
            for group_goes_first in [false, true] {
                // What other cores had is let go of when the kernel gets round to it.
                core.turn_until(|| pinned() == 0);
                let (file, mut peer) = inlet();
                let log = WitnessLog::default();
                let buffers = group(&core, 4, page());
                let pinned_now = if has_table(&core) { 4 * page() } else { 0 };
                assert_eq!(pinned(), pinned_now);
                let buffer = buffers.try_take().expect("one of four");
                let op = core.started(Witness::new(read(&core, &file, buffer), &log));
                if is_submitted {
                    core.submit_all(1);
                }
                let kept = if group_goes_first {
                    drop(buffers);
                    None
                } else {
                    Some(buffers)
                };
                drop(op);
                assert_eq!(pinned(), pinned_now);
                if let Some(buffers) = &kept {
                    assert_eq!(buffers.unheld(), 3, "the kernel has it");
                }
                if is_cancelled {
                    core.turn_until_idle();
                }
                peer.write_all(&vec![b'!'; 2 * page()]).expect("it is open");
                core.turn_until_idle();
                assert_eq!(log.borrow().len(), 1, "it has one outcome");
                if let Some(buffers) = kept {
                    assert_eq!(buffers.unheld(), 4);
                }
                core.turn_until(|| pinned() == 0);
            }
        }
    });
}

/// A read is cancelled: the buffer comes back to whoever asked, and is as good as before.
#[test]
fn a_cancelled_read_gives_its_buffer_back() {
    with_and_without_table(|core| {
        let (file, mut peer) = inlet();
        let buffers = group(&core, 1, page());
        let buffer = buffers.try_take().expect("it is there");
        let op = core.started(read(&core, &file, buffer));
        core.submit_all(1);
        let BufResult(result, buffer) = core.block_on(op.cancel());
        let code = result.expect_err("nothing came").raw_os_error();
        assert_eq!(code, Some(libc::ECANCELED));
        peer.write_all(b"later").expect("it is open");
        let BufResult(result, buffer) = core.block_on(core.op(read(&core, &file, buffer)));
        assert_eq!((result.expect("it came"), &*buffer), (5, &b"later"[..]));
    });
}

/// Cores go away with reads in flight, futures kept or dropped, while buffers, some with bytes in them, and groups are held: each outlives its core, serves
/// another as any buffer, and what is in it stays.
#[test]
fn a_core_goes_away_under_its_groups() {
    with_and_without_table(|core| {
        let capabilities = core.reactor.capabilities();
        let buffers = group(&core, 8, page());
        let (file, peer) = inlet();
        let log = WitnessLog::default();
        let mut ops = Vec::new();
        for _ in 0..6 {
            let buffer = buffers.try_take().expect("one of eight");
            ops.push(core.started(Witness::new(read(&core, &file, buffer), &log)));
        }
        core.submit_all(1);
        ops.truncate(3);
        let mut held = buffers.try_take().expect("one of eight");
        held.append(b"held");
        core.reactor
            .shutdown(support::PATIENCE)
            .expect("it answers");
        drop((core, ops));
        drop((file, peer));
        assert_eq!((log.borrow().len(), buffers.unheld()), (6, 7));
        drop(buffers);
        let other = Core::new(capabilities);
        let (file, mut peer) = inlet();
        peer.write_all(b"elsewhere").expect("it is open");
        let BufResult(result, held) = other.block_on(other.op(read(&other, &file, held)));
        assert_eq!((result.expect("it came"), &*held), (9, &b"elsewhere"[..]));
    });
}

/// A shutdown is given no time, so the kernel may still write to the buffer of a dropped read when its core has gone: buffer and group are leaked.
#[test]
fn what_the_kernel_does_not_let_go_of_is_leaked() {
    /// Where the leaked operations are, so that a leak checker does not take them for forgotten.
    static LEAKED: Mutex<Vec<usize>> = Mutex::new(Vec::new());

    struct Leaked(ReadFixed<RegisteredBuf>);

    // SAFETY: as for `ReadFixed`, which is a part of us and moves only when we do.
    unsafe impl Operation for Leaked {
        type Output = ();

        fn entry(&mut self) -> Entry {
            LEAKED.lock().unwrap().push(std::ptr::from_ref(self).addr());
            self.0.entry()
        }

        fn complete(self, _: Completion) {
            unreachable!("nobody reaps it");
        }
    }

    with_and_without_table(|core| {
        let (file, mut peer) = inlet();
        let buffers = group(&core, 2, page());
        let buffer = buffers.try_take().expect("one of two");
        let op = core.started(Leaked(read(&core, &file, buffer)));
        core.submit_all(1);
        drop(op);
        core.reactor
            .shutdown(Duration::ZERO)
            .expect_err("there was no time");
        drop(core);
        assert_eq!(buffers.unheld(), 1, "the kernel may have the other");
        drop(buffers);
        peer.write_all(&vec![b'!'; 2 * page()])
            .expect("the leaked operation holds its reader");
    });
}

/// A buffer of one core's group is used on another, which has a group in the same place of its own table: an operation made for that
/// core is a plain one; one made for the first, and started here, is refused by the kernel, or plain. Nothing is written to the
/// other group's memory.
#[test]
fn a_buffer_of_another_core_is_any_buffer() {
    with_and_without_table(|core| {
        let other = Core::new(core.reactor.capabilities());
        let buffers = group(&core, 1, page());
        let others = group(&other, 1, page());
        let mut untouched = others.try_take().expect("it is there");
        untouched.append(&vec![7; page()]);
        let (file, mut peer) = inlet();
        peer.write_all(b"one").expect("it is open");
        let buffer = buffers.try_take().expect("it is there");
        let BufResult(result, buffer) = other.block_on(other.op(read(&other, &file, buffer)));
        assert_eq!((result.expect("it came"), &*buffer), (3, &b"one"[..]));
        peer.write_all(b"two").expect("it is open");
        let BufResult(result, _) = other.block_on(other.op(read(&core, &file, buffer)));
        match result {
            Ok(count) => assert_eq!((count, has_table(&core)), (3, false)),
            Err(error) => assert_eq!(error.raw_os_error(), Some(libc::EFAULT)),
        }
        assert!(untouched.iter().all(|byte| *byte == 7));
        assert_eq!(buffers.unheld(), 1);
    });
}

/// More groups are made than a core can register: those beyond are not registered, and serve; when a place is given up, the next group gets it, and so
/// it goes on for as many groups as one likes.
#[test]
fn a_full_table_registers_no_more_until_a_place_is_free() {
    with_and_without_table(|core| {
        let mut groups: Vec<_> = (0..GROUPS_MAX).map(|_| group(&core, 1, 1)).collect();
        let beyond = RegisteredBufs::new(&core.reactor, 1, 1).expect("a group");
        assert!(!beyond.is_registered());
        let (file, mut peer) = inlet();
        let serves = |buffers: &RegisteredBufs, peer: &mut PipeWriter| {
            peer.write_all(b"served").expect("it is open");
            let buffer = buffers.try_take().expect("it is there");
            let BufResult(result, buffer) = core.block_on(core.op(read(&core, &file, buffer)));
            assert_eq!((result.expect("it came"), &*buffer), (6, &b"served"[..]));
        };
        serves(&beyond, &mut peer);
        groups.swap_remove(100);
        for _ in 0..GROUPS_MAX {
            serves(&group(&core, 1, 1), &mut peer);
        }
        serves(&groups[100], &mut peer);
    });
}

/// Any other operation takes such a buffer.
#[test]
fn other_operations_take_them_too() {
    with_and_without_table(|core| {
        let (file, mut peer) = inlet();
        peer.write_all(b"plain").expect("it is open");
        let buffer = group(&core, 1, page()).try_take().expect("it is there");
        let BufResult(result, buffer) = core.block_on(core.op(Read::new(file, buffer)));
        assert_eq!((result.expect("it came"), &*buffer), (5, &b"plain"[..]));
    });
}

/// All buffers are held: who waits is told when one is given back, in the order of asking, and one that was granted to a future which is dropped is
/// the next one's; nobody overtakes.
#[test]
fn who_waits_for_a_buffer_gets_one_in_turn() {
    with_and_without_table(|core| {
        let buffers = group(&core, 1, page());
        let taken = buffers.try_take().expect("it is there");
        let (first_woken, first_waker) = counting_waker();
        let (second_woken, second_waker) = counting_waker();
        let mut first = Box::pin(buffers.take());
        let mut second = pin!(buffers.take());
        assert!(poll_with(&mut first, &first_waker).is_pending());
        assert!(poll_with(&mut second, &second_waker).is_pending());
        drop(taken);
        assert_eq!((first_woken.count(), second_woken.count()), (1, 0));
        assert!(buffers.try_take().is_none(), "it is the first one's");
        assert!(poll_with(&mut second, &second_waker).is_pending());
        drop(first);
        assert_eq!(second_woken.count(), 1);
        let buffer: RegisteredBuf = ready(second);
        assert_eq!(buffers.unheld(), 0);
        drop(buffer);
        drop(ready(pin!(buffers.take())));
        assert_eq!(buffers.unheld(), 1);
    });
}

/// A waker gives the last buffer back while it is cloned, before whoever clones it waits: that one gets it.
#[test]
fn a_buffer_given_back_while_a_waker_is_cloned_is_not_missed() {
    with_and_without_table(|core| {
        let buffers = group(&core, 1, page());
        let taken = Rc::new(std::cell::Cell::new(buffers.try_take()));
        let waker = support::cloning_waker({
            let taken = Rc::clone(&taken);
            move || drop(taken.take())
        });
        let mut taking = pin!(buffers.take());
        assert!(poll_with(&mut taking, &waker).is_ready());
        assert!(taken.take().is_none());
    });
}

/// What they hold is what was put there: nothing to begin with, never more than there is room for, and zero where they grow.
#[test]
fn a_registered_buffer_is_a_buffer() {
    with_and_without_table(|core| {
        let buffers = group(&core, 1, 1);
        let mut buffer = buffers.try_take().expect("it is there");
        assert_eq!((buffer.len(), buffer.buf_capacity()), (0, page()));
        assert_eq!(buffer.append(&vec![7; page() + 1]), page());
        assert_eq!(buffer.append(&[7]), 0);
        buffer.resize(10);
        buffer.resize(20);
        assert_eq!(buffer[..], [[7; 10], [0; 10]].concat());
        drop(buffer);
        assert!(buffers.try_take().expect("it is back").is_empty());
    });
}

/// Groups that cannot be: each says what to do.
#[test]
fn impossible_groups_are_refused() {
    with_and_without_table(|core| {
        for (count, bytes) in [
            (0, 1),
            (1, 0),
            (1, (1 << 30) + 1),
            ((1 << 30) / page() + 1, 1),
            (usize::MAX, page()),
            (1, usize::MAX),
        ] {
            let refused = RegisteredBufs::new(&core.reactor, count, bytes);
            let error = refused.expect_err("it is refused");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains("2^30 bytes"), "{error}");
        }
    });
}
