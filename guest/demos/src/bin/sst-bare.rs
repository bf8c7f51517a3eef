//! virtio-sst without an operating system: every kind of request, errors, events, a batch, interrupts, and a
//! matrix product whose tiles go to the accelerator.
//!
//! Ends with a table: request, status, cycles of the accelerator, the time that the guest saw pass, and the
//! simulated time at which the answer was there.
#![no_std]
#![no_main]

use maquette_demos::offload;
use maquette_guest_rt::arch::csr::{MEI, MIE, MIP, TIME};
use maquette_guest_rt::arch::{Mmio, wfi};
use maquette_guest_rt::plic::Context;
use maquette_guest_rt::{Boot, board, check, entry, finish, println};
use maquette_guest_sst::{Answer, Driver, SLOTS, Shared};
use maquette_virtio_sst_protocol::layout::{
    ComputeAnswer, ComputeView, ConfigureView, InfoAnswer, MemoryView, TRANSFER_MAX, VERSION,
    device_type, event, feature, kind, parameter, status,
};

entry!(main);

static SHARED: Shared = Shared::ZERO;

/// A line of the table at the end.
#[derive(Clone, Copy, Default)]
struct Row {
    request: &'static str,
    status: u32,
    cycles: u64,
    ticks: usize,
    done: usize,
}

struct Bench {
    driver: Driver,
    context: Context,
    irq: usize,
    rows: [Row; 16],
    count: usize,
}

fn main(_: Boot) -> ! {
    let slot = (0..board::VIRTIO_SLOTS)
        .find(|&n| Driver::is_device(board::virtio_slot(n), device_type::MMIO));
    let Some(slot) = slot else {
        panic!("there is no virtio-sst device");
    };
    let mut bench = Bench::start(board::virtio_slot(slot), board::virtio_irq(slot));
    bench.describe();
    bench.simple_requests();
    bench.compute();
    bench.memory();
    bench.configure_and_reset();
    bench.errors();
    bench.events();
    bench.batch();
    bench.interrupts();
    bench.matrix_product();
    bench.table();
    println!("sst: all passed");
    finish::pass()
}

impl Bench {
    fn start(regs: Mmio, irq: usize) -> Self {
        let driver = match Driver::start(regs, &SHARED) {
            Ok(driver) => driver,
            Err(error) => panic!("the device does not start: {error:?}"),
        };
        let context = Context {
            plic: board::PLIC,
            number: 0,
        };
        Self {
            driver,
            context,
            irq,
            rows: [Row::default(); 16],
            count: 0,
        }
    }

    fn describe(&self) {
        let config = self.driver.config();
        check!(config.version == VERSION, "version {:#x}", config.version);
        let negotiated = self.driver.features() & feature::CONNECTED;
        check!(
            negotiated == feature::CONNECTED,
            "features {negotiated:#x}: no accelerator?"
        );
        println!("PASS device: version 1.0, features {negotiated:#x}");
    }

    /// Waits for one answer by polling.
    fn wait(&mut self) -> Answer {
        loop {
            match self.driver.poll() {
                Ok(Some(answer)) => return answer,
                Ok(None) => core::hint::spin_loop(),
                Err(error) => panic!("the device answers wrongly: {error:?}"),
            }
        }
    }

    fn submit(&mut self, kind: u32, user_data: u64, parts: &[&[u8]]) -> usize {
        match self.driver.submit(kind, user_data, parts) {
            Ok(number) => number,
            Err(error) => panic!("a request is refused: {error:?}"),
        }
    }

    /// One request from beginning to end, and its line in the table if it has a name.
    fn ask(&mut self, request: &'static str, kind: u32, parts: &[&[u8]]) -> Answer {
        let before = TIME.read();
        self.submit(kind, 0xABCD, parts);
        self.driver.kick();
        let answer = self.wait();
        let done = TIME.read();
        let ticks = done - before;
        let header = answer.slot.response();
        check!(
            header.user_data == 0xABCD,
            "{request}: user data {:#x}",
            header.user_data
        );
        let cycles = if kind == kind::COMPUTE && header.status == status::OK {
            compute_answer(&answer).cycles
        } else {
            0
        };
        if let Some(row) = self.rows.get_mut(self.count) {
            *row = Row {
                request,
                status: header.status,
                cycles,
                ticks,
                done,
            };
            self.count += 1;
        }
        answer
    }

    fn expect(&mut self, request: &'static str, kind: u32, parts: &[&[u8]], wanted: u32) -> Answer {
        let answer = self.ask(request, kind, parts);
        let status = answer.slot.response().status;
        check!(status == wanted, "{request}: status {status}, not {wanted}");
        answer
    }

