//! How machines end and begin again.

use maquette_tests::guests::guest;
use object::{Object, ObjectSegment, ObjectSymbol, SymbolKind};

use crate::ran::{Ran, read, system, system_with};

const GUEST_FAILURE: i32 = 2;
/// `wfi` (privileged ISA §3.3.3).
const WFI: [u8; 4] = 0x1050_0073_u32.to_le_bytes();

/// Where `hart` stands, as the run's last words tell.
#[track_caller]
fn pc_of(ran: &Ran, hart: usize) -> u64 {
    let end = ran.stats["end"]
        .as_str()
        .expect("the run says how it ended");
    let (_, from) = end
        .split_once(&format!("hart{hart} "))
        .unwrap_or_else(|| panic!("{end}"));
    let (_, pc) = from
        .split_once("at pc 0x")
        .unwrap_or_else(|| panic!("{end}"));
    let digits: String = pc.chars().take_while(char::is_ascii_hexdigit).collect();
    u64::from_str_radix(&digits, 16).expect("a pc in hex")
}

/// The name of the function of a program at `pc`.
fn function(file: &object::File<'_>, pc: u64) -> String {
    let symbols = file
        .symbols()
        .filter(|s| s.kind() == SymbolKind::Text && s.size() > 0);
    let mut found = symbols.filter(|s| (s.address()..s.address() + s.size()).contains(&pc));
    let name = found.next().and_then(|s| s.name().map(str::to_owned).ok());
    name.unwrap_or_else(|| panic!("{pc:#x} is in no function"))
}

/// The four bytes of a program at `address`.
fn word(file: &object::File<'_>, address: u64) -> [u8; 4] {
    let mut pieces = file
        .segments()
        .filter_map(|s| s.data_range(address, 4).ok().flatten());
    let bytes = pieces.next().expect("the address is in the program");
    bytes.try_into().expect("four bytes were asked for")
}

#[test]
fn rv_20_deadlock_ends_with_exit_code_2_and_names_each_hart_and_pc() {
    let ran = system_with("deadlock", &["expect.end=power-off"]);
    ran.run.expect_code(GUEST_FAILURE);
    let message = ran.stats["end"].as_str().expect("an end");
    assert!(ran.run.stderr.contains(message), "{}", ran.run.describe());
    let elf = read(&guest("deadlock"));
    let elf = object::File::parse(&*elf).expect("guests are ELF files");
    for hart in 0..2 {
        let pc = pc_of(&ran, hart);
        let function = function(&elf, pc);
        assert!(
            function.contains("park"),
            "hart{hart} at {pc:#x}: {function}"
        );
        assert_eq!(word(&elf, pc - 4), WFI, "hart{hart} has executed `wfi`");
    }
    ran.hash();
}

#[test]
fn rv_20_deadlock_that_is_expected_is_clean_and_the_same_each_time() {
    let (once, again) = (system("deadlock").clean(), system("deadlock").clean());
    assert_eq!(
        once.console(),
        "deadlock: two harts wait with interrupts off\n"
    );
    assert_eq!(once.hash(), again.hash());
}

#[test]
fn rv_21_trap_loop_ends_with_exit_code_2_and_names_hart_vector_and_cause() {
    let ran = system_with("traploop", &["expect.end=power-off"]);
    ran.run.expect_code(GUEST_FAILURE);
    assert_eq!(pc_of(&ran, 0), 0x10);
    let complaint = "hart0 cannot go on at pc 0x10: trap loop";
    assert!(ran.run.stderr.contains(complaint), "{}", ran.run.describe());
    // Instruction access fault (privileged ISA, table of `mcause`): nothing is at the vector.
    assert!(ran.run.stderr.contains("cause 1"), "{}", ran.run.describe());
}

#[test]
fn rv_21_trap_loop_that_is_expected_is_clean() {
    let ran = system("traploop").clean();
    assert_eq!(
        ran.console(),
        "traploop: trap vector 0x10, now an environment call\n"
    );
}

#[test]
fn rv_08_guest_reboots_itself_once_and_powers_off() {
    let ran = system("reboot").clean();
    let lines = "PASS first boot: asking for a reboot\nPASS second boot: powering off\n";
    assert_eq!(ran.console(), lines);
    assert_eq!(ran.number("/machine/restarts"), 1);
    assert_eq!(ran.hash(), system("reboot").hash());
}
