//! A guest without a machine: a TCP/IP stack at the other end of the gateway's cable.

use maquette_model::{Message, PortId, RestoreError, SaveError, Sections, SimTime};
use maquette_network::{GUEST, Gateway, OUTSIDE, Reply, Request, Requests, Setup};
use maquette_sim::{
    Component, ComponentId, Input, Link, Port, Rim, RimAction, Serial, SimCx, SimEvent,
};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::{AnySocket, dhcpv4};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpCidr, Ipv4Cidr};
use std::collections::VecDeque;

const CABLE: PortId = PortId(0);
/// How often the stack is polled.
const TICK: SimTime = SimTime::from_us(500);

#[derive(Default)]
struct Wire {
    inbox: VecDeque<Vec<u8>>,
    outbox: VecDeque<Vec<u8>>,
}

struct Received(Vec<u8>);
struct Room<'a>(&'a mut VecDeque<Vec<u8>>);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl TxToken for Room<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut frame = vec![0; len];
        let result = f(&mut frame);
        self.0.push_back(frame);
        result
    }
}

impl Device for Wire {
    type RxToken<'a> = Received;
    type TxToken<'a> = Room<'a>;
    fn receive(&mut self, _: Instant) -> Option<(Received, Room<'_>)> {
        let frame = self.inbox.pop_front()?;
        Some((Received(frame), Room(&mut self.outbox)))
    }
    fn transmit(&mut self, _: Instant) -> Option<Room<'_>> {
        Some(Room(&mut self.outbox))
    }
    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = 1514;
        capabilities
    }
}

/// The guest.
pub struct Peer {
    pub interface: Interface,
    pub sockets: SocketSet<'static>,
    wire: Wire,
    dhcp: SocketHandle,
    /// Frames to send as they are.
    pub raw: Vec<Vec<u8>>,
    /// Frames that came.
    pub seen: Vec<Vec<u8>>,
}

impl Peer {
    fn new() -> Self {
        let mut wire = Wire::default();
        let address = EthernetAddress([2, 0, 0, 0, 0, 1]);
        let interface = Interface::new(Config::new(address.into()), &mut wire, Instant::ZERO);
        let mut sockets = SocketSet::new(Vec::new());
        let dhcp = sockets.add(dhcpv4::Socket::new());
        Self {
            interface,
            sockets,
            wire,
            dhcp,
            raw: Vec::new(),
            seen: Vec::new(),
        }
    }

    /// What DHCP has told, if it has told anything new; addresses and routes are then set.
    pub fn lease(&mut self) -> Option<(Ipv4Cidr, Vec<std::net::Ipv4Addr>)> {
        let event = self.sockets.get_mut::<dhcpv4::Socket>(self.dhcp).poll()?;
        let dhcpv4::Event::Configured(config) = event else {
            return None;
        };
        let address = config.address;
        let servers = config.dns_servers.iter().copied().collect();
        let router = config.router.expect("a router");
        self.interface.update_ip_addrs(|all| {
            all.clear();
            all.push(IpCidr::Ipv4(address)).expect("room");
        });
        self.interface
            .routes_mut()
            .add_default_ipv4_route(router)
            .expect("room");
        Some((address, servers))
    }

    pub fn socket<T: AnySocket<'static>>(&mut self, handle: SocketHandle) -> &mut T {
        self.sockets.get_mut(handle)
    }
}

impl Component for Peer {
    fn path(&self) -> &str {
        "peer"
    }
    fn ports(&self) -> Vec<Port> {
        vec![Port::new(CABLE.0, "cable")]
    }
    fn start(&mut self, cx: &mut SimCx<'_>) {
        cx.wake_at(SimTime::ZERO, 0);
    }
    /// It stays as it is when the rest goes back to this moment.
    fn save(&self, _: &mut Sections) -> Result<(), SaveError> {
        Ok(())
    }
    fn restore(&mut self, _: &mut Sections) -> Result<(), RestoreError> {
        Ok(())
    }
    fn event(&mut self, cx: &mut SimCx<'_>, ev: SimEvent) {
        match ev {
            SimEvent::Wake { .. } => {
                cx.wake_at(cx.now().saturating_add(TICK), 0);
            }
            SimEvent::Message { msg, .. } => {
                let Message::Bytes(frame) = msg else {
                    panic!("{msg:?}");
                };
                self.seen.push(frame.clone());
                self.wire.inbox.push_back(frame);
            }
        }
        let us = i64::try_from(cx.now().as_ps() / 1_000_000).expect("a short run");
        let now = Instant::from_micros(us);
        self.interface.poll(now, &mut self.wire, &mut self.sockets);
        for frame in self.raw.drain(..).chain(self.wire.outbox.drain(..)) {
            let now = cx.now();
            cx.send(CABLE, Message::Bytes(frame), now);
        }
    }
}

