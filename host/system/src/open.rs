//! A system file, opened: text, overrides, schema, rules.

use crate::describe::describe;
use crate::description::Description;
use crate::locate::{self, Places};
use crate::problem::{Fault, Problem};
use crate::reader;
use crate::render::Problems;
use crate::source::{At, Sources};
use crate::tree;
use std::path::Path;

/// A system file is text that people write; anything larger is a mistake.
const MOST_BYTES: u64 = 1 << 20;

/// A description with the texts that it was read from, for later problems.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The system.
    pub description: Description,
    /// Its texts.
    pub sources: Sources,
    /// The file's name as the user gave it.
    pub file: String,
    /// The overrides as the user gave them.
    pub overrides: Vec<String>,
}

/// Opens a system file and applies overrides (`machine.harts=4`).
///
/// # Errors
/// Everything that is wrong with the file and the overrides, together.
pub fn open(file: &Path, overrides: &[String]) -> Result<Opened, Problems> {
    let name = file.display().to_string();
    let bytes = read(file).map_err(|fault| alone(Sources::default(), "maquette", None, fault))?;
    let text = decode(&name, bytes)?;
    parse(&name, &text, overrides, &Places::of(file))
}

/// Reads a system file.
///
/// # Errors
/// When it cannot be read, or is too large to be one.
pub fn read(file: &Path) -> Result<Vec<u8>, Fault> {
    let too_large = "a system file is a short text: shorten it, or name another; `maquette list` shows those in ./systems";
    let bytes = locate::read_file(file, MOST_BYTES, too_large);
    bytes.map_err(|fault| match fault {
        Fault::File { what, path, .. } if !path.exists() && !path.is_symlink() => Fault::File {
            what,
            path,
            remedy: "correct the path; `maquette list` shows the systems in ./systems".to_owned(),
        },
        other => other,
    })
}

/// One problem and nothing else.
fn alone(sources: Sources, file: &str, at: Option<At>, fault: Fault) -> Problems {
    let field = String::new();
    Problems::new(sources, file, vec![Problem { at, field, fault }])
}

/// The text of a file, which is UTF-8, as TOML has to be.
fn decode(name: &str, bytes: Vec<u8>) -> Result<String, Problems> {
    let mut sources = Sources::default();
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let source = sources.add(name, "");
        let at = sources.at(source, 0, 0);
        return Err(alone(sources, name, Some(at), Fault::Utf16));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let bytes = error.into_bytes();
        let byte = bytes.get(valid).copied().unwrap_or(0);
        // Up to there the replaced text is the file's own.
        let source = sources.add(name, &String::from_utf8_lossy(&bytes));
        let at = sources.at(source, valid, valid + 1);
        alone(sources, name, Some(at), Fault::NotUtf8 { byte })
    })
}

/// Reads the text of a system file.
///
/// # Errors
/// Everything that is wrong with it, together.
pub fn parse(
    name: &str,
    text: &str,
    overrides: &[String],
    places: &Places,
) -> Result<Opened, Problems> {
    let mut sources = Sources::default();
    let source = sources.add(name, text);
    let mut problems = Vec::new();
    let mut root = tree::parse(&sources, source, text, &mut problems);
    if !problems.is_empty() {
        // What follows a syntax error is not what its author meant.
        return Err(Problems::new(sources, name, problems));
    }
    for text in overrides {
        tree::graft(&mut sources, &mut root, text, &mut problems);
    }
    let document = reader::read(&root, &mut problems);
    let description = describe(&document, places, &mut problems);
    if problems.is_empty() {
        Ok(Opened {
            description,
            sources,
            file: name.to_owned(),
            overrides: overrides.to_vec(),
        })
    } else {
        Err(Problems::new(sources, name, problems))
    }
}

#[cfg(test)]
mod tests;
