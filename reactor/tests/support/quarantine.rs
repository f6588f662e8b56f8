//! A global allocator that finds out who writes to freed memory, be it the kernel: what is freed is filled with poison and kept for a
//! while; when it is really freed, or when a test asks, the poison must be as it was. If not, the process aborts and says where.
//!
//! `QUARANTINE=off` in the environment lets everything through. AddressSanitizer cannot see what is in here, and sees no writes of
//! the kernel; so with it run both ways.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Cursor, Write};
use std::process::abort;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

const POISON: u8 = 0xdb;
const PATTERN: [u8; 4096] = [POISON; 4096];

/// So many frees later a block is really freed,
pub(crate) const BLOCKS_MAX: usize = 16 * 1024;
/// or when so much is waiting.
const BYTES_MAX: usize = 64 << 20;

pub(crate) struct Quarantine;

/// Memory that its owner has freed.
#[derive(Clone, Copy)]
struct Block {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: whoever has the block is the only one who may use the memory, on whatever thread.
unsafe impl Send for Block {}

/// A ring of blocks, the oldest at `first`.
struct Queue {
    blocks: [Option<Block>; BLOCKS_MAX],
    first: usize,
    count: usize,
    bytes: usize,
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue {
    blocks: [None; BLOCKS_MAX],
    first: 0,
    count: 0,
    bytes: 0,
});

// SAFETY: memory comes from and goes to the system's allocator, unchanged but for its content after it was freed, and as long as a block
// is in the queue nobody else is given it. Nothing here allocates or unwinds.
unsafe impl GlobalAlloc for Quarantine {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let Some(start) = NonNull::new(pointer).filter(|_| is_on()) else {
            // SAFETY: as the caller promises.
            return unsafe { System.dealloc(pointer, layout) };
        };
        // SAFETY: the caller has given these bytes up, and they are still ours.
        unsafe { start.write_bytes(POISON, layout.size()) };
        let mut queue = lock();
        while let Some(block) = queue.make_room_for(layout.size()) {
            drop(queue);
            block.check();
            // SAFETY: this is where the block, which came from there, is really freed.
            unsafe { System.dealloc(block.start.as_ptr(), block.layout) };
            queue = lock();
        }
        queue.push(Block { start, layout });
    }
}

fn is_on() -> bool {
    static IS_ON: OnceLock<bool> = OnceLock::new();
    *IS_ON.get_or_init(|| {
        // SAFETY: nothing in these tests changes the environment; what is returned is null or a string that ends with a zero, of which
        // no more than that is read. (The standard library's function allocates.)
        unsafe {
            let value = libc::getenv(c"QUARANTINE".as_ptr());
            value.is_null() || libc::strcmp(value, c"off".as_ptr()) != 0
        }
    })
}

/// Whether freed memory is being watched.
pub(crate) fn is_watching() -> bool {
    is_on()
}

/// Checks everything that is waiting.
pub(crate) fn check() {
    let queue = lock();
    for number in 0..queue.count {
        if let Some(block) = queue.blocks[(queue.first + number) % BLOCKS_MAX] {
            block.check();
        }
    }
}

fn lock() -> MutexGuard<'static, Queue> {
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Queue {
    /// Takes the oldest block out, if another of `bytes` does not fit.
    fn make_room_for(&mut self, bytes: usize) -> Option<Block> {
        if self.count < BLOCKS_MAX && self.bytes + bytes <= BYTES_MAX {
            return None;
        }
        let oldest = self.blocks[self.first].take()?;
        self.first = (self.first + 1) % BLOCKS_MAX;
        self.count -= 1;
        self.bytes -= oldest.layout.size();
        Some(oldest)
    }

    fn push(&mut self, block: Block) {
        self.blocks[(self.first + self.count) % BLOCKS_MAX] = Some(block);
        self.count += 1;
        self.bytes += block.layout.size();
    }
}

impl Block {
    fn check(self) {
        // SAFETY: the block is in the queue, or was until just now: nobody else may write to it, and we only read. If somebody does,
        // which is what this looks for, all bets are off anyhow.
        let bytes = unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.layout.size()) };
        // By the page, so that the comparison is one call even where nothing is optimised.
        if bytes
            .chunks(PATTERN.len())
            .all(|chunk| *chunk == PATTERN[..chunk.len()])
        {
            return;
        }
        let offset = bytes.iter().position(|byte| *byte != POISON).unwrap_or(0);
        report(offset, bytes);
        abort();
    }
}

/// To standard error, without allocating.
fn report(offset: usize, bytes: &[u8]) {
    let mut line = [0; 256];
    let mut cursor = Cursor::new(&mut line[..]);
    let _ = writeln!(
        cursor,
        "freed memory was written to: byte {offset} of a block of {}, which now has {:02x?}",
        bytes.len(),
        &bytes[offset..bytes.len().min(offset + 16)],
    );
    let length = cursor.position() as usize;
    // SAFETY: `line` has at least `length` bytes.
    unsafe { libc::write(libc::STDERR_FILENO, line.as_ptr().cast(), length) };
}