/// The world outside: at port 7 somebody says everything back, at port 9 nobody is.
pub struct World {
    requests: Requests,
    gateway: ComponentId,
    /// What the gateway asked for.
    pub asked: Vec<Request>,
    /// What will be told.
    pub replies: VecDeque<Reply>,
    /// Says nothing back.
    pub mute: bool,
}

impl World {
    fn answer(&mut self, request: Request) {
        self.asked.push(request.clone());
        if self.mute {
            return;
        }
        match request {
            Request::Connect { id, to: (_, 9) } => self.replies.push_back(Reply::Closed { id }),
            Request::Connect { id, .. } => self.replies.push_back(Reply::Connected { id }),
            Request::Send { id, bytes } => {
                let count = u32::try_from(bytes.len()).expect("a piece");
                self.replies.push_back(Reply::Sent { id, bytes: count });
                self.replies.push_back(Reply::Data { id, bytes });
            }
            Request::Finish { id } => self.replies.push_back(Reply::Finished { id }),
            Request::Datagram { id, bytes, .. } => {
                self.replies.push_back(Reply::Datagram { id, bytes });
            }
            Request::Room { .. } | Request::Close { .. } => {}
        }
    }
}

impl Rim for World {
    fn before(&mut self, _: SimTime) -> RimAction {
        while let Some(request) = self.requests.take() {
            self.answer(request);
        }
        match self.replies.pop_front() {
            None => RimAction::Go,
            Some(reply) => RimAction::Inject(Input {
                at: SimTime::ZERO,
                to: self.gateway,
                port: OUTSIDE,
                msg: Message::Bytes(reply.encode()),
            }),
        }
    }
    fn idle(&mut self) -> RimAction {
        RimAction::Go
    }
    fn window(&self) -> SimTime {
        SimTime::from_us(100)
    }
}

/// A peer on a gateway, and the world behind it.
pub struct Bench {
    pub serial: Serial,
    pub world: World,
    pub peer: ComponentId,
    pub gateway: ComponentId,
    now: SimTime,
}

impl Bench {
    pub fn new(restrict: bool) -> Self {
        let requests = Requests::default();
        let mut serial = Serial::default();
        let gateway = Gateway::new(Setup {
            path: "gateway".to_owned(),
            outside: (!restrict).then(|| requests.clone()),
        });
        let gateway = serial.add(Box::new(gateway)).expect("the first");
        let peer = serial.add(Box::new(Peer::new())).expect("another name");
        let link = Link {
            a: (gateway, GUEST),
            b: (peer, CABLE),
            latency: SimTime::from_us(10),
        };
        serial.link(link).expect("both ports exist");
        let world = World {
            requests,
            gateway,
            asked: Vec::new(),
            replies: VecDeque::new(),
            mute: false,
        };
        Self {
            serial,
            world,
            peer,
            gateway,
            now: SimTime::ZERO,
        }
    }

    /// The same with an address.
    pub fn with_address(restrict: bool) -> Self {
        let mut bench = Self::new(restrict);
        bench.until(Peer::lease);
        bench
    }

    pub fn peer(&mut self) -> &mut Peer {
        self.serial.get_mut(self.peer).expect("it is a peer")
    }

    pub fn gateway(&self) -> &Gateway {
        self.serial.get(self.gateway).expect("it is a gateway")
    }

    pub fn run_for(&mut self, t: SimTime) {
        self.now = self.now.saturating_add(t);
        self.serial.run(self.now, &mut self.world);
    }

    /// Runs until `f` has an answer, for at most a minute.
    #[track_caller]
    pub fn until<T>(&mut self, mut f: impl FnMut(&mut Peer) -> Option<T>) -> T {
        for _ in 0..60_000 {
            if let Some(answer) = f(self.peer()) {
                return answer;
            }
            self.run_for(SimTime::from_ms(1));
        }
        panic!("a minute has passed; asked: {:?}", self.world.asked.len());
    }
}
