//! What the requests do (virtio 1.3 §5.2.6).

use super::{Block, BlockError, Finished, REQUEST_BYTES, SECTOR_SIZE, ZERO_SECTORS};
use crate::{Chain, QueueError};
use maquette_model::Cx;
use maquette_virtio_protocol::blk::{ID_BYTES, Range, RequestHeader, RequestStatus, RequestType};
use zerocopy::{FromZeros, IntoBytes};

const HEADER: u64 = size_of::<RequestHeader>() as u64;
const RANGE: u64 = size_of::<Range>() as u64;
/// `unmap` in the flags of a range.
const UNMAP: u32 = 1;

/// How a request ended short of success.
enum Trouble {
    /// The driver broke the rules of the queue.
    Queue(QueueError),
    /// The request has a status byte that says so.
    Status(RequestStatus),
}

impl From<QueueError> for Trouble {
    fn from(e: QueueError) -> Self {
        Self::Queue(e)
    }
}

const IOERR: Trouble = Trouble::Status(RequestStatus::IOERR);
const UNSUPPORTED: Trouble = Trouble::Status(RequestStatus::UNSUPP);

impl Block {
    /// Does one request; what is left is to return it.
    pub(super) fn perform(
        &mut self,
        cx: &mut Cx<'_>,
        chain: &Chain,
    ) -> Result<Finished, QueueError> {
        let mut header = RequestHeader::new_zeroed();
        chain.read(cx, 0, header.as_mut_bytes())?;
        // The last writable byte is the status, however the driver cut the chain.
        let data = chain.writable_len().checked_sub(1);
        let data = data.ok_or(QueueError::Short { missing: 1 })?;
        let status_at = chain.writable_at(data);
        let status_at = status_at.ok_or(QueueError::Short { missing: 1 })?;
        let (status, written) = match self.dispatch(cx, chain, &header) {
            Ok(written) => (RequestStatus::OK, written),
            Err(Trouble::Status(status)) => (status, 0),
            Err(Trouble::Queue(e)) => return Err(e),
        };
        let whole = written == data;
        let written = u32::try_from(written).unwrap_or(u32::MAX);
        Ok(Finished {
            head: chain.head(),
            written: written.saturating_add(whole.into()),
            status,
            status_at,
        })
    }

    /// How many data bytes were written to the driver.
    fn dispatch(
        &mut self,
        cx: &mut Cx<'_>,
        chain: &Chain,
        header: &RequestHeader,
    ) -> Result<u64, Trouble> {
        let sector = header.sector.get();
        match RequestType(header.kind.get()) {
            RequestType::IN => self.read_sectors(cx, chain, sector),
            RequestType::OUT => self.write_sectors(cx, chain, sector),
            RequestType::FLUSH => {
                let flushed = self.backend.flush();
                self.on_disk(cx, flushed).map(|()| 0)
            }
            RequestType::GET_ID => {
                let room = usize::try_from(chain.writable_len() - 1).unwrap_or(ID_BYTES);
                let part = self.serial.get(..room).unwrap_or(&self.serial);
                chain.write(cx, 0, part)?;
                Ok(part.len() as u64)
            }
            RequestType::DISCARD if !self.backend.read_only() => {
                // What discarded sectors read is open; keeping them is the repeatable choice.
                self.range(cx, chain, 0).map(|_| 0)
            }
            RequestType::WRITE_ZEROES if !self.backend.read_only() => {
                let (offset, len) = self.range(cx, chain, UNMAP)?;
                let zeroed = self.backend.write_zeroes(offset, len);
                self.on_disk(cx, zeroed).map(|()| 0)
            }
            kind => {
                cx.guest_error("virtio-blk: request not supported", kind.0.into());
                Err(UNSUPPORTED)
            }
        }
    }

