//! The block cache: a direct-mapped front over an ordered map, one arena for all instructions.

use super::{Block, MicroOp, build};
use maquette_model::Ram;
use std::collections::BTreeMap;

/// Entries of the front.
const FRONT: usize = 1 << 14;
/// When the arena holds this many instructions everything is dropped (about 50 MB).
const ARENA_LIMIT: usize = 4 << 20;
/// The same for the number of blocks: words that are no instruction make blocks without any.
const BLOCK_LIMIT: usize = 1 << 20;
/// No block begins at an odd address.
const NO_BLOCK: u64 = 1;

/// Names a block until the cache is next synchronised with RAM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BlockId(u32);

/// All blocks of one hart.
pub(crate) struct BlockCache {
    front: Box<[(u64, u32)]>,
    map: BTreeMap<u64, u32>,
    blocks: Vec<Block>,
    arena: Vec<MicroOp>,
    limit: u16,
}

const fn front_index(pa: u64) -> usize {
    ((pa >> 1 ^ pa >> 15) & (FRONT as u64 - 1)) as usize
}

impl BlockCache {
    /// A cache of blocks of at most `limit` instructions.
    pub(crate) fn new(limit: u16) -> Self {
        Self {
            front: vec![(NO_BLOCK, 0); FRONT].into_boxed_slice(),
            map: BTreeMap::new(),
            blocks: Vec::new(),
            arena: Vec::new(),
            limit,
        }
    }

    /// The block at `pa`, if the front has it.
    #[inline(always)]
    pub(crate) fn find_front(&self, pa: u64) -> Option<BlockId> {
        let (key, id) = self.front[front_index(pa)];
        (key == pa).then_some(BlockId(id))
    }

    /// The block at `pa` from behind the front.
    pub(crate) fn find(&mut self, pa: u64) -> Option<BlockId> {
        let id = *self.map.get(&pa)?;
        self.front[front_index(pa)] = (pa, id);
        Some(BlockId(id))
    }

    /// Decodes the block at `pa`; `None` as in [`build`].
    #[cold]
    pub(crate) fn insert(&mut self, ram: &Ram, pa: u64) -> Option<BlockId> {
        if self.arena.len() > ARENA_LIMIT || self.blocks.len() > BLOCK_LIMIT {
            self.clear();
        }
        let start = self.arena.len();
        let built = build(ram, pa, self.limit, &mut self.arena)?;
        ram.mark_code(maquette_model::PhysAddr(pa), built.bytes);
        let id = u32::try_from(self.blocks.len()).ok()?;
        self.blocks.push(Block {
            start: u32::try_from(start).ok()?,
            len: u16::try_from(self.arena.len() - start).ok()?,
            memory_ops: built.memory_ops,
            end: built.end,
        });
        self.map.insert(pa, id);
        self.front[front_index(pa)] = (pa, id);
        Some(BlockId(id))
    }

    /// The block and its instructions.
    #[inline(always)]
    pub(crate) fn get(&self, id: BlockId) -> (&Block, &[MicroOp]) {
        let b = &self.blocks[id.0 as usize];
        let start = b.start as usize;
        (b, &self.arena[start..start + usize::from(b.len)])
    }

    /// Drops all blocks that begin in the page at `pa`.
    pub(crate) fn drop_page(&mut self, pa: u64) {
        let page = pa & !0xfff;
        while let Some((&at, _)) = self.map.range(page..page + 0x1000).next() {
            self.map.remove(&at);
            let slot = &mut self.front[front_index(at)];
            if slot.0 == at {
                *slot = (NO_BLOCK, 0);
            }
        }
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        self.front.fill((NO_BLOCK, 0));
        self.map.clear();
        self.blocks.clear();
        self.arena.clear();
    }
}
