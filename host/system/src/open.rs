//! A system file, opened: text, overrides, schema, rules.

use crate::describe::describe;
use crate::description::Description;
use crate::locate::{self, Places};
use crate::problem::{Problem, Problems};
use crate::reader;
use crate::source::Sources;
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
    let text = locate::read_file(file, MOST_BYTES).and_then(|bytes| {
        String::from_utf8(bytes).map_err(|error| crate::problem::Fault::File {
            what: format!(
                "this is no text: byte {} is not UTF-8",
                error.utf8_error().valid_up_to()
            ),
            path: file.to_path_buf(),
            remedy: "name a system file; `maquette list` shows those in ./systems".to_owned(),
        })
    });
    match text {
        Ok(text) => parse(&name, &text, overrides, &Places::of(file)),
        Err(fault) => Err(Problems::new(
            Sources::default(),
            "maquette",
            vec![Problem {
                at: None,
                field: String::new(),
                fault,
            }],
        )),
    }
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
