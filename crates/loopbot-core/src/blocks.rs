// ANCHOR: memory
//! The memory of tasks: blocks that are cut from larger pieces, and used again.
//!
//! A server makes and ends tasks all the time, of a few sizes. To give such a block back and to get one is two
//! steps along a list here; the system's allocator, which has to suit everybody, takes several times as long,
//! and puts a header before every block.
#![allow(unsafe_code)]

use std::alloc::{self, Layout};
use std::cell::RefCell;
use std::mem::{self, ManuallyDrop};
use std::ptr::NonNull;

/// Sizes are rounded up to a multiple of this.
const STEP: usize = 32;
/// There is a list for each multiple of `STEP` below 512 bytes. Larger ones come from the system.
const LISTS: usize = 16;
const ALIGN: usize = 16;
/// Where pieces begin: with a cache line, so that a block which fits into one lies in one.
const CACHE_LINE: usize = 64;
const FIRST_PIECE: usize = 2 << 10;
const LARGEST_PIECE: usize = 256 << 10;

thread_local! {
    /// A loop that ends gives everything back, and nothing is left to be dropped when the thread ends. So no
    /// access has to ask whether that has happened already.
    static BLOCKS: ManuallyDrop<RefCell<Blocks>> =
        const { ManuallyDrop::new(RefCell::new(Blocks::new())) };
}

struct Blocks {
    /// The first free block of each size. In it is written where the next one is.
    free: [Option<NonNull<Free>>; LISTS],
    /// What was not yet cut from the newest piece.
    rest: Option<NonNull<u8>>,
    rest_size: usize,
    pieces: Vec<(NonNull<u8>, Layout)>,
    in_use: usize,
}

struct Free {
    next: Option<NonNull<Free>>,
}

#[inline]
pub(crate) fn allocate(layout: Layout) -> NonNull<u8> {
    let cut = list_of(layout).and_then(|list| {
        BLOCKS
            .try_with(|blocks| blocks.borrow_mut().take(list))
            .ok()
    });
    cut.unwrap_or_else(|| from_the_system(layout))
}

/// # Safety
///
/// The block must come from `allocate`, on this thread, with this layout.
#[inline]
pub(crate) unsafe fn free(block: NonNull<u8>, layout: Layout) {
    match list_of(layout) {
        // When the thread ends, and the lists are gone already, it is left where it is.
        Some(list) => drop(BLOCKS.try_with(|blocks| blocks.borrow_mut().put(list, block))),
        // SAFETY: a block of this size came from the system, with this layout.
        None => unsafe { alloc::dealloc(block.as_ptr(), layout) },
    }
}

/// Gives the memory back to the system, if no block is in use. A loop that ends calls this.
pub(crate) fn release() {
    let _ = BLOCKS.try_with(|blocks| blocks.borrow_mut().release());
}

/// The list for blocks of this layout, if there is one.
#[inline]
const fn list_of(layout: Layout) -> Option<usize> {
    let list = layout.size().div_ceil(STEP);
    if list < LISTS && layout.align() <= ALIGN {
        Some(list)
    } else {
        None
    }
}

#[cold]
fn from_the_system(layout: Layout) -> NonNull<u8> {
    assert!(layout.size() > 0, "there is something in every block");
    // SAFETY: its size is not zero.
    let block = unsafe { alloc::alloc(layout) };
    NonNull::new(block).unwrap_or_else(|| alloc::handle_alloc_error(layout))
}
// ANCHOR_END: memory

// ANCHOR: lists
impl Blocks {
    const fn new() -> Blocks {
        Blocks {
            free: [None; LISTS],
            rest: None,
            rest_size: 0,
            pieces: Vec::new(),
            in_use: 0,
        }
    }

    #[inline]
    fn take(&mut self, list: usize) -> NonNull<u8> {
        self.in_use += 1;
        let Some(block) = self.free[list] else {
            return self.cut(list * STEP);
        };
        // SAFETY: whatever is in a list is free, large enough for this, and was written by `put`.
        self.free[list] = unsafe { block.read().next };
        block.cast()
    }

    #[inline]
    fn put(&mut self, list: usize, block: NonNull<u8>) {
        self.in_use -= 1;
        let block = block.cast::<Free>();
        let next = self.free[list].replace(block);
        // SAFETY: the block is nobody's now, and every block is large enough for this, and aligned.
        unsafe { block.write(Free { next }) };
    }

    #[cold]
    fn cut(&mut self, size: usize) -> NonNull<u8> {
        let rest = match self.rest {
            Some(rest) if self.rest_size >= size => rest,
            // What is left of the old piece is less than a block. It stays unused.
            _ => self.new_piece(),
        };
        self.rest_size -= size;
        // SAFETY: the piece goes on for at least `size` bytes; at its end, this points behind it, and is not used.
        self.rest = Some(unsafe { rest.add(size) });
        rest
    }

    /// Twice as large as the one before, up to a limit: few tasks need little, and many do not need many pieces.
    fn new_piece(&mut self) -> NonNull<u8> {
        let size = FIRST_PIECE << self.pieces.len().min(16);
        self.rest_size = size.min(LARGEST_PIECE);
        let layout =
            Layout::from_size_align(self.rest_size, CACHE_LINE).expect("a size that is in bounds");
        let piece = from_the_system(layout);
        self.pieces.push((piece, layout));
        piece
    }

    fn release(&mut self) {
        if self.in_use > 0 {
            return;
        }
        for (piece, layout) in mem::take(&mut self.pieces) {
            // SAFETY: it came from the system with this layout, and no block in it is in use.
            unsafe { alloc::dealloc(piece.as_ptr(), layout) };
        }
        self.free = [None; LISTS];
        (self.rest, self.rest_size) = (None, 0);
    }
}
// ANCHOR_END: lists
