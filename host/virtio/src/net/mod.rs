//! The network device with one pair of queues and no offloads (virtio 1.3 §5.1).

use crate::{Chain, ConfigAccess, QueueCx, QueueError, VirtioDevice, read_config};
use maquette_model::{
    Cx, Event, Inspect, LoadError, Message, PortId, Reader, Snapshot, Tree, Writer,
};
use maquette_virtio_protocol::net::{
    Config, ETHERNET_HEADER, FRAME_MAX, GSO_NONE, Header, RECEIVE_QUEUE, STATUS_LINK_UP,
    TRANSMIT_QUEUE, feature,
};
use maquette_virtio_protocol::{DeviceId, Features};
use std::collections::VecDeque;
use zerocopy::little_endian::U16;
use zerocopy::{FromZeros, IntoBytes};

/// Largest size of either queue.
const QUEUE_SIZE: u16 = 256;
/// Frames that wait for the driver; what comes then is dropped.
const BACKLOG: usize = 256;
/// The header in front of each frame.
const HEADER: u64 = size_of::<Header>() as u64;
/// Where the cable goes: each frame is one [`Message::Bytes`], without checksum.
const PORT: PortId = PortId(0);

/// What is counted, under these names in the statistics.
mod counter {
    pub(super) const SENT: &str = "frames_sent";
    pub(super) const RECEIVED: &str = "frames_received";
    pub(super) const SENT_DROPPED: &str = "sent_frames_dropped";
    pub(super) const RECEIVED_DROPPED: &str = "received_frames_dropped";
}

/// A virtio network device.
#[derive(Debug)]
pub struct Net {
    mac: [u8; 6],
    /// A cable is plugged in.
    link_up: bool,
    backlog: VecDeque<Vec<u8>>,
    chain: Chain,
}

impl Net {
    /// A device of address `mac`. What it tells the driver of its cable is `link_up`; frames come and
    /// go over port 0.
    #[must_use]
    pub fn new(mac: [u8; 6], link_up: bool) -> Self {
        Self {
            mac,
            link_up,
            backlog: VecDeque::new(),
            chain: Chain::default(),
        }
    }

    fn configuration(&self) -> Config {
        let mut c = Config::new_zeroed();
        c.mac = self.mac;
        c.status = U16::new(if self.link_up { STATUS_LINK_UP } else { 0 });
        c
    }

    /// A frame came over the cable.
    fn arrived(&mut self, cx: &mut QueueCx<'_, '_>, frame: Vec<u8>) {
        let is_frame = (ETHERNET_HEADER..=FRAME_MAX).contains(&frame.len());
        if !is_frame || self.backlog.len() >= BACKLOG {
            return cx.cx.count(counter::RECEIVED_DROPPED, 1);
        }
        self.backlog.push_back(frame);
        self.receive(cx);
    }

    /// Hands waiting frames to the driver while it has buffers.
    fn receive(&mut self, cx: &mut QueueCx<'_, '_>) {
        while !self.backlog.is_empty() && cx.pop(RECEIVE_QUEUE, &mut self.chain) {
            if let Err(e) = self.fill(cx) {
                cx.fail(e);
            }
        }
    }

    fn fill(&mut self, cx: &mut QueueCx<'_, '_>) -> Result<(), QueueError> {
        let Some(frame) = self.backlog.front() else {
            return Ok(());
        };
        let len = HEADER + frame.len() as u64;
        let room = self.chain.writable_len();
        if room < len {
            // Virtio 1.3 §5.1.6.3.1: a buffer holds the largest frame, always.
            return Err(QueueError::Short {
                missing: len - room,
            });
        }
        // Virtio 1.3 §5.1.6.4.1: without offloads, all fields are 0 but the number of buffers.
        let header = Header {
            num_buffers: U16::new(1),
            ..Header::default()
        };
        self.chain.write(cx.cx, 0, header.as_bytes())?;
        self.chain.write(cx.cx, HEADER, frame)?;
        self.backlog.pop_front();
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        cx.push(RECEIVE_QUEUE, self.chain.head(), len);
        cx.cx.count(counter::RECEIVED, 1);
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
        let mut header = Header::new_zeroed();
        self.chain.read(cx.cx, 0, header.as_mut_bytes())?;
        let len = self.chain.readable_len() - HEADER;
        let size = usize::try_from(len).unwrap_or(usize::MAX);
        if !(ETHERNET_HEADER..=FRAME_MAX).contains(&size) {
            cx.cx.guest_error("virtio-net: length of a frame", len);
            cx.cx.count(counter::SENT_DROPPED, 1);
            return Ok(());
        }
        if header.flags != 0 || header.gso_type != GSO_NONE {
            // Virtio 1.3 §5.1.6.2.1: offloads that were not negotiated.
            let what = u64::from(u16::from_le_bytes([header.flags, header.gso_type]));
            cx.cx
                .guest_error("virtio-net: offload without the feature", what);
            cx.cx.count(counter::SENT_DROPPED, 1);
            return Ok(());
        }
        let mut frame = vec![0; size];
        self.chain.read(cx.cx, HEADER, &mut frame)?;
        cx.cx.send(PORT, Message::Bytes(frame));
        cx.cx.count(counter::SENT, 1);
        Ok(())
    }
}

impl Inspect for Net {
    fn inspect(&self, tree: &mut Tree) {
        let mac: Vec<String> = self.mac.iter().map(|byte| format!("{byte:02x}")).collect();
        tree.text("mac", mac.join(":"));
        tree.flag("link_up", self.link_up);
        tree.length("frames_waiting", self.backlog.len());
    }
}

impl VirtioDevice for Net {
    fn id(&self) -> DeviceId {
        DeviceId::NETWORK
    }
    fn features(&self) -> Features {
        feature::MAC | feature::STATUS
    }
    fn queue_sizes(&self) -> &[u16] {
        &[QUEUE_SIZE, QUEUE_SIZE]
    }
    fn activate(&mut self, cx: &mut QueueCx<'_, '_>, _: Features) {
        self.receive(cx);
    }
    fn reset(&mut self, _: &mut Cx<'_>) {
        self.backlog.clear();
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
        match msg {
            // Nobody listens before the driver is ready, as with a real card.
            Message::Bytes(frame) if cx.live() => self.arrived(cx, frame),
            Message::Bytes(_) | Message::Byte(_) | Message::Word(_) => {
                cx.cx.count(counter::RECEIVED_DROPPED, 1);
            }
        }
    }
    fn config(&mut self, cx: &mut QueueCx<'_, '_>, access: ConfigAccess) -> u64 {
        match access {
            ConfigAccess::Read { off, width } => {
                read_config(self.configuration().as_bytes(), off, width)
            }
            ConfigAccess::Write { off, .. } => {
                cx.cx
                    .guest_error("virtio-net: write to the configuration", off);
                0
            }
        }
    }
}

impl Snapshot for Net {
    fn kind(&self) -> &'static str {
        "virtio-net"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, w: &mut Writer) {
        w.u64(self.backlog.len() as u64);
        for frame in &self.backlog {
            w.bytes(frame);
        }
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.backlog.clear();
        let refuse = |field, value| LoadError::Value { field, value };
        let count = r.u64()?;
        if count > BACKLOG as u64 {
            return Err(refuse("backlog", count));
        }
        for _ in 0..count {
            let frame = r.bytes()?;
            if !(ETHERNET_HEADER..=FRAME_MAX).contains(&frame.len()) {
                return Err(refuse("frame", frame.len() as u64));
            }
            self.backlog.push_back(frame.to_vec());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
