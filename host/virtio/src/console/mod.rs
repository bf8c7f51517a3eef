//! The console device with one port (virtio 1.3 §5.3).

use crate::{Chain, ConfigAccess, QueueCx, QueueError, VirtioDevice, read_config};
use core::mem::offset_of;
use maquette_model::{
    Cx, Event, Inspect, LoadError, Message, PortId, Reader, Snapshot, Tree, Writer,
};
use maquette_virtio_protocol::console::{Config, RECEIVE_QUEUE, TRANSMIT_QUEUE, feature};
use maquette_virtio_protocol::{DeviceId, Features};
use std::collections::VecDeque;
use zerocopy::{FromZeros, IntoBytes};

/// Largest size of either queue.
const QUEUE_SIZE: u16 = 128;
/// Input that waits for the driver; what comes then is lost.
const INPUT: usize = 64 * 1024;
/// Most bytes that one chain may carry.
const CHAIN_BYTES: u64 = 1 << 20;
/// Bytes that are moved at a time, and the longest message.
const BUFFER: usize = 4096;
/// Where the port goes: sent bytes are [`Message::Bytes`]; single bytes and runs are received.
const PORT: PortId = PortId(0);

/// A virtio console.
#[derive(Debug, Default)]
pub struct Console {
    input: VecDeque<u8>,
    chain: Chain,
}

impl Console {
    /// A console whose port is port 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Hands waiting input to the driver while it has room.
    fn receive(&mut self, cx: &mut QueueCx<'_, '_>) {
        while !self.input.is_empty() && cx.pop(RECEIVE_QUEUE, &mut self.chain) {
            if let Err(e) = self.fill(cx) {
                cx.fail(e);
            }
        }
    }

    fn fill(&mut self, cx: &mut QueueCx<'_, '_>) -> Result<(), QueueError> {
        let room = usize::try_from(self.chain.writable_len()).unwrap_or(usize::MAX);
        if room == 0 {
            return Err(QueueError::Short { missing: 1 });
        }
        let n = room.min(self.input.len());
        let input = self.input.make_contiguous().get(..n).unwrap_or_default();
        self.chain.write(cx.cx, 0, input)?;
        self.input.drain(..n);
        let n = u32::try_from(n).unwrap_or(u32::MAX);
        cx.push(RECEIVE_QUEUE, self.chain.head(), n);
        Ok(())
    }

    /// Sends what the driver gave.
    fn transmit(&mut self, cx: &mut QueueCx<'_, '_>) {
        while cx.pop(TRANSMIT_QUEUE, &mut self.chain) {
            match self.drain(cx) {
                Ok(()) => cx.push(TRANSMIT_QUEUE, self.chain.head(), 0),
                Err(e) => cx.fail(e),
            }
        }
    }

    fn drain(&self, cx: &mut QueueCx<'_, '_>) -> Result<(), QueueError> {
        let len = self.chain.readable_len();
        if len > CHAIN_BYTES {
            return Err(QueueError::Long(len));
        }
        let mut buffer = [0; BUFFER];
        let mut done = 0;
        while done < len {
            let n = usize::try_from(len - done).unwrap_or(BUFFER).min(BUFFER);
            let part = buffer.get_mut(..n).unwrap_or_default();
            self.chain.read(cx.cx, done, part)?;
            let msg = match part {
                [byte] => Message::Byte(*byte),
                part => Message::Bytes(part.to_vec()),
            };
            cx.cx.send(PORT, msg);
            done += n as u64;
        }
        Ok(())
    }
}

impl Inspect for Console {
    fn inspect(&self, tree: &mut Tree) {
        tree.length("input_waiting", self.input.len());
    }
}

impl VirtioDevice for Console {
    fn id(&self) -> DeviceId {
        DeviceId::CONSOLE
    }
    fn features(&self) -> Features {
        feature::EMERG_WRITE
    }
    fn queue_sizes(&self) -> &[u16] {
        &[QUEUE_SIZE, QUEUE_SIZE]
    }
    fn activate(&mut self, cx: &mut QueueCx<'_, '_>, _: Features) {
        self.receive(cx);
    }
    fn reset(&mut self, _: &mut Cx<'_>) {
        self.input.clear();
    }
    fn kick(&mut self, cx: &mut QueueCx<'_, '_>, queue: u16) {
        match queue {
            RECEIVE_QUEUE => self.receive(cx),
            TRANSMIT_QUEUE => self.transmit(cx),
            _ => {}
        }
    }
    fn event(&mut self, cx: &mut QueueCx<'_, '_>, ev: Event) {
        let Event::Message { port: PORT, msg } = ev else {
            return;
        };
        let room = INPUT.saturating_sub(self.input.len());
        match msg {
            Message::Byte(b) => self.input.extend([b].iter().take(room)),
            Message::Bytes(bytes) => self.input.extend(bytes.iter().take(room)),
            Message::Word(_) => {}
        }
        self.receive(cx);
    }
    fn config(&mut self, cx: &mut QueueCx<'_, '_>, access: ConfigAccess) -> u64 {
        match access {
            ConfigAccess::Read { off, width } => {
                read_config(Config::new_zeroed().as_bytes(), off, width)
            }
            ConfigAccess::Write { off, value, .. } => {
                if off == offset_of!(Config, emerg_wr) as u64 {
                    // Virtio 1.3 §5.3.4: the low byte is printed at once, queues or not.
                    let [byte, ..] = value.to_le_bytes();
                    cx.cx.send(PORT, Message::Byte(byte));
                } else {
                    cx.cx
                        .guest_error("virtio-console: write to the configuration", off);
                }
                0
            }
        }
    }
}

impl Snapshot for Console {
    fn kind(&self) -> &'static str {
        "virtio-console"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, w: &mut Writer) {
        w.u64(self.input.len() as u64);
        for &byte in &self.input {
            w.u8(byte);
        }
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        let bytes = r.bytes()?;
        if bytes.len() > INPUT {
            let (field, value) = ("input", bytes.len() as u64);
            return Err(LoadError::Value { field, value });
        }
        self.input = bytes.iter().copied().collect();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