    fn read_sectors(
        &mut self,
        cx: &mut Cx<'_>,
        chain: &Chain,
        sector: u64,
    ) -> Result<u64, Trouble> {
        let len = chain.writable_len() - 1;
        let start = self.place(cx, sector, len)?;
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut done = 0;
        let mut result = Ok(len);
        while done < len {
            let part = part(&mut buffer, len - done);
            let read = self.backend.read_at(start + done, part);
            let moved = self.on_disk(cx, read);
            let moved = moved.and_then(|()| Ok(chain.write(cx, done, part)?));
            if let Err(e) = moved {
                result = Err(e);
                break;
            }
            done += part.len() as u64;
        }
        self.buffer = buffer;
        result
    }

    fn write_sectors(
        &mut self,
        cx: &mut Cx<'_>,
        chain: &Chain,
        sector: u64,
    ) -> Result<u64, Trouble> {
        let len = chain.readable_len() - HEADER;
        let start = self.place(cx, sector, len)?;
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut done = 0;
        let mut result = Ok(0);
        while done < len {
            let part = part(&mut buffer, len - done);
            let moved = chain.read(cx, HEADER + done, part).map_err(Trouble::from);
            let moved = moved.and_then(|()| {
                let written = self.backend.write_at(start + done, part);
                self.on_disk(cx, written)
            });
            if let Err(e) = moved {
                result = Err(e);
                break;
            }
            done += part.len() as u64;
        }
        self.buffer = buffer;
        result
    }

    /// The byte offset of a transfer, if it is whole sectors that lie on the disk.
    fn place(&self, cx: &mut Cx<'_>, sector: u64, len: u64) -> Result<u64, Trouble> {
        let capacity = self.backend.size() / SECTOR_SIZE;
        let sectors = len / SECTOR_SIZE;
        if !len.is_multiple_of(SECTOR_SIZE) || len > REQUEST_BYTES {
            cx.guest_error("virtio-blk: length of a request", len);
            return Err(IOERR);
        }
        if sector.checked_add(sectors).is_none_or(|end| end > capacity) {
            cx.guest_error("virtio-blk: sector past the end of the disk", sector);
            return Err(IOERR);
        }
        Ok(sector * SECTOR_SIZE)
    }

    /// Offset and length of a discard or write-zeroes request, whose flags may be `allowed`.
    fn range(&self, cx: &mut Cx<'_>, chain: &Chain, allowed: u32) -> Result<(u64, u64), Trouble> {
        let len = chain.readable_len() - HEADER;
        if len != RANGE {
            // One range is what the configuration promises.
            cx.guest_error("virtio-blk: length of a range", len);
            return Err(IOERR);
        }
        let mut range = Range::new_zeroed();
        chain.read(cx, HEADER, range.as_mut_bytes())?;
        let (sectors, flags) = (range.num_sectors.get(), range.flags.get());
        if flags & !allowed != 0 {
            // Virtio 1.3 §5.2.6.2: unknown flags, and unmap with discard, are not supported.
            return Err(UNSUPPORTED);
        }
        if sectors > ZERO_SECTORS {
            cx.guest_error("virtio-blk: length of a range", sectors.into());
            return Err(IOERR);
        }
        let bytes = u64::from(sectors) * SECTOR_SIZE;
        Ok((self.place(cx, range.sector.get(), bytes)?, bytes))
    }

    /// A failure of the disk is an I/O error for the guest and a message for the user.
    fn on_disk(&mut self, cx: &mut Cx<'_>, done: Result<(), BlockError>) -> Result<(), Trouble> {
        let Err(e) = done else {
            return Ok(());
        };
        if matches!(e, BlockError::ReadOnly) {
            cx.guest_error("virtio-blk: write to a read-only disk", 0);
        } else if !self.complained {
            self.complained = true;
            cx.host_error(&e.to_string());
        }
        Err(IOERR)
    }
}

/// The first `len` bytes of the buffer, or all of it.
fn part(buffer: &mut [u8], len: u64) -> &mut [u8] {
    let n = usize::try_from(len).unwrap_or(usize::MAX).min(buffer.len());
    buffer.get_mut(..n).unwrap_or_default()
}
