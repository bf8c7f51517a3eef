//! A hundred pieces of work for an accelerator that somebody else may use too: the guest sees how long it waited.
#![no_std]
#![no_main]

use maquette_guest_rt::arch::csr::TIME;
use maquette_guest_rt::{Boot, board, check, entry, finish, println};
use maquette_guest_sst::{Driver, Shared};
use maquette_virtio_sst_protocol::layout::{ComputeView, device_type, kind, status};

entry!(main);

static SHARED: Shared = Shared::ZERO;

const PIECES: u64 = 100;
const UNITS: u64 = 100;
/// The clock of the machine's time, in ticks a microsecond.
const TICKS_PER_US: usize = 10;

fn main(_: Boot) -> ! {
    let slot = (0..board::VIRTIO_SLOTS)
        .map(board::virtio_slot)
        .find(|&slot| Driver::is_device(slot, device_type::MMIO));
    let Some(slot) = slot else {
        panic!("there is no virtio-sst device");
    };
    let mut driver = match Driver::start(slot, &SHARED) {
        Ok(driver) => driver,
        Err(error) => panic!("the device does not start: {error:?}"),
    };
    let before = TIME.read();
    let mut cycles = 0;
    for piece in 0..PIECES {
        cycles += work(&mut driver, piece);
    }
    let waited = (TIME.read() - before) / TICKS_PER_US;
    println!("PASS shared: {PIECES} pieces of work, {cycles} cycles, {waited} us");
    finish::pass()
}

/// One piece of work; returns its cycles.
fn work(driver: &mut Driver, piece: u64) -> u64 {
    let view = ComputeView {
        units: UNITS,
        ..ComputeView::default()
    };
    let made = driver.submit(kind::COMPUTE, piece, &[&view.encode()]);
    check!(made.is_ok(), "a request is refused: {made:?}");
    driver.kick();
    loop {
        match driver.poll() {
            Ok(Some(answer)) => {
                let header = answer.slot.response();
                check!(header.status == status::OK, "status {}", header.status);
                check!(header.user_data == piece, "another answer came");
                return header.result;
            }
            Ok(None) => core::hint::spin_loop(),
            Err(error) => panic!("the device answers wrongly: {error:?}"),
        }
    }
}
