//! The device's saved state: requests in flight and events that wait.

use super::flights::Flight;
use super::{EVENTS, Sst};
use crate::Chain;
use maquette_model::{LoadError, Reader, Snapshot, TimerId, Writer};
use maquette_virtio_protocol::{Features, queue};
use maquette_virtio_sst_protocol::layout;
use std::collections::VecDeque;

impl Snapshot for Sst {
    fn kind(&self) -> &'static str {
        "virtio-sst"
    }
    fn version(&self) -> u16 {
        1
    }
    fn save(&self, w: &mut Writer) {
        w.u64(self.negotiated.bits());
        w.u64(self.flights.last_id());
        w.u64(self.flights.len() as u64);
        for flight in self.flights.iter() {
            w.u64(flight.id);
            w.u16(flight.queue);
            w.u64(flight.request_id);
            w.u64(flight.user_data);
            w.time(flight.deadline);
            flight.chain.save_writable(w);
        }
        w.bool(self.timer.is_some());
        w.u64(self.timer.map_or(0, |timer| timer.0));
        w.bool(self.overflow);
        w.u64(self.events.len() as u64);
        for event in &self.events {
            w.raw(&event.encode());
        }
    }
    fn load(&mut self, r: &mut Reader<'_>) -> Result<(), LoadError> {
        self.negotiated = Features::from_bits_retain(r.u64()?);
        let last = r.u64()?;
        let most = self.queue_sizes.len() as u64 * u64::from(queue::MAX_SIZE);
        let count = bounded(r, "requests in flight", most)?;
        let flights: Result<VecDeque<Flight>, LoadError> = (0..count).map(|_| flight(r)).collect();
        self.flights.restore(flights?, last);
        let waits = r.bool("timer")?;
        let timer = TimerId(r.u64()?);
        self.timer = waits.then_some(timer);
        self.overflow = r.bool("overflow")?;
        let count = bounded(r, "events that wait", EVENTS as u64)?;
        self.events.clear();
        for _ in 0..count {
            let event = layout::Event::decode(r.raw(layout::Event::SIZE)?);
            self.events.push_back(event);
        }
        Ok(())
    }
}

fn bounded(r: &mut Reader<'_>, field: &'static str, most: u64) -> Result<u64, LoadError> {
    let value = r.u64()?;
    if value > most {
        return Err(LoadError::Value { field, value });
    }
    Ok(value)
}

fn flight(r: &mut Reader<'_>) -> Result<Flight, LoadError> {
    let mut flight = Flight {
        id: r.u64()?,
        queue: r.u16()?,
        request_id: r.u64()?,
        user_data: r.u64()?,
        deadline: r.time()?,
        chain: Chain::default(),
    };
    flight.chain.load_writable(r)?;
    Ok(flight)
}