    fn simple_requests(&mut self) {
        let answer = self.expect("NOOP", kind::NOOP, &[], status::OK);
        check!(answer.slot.response().result == 0, "NOOP: a result");
        let mut text = [0; 4080];
        for (n, byte) in text.iter_mut().enumerate() {
            *byte = (n % 251) as u8;
        }
        let answer = self.expect("ECHO", kind::ECHO, &[&text], status::OK);
        let mut back = [0; 4080];
        answer.slot.payload(0, &mut back);
        check!(text == back, "ECHO: other bytes came back");
        let answer = self.expect("GET_INFO", kind::GET_INFO, &[], status::OK);
        let mut bytes = [0; InfoAnswer::SIZE];
        answer.slot.payload(0, &mut bytes);
        let info = InfoAnswer::decode(&bytes);
        check!(info.version == VERSION, "GET_INFO: {info:?}");
        check!(
            u64::from(info.capabilities) & feature::CONNECTED == feature::CONNECTED,
            "GET_INFO: {info:?}"
        );
        println!(
            "PASS requests: NOOP, ECHO of 4080 bytes, GET_INFO ({} MiB, {} units)",
            info.memory_size >> 20,
            info.max_compute_units
        );
    }

    fn compute(&mut self) {
        let answer = self.expect("COMPUTE 1000", kind::COMPUTE, &[&units(1000)], status::OK);
        let first = compute_answer(&answer);
        check!(first.cycles == 100_000, "COMPUTE: {first:?}");
        check!(
            answer.slot.response().result == first.cycles,
            "COMPUTE: the result is another"
        );
        let answer = self.expect("COMPUTE 0", kind::COMPUTE, &[&units(0)], status::OK);
        let second = compute_answer(&answer);
        check!(second.cycles == 0, "COMPUTE 0: {second:?}");
        check!(
            second.timestamp > first.timestamp,
            "the accelerator's time goes back"
        );
        println!("PASS compute: 1000 units take 100000 cycles, 0 units none");
    }

    fn memory(&mut self) {
        let mut data = [0; TRANSFER_MAX];
        for (n, byte) in data.iter_mut().enumerate() {
            *byte = (n * 7 % 255) as u8;
        }
        let place = place(0x100, TRANSFER_MAX as u32);
        self.expect("WRITE 4064", kind::WRITE, &[&place, &data], status::OK);
        let answer = self.expect("READ 4064", kind::READ, &[&place], status::OK);
        let mut back = [0; TRANSFER_MAX];
        answer.slot.payload(0, &mut back);
        check!(data == back, "READ: other bytes than were written");
        println!("PASS memory: 4064 bytes written and read back");
    }

    fn configure_and_reset(&mut self) {
        let set = |value| {
            ConfigureView {
                parameter: parameter::CYCLES_PER_UNIT,
                reserved: 0,
                value,
            }
            .encode()
        };
        self.expect("CONFIGURE", kind::CONFIGURE, &[&set(7)], status::OK);
        let answer = self.expect("COMPUTE 1000", kind::COMPUTE, &[&units(1000)], status::OK);
        let cycles = compute_answer(&answer).cycles;
        check!(cycles == 7000, "7 cycles a unit: {cycles}");
        self.expect("RESET", kind::RESET, &[], status::OK);
        let answer = self.expect("READ 8", kind::READ, &[&place(0x100, 8)], status::OK);
        let mut back = [1; 8];
        answer.slot.payload(0, &mut back);
        check!(back == [0; 8], "RESET leaves memory as it was");
        println!("PASS configure: until RESET, which clears memory too");
    }

    fn errors(&mut self) {
        let wide = place(u64::MAX - 2, 8);
        for (request, kind, payload) in [
            ("READ past all", kind::READ, wide),
            ("WRITE too long", kind::WRITE, place(0, 4065)),
            ("COMPUTE 2^63", kind::COMPUTE, units(1 << 63)),
            ("unknown", 0xFFFF, wide),
        ] {
            self.expect(request, kind, &[&payload], status::INVALID);
        }
        println!("PASS errors: INVALID, and the device goes on");
    }

    /// The accelerator tells each COMPUTE by an event.
    fn events(&mut self) {
        let mut told = 0;
        loop {
            match self.driver.event() {
                Ok(Some(event)) => {
                    check!(event.kind == event::COMPLETION, "{event:?}");
                    told += 1;
                }
                Ok(None) => break,
                Err(error) => panic!("the device tells wrongly: {error:?}"),
            }
        }
        check!(told == 3, "{told} events for 3 COMPUTEs");
        println!("PASS events: 3 completions");
    }

