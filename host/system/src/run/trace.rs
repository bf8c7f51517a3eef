//! The trace file of a run, and the symbols that it is written with.

use super::RunError;
use crate::build::System;
use crate::description::Description;
use crate::symbols::{Functions, SymbolError};
use maquette_rim::TraceFile;
use maquette_trace::perfetto::{Perfetto, beginning};
use std::path::{Path, PathBuf};

/// A trace that is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceOrder {
    /// Where it goes.
    pub file: PathBuf,
    /// Whose functions to name; the kernels', if not said.
    pub symbols: Option<PathBuf>,
}

/// A trace that is being written.
pub(super) struct Tracing {
    path: PathBuf,
    file: TraceFile,
}

impl Tracing {
    /// Makes the file and begins to trace, if that is wanted.
    pub(super) fn begin(
        order: Option<&TraceOrder>,
        description: &Description,
        system: &mut System,
    ) -> Result<Option<Self>, RunError> {
        let Some(order) = order else {
            return Ok(None);
        };
        let mut functions = Functions::default();
        match &order.symbols {
            Some(path) => functions.add_for_all(path)?,
            None => {
                for machine in &description.machines {
                    if let Some(kernel) = &machine.boot.kernel {
                        // A kernel without symbols is still a kernel.
                        let _: Result<(), SymbolError> =
                            functions.add(&machine.board.name, &kernel.path);
                    }
                }
            }
        }
        let file = TraceFile::create(&order.file, &beginning())?;
        let sink = Perfetto::new(file.clone(), Box::new(functions));
        system.serial.trace_mut().set_sink(Some(Box::new(sink)));
        let path = order.file.clone();
        Ok(Some(Self { path, file }))
    }

    /// Ends the file; what has gone wrong with it.
    pub(super) fn finish(self, system: &mut System) -> Option<String> {
        if let Some(mut sink) = system.serial.trace_mut().set_sink(None) {
            sink.end();
        }
        let path: &Path = &self.path;
        self.file.failure().map(|error| {
            format!(
                "--trace {} cannot be written: {error}; the trace ends early",
                path.display()
            )
        })
    }
}
