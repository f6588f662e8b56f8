//! What finished tasks leave for the next ones that are made on a core: their memory, and their reference to the core they were for.
//!
//! Tasks come and go by the million, in a few sizes. A block from here costs a push and a pop; from the general allocator, on a
//! thread of its own, several atomic instructions. Blocks know no core: they may be taken on one and left on another. What is kept
//! is bounded, and goes back to the allocator with the core.
//!
//! Recycled memory hides use after free from AddressSanitizer: under `--cfg no_recycling`, as CI runs it there, nothing is kept.

use super::CoreShared;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::RefCell;
use std::ptr::NonNull;
use std::sync::Arc;

/// Sizes are rounded up to whole cache lines, so that a few lists serve all.
const STEP_BYTES: usize = 64;
/// Blocks of up to `LISTS * STEP_BYTES` are kept; a task larger than 1 KiB is rare, and its work outweighs an allocation.
const LISTS: usize = 16;
/// Kept in each list at most: enough for a burst of a thousand small tasks.
const LIST_BYTES_MAX: usize = 128 * 1024;
/// References kept to each core at most: 8 KiB of them.
const REFERENCES_MAX: usize = 1024;

/// One core's spare parts.
pub(crate) struct Spares {
    /// By the core's number.
    references: Box<[RefCell<Vec<Arc<CoreShared>>>]>,
    blocks: [RefCell<Vec<NonNull<u8>>>; LISTS],
}

/// The layout of the block for a cell of layout `cell`, and the list it may be kept in.
fn block(cell: Layout) -> (Layout, Option<usize>) {
    let is_kept = cell.align() <= STEP_BYTES && (1..=LISTS * STEP_BYTES).contains(&cell.size());
    if !is_kept || cfg!(no_recycling) {
        return (cell, None);
    }
    let steps = cell.size().div_ceil(STEP_BYTES);
    let layout = Layout::from_size_align(steps * STEP_BYTES, STEP_BYTES)
        .expect("a few cache lines are a valid layout");
    (layout, Some(steps - 1))
}

/// Memory for a cell, from `spares` if there is some.
#[inline]
pub(crate) fn take_block(spares: Option<&Spares>, cell: Layout) -> NonNull<u8> {
    assert!(cell.size() > 0, "a cell has a header");
    let (layout, list) = block(cell);
    if let (Some(spares), Some(list)) = (spares, list)
        && let Some(block) = spares.blocks[list].borrow_mut().pop()
    {
        return block;
    }
    // SAFETY: the size is not zero.
    let block = unsafe { alloc(layout) };
    NonNull::new(block).unwrap_or_else(|| handle_alloc_error(layout))
}

/// Gives the memory of a cell back, to `spares` if there is room.
///
/// # Safety
/// It came from [`take_block`] with the same layout, and nothing in it is alive.
#[inline]
pub(crate) unsafe fn give_block(spares: Option<&Spares>, cell: Layout, memory: NonNull<u8>) {
    let (layout, list) = block(cell);
    if let (Some(spares), Some(list)) = (spares, list) {
        let mut blocks = spares.blocks[list].borrow_mut();
        if blocks.len() * layout.size() < LIST_BYTES_MAX {
            blocks.push(memory);
            return;
        }
    }
    // SAFETY: by the caller's word it was allocated with the layout that `block` gives for this cell.
    unsafe { dealloc(memory.as_ptr(), layout) };
}

impl Spares {
    /// For a core of a runtime with this many.
    pub(super) fn new(cores: usize) -> Self {
        Self {
            references: (0..cores).map(|_| RefCell::default()).collect(),
            blocks: [const { RefCell::new(Vec::new()) }; LISTS],
        }
    }

    /// A reference to the core of this number, if one is left.
    #[inline]
    pub(super) fn take_reference(&self, core: usize) -> Option<Arc<CoreShared>> {
        self.references[core].borrow_mut().pop()
    }

    /// Leaves a reference to a core of the runtime.
    #[inline]
    pub(super) fn give_reference(&self, reference: Arc<CoreShared>) {
        let mut references = self.references[reference.index()].borrow_mut();
        if references.len() < REFERENCES_MAX {
            references.push(reference);
        }
    }
}

impl Drop for Spares {
    fn drop(&mut self) {
        for (steps, blocks) in (1..).zip(&mut self.blocks) {
            let cell = Layout::from_size_align(steps * STEP_BYTES, 1).expect("as in `block`");
            for memory in blocks.get_mut().drain(..) {
                // SAFETY: it came from `take_block` for a cell of this list, all of which have the same block layout.
                unsafe { give_block(None, cell, memory) };
            }
        }
    }
}