    fn batch(&mut self) {
        for number in 0..SLOTS as u64 {
            self.submit(kind::COMPUTE, number, &[&units(10)]);
        }
        check!(
            self.driver.submit(kind::NOOP, 0, &[]).is_err(),
            "no end of requests"
        );
        let before = TIME.read();
        self.driver.kick();
        let mut last = 0;
        for number in 0..SLOTS as u64 {
            let answer = self.wait();
            let header = answer.slot.response();
            check!(header.status == status::OK, "status {}", header.status);
            check!(header.user_data == number, "answers out of order");
            let done = compute_answer(&answer);
            check!(
                number == 0 || done.timestamp == last + done.cycles,
                "one begins before another ends"
            );
            last = done.timestamp;
        }
        let ticks = TIME.read() - before;
        println!("PASS batch: {SLOTS} requests by one kick, in {ticks} ticks");
    }

    fn interrupts(&mut self) {
        while let Ok(Some(_)) = self.driver.event() {}
        let _ = self.driver.acknowledge();
        self.context.enable(self.irq);
        MIE.set(MEI);
        self.driver.set_interrupts(true);
        self.submit(kind::COMPUTE, 0, &[&units(500)]);
        self.driver.kick();
        // Interrupts are off: `wfi` ends, and no trap is taken (privileged architecture §3.3.3).
        while MIP.read() & MEI == 0 {
            wfi();
        }
        check!(self.context.claim() == self.irq, "another interrupt came");
        check!(self.driver.acknowledge(), "an interrupt without an answer");
        let answer = self.wait();
        check!(
            answer.slot.response().result == 50_000,
            "another answer came"
        );
        self.context.complete(self.irq);
        self.driver.set_interrupts(false);
        while let Ok(Some(_)) = self.driver.event() {}
        let _ = self.driver.acknowledge();
        println!("PASS interrupt: the hart slept while the accelerator worked");
    }

    /// Tiles go to the accelerator's memory, and the time of their products is the accelerator's.
    fn matrix_product(&mut self) {
        let mut cycles = 0;
        let before = TIME.read();
        let product = offload::multiply(|n, a, b| {
            for (at, tile) in [(0u64, a), (1024, b)] {
                let place = place(at, tile.len() as u32);
                let answer = self.silently(kind::WRITE, &[&place, tile]);
                check!(answer.slot.response().status == status::OK, "tile {n}");
            }
            let answer = self.silently(kind::COMPUTE, &[&units(offload::UNITS)]);
            cycles += compute_answer(&answer).cycles;
            let back = self.silently(kind::READ, &[&place(0, a.len() as u32)]);
            let mut bytes = [0; offload::TILE_BYTES];
            back.slot.payload(0, &mut bytes);
            bytes
        });
        let ticks = TIME.read() - before;
        check!(
            product == offload::EXPECTED,
            "checksum {product:#x}, not {:#x}",
            offload::EXPECTED
        );
        println!(
            "PASS matrix: 32 x 32 in {} tiles, checksum {product:#x}, {cycles} cycles, {ticks} ticks",
            offload::STEPS
        );
    }

    /// A request that is no line of the table.
    fn silently(&mut self, kind: u32, parts: &[&[u8]]) -> Answer {
        self.submit(kind, 0, parts);
        self.driver.kick();
        let answer = self.wait();
        while let Ok(Some(_)) = self.driver.event() {}
        answer
    }

    fn table(&self) {
        println!();
        println!("  request         status      cycles   guest time  simulated time");
        for row in self.rows.iter().take(self.count) {
            println!(
                "  {:<15} {:<9} {:>8} {:>7}.{} us {:>10}.{} us",
                row.request,
                name(row.status),
                row.cycles,
                row.ticks / 10,
                row.ticks % 10,
                row.done / 10,
                row.done % 10
            );
        }
        println!();
    }
}

fn name(status: u32) -> &'static str {
    match status {
        status::OK => "OK",
        status::ERROR => "ERROR",
        status::BUSY => "BUSY",
        status::INVALID => "INVALID",
        status::TIMEOUT => "TIMEOUT",
        status::NO_DEVICE => "NO_DEVICE",
        _ => "?",
    }
}

fn units(units: u64) -> [u8; ComputeView::SIZE] {
    let view = ComputeView {
        units,
        ..ComputeView::default()
    };
    view.encode()
}

fn place(address: u64, size: u32) -> [u8; MemoryView::SIZE] {
    let view = MemoryView {
        address,
        size,
        reserved: 0,
    };
    view.encode()
}

fn compute_answer(answer: &Answer) -> ComputeAnswer {
    let mut bytes = [0; ComputeAnswer::SIZE];
    answer.slot.payload(0, &mut bytes);
    ComputeAnswer::decode(&bytes)
}
