//! Adding components and links, with every check that can be made before time begins.

use super::{Engine, Part, Peer, STOP_NOTICE, Socket};
use crate::Port;
use crate::link::{ComponentId, End, Link, WiringError};
use crate::queue::{EventQueue, Source};
use crate::reach::reach;
use maquette_model::{PortId, SimTime};

impl Engine {
    pub(crate) fn add(
        &mut self,
        path: &str,
        ports: Vec<Port>,
        required: Vec<PortId>,
    ) -> Result<ComponentId, WiringError> {
        let path = path.to_owned();
        if self.started {
            return Err(WiringError::Started { what: path });
        }
        if path.is_empty() {
            return Err(WiringError::EmptyPath);
        }
        if self.parts.iter().any(|p| p.path == path) {
            return Err(WiringError::SamePath { path });
        }
        for (i, port) in ports.iter().enumerate() {
            if ports.iter().skip(i + 1).any(|p| p.id == port.id) {
                let port = port.id.0;
                return Err(WiringError::SamePort { path, port });
            }
        }
        let id = match u32::try_from(self.parts.len()) {
            Ok(id) if Source(id) < super::OUTSIDE => id,
            _ => return Err(WiringError::TooMany { path }),
        };
        let trace_path = self.trace.path(&path);
        self.parts.push(Part {
            path,
            trace_path,
            sockets: (ports.into_iter())
                .map(|port| Socket { port, peer: None })
                .collect(),
            required,
            queue: EventQueue::new(),
            next_seq: 0,
            clocks: Vec::new(),
            reach: Vec::new(),
        });
        Ok(ComponentId(id))
    }

    pub(crate) fn link(&mut self, link: Link) -> Result<(), WiringError> {
        let Link { a, b, latency } = link;
        if self.started {
            let what = format!("the link between {} and {}", self.show(a), self.show(b));
            return Err(WiringError::Started { what });
        }
        self.check_end(a, b)?;
        self.check_end(b, a)?;
        if a == b {
            return Err(WiringError::ToItself { end: self.show(a) });
        }
        if latency == SimTime::ZERO {
            let (a, b) = (self.show(a), self.show(b));
            return Err(WiringError::NoLatency { a, b });
        }
        self.plug(a, Peer { end: b, latency });
        self.plug(b, Peer { end: a, latency });
        Ok(())
    }

    fn check_end(&self, end: End, other: End) -> Result<(), WiringError> {
        let (shown, other) = (self.show(end), self.show(other));
        let Some(part) = self.part(end.0.0) else {
            return Err(WiringError::UnknownComponent { end: shown, other });
        };
        let Some(socket) = part.socket(end.1) else {
            let names: Vec<&str> = part.sockets.iter().map(|s| &*s.port.name).collect();
            let known = if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            };
            return Err(WiringError::UnknownPort {
                end: shown,
                other,
                known,
            });
        };
        if let Some(peer) = socket.peer {
            let present = self.show(peer.end);
            return Err(WiringError::PortInUse {
                end: shown,
                other,
                present,
            });
        }
        Ok(())
    }

    /// Whether every port that must have a link has one.
    pub(crate) fn check_wiring(&self) -> Result<(), WiringError> {
        let linked = |part: &Part, port| part.socket(port).is_some_and(|s| s.peer.is_some());
        for (id, part) in (0..).map(ComponentId).zip(&self.parts) {
            let Some(&port) = part.required.iter().find(|&&port| !linked(part, port)) else {
                continue;
            };
            let ends = match self.free(id).as_slice() {
                [] => "to a port of a component that is still to be added".to_owned(),
                free => format!("for example to one of the free ports {}", free.join(", ")),
            };
            let end = self.show((id, port));
            return Err(WiringError::NotLinked { end, ends });
        }
        Ok(())
    }

    /// The ports without a link that components besides `me` have.
    fn free(&self, me: ComponentId) -> Vec<String> {
        let mut found = Vec::new();
        for (id, part) in (0..).map(ComponentId).zip(&self.parts) {
            let free = part.sockets.iter().filter(|s| id != me && s.peer.is_none());
            found.extend(free.map(|socket| self.show((id, socket.port.id))));
        }
        found
    }

    fn plug(&mut self, end: End, peer: Peer) {
        let part = self.parts.get_mut(end.0.0 as usize);
        let socket = part.and_then(|p| p.sockets.iter_mut().find(|s| s.port.id == end.1));
        if let Some(socket) = socket {
            socket.peer = Some(peer);
        }
    }

    /// `machine0:console`, with numbers where there are no names.
    fn show(&self, (component, port): End) -> String {
        match self.part(component.0) {
            None => format!("component {}:{}", component.0, port.0),
            Some(part) => match part.socket(port) {
                None => format!("{}:{}", part.path, port.0),
                Some(socket) => format!("{}:{}", part.path, socket.port.name),
            },
        }
    }

    /// Wiring is complete: finds out who can affect whom.
    pub(crate) fn settle_wiring(&mut self) {
        let count = self.parts.len();
        for me in 0..count {
            let Ok(id) = u32::try_from(me) else { break };
            let found = reach(id, count, STOP_NOTICE, |at, visit| {
                let sockets = self.part(at).map_or(&[][..], |p| &p.sockets);
                for peer in sockets.iter().filter_map(|s| s.peer) {
                    visit(peer.end.0.0, peer.latency);
                }
            });
            if let Some(part) = self.parts.get_mut(me) {
                part.reach = found;
            }
        }
    }
}
