//! Two harts: starting the second, interrupts between them, a page exchanged under both, timers.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use maquette_guest_rt::arch::{self, Mmio, csr};
use maquette_guest_rt::devtree::Machine;
use maquette_guest_rt::paging::PAGE;
use maquette_guest_rt::{check, println, sbi};

use crate::state::{INTERVAL, SEEN, SSTC, mine};
use crate::{memory, traps, wait_until};

const ROUNDS: usize = 100;
const TICKS: usize = 10;

/// What the second hart is asked to do next.
static JOB: AtomicUsize = AtomicUsize::new(0);
const ECHO: usize = 1;
const READ_EXCHANGE: usize = 2;
const TICK: usize = 3;
const STOP: usize = 4;

/// What the second hart answered.
static ANSWER: AtomicU64 = AtomicU64::new(0);
/// Hardware number of the boot hart, for the second hart to answer to.
static BOOT_HART: AtomicUsize = AtomicUsize::new(0);

/// The second hart, as the boot hart sees it.
#[derive(Debug)]
pub struct Partner {
    hart: usize,
}

/// Starts the first hart that is not the boot hart, if there is one.
pub fn start_partner(machine: &Machine, boot_hart: usize) -> Option<Partner> {
    let hart = *machine.harts().iter().find(|h| **h != boot_hart)?;
    BOOT_HART.store(boot_hart, Ordering::Relaxed);
    csr::SIE.set(csr::SSI);
    if let Err(e) = arch::start_supervisor_hart(hart, 1, partner_main) {
        panic!("HSM does not start the second hart: error {}", e.0);
    }
    wait_until(|| SEEN[0].ipis.load(Ordering::Acquire) == 1);
    println!("PASS second hart: started by HSM, runs with paging on");
    Some(Partner { hart })
}

impl Partner {
    /// Interrupts there and back.
    pub fn show_interrupts(&self) {
        for _ in 0..ROUNDS {
            self.ask(ECHO);
        }
        let there = SEEN[1].ipis.load(Ordering::Acquire);
        check!(there == ROUNDS, "the second hart took {there} interrupts");
        println!("PASS interrupts between harts: {ROUNDS} there, {ROUNDS} back");
    }

    /// A page is replaced by another under a hart that has used it: a stale translation would show
    /// the old one.
    pub fn show_shootdown(&self) {
        for (page, content) in memory::EXCHANGED.iter().zip([0x01d, 0x2e3]) {
            page.0[0].store(content, Ordering::Relaxed);
            memory::exchange(page);
            if let Err(e) = sbi::remote_sfence_vma(self.hart, memory::EXCHANGE, PAGE) {
                panic!("RFENCE fails: error {}", e.0);
            }
            self.ask(READ_EXCHANGE);
            let seen = ANSWER.load(Ordering::Acquire);
            check!(
                seen == content,
                "second hart sees {seen:#x}, not {content:#x}"
            );
        }
        println!("PASS remote fence: the second hart sees a page exchanged");
    }

    /// Both timers at once.
    pub fn show_timers(&self, machine: &Machine) {
        set_interval(machine);
        let before = SEEN[0].ipis.load(Ordering::Acquire);
        self.send(TICK);
        run_timer();
        wait_until(|| SEEN[0].ipis.load(Ordering::Acquire) > before);
        check_ticks(&[0, 1]);
        println!("PASS timer: {TICKS} ticks on each of two harts, none early");
    }

    /// Stops the hart and waits until HSM says so.
    pub fn stop(self) {
        self.send(STOP);
        while sbi::hart_status(self.hart) != Ok(sbi::hart_state::STOPPED) {
            core::hint::spin_loop();
        }
        println!("PASS second hart: stopped by HSM");
    }

    fn send(&self, job: usize) {
        JOB.store(job, Ordering::Release);
        if let Err(e) = sbi::send_ipi(self.hart) {
            panic!("the second hart cannot be interrupted: error {}", e.0);
        }
    }

    /// Sends a job and waits for the interrupt that answers it.
    fn ask(&self, job: usize) {
        let before = SEEN[0].ipis.load(Ordering::Acquire);
        self.send(job);
        wait_until(|| SEEN[0].ipis.load(Ordering::Acquire) > before);
    }
}

/// The boot hart's timer alone.
pub fn show_own_timer(machine: &Machine) {
    set_interval(machine);
    run_timer();
    check_ticks(&[0]);
    println!("PASS timer: {TICKS} ticks, none early");
}

fn set_interval(machine: &Machine) {
    SSTC.store(machine.sstc, Ordering::Relaxed);
    // A millisecond.
    INTERVAL.store(machine.timebase / 1000, Ordering::Relaxed);
}

fn check_ticks(harts: &[usize]) {
    for hart in harts {
        let ticks = SEEN[*hart].ticks.load(Ordering::Acquire);
        let early = SEEN[*hart].early_ticks.load(Ordering::Acquire);
        check!(ticks >= TICKS, "hart {hart} saw {ticks} ticks");
        check!(
            early == 0,
            "hart {hart} saw {early} ticks before their time"
        );
    }
}

fn run_timer() {
    traps::set_deadline(csr::TIME.read() as u64 + INTERVAL.load(Ordering::Relaxed));
    csr::SIE.set(csr::STI);
    wait_until(|| mine().ticks.load(Ordering::Acquire) >= TICKS);
    csr::SIE.clear(csr::STI);
    traps::set_deadline(u64::MAX);
}

fn partner_main(_index: usize) -> ! {
    memory::enter();
    csr::SIE.set(csr::SSI);
    answer();
    for job in 1.. {
        wait_until(|| mine().ipis.load(Ordering::Acquire) >= job);
        match JOB.load(Ordering::Acquire) {
            READ_EXCHANGE => {
                let content = Mmio::at(memory::EXCHANGE).read64(0);
                ANSWER.store(content, Ordering::Release);
            }
            TICK => run_timer(),
            STOP => break,
            _ => {}
        }
        answer();
    }
    panic!(
        "HSM does not stop the second hart: error {}",
        sbi::hart_stop().0
    )
}

fn answer() {
    let boot = BOOT_HART.load(Ordering::Relaxed);
    sbi::send_ipi(boot).expect("the boot hart can be interrupted");
}
