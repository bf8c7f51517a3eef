//! Copy on write: what the guest writes stays in memory, the disk below is only read.

use super::backend::{BlockBackend, BlockError, check};
use maquette_model::{LoadError, Reader, Snapshot, Writer};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Bytes in a cluster, the unit that is copied.
const CLUSTER: usize = 4096;

/// A disk whose writes are kept in memory, in clusters of 4 KiB over a base that never changes.
#[derive(Clone, Debug)]
pub struct Overlay<B> {
    base: B,
    clusters: BTreeMap<u64, Box<[u8; CLUSTER]>>,
}

/// A part of one cluster.
struct Piece {
    cluster: u64,
    /// Where in the cluster.
    at: usize,
    len: usize,
}

/// Cuts `len` bytes at `offset` at cluster borders.
fn pieces(offset: u64, len: usize) -> impl Iterator<Item = Piece> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == len {
            return None;
        }
        let position = offset + done as u64;
        let at = usize::try_from(position % CLUSTER as u64).unwrap_or(0);
        let n = (CLUSTER - at).min(len - done);
        done += n;
        Some(Piece {
            cluster: position / CLUSTER as u64,
            at,
            len: n,
        })
    })
}

impl<B: BlockBackend> Overlay<B> {
    /// Nothing written yet over `base`.
    #[must_use]
    pub const fn new(base: B) -> Self {
        Self {
            base,
            clusters: BTreeMap::new(),
        }
    }

    /// The disk below.
    pub const fn base(&self) -> &B {
        &self.base
    }

    /// How many bytes of memory the written clusters take.
    #[must_use]
    pub fn written_bytes(&self) -> u64 {
        self.clusters.len() as u64 * CLUSTER as u64
    }

    /// The cluster for writing, filled from the base unless all of it is about to be overwritten.
    fn cluster(&mut self, index: u64, whole: bool) -> Result<&mut [u8; CLUSTER], BlockError> {
        match self.clusters.entry(index) {
            Entry::Occupied(e) => Ok(e.into_mut()),
            Entry::Vacant(e) => {
                let mut bytes = Box::new([0; CLUSTER]);
                let start = index.saturating_mul(CLUSTER as u64);
                let rest = self.base.size().saturating_sub(start);
                let n = usize::try_from(rest).unwrap_or(CLUSTER).min(CLUSTER);
                if !whole && let Some(part) = bytes.get_mut(..n) {
                    self.base.read_at(start, part)?;
                }
                Ok(e.insert(bytes))
            }
        }
    }
}

impl<B: BlockBackend> BlockBackend for Overlay<B> {
    fn size(&self) -> u64 {
        self.base.size()
    }
    fn read_only(&self) -> bool {
        false
    }
    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> Result<(), BlockError> {
        check(self.size(), offset, buf.len() as u64)?;
        let end = offset + buf.len() as u64;
        let clusters = offset / CLUSTER as u64..end.div_ceil(CLUSTER as u64);
        // One read of the base, then the written clusters over it: most reads meet none.
        self.base.read_at(offset, buf)?;
        if self.clusters.range(clusters).next().is_none() {
            return Ok(());
        }
        let mut rest = buf;
        for piece in pieces(offset, rest.len()) {
            let (part, tail) = rest.split_at_mut(piece.len);
            rest = tail;
            let written = self.clusters.get(&piece.cluster);
            if let Some(from) = written.and_then(|c| c.get(piece.at..piece.at + piece.len)) {
                part.copy_from_slice(from);
            }
        }
        Ok(())
    }
    fn write_at(&mut self, offset: u64, buf: &[u8]) -> Result<(), BlockError> {
        check(self.size(), offset, buf.len() as u64)?;
        let mut rest = buf;
        for piece in pieces(offset, rest.len()) {
            let (part, tail) = rest.split_at(piece.len);
            rest = tail;
            let bytes = self.cluster(piece.cluster, piece.len == CLUSTER)?;
            if let Some(to) = bytes.get_mut(piece.at..piece.at + piece.len) {
                to.copy_from_slice(part);
            }
        }
        Ok(())
    }
    fn flush(&mut self) -> Result<(), BlockError> {
        Ok(())
    }
}

impl<B: BlockBackend> Snapshot for Overlay<B> {
    fn kind(&self) -> &'static str {
        "overlay-disk"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, w: &mut Writer) {
        self.base.save(w);
        w.u64(self.clusters.len() as u64);
        for (&index, bytes) in &self.clusters {
            w.u64(index);
            w.bytes(bytes.as_slice());
        }
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.base.load(r)?;
        self.clusters.clear();
        let limit = self.size().div_ceil(CLUSTER as u64);
        for _ in 0..r.u64()? {
            let index = r.u64()?;
            let bytes = r.bytes()?;
            let wrong = LoadError::Value {
                field: "cluster",
                value: index,
            };
            let content = <[u8; CLUSTER]>::try_from(bytes).map_err(|_| wrong.clone())?;
            if index >= limit || self.clusters.insert(index, Box::new(content)).is_some() {
                return Err(wrong);
            }
        }
        Ok(())
    }
}
