//! Boots a bare-metal ELF, or with a RAM disk a kernel in S-mode, and prints what the machine did:
//! the smallest user of this crate.
use maquette_machine::{BootMode, BootSource, Config, Machine};
use maquette_model::{Frequency, Message, PortId, SimTime};
use maquette_sim::{Component, End, Link, NoRim, Port, Serial, SimCx, SimEvent};
use maquette_trace::Trace;

struct Screen;

impl Component for Screen {
    fn path(&self) -> &str {
        "screen"
    }
    fn ports(&self) -> Vec<Port> {
        vec![Port::new(0, "line")]
    }
    fn event(&mut self, _cx: &mut SimCx<'_>, ev: SimEvent) {
        if let SimEvent::Message {
            msg: Message::Byte(b),
            ..
        } = ev
        {
            print!("{}", b as char);
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let kernel = std::fs::read(
        args.next()
            .ok_or("usage: boot KERNEL [HARTS [INITRD [CMDLINE]]]")?,
    )?;
    let harts = args.next().map_or(Ok(1), |s| s.parse())?;
    let initrd = args.next().map(std::fs::read).transpose()?;
    let mode = if initrd.is_some() {
        BootMode::Sbi
    } else {
        BootMode::Bare
    };
    let cmdline = args.next().unwrap_or_default();
    let mut sim = Serial::new(Trace::new());
    let machine = Machine::new(Config {
        name: "machine0".into(),
        harts,
        ram_bytes: 512 << 20,
        clock: Frequency::from_hz(1_000_000_000),
        cpi: (1, 1),
        quantum: 10_000,
        block_limit: 64,
        seed: 0,
        rtc: maquette_machine::UnixTime::default(),
        boot: BootSource {
            mode,
            firmware: None,
            kernel,
            initrd,
            cmdline,
        },
        slots: Vec::new(),
        functions: Vec::new(),
    })?;
    let m = sim.add(Box::new(machine))?;
    let s = sim.add(Box::new(Screen))?;
    let end = |component, port| -> End { (component, PortId(port)) };
    sim.link(Link {
        a: end(m, 0),
        b: end(s, 0),
        latency: SimTime::from_us(1),
    })?;
    let start = std::time::Instant::now();
    let outcome = sim.run(SimTime::MAX, &mut NoRim);
    let wall = start.elapsed();
    let machine = sim.get::<Machine>(m).ok_or("no machine")?;
    let st = machine.statistics();
    let p = st.harts[0].profile;
    println!("{outcome} {:?} {}", machine.status(), st.time);
    println!(
        "{} instructions, {:.1} MIPS, {:.1} per block, {p:?}",
        st.instructions(),
        st.instructions() as f64 / wall.as_secs_f64() / 1e6,
        st.harts[0].instructions as f64 / p.blocks as f64
    );
    println!("trace hash: {}", sim.finish());
    Ok(())
}
