//! Functions of guest programs, by program counter.

use maquette_trace::perfetto::Symbols;
use object::elf::{STT_FUNC, STT_NOTYPE};
use object::read::elf::ElfFile64;
use object::{LittleEndian, Object as _, ObjectSymbol as _, SymbolFlags, SymbolSection};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a file gives no symbols.
#[derive(Debug, Error)]
pub enum SymbolError {
    /// It cannot be read.
    #[error("--symbols {} cannot be read", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the host said.
        source: io::Error,
    },
    /// It is no 64-bit ELF file.
    #[error("--symbols {} is no ELF file of a 64-bit program", path.display())]
    NotElf {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: object::Error,
    },
    /// It was stripped.
    #[error("--symbols {} names no function: it was stripped", path.display())]
    Stripped {
        /// Which.
        path: PathBuf,
    },
}

impl SymbolError {
    /// What the user can do.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::File { .. } => "name a file that exists and that you may read",
            Self::NotElf { .. } => {
                "name the program before it was turned into an image, such as Linux' vmlinux"
            }
            Self::Stripped { .. } => "name the program as the linker left it",
        }
    }
}

/// A function of a program.
#[derive(Debug)]
struct Function {
    /// 0 if the file does not say.
    size: u64,
    name: String,
}

/// The functions of one program, by address.
type Program = BTreeMap<u64, Function>;

/// The functions of each machine's program.
#[derive(Debug, Default)]
pub(crate) struct Functions {
    by_machine: BTreeMap<String, Program>,
    /// Of machines without a program of their own.
    of_all: Program,
}

impl Functions {
    /// Takes the functions of one machine's program.
    pub(crate) fn add(&mut self, machine: &str, path: &Path) -> Result<(), SymbolError> {
        self.by_machine.insert(machine.to_owned(), program(path)?);
        Ok(())
    }

    /// Takes the functions of the program that every machine runs.
    pub(crate) fn add_for_all(&mut self, path: &Path) -> Result<(), SymbolError> {
        self.of_all = program(path)?;
        Ok(())
    }
}

impl Symbols for Functions {
    fn function(&self, hart: &str, pc: u64) -> Option<&str> {
        let machine = hart.split_once('.').map_or(hart, |(machine, _)| machine);
        let program = self.by_machine.get(machine).unwrap_or(&self.of_all);
        let (start, function) = program.range(..=pc).next_back()?;
        let inside = function.size == 0 || pc - start < function.size;
        inside.then_some(function.name.as_str())
    }
}

fn program(path: &Path) -> Result<Program, SymbolError> {
    let bytes = std::fs::read(path).map_err(|source| SymbolError::File {
        path: path.to_path_buf(),
        source,
    })?;
    let program = functions(&bytes).map_err(|source| SymbolError::NotElf {
        path: path.to_path_buf(),
        source,
    })?;
    if program.is_empty() {
        let path = path.to_path_buf();
        return Err(SymbolError::Stripped { path });
    }
    Ok(program)
}

fn functions(elf: &[u8]) -> Result<Program, object::Error> {
    let file = ElfFile64::<LittleEndian>::parse(elf)?;
    let mut program = Program::new();
    for symbol in file.symbols() {
        let SymbolFlags::Elf { st_info, .. } = symbol.flags() else {
            continue;
        };
        let kind = st_info.st_type();
        let named = symbol.name().ok().filter(|name| is_function_name(name));
        let (Some(name), SymbolSection::Section(_)) = (named, symbol.section()) else {
            continue;
        };
        if kind != STT_FUNC && kind != STT_NOTYPE {
            continue;
        }
        let function = Function {
            size: symbol.size(),
            name: format!("{:#}", rustc_demangle::demangle(name)),
        };
        // Of several names of one place the one with a size is the function's.
        match program.get(&symbol.address()) {
            Some(known) if known.size >= function.size => {}
            _ => drop(program.insert(symbol.address(), function)),
        }
    }
    Ok(program)
}

/// Assemblers leave labels and mapping symbols (RISC-V ELF psABI, "Mapping Symbol") beside functions.
fn is_function_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('$') && !name.starts_with(".L")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn function_is_found_inside_its_size_and_on_its_machine() {
        let function = |name: &str, size| Function {
            size,
            name: name.to_owned(),
        };
        let mut functions = Functions::default();
        let one = [(0x100, function("a", 0x10)), (0x200, function("b", 0))];
        functions.by_machine.insert("m".to_owned(), one.into());
        functions.of_all = [(0x100, function("z", 0x10))].into();
        let at = |hart, pc| functions.function(hart, pc);
        assert_eq!(at("m.hart0", 0xff), None);
        assert_eq!(at("m.hart0", 0x10f), Some("a"));
        assert_eq!(at("m.hart0", 0x110), None);
        assert_eq!(at("m.hart0", u64::MAX), Some("b"));
        assert_eq!(at("other.hart1", 0x100), Some("z"));
    }

    #[test]
    fn what_is_no_program_is_refused() {
        assert!(functions(b"").is_err());
        assert!(functions(b"\x7fELF and no more").is_err());
    }
}
