//! Accelerators, and the links between them and the devices that they work for.

use super::{Builder, System, slot_port};
use crate::description::{self, Description, DeviceKind, Worker};
use crate::problem::Fault;
use crate::source::At;
use maquette_devices::{Accelerator, AcceleratorSettings};
use maquette_model::SimTime;
use maquette_sim::{Link, WiringError};
use maquette_virtio::{Sst, SstSettings};

/// The device of a virtio-sst's description.
pub(super) fn device(system: &Description, kind: &DeviceKind) -> Sst {
    let DeviceKind::Sst {
        worker,
        timeout,
        request_queues,
        device_id,
        type_number,
        ..
    } = kind
    else {
        return Sst::new(SstSettings::default());
    };
    let shared = match worker {
        Worker::Shared(index) => system.accelerators.get(*index),
        Worker::None | Worker::Own => None,
    };
    let defaults = SstSettings::default();
    let (max_compute_units, memory_size) = shared.map_or(
        (defaults.max_compute_units, defaults.memory_size),
        |accelerator| {
            let settings = &accelerator.settings;
            (settings.max_compute_units, settings.memory_size)
        },
    );
    Sst::new(SstSettings {
        type_number: *type_number,
        device_id: *device_id,
        request_queues: *request_queues,
        connected: *worker != Worker::None,
        timeout: *timeout,
        max_compute_units,
        memory_size,
    })
}

/// A device that an accelerator works for.
struct Client<'d> {
    machine: usize,
    device: &'d description::Device,
    worker: Worker,
    latency: SimTime,
}

fn clients(d: &Description) -> impl Iterator<Item = Client<'_>> {
    let machines = d.machines.iter().enumerate();
    machines.flat_map(|(machine, described)| {
        let devices = described.devices.iter();
        devices.filter_map(move |device| match device.kind {
            DeviceKind::Sst {
                worker, latency, ..
            } => Some(Client {
                machine,
                device,
                worker,
                latency,
            }),
            _ => None,
        })
    })
}

impl Builder {
    /// Adds all accelerators, with links to the devices that they work for.
    pub(super) fn accelerators(&mut self, system: &mut System, d: &Description) -> Option<()> {
        for (index, shared) in d.accelerators.iter().enumerate() {
            let users = clients(d).filter(|client| client.worker == Worker::Shared(index));
            let users: Vec<Client<'_>> = users.collect();
            let settings = shared.settings.clone();
            if let Err(error) = add(system, settings, &users) {
                let field = format!("{}.name", shared.field);
                self.refused_wiring(shared.at, &field, &error, "the accelerator");
                return None;
            }
        }
        for client in clients(d).filter(|client| client.worker == Worker::Own) {
            let machine = d.machines.get(client.machine)?;
            let device = client.device;
            let path = format!("{}.{}.accelerator", machine.board.name, device.name);
            if let Err(error) = add(system, AcceleratorSettings::new(path), &[client]) {
                self.refused_wiring(device.at, &device.field, &error, "the device");
                return None;
            }
        }
        Some(())
    }

    fn refused_wiring(&mut self, at: Option<At>, field: &str, error: &WiringError, what: &str) {
        let fault = Fault::Refused {
            message: error.to_string(),
            remedy: format!("give {what} another name"),
        };
        self.problem(at, field, fault);
    }
}

/// Adds an accelerator that works for these devices.
fn add(
    system: &mut System,
    mut settings: AcceleratorSettings,
    clients: &[Client<'_>],
) -> Result<(), WiringError> {
    settings.clients = u16::try_from(clients.len()).unwrap_or(u16::MAX);
    let accelerator = system.serial.add(Box::new(Accelerator::new(settings)))?;
    for (number, client) in (0..).zip(clients) {
        let Some(seat) = system.machines.get(client.machine) else {
            continue;
        };
        system.serial.link(Link {
            a: (seat.machine, slot_port(client.device.slot)),
            b: (accelerator, Accelerator::client(number)),
            latency: client.latency,
        })?;
    }
    Ok(())
}
