//! From the head of a chain to its buffers (virtio 1.3 §2.7.5).

use super::{Chain, QueueError, Segment};
use maquette_model::{Cx, Iova};
use maquette_virtio_protocol::queue::{DESC_SIZE, Desc, DescFlags};
use zerocopy::{FromZeros, IntoBytes};

/// A table of descriptors: the queue's own, or an indirect one.
#[derive(Clone, Copy)]
pub(super) struct Table {
    pub(super) addr: Iova,
    /// Entries; an indirect table can have more than 65,535 bytes' worth.
    pub(super) size: u32,
}

/// What the driver may do.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// Longest chain: the queue's size (virtio 1.3 §2.7.5.3.1).
    pub(super) limit: u16,
    /// Indirect descriptors were negotiated.
    pub(super) indirect: bool,
}

/// Collects the chain that begins at `head` into `chain`.
pub(super) fn walk(
    cx: &mut Cx<'_>,
    table: Table,
    head: u16,
    rules: Rules,
    chain: &mut Chain,
) -> Result<(), QueueError> {
    chain.begin(head);
    match run(cx, table, head, rules, chain)? {
        None => Ok(()),
        Some(inner) => {
            if !rules.indirect {
                return Err(QueueError::IndirectFeature);
            }
            match run(cx, inner, 0, rules, chain)? {
                None => Ok(()),
                Some(_) => Err(QueueError::IndirectNested),
            }
        }
    }
}

/// Follows one table to its end, or to an indirect descriptor, whose table it returns.
fn run(
    cx: &mut Cx<'_>,
    table: Table,
    first: u16,
    rules: Rules,
    chain: &mut Chain,
) -> Result<Option<Table>, QueueError> {
    let mut index = first;
    // Every turn adds a descriptor, so the limit ends loops too.
    while chain.descriptors() < usize::from(rules.limit) {
        let desc = fetch(cx, table, index)?;
        let flags = desc.flags();
        if flags.contains(DescFlags::INDIRECT) {
            return indirect(&desc).map(Some);
        }
        append(chain, index, &desc)?;
        if !flags.contains(DescFlags::NEXT) {
            return Ok(None);
        }
        index = desc.next.get();
    }
    Err(QueueError::ChainLength(rules.limit))
}

fn fetch(cx: &mut Cx<'_>, table: Table, index: u16) -> Result<Desc, QueueError> {
    if u32::from(index) >= table.size {
        let size = table.size;
        return Err(QueueError::DescIndex { index, size });
    }
    let mut desc = Desc::new_zeroed();
    let at = table.addr.wrapping_add(DESC_SIZE * u64::from(index));
    cx.dma_read(at, desc.as_mut_bytes())?;
    Ok(desc)
}

/// The table behind an indirect descriptor, whose write flag means nothing (virtio 1.3 §2.7.5.3.2).
fn indirect(desc: &Desc) -> Result<Table, QueueError> {
    let (addr, len) = (desc.addr.get(), desc.len.get());
    if desc.flags().contains(DescFlags::NEXT) {
        return Err(QueueError::IndirectNext);
    }
    if len == 0 || !u64::from(len).is_multiple_of(DESC_SIZE) {
        return Err(QueueError::IndirectLength(len));
    }
    if addr.checked_add(u64::from(len)).is_none() {
        return Err(QueueError::Wraps { addr });
    }
    Ok(Table {
        addr: Iova(addr),
        size: len / 16,
    })
}

fn append(chain: &mut Chain, index: u16, desc: &Desc) -> Result<(), QueueError> {
    let writable = desc.flags().contains(DescFlags::WRITE);
    let (addr, len) = (desc.addr.get(), desc.len.get());
    if !writable && chain.writable_len() != 0 {
        return Err(QueueError::Order(index));
    }
    if len == 0 {
        return Err(QueueError::Empty(index));
    }
    if addr.checked_add(u64::from(len)).is_none() {
        return Err(QueueError::Wraps { addr });
    }
    let total = chain.total() + u64::from(len);
    if total > u64::from(u32::MAX) {
        return Err(QueueError::ChainBytes(total));
    }
    let addr = Iova(addr);
    chain.push(Segment { addr, len }, writable);
    Ok(())
}
