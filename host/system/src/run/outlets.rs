//! User networks that reach the world outside.

use crate::build::System;
use crate::description::Protocol;
use crate::open::Opened;
use crate::problem::{Fault, Problem};
use crate::render::Problems;
use maquette_rim::UserNetwork;

/// The sockets of all of them; none in a replay, whose recording knows what was answered.
pub(super) fn of(
    opened: &Opened,
    system: &System,
    replays: bool,
) -> Result<Vec<UserNetwork>, Problems> {
    if replays {
        for outlet in &system.gateways {
            outlet.requests.ignore();
        }
        return Ok(Vec::new());
    }
    let mut problems = Vec::new();
    let mut networks = Vec::new();
    for outlet in &system.gateways {
        let mut network = UserNetwork::new(outlet.gateway, outlet.requests.clone());
        for forward in &outlet.network.forwards {
            let listens = match forward.protocol {
                Protocol::Tcp => network.forward(forward.host, forward.guest),
                Protocol::Udp => network.forward_datagrams(forward.host, forward.guest),
            };
            if let Err(error) = listens {
                let message = format!("the host does not listen at {}: {error}", forward.host);
                let remedy = "use another port of the host, above 1023 and not in use".to_owned();
                problems.push(Problem {
                    at: outlet.network.at,
                    field: outlet.network.field.clone(),
                    fault: Fault::Refused { message, remedy },
                });
            }
        }
        networks.push(network);
    }
    if problems.is_empty() {
        return Ok(networks);
    }
    let sources = opened.sources.clone();
    Err(Problems::new(sources, &opened.file, problems))
}
