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

/// Where a block is made to be, and so how large it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On one core for life. Sizes are rounded up so that with the 8 bytes which glibc's allocator writes before each block they are
    /// multiples of 32, which wastes nothing.
    Home,
    /// Made on one core for another. Begins with a cache line, so that the least of them have to go there and back.
    Abroad,
}

impl Place {
    const fn step_bytes(self) -> usize {
        match self {
            Self::Home => 32,
            Self::Abroad => 64,
        }
    }

    /// What each block has less than whole steps.
    const fn overhead_bytes(self) -> usize {
        match self {
            Self::Home => 8,
            Self::Abroad => 0,
        }
    }

    const fn align(self) -> usize {
        match self {
            Self::Home => 16,
            Self::Abroad => 64,
        }
    }

    /// The layout of the blocks of a list.
    fn layout(self, list: usize) -> Layout {
        let size = (list + 1) * self.step_bytes() - self.overhead_bytes();
        Layout::from_size_align(size, self.align()).expect("a few cache lines are a valid layout")
    }
}

/// Blocks of so many steps are kept: half a KiB, and a KiB for those that travel. A larger task is rare, and its work outweighs an allocation.
const LISTS: usize = 16;
/// Kept in each list at most: enough for a burst of a thousand small tasks.
const LIST_BYTES_MAX: usize = 128 * 1024;
/// References kept to each core at most: 8 KiB of them.
const REFERENCES_MAX: usize = 1024;

/// One core's spare parts.
pub(crate) struct Spares {
    /// By the core's number.
    references: Box<[RefCell<Vec<Arc<CoreShared>>>]>,
    home: Blocks,
    abroad: Blocks,
}

/// By their size, in steps.
type Blocks = [RefCell<Vec<NonNull<u8>>>; LISTS];

/// The layout of the block for a cell of layout `cell`, and the list it may be kept in.
fn block(place: Place, cell: Layout) -> (Layout, Option<usize>) {
    let steps = (cell.size() + place.overhead_bytes()).div_ceil(place.step_bytes());
    let is_kept = cell.align() <= place.align() && (1..=LISTS).contains(&steps);
    if !is_kept || cfg!(no_recycling) {
        return (cell, None);
    }
    (place.layout(steps - 1), Some(steps - 1))
}

/// Memory for a cell, from `spares` if there is some.
#[inline]
pub(crate) fn take_block(spares: Option<&Spares>, place: Place, cell: Layout) -> NonNull<u8> {
    assert!(cell.size() > 0, "a cell has a header");
    let (layout, list) = block(place, cell);
    if let (Some(spares), Some(list)) = (spares, list)
        && let Some(block) = spares.blocks(place)[list].borrow_mut().pop()
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
/// It came from [`take_block`] with the same place and layout, and nothing in it is alive.
#[inline]
pub(crate) unsafe fn give_block(
    spares: Option<&Spares>,
    place: Place,
    cell: Layout,
    memory: NonNull<u8>,
) {
    let (layout, list) = block(place, cell);
    if let (Some(spares), Some(list)) = (spares, list) {
        let mut blocks = spares.blocks(place)[list].borrow_mut();
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
            home: [const { RefCell::new(Vec::new()) }; LISTS],
            abroad: [const { RefCell::new(Vec::new()) }; LISTS],
        }
    }

    #[inline]
    fn blocks(&self, place: Place) -> &Blocks {
        match place {
            Place::Home => &self.home,
            Place::Abroad => &self.abroad,
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
        for (place, lists) in [
            (Place::Home, &mut self.home),
            (Place::Abroad, &mut self.abroad),
        ] {
            for (list, blocks) in lists.iter_mut().enumerate() {
                for memory in blocks.get_mut().drain(..) {
                    // SAFETY: all blocks of this list were allocated with this layout, and nobody uses them.
                    unsafe { dealloc(memory.as_ptr(), place.layout(list)) };
                }
            }
        }
    }
}
